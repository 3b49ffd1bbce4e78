//! Which carrier takes a message: the operator's routes, by channel, country, prefix and organization; and who it comes
//! from.

mod eligible;
pub mod health;
mod http;
pub mod senders;
mod store;
pub mod watch;

pub use eligible::{Route, Want, eligible};
pub use http::{SenderDocs, configure};
pub use store::{draining, find, load, replace, set_draining, set_paused};
