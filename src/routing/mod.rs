//! Which carrier takes a message: the operator's routes, by channel, country, prefix and organization; and who it comes
//! from.

mod eligible;
pub mod senders;
mod store;

pub use eligible::{Route, Want, eligible};
pub use store::{find, load, replace, set_paused};
