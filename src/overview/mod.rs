//! How the platform does right now: what an operator sees first, and the live tail of what happens.
//!
//! Every figure is read along an index and bounded in time, and an answer is shared by all who ask within a second or two.
//! It owns no tables.

mod filter;
mod hand_offs;
mod minutes;
mod now;
mod spend;
mod standing;
mod store;
mod tail;
mod view;

pub use filter::TailFilter;
pub use now::overview;
pub use tail::{end_tails, tail};
pub use view::OverviewView;
