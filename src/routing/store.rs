//! The table of routes.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::{Pause, PauseScope, Pauses, Route};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{carrier_drains, pauses as pauses_table, routes};
use crate::error::{Code, Error, Result};
use crate::ids::{OrgId, RouteId};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::Channel;

#[derive(Queryable, Insertable)]
#[diesel(table_name = routes, treat_none_as_default_value = false)]
struct Row {
    id: RouteId,
    channel: Channel,
    country: Option<Country>,
    prefix: Option<String>,
    org_id: Option<OrgId>,
    carrier: String,
    priority: i32,
    weight: i32,
    paused: bool,
    created_at: Millis,
    price_micros: Option<Micros>,
    price_currency: Option<Currency>,
}

/// Every route, oldest first.
pub fn load(conn: &mut Conn) -> Result<Vec<Route>> {
    let rows: Vec<Row> = routes::table.order(routes::id.asc()).load(conn)?;
    Ok(rows.into_iter().map(route).collect())
}

/// One route.
pub fn find(conn: &mut Conn, id: RouteId) -> Result<Option<Route>> {
    let row: Option<Row> = routes::table.find(id).first(conn).optional()?;
    Ok(row.map(route))
}

/// Puts `list` in place of all routes.
pub fn replace(conn: &mut Conn, list: &[Route], now: Millis) -> Result<()> {
    diesel::delete(routes::table).execute(conn)?;
    for route in list {
        let row = Row {
            id: route.id,
            channel: route.channel,
            country: route.country,
            prefix: route.prefix.clone(),
            org_id: route.org_id,
            carrier: route.carrier.clone(),
            priority: route.priority,
            weight: route.weight,
            paused: route.paused,
            created_at: now,
            price_micros: route.price.map(|(amount, _)| amount),
            price_currency: route.price.map(|(_, currency)| currency),
        };
        diesel::insert_into(routes::table).values(row).execute(conn)?;
    }
    Ok(())
}

/// Takes a route out of use or back in. Error: `not_found`.
pub fn set_paused(conn: &mut Conn, id: RouteId, paused: bool) -> Result<()> {
    match diesel::update(routes::table.find(id)).set(routes::paused.eq(paused)).execute(conn)? {
        0 => Err(Error::new(Code::NotFound)),
        _ => Ok(()),
    }
}

/// The carriers that are drained.
pub fn draining(conn: &mut Conn) -> Result<BTreeSet<String>> {
    let names: Vec<String> = carrier_drains::table.select(carrier_drains::carrier).load(conn)?;
    Ok(names.into_iter().collect())
}

/// Begins or ends the drain of a carrier; whether that changed anything.
pub fn set_draining(conn: &mut Conn, carrier: &str, wanted: bool, now: Millis) -> Result<bool> {
    let changed = if wanted {
        let row = (carrier_drains::carrier.eq(carrier), carrier_drains::since.eq(now));
        crate::both!(conn, c => diesel::insert_into(carrier_drains::table).values(row).on_conflict_do_nothing().execute(c))?
    } else {
        diesel::delete(carrier_drains::table.find(carrier)).execute(conn)?
    };
    Ok(changed == 1)
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = pauses_table, treat_none_as_default_value = false)]
struct PauseRow {
    scope: PauseScope,
    value: String,
    reason: Option<String>,
    author: String,
    created_at: Millis,
}

/// Everything that operators have stopped, oldest first.
pub fn pauses(conn: &mut Conn) -> Result<Pauses> {
    let order = (pauses_table::created_at.asc(), pauses_table::scope.asc(), pauses_table::value.asc());
    let rows: Vec<PauseRow> = pauses_table::table.order(order).load(conn)?;
    let pause =
        |PauseRow { scope, value, reason, author, created_at }| Pause { scope, value, reason, author, created_at };
    Ok(Pauses(rows.into_iter().map(pause).collect()))
}

/// Stops something; whether it was not stopped before.
pub fn begin_pause(conn: &mut Conn, pause: &Pause) -> Result<bool> {
    let Pause { scope, value, reason, author, created_at } = pause.clone();
    let row = PauseRow { scope, value, reason, author, created_at };
    let insert = diesel::insert_into(pauses_table::table).values(row).on_conflict_do_nothing();
    Ok(crate::both!(conn, c => insert.execute(c))? == 1)
}

/// Lets go what was stopped; whether it was.
pub fn end_pause(conn: &mut Conn, scope: PauseScope, value: &str) -> Result<bool> {
    Ok(diesel::delete(pauses_table::table.find((scope, value))).execute(conn)? == 1)
}

fn route(row: Row) -> Route {
    Route {
        id: row.id,
        channel: row.channel,
        country: row.country,
        prefix: row.prefix,
        org_id: row.org_id,
        carrier: row.carrier,
        priority: row.priority,
        weight: row.weight,
        price: row.price_micros.zip(row.price_currency),
        paused: row.paused,
    }
}
