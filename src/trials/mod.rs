//! Test messages: an operator asks whether one carrier delivers, to a number of their own. No organization's message: it
//! passes no route, guard, wallet or webhook, it is charged to nobody, and circuits hear nothing of it. So a carrier that
//! is drained or paused can be tried before it is used again.
//!
//! Reading order: `order` (what is asked for), `hand_over` (what the worker does), `view` (what is shown), `store`.

mod hand_over;
mod order;
mod store;
mod view;

pub use hand_over::run_trials;
pub use order::{TEXT, Wanted, order_trial};
pub use store::{Row, list_trials, purge_trials};
pub use view::{TrialReceipt, TrialStatus, TrialView, find_trial, show};
