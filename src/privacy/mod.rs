//! Erasing a person: every place where a number or mail address may stand, turned into a keyed pseudonym or removed, with
//! a proof. `places` is the list of those places; a new column that may hold an address belongs there.

mod erase;
mod places;
mod store;
mod subject;
mod view;

pub use erase::{order_erasure, run_erasures, run_erasures_by};
pub use store::{find_erasure, list_erasures};
pub use view::{ErasureStatus, ErasureView};
