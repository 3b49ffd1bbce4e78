//! Whether a message should be sent at all: a pure decision with its reasons, kept with every message.
//!
//! This is the ground floor: the destinations an organization has opened, lines that only an attacker profits from,
//! and lines that cannot take a message. The engine with its signals grows here.

pub mod engine;
pub mod lab;
pub mod replay;
mod screen;

pub use screen::{Action, Attempt, Reason, Verdict, screen};
