//! What webhooks told of one thing, and what became of each delivery: for operators who follow it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::emit::Owner;
use super::kinds::EventType;
use super::store::{self, DeliveryRow, EventRow};
use super::view::DeliveryView;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::EventId;

/// An event and where it went.
#[derive(Debug, Serialize, ToSchema)]
pub struct TracedEvent {
    /// Its id.
    pub id: EventId,
    /// What was told.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// Its deliveries, oldest first. A replay is among them as long as it is one of its endpoint's latest thousand.
    pub deliveries: Vec<DeliveryView>,
}

/// Deliveries of an endpoint that are looked through for replays.
const LATEST: i64 = 1_000;
/// Endpoints of an owner that are looked at: as many as there can be.
const ENDPOINTS: i64 = 50;

/// What was told of the thing `id` at these moments.
pub fn trace_events(conn: &mut Conn, owner: Owner, id: &str, moments: &[Millis]) -> Result<Vec<TracedEvent>> {
    let found = store::told_of(conn, owner, id, moments)?;
    let mut latest = Vec::new();
    if !found.is_empty() {
        for endpoint in store::list_endpoints(conn, owner, None, ENDPOINTS)? {
            latest.extend(store::list_deliveries(conn, endpoint.id, None, None, LATEST)?);
        }
    }
    Ok(found.iter().map(|(event, first)| traced(event, first, &latest)).collect())
}

fn traced(event: &EventRow, first: &[DeliveryRow], latest: &[DeliveryRow]) -> TracedEvent {
    let again = latest.iter().filter(|row| row.event_id == event.id);
    let rows: BTreeMap<_, _> = first.iter().chain(again).map(|row| (row.id, row)).collect();
    let deliveries = rows.into_values().map(DeliveryView::of).collect();
    TracedEvent { id: event.id, kind: event.kind, created_at: event.created_at, deliveries }
}
