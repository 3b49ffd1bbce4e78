//! Messages: accepted in one transaction with every guard inside it, handed over later, followed to their end.

mod accept;
mod body;
mod claim;
mod content;
mod counter;
mod dispatch;
mod gates;
#[cfg(test)]
mod gates_oracle;
mod http;
mod in_flight;
mod magic;
mod new;
mod outcomes;
mod prepare;
mod progress;
mod queue;
mod record;
mod refused;
mod rehearsal;
mod send;
mod settle;
mod state;
mod store;
mod tables;
mod view;

pub use accept::{Accept, Accepted, BulkTerms, ClientMacs, Item, ItemOutcome, Prepared, Render};
pub use body::ClientBody;
pub use content::{CodeSpec, Content};
pub use dispatch::{claim, dispatch_once, hand_over, until_next};
pub use gates::{EVER, GUARD_HORIZON, GuardKey, GuardKind, check_policies, tag_of};
pub use http::{MessageDocs, configure, configure_coals};
pub use in_flight::InFlight;
pub use new::{Client, Faults, MAX_SCHEDULE, NewMessage, Words, client, country_of, metadata};
pub use prepare::{Bench, Part, client_macs};
pub use queue::Queue;
pub use record::{Acceptance, record, rehearse};
pub use refused::{RefusalBook, write_refusals};
pub use rehearsal::{DryRunView, Rehearsed};
pub use settle::{Settlement, settle_unknown, take_receipts};
pub use state::{Hold, Status};
pub use store::{Extra, Row};
pub use store::{Lock, load_guards, purge_decisions, purge_guards, purge_messages, save_guards};
pub use tables::{forget_tables, tables};
pub use view::MessageView;
