//! All SQL of the sentinel.

mod holds;
mod past;

pub use holds::{HoldRow, changed_holds, end_hold, find_hold, insert_holds, list_holds, open_holds, purge_holds};
pub use past::{Outcome, Sent, Typed, outcomes_after, sent_after, typed_after};
