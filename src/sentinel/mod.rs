//! The fraud engine's upkeep: what it learns from the tables, the holds it asked for, the rules that operators set, the
//! decisions it made and what other rules would have made of them.

mod holds;
mod learn;
mod store;

pub use holds::{HoldView, forget_hold, keep_holds, release};
pub use learn::learn;
pub use store::{HoldRow, list_holds, purge_holds};
