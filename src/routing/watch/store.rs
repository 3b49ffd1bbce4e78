//! The table of what circuits did.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::route_events;
use crate::error::Result;
pub use crate::ids::EventId;
use crate::ids::{NodeId, RouteId};
use crate::providers::circuit::State;
use crate::routing::health::{Change, Reason};

crate::text_enum! {
    /// How a route or a carrier stands in its history: by its circuit, or by an operator's word.
    pub enum Stand as "RouteStand" {
        /// The circuit is closed: hand-offs pass.
        Closed = "closed",
        /// The circuit is open: none passes.
        Open = "open",
        /// The circuit lets a few try.
        HalfOpen = "half_open",
        /// An operator has put it back into use.
        InUse = "in_use",
        /// An operator has paused the route.
        Paused = "paused",
        /// An operator drains the carrier.
        Drained = "drained",
    }
}

impl From<State> for Stand {
    fn from(state: State) -> Stand {
        match state {
            State::Closed => Stand::Closed,
            State::Open => Stand::Open,
            State::HalfOpen => Stand::HalfOpen,
        }
    }
}

/// What an operator did to a route or a carrier.
pub struct Act<'a> {
    /// The route; `None` for the whole carrier.
    pub route: Option<RouteId>,
    /// The carrier.
    pub carrier: &'a str,
    /// As it stands now: in use or not.
    pub to: Stand,
    /// As it stood.
    pub from: Stand,
    /// Who.
    pub by: String,
    /// Why, where that was said.
    pub why: Option<&'a str>,
    /// The process that was told.
    pub node: NodeId,
}

/// A change of a circuit, or by an operator.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = route_events, treat_none_as_default_value = false)]
pub struct Event {
    /// Its id; sorts by time.
    pub id: EventId,
    /// Of this route; `None` for a carrier's own circuit.
    pub route_id: Option<RouteId>,
    /// The carrier.
    pub carrier: String,
    /// From.
    pub from_state: Stand,
    /// To.
    pub to_state: Stand,
    /// Why.
    pub reason: Reason,
    /// JSON of the numbers.
    pub detail: String,
    /// The process that saw it.
    pub node_id: NodeId,
    /// When.
    pub at: Millis,
}

impl Event {
    pub(super) fn new(route: Option<RouteId>, carrier: &str, change: Change, node: NodeId, now: Millis) -> Event {
        Event {
            id: EventId::new(now),
            route_id: route,
            carrier: String::from(carrier),
            from_state: change.from.into(),
            to_state: change.to.into(),
            reason: change.reason,
            detail: change.detail.to_string(),
            node_id: node,
            at: now,
        }
    }
}

/// Notes what an operator did, in the transaction that does it.
pub fn note_act(conn: &mut Conn, act: &Act<'_>, now: Millis) -> Result<()> {
    let event = Event {
        id: EventId::new(now),
        route_id: act.route,
        carrier: String::from(act.carrier),
        from_state: act.from,
        to_state: act.to,
        reason: Reason::Operator,
        detail: serde_json::json!({ "by": act.by, "why": act.why }).to_string(),
        node_id: act.node,
        at: now,
    };
    insert_events(conn, &[event])
}

/// Adds events.
pub fn insert_events(conn: &mut Conn, events: &[Event]) -> Result<()> {
    for event in events {
        diesel::insert_into(route_events::table).values(event).execute(conn)?;
    }
    Ok(())
}

/// Up to `limit` events of a route and of its carrier's own circuit, newest first, from before `before` on.
pub fn history(
    conn: &mut Conn,
    (route, carrier): (RouteId, &str),
    before: Option<EventId>,
    limit: i64,
) -> Result<Vec<Event>> {
    let mut of_route = route_events::table.filter(route_events::route_id.eq(route)).into_boxed();
    let mut of_carrier = route_events::table
        .filter(route_events::carrier.eq(carrier))
        .filter(route_events::route_id.is_null())
        .into_boxed();
    if let Some(before) = before {
        of_route = of_route.filter(route_events::id.lt(before));
        of_carrier = of_carrier.filter(route_events::id.lt(before));
    }
    // Each along its own index.
    let mut events: Vec<Event> =
        of_route.order(route_events::id.desc()).limit(limit).select(Event::as_select()).load(conn)?;
    events
        .extend(of_carrier.order(route_events::id.desc()).limit(limit).select(Event::as_select()).load::<Event>(conn)?);
    events.sort_by_key(|event| std::cmp::Reverse(event.id));
    events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(events)
}

/// The latest change of each route's circuit, found along the index of routes.
pub fn latest(conn: &mut Conn) -> Result<BTreeMap<RouteId, Event>> {
    let ids: Vec<Option<EventId>> = route_events::table
        .filter(route_events::route_id.is_not_null())
        .filter(route_events::reason.ne(Reason::Operator))
        .group_by(route_events::route_id)
        .select(diesel::dsl::max(route_events::id))
        .load(conn)?;
    let ids: Vec<EventId> = ids.into_iter().flatten().collect();
    let events: Vec<Event> =
        route_events::table.filter(route_events::id.eq_any(ids)).select(Event::as_select()).load(conn)?;
    Ok(events.into_iter().filter_map(|event| Some((event.route_id?, event))).collect())
}

/// The latest change of each carrier's own circuit, by whatever process: one step along the index of carriers for each.
pub fn latest_of_carriers(conn: &mut Conn, carriers: &BTreeSet<&str>) -> Result<BTreeMap<String, Event>> {
    let mut found = BTreeMap::new();
    for carrier in carriers {
        let event: Option<Event> = route_events::table
            .filter(route_events::carrier.eq(*carrier))
            .filter(route_events::route_id.is_null())
            .filter(route_events::reason.ne(Reason::Operator))
            .order(route_events::id.desc())
            .select(Event::as_select())
            .first(conn)
            .optional()?;
        found.extend(event.map(|event| (String::from(*carrier), event)));
    }
    Ok(found)
}

/// The carriers of which another process than `node` was told since `since` that they are stopped.
pub fn stops_since(conn: &mut Conn, since: Millis, node: NodeId) -> Result<Vec<String>> {
    let stops = route_events::table
        .filter(route_events::id.ge(EventId::first_at(since)))
        .filter(route_events::route_id.is_null())
        .filter(route_events::reason.eq(Reason::Stopped))
        .filter(route_events::node_id.ne(node));
    Ok(stops.select(route_events::carrier).distinct().load(conn)?)
}

/// Drops up to `limit` events of before `before`; how many.
pub fn purge_events(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<EventId> = route_events::table
        .filter(route_events::id.lt(EventId::first_at(before)))
        .select(route_events::id)
        .order(route_events::id.asc())
        .limit(limit)
        .load(conn)?;
    Ok(diesel::delete(route_events::table.filter(route_events::id.eq_any(old))).execute(conn)?)
}
