//! Listeners, and what each has not heard yet.

use diesel::prelude::*;

use super::EventRow;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{webhook_events, webhook_listeners as dsl, webhook_unheard as unheard};
use crate::error::{Code, Error, Result};
use crate::ids::{EventId, ListenerId, OrgId};
use crate::terms::Mode;
use crate::webhooks::emit::Owner;

/// One row of `webhook_listeners`.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = crate::db::schema::webhook_listeners)]
pub struct ListenerRow {
    /// Its id; sorts by time.
    pub id: ListenerId,
    /// Whose.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// JSON list of event types.
    pub events: String,
    /// When it ends, unless it is renewed before.
    pub expires_at: Millis,
    /// Made.
    pub created_at: Millis,
}

/// An event that a listener has not said to have.
#[derive(Clone, Copy, Insertable)]
#[diesel(table_name = crate::db::schema::webhook_unheard)]
pub struct Unheard {
    /// Who is to hear it.
    pub listener_id: ListenerId,
    /// What.
    pub event_id: EventId,
}

/// Adds a listener.
pub fn insert_listener(conn: &mut Conn, row: &ListenerRow) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(dsl::table).values(row).execute(c))?;
    Ok(())
}

/// How many listeners of `owner` have a lease that holds.
pub fn count_listeners(conn: &mut Conn, owner: Owner, now: Millis) -> Result<i64> {
    let alive =
        dsl::table.filter(dsl::org_id.eq(owner.0)).filter(dsl::mode.eq(owner.1)).filter(dsl::expires_at.gt(now));
    Ok(alive.count().get_result(conn)?)
}

/// The listener of `owner` whose lease holds and ends first: it has been silent longest.
pub fn first_to_end(conn: &mut Conn, owner: Owner, now: Millis) -> Result<Option<ListenerRow>> {
    let alive =
        dsl::table.filter(dsl::org_id.eq(owner.0)).filter(dsl::mode.eq(owner.1)).filter(dsl::expires_at.gt(now));
    Ok(alive.order(dsl::expires_at.asc()).select(ListenerRow::as_select()).first(conn).optional()?)
}

/// A listener of `owner` whose lease holds. Error: `not_found`.
pub fn load_listener(conn: &mut Conn, owner: Owner, id: ListenerId, now: Millis) -> Result<ListenerRow> {
    let found: Option<ListenerRow> = dsl::table.find(id).select(ListenerRow::as_select()).first(conn).optional()?;
    found
        .filter(|row| (row.org_id, row.mode) == owner && row.expires_at > now)
        .ok_or_else(|| Error::new(Code::NotFound))
}

/// Lets a lease end at `expires_at`.
pub fn set_lease(conn: &mut Conn, id: ListenerId, expires_at: Millis) -> Result<()> {
    diesel::update(dsl::table.find(id)).set(dsl::expires_at.eq(expires_at)).execute(conn)?;
    Ok(())
}

/// Adds what listeners are to hear: one statement on PostgreSQL.
pub fn insert_unheard(conn: &mut Conn, rows: &[Unheard]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(unheard::table).values(row).execute(c)?;
            }
        }
        Conn::Pg(_) if rows.is_empty() => {}
        Conn::Pg(c) => {
            crate::insert_many!(c, "webhook_unheard", rows, row => {
                listener_id: Text = Some(row.listener_id),
                event_id: Text = Some(row.event_id),
            })?;
        }
    }
    Ok(())
}

/// What a listener has not heard yet, oldest first.
pub fn list_unheard(conn: &mut Conn, id: ListenerId, limit: i64) -> Result<Vec<EventRow>> {
    let waiting = unheard::table
        .filter(unheard::listener_id.eq(id))
        .order(unheard::event_id.asc())
        .limit(limit)
        .select(unheard::event_id)
        .load::<EventId>(conn)?;
    Ok(webhook_events::table
        .filter(webhook_events::id.eq_any(waiting))
        .order(webhook_events::id.asc())
        .select(EventRow::as_select())
        .load(conn)?)
}

/// Notes that a listener has these.
pub fn mark_heard(conn: &mut Conn, id: ListenerId, events: &[EventId]) -> Result<usize> {
    let heard = unheard::table.filter(unheard::listener_id.eq(id)).filter(unheard::event_id.eq_any(events.to_vec()));
    Ok(diesel::delete(heard).execute(conn)?)
}

/// Drops listeners whose lease has ended, what they had not heard first, up to `limit` rows; how many.
pub fn purge_listeners(conn: &mut Conn, now: Millis, limit: i64) -> Result<usize> {
    let over: Vec<ListenerId> = dsl::table
        .filter(dsl::expires_at.le(now))
        .order(dsl::expires_at.asc())
        .limit(limit)
        .select(dsl::id)
        .load(conn)?;
    let mut gone = 0;
    for id in over {
        let left: Vec<EventId> = unheard::table
            .filter(unheard::listener_id.eq(id))
            .order(unheard::event_id.asc())
            .limit(limit)
            .select(unheard::event_id)
            .load(conn)?;
        if left.is_empty() {
            gone += diesel::delete(dsl::table.find(id)).execute(conn)?;
            continue;
        }
        gone += mark_heard(conn, id, &left)?;
        if i64::try_from(gone).unwrap_or(i64::MAX) >= limit {
            break;
        }
    }
    Ok(gone)
}
