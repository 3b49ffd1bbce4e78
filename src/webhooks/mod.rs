//! Webhooks: what happened, told to the endpoints that an organization named.
//!
//! Reading order: `kinds` (the closed list of events), `emit` (the ledger step), `endpoints`, `deliver`.

mod bell;
mod emit;
mod kinds;
mod store;

pub use emit::{NewEvent, Owner, PAYLOAD_MAX, emit};
pub use kinds::{EventType, Wanted};
