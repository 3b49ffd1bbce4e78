//! Limits: the policies as data, exact windows for rows, and the door's limiter, in memory or shared by several nodes.
//!
//! Message-level limits live in SQL and use the pure windows here (`StampLog`, `OrgWindow`) inside the transaction that
//! stores the message. Request-level limits are taken at the `Door`: from `Limits`, which counts in memory, or together with
//! other nodes from Redis, by a script of the same rules (`shared`).
//!
//! # Memory
//! A scope is 80 bytes and its share of a table, 90 to 190 in all; a ring adds eight bytes a timestamp (rounded up to a power
//! of two), a rolling hour 320 bytes. A key in full use holds a ring and six counters: about 2.5 KB on the free plan, 10 KB on
//! pro, 135 KB on enterprise (only while it sends 10,000 requests a minute). A client address is one scope. A shard holds at
//! most 262,144 scopes; idle ones are dropped.

mod bucket_log;
mod door;
mod memory;
mod org_window;
mod period;
mod policies;
mod policy;
mod rate;
mod reading;
mod ring;
mod rule;
mod scope;
mod seeds;
mod shard;
mod shared;
mod span;
pub mod store;
pub mod varint;
mod verdict;
mod view;
mod wheel;
mod window;

pub use bucket_log::BucketLog;
pub use door::Door;
pub use memory::Limits;
pub use org_window::OrgWindow;
pub use policies::Policies;
pub use policy::Policy;
pub use rate::{Allowance, NotARate, Rate};
pub use rule::{Rule, ScopeKey, Shape};
pub use scope::SavedScope;
pub use verdict::Verdict;
pub use view::{MAX_RULES, View};
pub use window::StampLog;

#[cfg(test)]
mod oracle;
