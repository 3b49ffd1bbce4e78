//! The engine: (state, attempt, rules, now) → verdict with reasons. No clock, no database, no chance but a seeded one, so that
//! the same events give the same verdicts, byte for byte; see `docs/fraud.md`.
//!
//! A scorecard of log-odds over the groups that an attempt belongs to (its prefixes, country, network, device, credential):
//! whether codes are typed, whether numbers follow each other, whether there are many more than usual. The narrowest group
//! that passes the threshold is held for a while; numbers that proved themselves are exempt.

mod aging;
mod baseline;
pub mod budget;
mod curve;
mod decide;
mod features;
mod group;
mod hold;
mod neighbours;
mod odds;
mod people;
mod rings;
pub mod rng;
pub mod rules;
mod see;
mod state;
mod velocity;

pub use decide::{Verdict, decide, weigh};
pub use features::{Features, Key, Level, Named, Node, Origin};
pub use hold::{Hold, Plan};
pub use rules::{RuleMode, Rules};
pub use see::{GroupSeen, HoldSeen, Milli, NamedSeen, Seen, see, usual_share};
pub use state::{Event, Room, State};
