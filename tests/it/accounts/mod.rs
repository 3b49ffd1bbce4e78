//! Accounts over a socket: who gets in, with what, and until when.

mod credentials;
mod doors;
pub mod house;
mod scopes;
