//! Work for later: a table of jobs, claimed under leases, retried with backoff, buried when hopeless.
//!
//! Enqueueing is one more insert in the transaction of the work that wants it. Messages are jobs of their own (their
//! row holds when to act next) and do not come here.

pub mod backoff;
mod store;
mod runner;
mod view;

pub use runner::{Job, run_due};
pub use store::{enqueue, enqueue_at, list, queues};
pub use view::{Filter, JobQueue, JobState, JobView};
