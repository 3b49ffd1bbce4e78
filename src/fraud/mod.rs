//! Whether a message should be sent at all: a pure decision with its reasons, kept with every message.
//!
//! This is the ground floor: the destinations an organization has opened, what somebody has listed by hand, lines that
//! only an attacker profits from, and lines that cannot take a message. The engine with its signals grows here.

mod entry;
mod http;
mod lists;
pub mod engine;
pub mod lab;
pub mod replay;
mod screen;
mod shelf;
mod store;

pub use entry::{ListEntryView, NewListEntry, add_entry, remove_entry};
pub use http::{FraudDocs, configure};
pub use lists::{Found, ListAction, ListEntry, ListKind, ListOwner, Listing, Lists, Probe};
pub use screen::{Action, Attempt, Reason, Verdict, screen};
pub use shelf::{forget_lists, lists};
pub use store::{list_entries, purge_entries};
