//! Endpoints of all organizations, and how they fare.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{AGAIN, DeliveryStatus, EndpointRow, EndpointStatus, FIRST};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::{webhook_deliveries as deliveries, webhook_endpoints as endpoints, webhook_events as events};
use crate::error::Result;
use crate::ids::{DeliveryId, EndpointId, EventId, OrgId};
use crate::webhooks::kinds::EventType;

crate::text_enum! {
    /// How an endpoint stands.
    pub enum EndpointState as "WebhookEndpointState" {
        /// It is called, and answered when it was last.
        Well = "well",
        /// It is called, and has only failed since its last success.
        Failing = "failing",
        /// It is not called.
        Disabled = "disabled",
    }
}

/// Endpoints, newest first, from before `before` on: of one organization or all, in one state or all.
pub fn all_endpoints(
    conn: &mut Conn,
    (org, state): (Option<OrgId>, Option<EndpointState>),
    before: Option<EndpointId>,
    limit: i64,
) -> Result<Vec<EndpointRow>> {
    let mut query =
        endpoints::table.order(endpoints::id.desc()).limit(limit).select(EndpointRow::as_select()).into_boxed();
    if let Some(org) = org {
        query = query.filter(endpoints::org_id.eq(org));
    }
    let enabled = endpoints::status.eq(EndpointStatus::Enabled);
    query = match state {
        None => query,
        Some(EndpointState::Well) => query.filter(enabled).filter(endpoints::failing_since.is_null()),
        Some(EndpointState::Failing) => query.filter(enabled).filter(endpoints::failing_since.is_not_null()),
        Some(EndpointState::Disabled) => query.filter(endpoints::status.eq(EndpointStatus::Disabled)),
    };
    if let Some(before) = before {
        query = query.filter(endpoints::id.lt(before));
    }
    Ok(query.load(conn)?)
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    word: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

const BACKLOG: &str = "SELECT 'all' AS word, COUNT(*) AS count FROM (SELECT id FROM webhook_deliveries \
    WHERE lane IN (0, 1) AND endpoint_id = ? AND next_at IS NOT NULL LIMIT ?) AS waiting";

/// How many deliveries wait for an endpoint, counted up to `most`.
pub fn backlog(conn: &mut Conn, endpoint: EndpointId, most: i64) -> Result<i64> {
    let query = fixed(BACKLOG).bind::<Text, _>(endpoint).bind::<BigInt, _>(most);
    let counted: Counted = crate::both!(conn, c => query.get_result(c))?;
    Ok(counted.count)
}

const LATEST: &str = "SELECT status AS word, COUNT(*) AS count FROM (SELECT status FROM webhook_deliveries \
    WHERE endpoint_id = ? ORDER BY id DESC LIMIT ?) AS latest GROUP BY status";

/// The latest deliveries to an endpoint by their state.
pub fn latest_by_status(conn: &mut Conn, endpoint: EndpointId, latest: i64) -> Result<Vec<(DeliveryStatus, i64)>> {
    let query = fixed(LATEST).bind::<Text, _>(endpoint).bind::<BigInt, _>(latest);
    let rows: Vec<Counted> = crate::both!(conn, c => query.get_results(c))?;
    Ok(rows.into_iter().filter_map(|row| Some((row.word.parse().ok()?, row.count))).collect())
}

/// When the next delivery to an endpoint is due.
pub fn next_due(conn: &mut Conn, endpoint: EndpointId) -> Result<Option<Millis>> {
    let mut earliest = None;
    for lane in [FIRST, AGAIN] {
        let first: Option<Option<Millis>> = deliveries::table
            .filter(deliveries::lane.eq(lane))
            .filter(deliveries::endpoint_id.eq(endpoint))
            .filter(deliveries::next_at.is_not_null())
            .order(deliveries::next_at.asc())
            .select(deliveries::next_at)
            .first(conn)
            .optional()?;
        earliest = [earliest, first.flatten()].into_iter().flatten().min();
    }
    Ok(earliest)
}

/// The types of events.
pub fn kinds_of(conn: &mut Conn, ids: &[EventId]) -> Result<Vec<(EventId, EventType)>> {
    Ok(events::table.filter(events::id.eq_any(ids.to_vec())).select((events::id, events::kind)).load(conn)?)
}

/// Deliveries to an endpoint since a moment that are in one of these states, oldest first.
pub fn deliveries_in(
    conn: &mut Conn,
    endpoint: EndpointId,
    states: &[DeliveryStatus],
    since: Millis,
    limit: i64,
) -> Result<Vec<(EventId, Millis)>> {
    Ok(deliveries::table
        .filter(deliveries::endpoint_id.eq(endpoint))
        .filter(deliveries::id.ge(DeliveryId::first_at(since)))
        .filter(deliveries::status.eq_any(states.to_vec()))
        .order(deliveries::id.asc())
        .limit(limit)
        .select((deliveries::event_id, deliveries::created_at))
        .load(conn)?)
}

/// Those of `events` that an endpoint has, or that are on their way to it.
pub fn taken_of(conn: &mut Conn, endpoint: EndpointId, since: Millis, events: &[EventId]) -> Result<Vec<EventId>> {
    Ok(deliveries::table
        .filter(deliveries::endpoint_id.eq(endpoint))
        .filter(deliveries::id.ge(DeliveryId::first_at(since)))
        .filter(deliveries::status.eq_any([DeliveryStatus::Delivered, DeliveryStatus::Pending]))
        .filter(deliveries::event_id.eq_any(events.to_vec()))
        .select(deliveries::event_id)
        .load(conn)?)
}
