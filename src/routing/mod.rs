//! Which carrier takes a message: the operator's routes, by channel, country, prefix and organization; and who it comes
//! from.

mod eligible;
pub mod health;
mod http;
mod pauses;
pub mod senders;
mod store;
pub mod watch;

pub use eligible::{Route, Want, eligible};
pub use http::{SenderDocs, configure};
pub use pauses::{Pause, PauseScope, Pauses};
pub use store::{begin_pause, draining, end_pause, find, load, pauses, replace, set_draining, set_paused};
