//! Limits: the policies as data, exact windows for rows, and the limiter in memory.
//!
//! Message-level limits live in SQL and use the pure windows here (`StampLog`, `OrgWindow`) inside the transaction that
//! stores the message. Request-level limits are taken from `Limits`, which counts in memory.

mod policies;
mod policy;
mod rate;
mod rule;
mod verdict;
mod view;

pub use policies::Policies;
pub use policy::Policy;
pub use rate::{Allowance, NotARate, Rate};
pub use rule::{Rule, ScopeKey, Shape};
pub use verdict::Verdict;
pub use view::{MAX_RULES, View};
