//! What carriers report back: believed by signature only, translated by the carrier's own adapter, stored before it is
//! answered.

mod http;
mod status;

pub use http::{CallbackDocs, configure, receive_status};
