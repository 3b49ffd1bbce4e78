//! Whether a message should be sent at all: a pure decision with its reasons, kept with every message.
//!
//! The ground floor is the screen: the destinations an organization has opened, what somebody has listed by hand, lines
//! that only an attacker profits from, and lines that cannot take a message. Above it the engine judges what the attempts
//! have in common; its upkeep is the room `sentinel`.

mod book;
mod change;
mod entry;
mod http;
mod kept;
mod lists;
pub mod engine;
pub mod lab;
pub mod replay;
mod screen;
mod shelf;
mod shown;
mod store;
mod trial;
mod watch;

pub use book::{Book, RuleSet};
pub use change::{NotARule, RuleChange, RuleId, RuleView, change_rules, replace_rules, rules_shown};
pub use entry::{ListEntryView, NewListEntry, add_entry, remove_entry};
pub use http::{FraudDocs, configure};
pub use kept::Kept;
pub use lists::{Found, ListAction, ListEntry, ListKind, ListOwner, Listing, Lists, Probe};
pub use screen::{Action, Attempt, Reason, Verdict, screen};
pub use shelf::{Guards, forget_guards, guards};
pub use shown::for_customer;
pub use store::{
    KeptRules, add_rules, latest_rules, list_entries, lists_changed, purge_entries, rules_at, rules_history,
};
pub use trial::{Judged, Trial, org_key};
pub use watch::{HoldBegun, Owner, Watch};
