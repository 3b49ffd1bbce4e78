//! What webhooks told of one thing: events of its moments, and their deliveries.

use std::time::Duration;

use diesel::prelude::*;

use super::deliveries::DeliveryRow;
use super::events::EventRow;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{webhook_deliveries, webhook_events};
use crate::error::Result;
use crate::ids::{DeliveryId, EventId};
use crate::webhooks::emit::Owner;

/// An event is written in the transaction of what it tells; so far apart the clocks of the two may be at most.
const ONE_BREATH: Duration = Duration::from_secs(1);
/// Most events of one moment that are looked at.
const MOST: i64 = 5_000;

/// Events of `owner` around `moments` whose payload names `id`, oldest first, with the deliveries that were made of them
/// at once; a later replay is in its endpoint's own log. Each moment is a short stretch of time-sorted ids.
pub fn told_of(
    conn: &mut Conn,
    owner: Owner,
    id: &str,
    moments: &[Millis],
) -> Result<Vec<(EventRow, Vec<DeliveryRow>)>> {
    let mut found: Vec<EventRow> = Vec::new();
    for at in moments {
        let (from, to) = (at.minus(ONE_BREATH), at.plus(ONE_BREATH));
        let mut rows: Vec<EventRow> = webhook_events::table
            .filter(webhook_events::org_id.eq(owner.0))
            .filter(webhook_events::mode.eq(owner.1))
            .filter(webhook_events::id.ge(EventId::first_at(from)))
            .filter(webhook_events::id.lt(EventId::first_at(to)))
            .filter(webhook_events::payload.like(format!("%\"{id}\"%")))
            .order(webhook_events::id.asc())
            .limit(MOST)
            .select(EventRow::as_select())
            .load(conn)?;
        found.append(&mut rows);
    }
    found.sort_by_key(|event| event.id);
    found.dedup_by_key(|event| event.id);
    found.into_iter().map(|event| deliveries_of(conn, event.id, event.created_at).map(|made| (event, made))).collect()
}

fn deliveries_of(conn: &mut Conn, event: EventId, at: Millis) -> Result<Vec<DeliveryRow>> {
    Ok(webhook_deliveries::table
        .filter(webhook_deliveries::id.ge(DeliveryId::first_at(at)))
        .filter(webhook_deliveries::id.lt(DeliveryId::first_at(at.plus(ONE_BREATH))))
        .filter(webhook_deliveries::event_id.eq(event))
        .select(DeliveryRow::as_select())
        .load(conn)?)
}
