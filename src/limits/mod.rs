//! Limits: the policies as data, exact windows for rows, and the limiter in memory.
//!
//! Message-level limits live in SQL and use the pure windows here (`StampLog`, `OrgWindow`) inside the transaction that
//! stores the message. Request-level limits are taken from `Limits`, which counts in memory.

mod bucket_log;
mod org_window;
mod policies;
mod policy;
mod rate;
mod reading;
mod rule;
mod span;
mod varint;
mod verdict;
mod view;
mod window;

pub use bucket_log::BucketLog;
pub use org_window::OrgWindow;
pub use policies::Policies;
pub use policy::Policy;
pub use rate::{Allowance, NotARate, Rate};
pub use rule::{Rule, ScopeKey, Shape};
pub use verdict::Verdict;
pub use view::{MAX_RULES, View};
pub use window::StampLog;
