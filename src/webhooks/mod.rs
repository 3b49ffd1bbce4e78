//! Webhooks: what happened, told to the endpoints that an organization named.
//!
//! Reading order: `kinds` (the closed list of events), `emit` (the ledger step), `endpoints` (what customers do),
//! `deliver` (the loop), with its pure parts `schedule`, `slots` and `signing`; then `listeners`, who ask instead of being
//! called, and `sample`, events made up for tests.

mod bell;
mod deliver;
mod desk;
mod emit;
mod endpoints;
mod http;
mod kinds;
mod listeners;
mod sample;
mod schedule;
mod signing;
mod slots;
mod store;
mod traced;
mod view;
mod waiting;
mod watching;

pub use deliver::{deliver_due, run};
pub use desk::{
    Again, WatchedDelivery, WatchedEndpoint, replay_to, rotate_endpoint, switch_endpoint, test_endpoint,
    watch_deliveries, watch_endpoint, watch_endpoints,
};
pub use emit::{NewEvent, Owner, PAYLOAD_MAX, emit};
pub use http::{WebhookDocs, configure};
pub use kinds::{EventType, Wanted};
pub use signing::{fresh_secret, headers_by};
pub use store::{
    DeliveryRow, DeliveryStatus, EndpointState, EndpointStatus, EventRow, purge_deliveries, purge_events,
    purge_listeners, told_of,
};
pub use traced::{TracedEvent, trace_events};
pub use view::{DeliveryView, EndpointWithSecret, Replayed};
pub use waiting::release_listeners;
pub use watching::{EventList, OwnedEventView, events_lately};
