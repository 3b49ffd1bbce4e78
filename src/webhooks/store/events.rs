//! Events.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::webhook_events as dsl;
use crate::error::{Code, Error, Result};
use crate::ids::{EventId, OrgId};
use crate::terms::Mode;
use crate::webhooks::emit::Owner;
use crate::webhooks::kinds::EventType;

/// One row of `webhook_events`.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = crate::db::schema::webhook_events)]
pub struct EventRow {
    /// Its id, the `webhook-id` of every delivery; sorts by time.
    pub id: EventId,
    /// To whom it happened.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// What.
    pub kind: EventType,
    /// The body that is signed and sent, byte for byte.
    pub payload: String,
    /// When.
    pub created_at: Millis,
}

/// Adds events: one statement on PostgreSQL.
pub fn insert_events(conn: &mut Conn, rows: &[EventRow]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(dsl::table).values(row).execute(c)?;
            }
        }
        Conn::Pg(_) if rows.is_empty() => {}
        Conn::Pg(c) => {
            crate::insert_many!(c, "webhook_events", rows, row => {
                id: Text = Some(row.id),
                org_id: Text = Some(row.org_id),
                mode: Text = Some(row.mode),
                kind: Text = Some(row.kind),
                payload: Text = Some(row.payload.as_str()),
                created_at: BigInt = Some(row.created_at),
            })?;
        }
    }
    Ok(())
}

/// An event of `owner`. Error: `not_found`.
pub fn load_event(conn: &mut Conn, owner: Owner, id: EventId) -> Result<EventRow> {
    find_event(conn, id)?.filter(|row| (row.org_id, row.mode) == owner).ok_or_else(|| Error::new(Code::NotFound))
}

/// An event by id alone: for the worker.
pub fn find_event(conn: &mut Conn, id: EventId) -> Result<Option<EventRow>> {
    Ok(dsl::table.find(id).select(EventRow::as_select()).first(conn).optional()?)
}

/// Events of `owner`, newest first, from before `before` on, of one type or all.
pub fn list_events(
    conn: &mut Conn,
    owner: Owner,
    kind: Option<EventType>,
    before: Option<EventId>,
    limit: i64,
) -> Result<Vec<EventRow>> {
    let mut query = dsl::table
        .filter(dsl::org_id.eq(owner.0))
        .filter(dsl::mode.eq(owner.1))
        .order(dsl::id.desc())
        .limit(limit)
        .select(EventRow::as_select())
        .into_boxed();
    if let Some(kind) = kind {
        query = query.filter(dsl::kind.eq(kind));
    }
    if let Some(before) = before {
        query = query.filter(dsl::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Ids and types of events of `owner` since a moment, oldest first, from behind `after` on.
pub fn events_since(
    conn: &mut Conn,
    owner: Owner,
    since: Millis,
    limit: i64,
) -> Result<Vec<(EventId, EventType, Millis)>> {
    Ok(dsl::table
        .filter(dsl::org_id.eq(owner.0))
        .filter(dsl::mode.eq(owner.1))
        .filter(dsl::id.ge(EventId::first_at(since)))
        .order(dsl::id.asc())
        .limit(limit)
        .select((dsl::id, dsl::kind, dsl::created_at))
        .load(conn)?)
}

/// Events of every organization since a moment, oldest first.
pub fn all_events_since(conn: &mut Conn, since: Millis, limit: i64) -> Result<Vec<EventRow>> {
    Ok(dsl::table
        .filter(dsl::id.ge(EventId::first_at(since)))
        .order(dsl::id.asc())
        .limit(limit)
        .select(EventRow::as_select())
        .load(conn)?)
}

/// Drops up to `limit` events from before `before`; how many.
pub fn purge_events(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<EventId> = dsl::table
        .filter(dsl::id.lt(EventId::first_at(before)))
        .order(dsl::id.asc())
        .limit(limit)
        .select(dsl::id)
        .load(conn)?;
    diesel::delete(dsl::table.filter(dsl::id.eq_any(old.clone()))).execute(conn)?;
    Ok(old.len())
}
