//! Messages: accepted in one transaction with every guard inside it, handed over later, followed to their end.

mod accept;
mod activity;
mod body;
mod chat;
mod claim;
mod client;
mod content;
mod counter;
mod dispatch;
mod gates;
#[cfg(test)]
mod gates_oracle;
mod http;
mod in_flight;
mod lost;
mod magic;
mod new;
mod outcomes;
mod pairs;
mod prepare;
mod purse;
mod progress;
mod queue;
mod record;
mod refused;
mod rehearsal;
mod send;
mod settle;
mod share;
mod state;
mod store;
mod tables;
mod told;
mod troubles;
mod view;
mod watching;
mod wording;

pub use accept::{Accept, Accepted, BulkTerms, Item, ItemOutcome, Prepared, Render};
pub use activity::{ActivityList, activity};
pub use body::{BulkMode, ClientBody, Pacing, SendBody, TemplateBody};
pub use client::{Client, ClientMacs, client, client_macs};
pub use content::{CodeSpec, Content};
pub use dispatch::{claim, dispatch_once, hand_over, until_next};
pub use gates::{EVER, GUARD_HORIZON, GuardKey, GuardKind, check_policies, tag_of};
pub use http::{ActivityFilter, MessageDocs, configure, configure_coals};
pub use in_flight::InFlight;
pub use lost::CodeLost;
pub use new::{Faults, MAX_SCHEDULE, NewMessage, Words, country_of, metadata, originator};
pub use prepare::{Bench, Part};
pub use purse::{CapAlert, Capped};
pub use queue::Queue;
pub use record::{Acceptance, record, rehearse};
pub use refused::{RefusalBook, write_refusals};
pub use rehearsal::{DryRunView, Rehearsed};
pub use settle::{Settlement, settle_unknown, take_receipts};
pub use share::{Share, bulk_share};
pub use state::{Hold, Status};
pub use store::{Extra, LimitTerm, Row, Terms};
pub use store::{
    Lock, find_message, load_guards, purge_decisions, purge_guards, purge_messages, purge_pairs, save_guards,
};
pub use store::{batch_backlog, batch_counts, batch_faults};
pub use tables::{forget_tables, tables};
pub use troubles::heed_causes;
pub use view::MessageView;
pub use watching::{WATCH_EVERY, watch_routes};
