//! What carriers report back: believed by signature only, translated by the carrier's own adapter, stored before it is
//! answered. Reading order: `http` (callbacks), `links` (what comes over a carrier's own connection), `take` (both).

mod heard;
mod http;
mod links;
mod take;

pub use heard::{CarrierCalls, carrier_calls};
pub use http::{
    CallbackDocs, configure, receive_inbound, receive_inbound_by_get, receive_meta, receive_status,
    receive_status_by_get, verify_meta,
};
pub use links::keep_links;
