//! What webhooks told of one thing, and what became of each delivery: for operators who follow it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::emit::Owner;
use super::kinds::EventType;
use super::store::{self, DeliveryRow, EventRow};
use super::view::DeliveryView;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{EndpointId, EventId};

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

/// An event is told in the transaction of what happened, at its moment; so far apart they may be at most.
const ONE_BREATH: Duration = Duration::from_millis(50);
/// Deliveries of an endpoint that are looked through for replays.
const LATEST: i64 = 1_000;
/// Endpoints of an owner that are looked at: as many as there can be.
const ENDPOINTS: i64 = 50;

/// What was told of the thing `id` at these moments.
pub fn told_of(conn: &mut Conn, owner: Owner, id: &str, moments: &[Millis]) -> Result<Vec<TracedEvent>> {
    let mut found: BTreeMap<EventId, EventRow> = BTreeMap::new();
    for at in moments {
        let near = (at.minus(ONE_BREATH), at.plus(ONE_BREATH));
        found.extend(store::events_about(conn, owner, id, near)?.into_iter().map(|row| (row.id, row)));
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut latest = Vec::new();
    let mut endpoints = Vec::new();
    for endpoint in store::list_endpoints(conn, owner, None, ENDPOINTS)? {
        latest.extend(store::list_deliveries(conn, endpoint.id, None, None, LATEST)?);
        endpoints.push(endpoint.id);
    }
    latest.retain(|row| found.contains_key(&row.event_id));
    found.into_values().map(|row| traced(conn, &row, &endpoints, &latest)).collect()
}

fn traced(conn: &mut Conn, event: &EventRow, endpoints: &[EndpointId], latest: &[DeliveryRow]) -> Result<TracedEvent> {
    let mut rows: BTreeMap<_, _> =
        latest.iter().filter(|row| row.event_id == event.id).map(|row| (row.id, row.clone())).collect();
    let first = (event.created_at.minus(ONE_BREATH), event.created_at.plus(ONE_BREATH));
    for endpoint in endpoints {
        let found = store::deliveries_between(conn, *endpoint, event.id, first)?;
        rows.extend(found.into_iter().map(|row| (row.id, row)));
    }
    Ok(TracedEvent {
        id: event.id,
        kind: event.kind,
        created_at: event.created_at,
        deliveries: rows.values().map(DeliveryView::of).collect(),
    })
}
