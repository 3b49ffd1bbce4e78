//! What webhooks told of one thing, found near the moments at which something happened to it.

use diesel::prelude::*;

use super::{DeliveryRow, EventRow};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{webhook_deliveries as deliveries, webhook_events as events};
use crate::error::Result;
use crate::ids::{DeliveryId, EndpointId, EventId};
use crate::webhooks::emit::Owner;

/// Events of `owner` about the thing `id`, told in a stretch of time (from, before), oldest first.
pub fn events_about(conn: &mut Conn, owner: Owner, id: &str, (from, to): (Millis, Millis)) -> Result<Vec<EventRow>> {
    Ok(events::table
        .filter(events::org_id.eq(owner.0))
        .filter(events::mode.eq(owner.1))
        .filter(events::id.ge(EventId::first_at(from)))
        .filter(events::id.lt(EventId::first_at(to)))
        .filter(events::payload.like(format!("%\"id\":\"{id}\"%")))
        .order(events::id.asc())
        .limit(20)
        .select(EventRow::as_select())
        .load(conn)?)
}

/// Deliveries to an endpoint made in a stretch of time (from, before), oldest first.
pub fn deliveries_between(
    conn: &mut Conn,
    endpoint: EndpointId,
    event: EventId,
    (from, to): (Millis, Millis),
) -> Result<Vec<DeliveryRow>> {
    Ok(deliveries::table
        .filter(deliveries::endpoint_id.eq(endpoint))
        .filter(deliveries::id.ge(DeliveryId::first_at(from)))
        .filter(deliveries::id.lt(DeliveryId::first_at(to)))
        .filter(deliveries::event_id.eq(event))
        .order(deliveries::id.asc())
        .limit(20)
        .select(DeliveryRow::as_select())
        .load(conn)?)
}
