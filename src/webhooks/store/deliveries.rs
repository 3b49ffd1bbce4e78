//! Deliveries: what is due, what became of it.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::webhook_deliveries as dsl;
use crate::error::Result;
use crate::ids::{DeliveryId, EndpointId, EventId};

crate::text_enum! {
    /// Where a delivery is.
    pub enum DeliveryStatus as "WebhookDeliveryStatus" {
        /// It will be tried, for the first time or again.
        Pending = "pending",
        /// The endpoint answered 2xx.
        Delivered = "delivered",
        /// Every try failed; replay the event.
        Failed = "failed",
        /// The endpoint was disabled or deleted before it could be told.
        Dropped = "dropped",
    }
}

/// The lane of what was never tried: slots are kept for it.
pub const FIRST: i16 = 0;
/// The lane of what failed before.
pub const AGAIN: i16 = 1;

/// One row of `webhook_deliveries`.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = crate::db::schema::webhook_deliveries, treat_none_as_default_value = false)]
pub struct DeliveryRow {
    /// Its id; sorts by time.
    pub id: DeliveryId,
    /// To which endpoint.
    pub endpoint_id: EndpointId,
    /// Of what.
    pub event_id: EventId,
    /// Where it is.
    pub status: DeliveryStatus,
    /// `FIRST` or `AGAIN`.
    pub lane: i16,
    /// When it is tried next, or when the lease on it ends; none once it has ended.
    pub next_at: Option<Millis>,
    /// Tries begun.
    pub attempts: i32,
    /// What the last try was answered.
    pub http_status: Option<i32>,
    /// Why the last try was not answered, a word of ours.
    pub error: Option<String>,
    /// How long the last try took.
    pub duration_ms: Option<i64>,
    /// When the last try began.
    pub attempted_at: Option<Millis>,
    /// Made.
    pub created_at: Millis,
}

/// Adds deliveries: one statement on PostgreSQL.
pub fn insert_deliveries(conn: &mut Conn, rows: &[DeliveryRow]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(dsl::table).values(row).execute(c)?;
            }
        }
        Conn::Pg(_) if rows.is_empty() => {}
        Conn::Pg(c) => {
            crate::insert_many!(c, "webhook_deliveries", rows, row => {
                id: Text = Some(row.id),
                endpoint_id: Text = Some(row.endpoint_id),
                event_id: Text = Some(row.event_id),
                status: Text = Some(row.status),
                lane: SmallInt = Some(row.lane),
                next_at: BigInt = row.next_at,
                attempts: Integer = Some(row.attempts),
                http_status: Integer = row.http_status,
                error: Text = row.error.as_deref(),
                duration_ms: BigInt = row.duration_ms,
                attempted_at: BigInt = row.attempted_at,
                created_at: BigInt = Some(row.created_at),
            })?;
        }
    }
    Ok(())
}

/// Where a round over the endpoints begins, and how many it looks for.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// The one that was served last; the round begins after it and ends with it.
    pub after: Option<EndpointId>,
    /// How many at most.
    pub limit: usize,
}

/// Endpoints that have something due in `lane`, found by hopping along the index from one to the next: the cost grows
/// with their number, not with the backlog.
pub fn endpoints_due(conn: &mut Conn, lane: i16, now: Millis, turn: Turn) -> Result<Vec<EndpointId>> {
    let mut found = Vec::new();
    let mut last = turn.after;
    let mut wrapped = turn.after.is_none();
    while found.len() < turn.limit {
        let next = endpoint_after(conn, lane, last)?.filter(|id| !wrapped || turn.after.is_none_or(|end| *id <= end));
        let Some(id) = next else {
            if wrapped {
                break;
            }
            (wrapped, last) = (true, None);
            continue;
        };
        let first: Option<Option<Millis>> = dsl::table
            .filter(dsl::lane.eq(lane))
            .filter(dsl::endpoint_id.eq(id))
            .filter(dsl::next_at.is_not_null())
            .order(dsl::next_at.asc())
            .select(dsl::next_at)
            .first(conn)
            .optional()?;
        if first.flatten().is_some_and(|at| at <= now) {
            found.push(id);
        }
        last = Some(id);
    }
    Ok(found)
}

fn endpoint_after(conn: &mut Conn, lane: i16, last: Option<EndpointId>) -> Result<Option<EndpointId>> {
    let mut query = dsl::table
        .filter(dsl::lane.eq(lane))
        .filter(dsl::next_at.is_not_null())
        .select(dsl::endpoint_id)
        .order(dsl::endpoint_id.asc())
        .limit(1)
        .into_boxed();
    if let Some(last) = last {
        query = query.filter(dsl::endpoint_id.gt(last));
    }
    Ok(query.first::<EndpointId>(conn).optional()?)
}

/// Takes up to `limit` deliveries of `lane` to `endpoint` that are due, oldest first, under a lease that ends at
/// `lease_until`: what a process that died had taken comes up again by itself, as a try that failed.
pub fn claim(
    conn: &mut Conn,
    (lane, endpoint): (i16, EndpointId),
    (now, lease_until): (Millis, Millis),
    limit: i64,
) -> Result<Vec<DeliveryRow>> {
    let due = || {
        dsl::table
            .filter(dsl::lane.eq(lane))
            .filter(dsl::endpoint_id.eq(endpoint))
            .filter(dsl::next_at.le(now))
            .order(dsl::next_at.asc())
            .limit(limit)
    };
    let mut rows: Vec<DeliveryRow> = match conn {
        Conn::Pg(c) => due().select(DeliveryRow::as_select()).for_update().skip_locked().load(c)?,
        Conn::Sqlite(c) => due().select(DeliveryRow::as_select()).load(c)?,
    };
    let ids: Vec<DeliveryId> = rows.iter().map(|row| row.id).collect();
    diesel::update(dsl::table.filter(dsl::id.eq_any(ids)))
        .set((
            dsl::lane.eq(AGAIN),
            dsl::next_at.eq(Some(lease_until)),
            dsl::attempts.eq(dsl::attempts + 1),
            dsl::attempted_at.eq(Some(now)),
        ))
        .execute(conn)?;
    for row in &mut rows {
        row.attempts += 1;
        row.attempted_at = Some(now);
        row.next_at = Some(lease_until);
    }
    Ok(rows)
}

/// Ends up to `limit` deliveries that wait for an endpoint that is called no more.
pub fn drop_waiting(conn: &mut Conn, endpoint: EndpointId, limit: i64) -> Result<usize> {
    let ids: Vec<DeliveryId> = dsl::table
        .filter(dsl::lane.eq_any([FIRST, AGAIN]))
        .filter(dsl::endpoint_id.eq(endpoint))
        .filter(dsl::next_at.is_not_null())
        .limit(limit)
        .select(dsl::id)
        .load(conn)?;
    let done = diesel::update(dsl::table.filter(dsl::id.eq_any(ids)))
        .set((dsl::status.eq(DeliveryStatus::Dropped), dsl::next_at.eq(None::<Millis>)))
        .execute(conn)?;
    Ok(done)
}

/// Writes how the try ended that `row` tells of; nothing where another try has begun since.
pub fn finish(conn: &mut Conn, row: &DeliveryRow) -> Result<()> {
    diesel::update(dsl::table.find(row.id).filter(dsl::attempts.eq(row.attempts)))
        .set((
            dsl::status.eq(row.status),
            dsl::next_at.eq(row.next_at),
            dsl::http_status.eq(row.http_status),
            dsl::error.eq(&row.error),
            dsl::duration_ms.eq(row.duration_ms),
        ))
        .execute(conn)?;
    Ok(())
}

/// Deliveries to an endpoint, newest first, from before `before` on, in one state or all.
pub fn list_deliveries(
    conn: &mut Conn,
    endpoint: EndpointId,
    status: Option<DeliveryStatus>,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<DeliveryRow>> {
    let mut query = dsl::table
        .filter(dsl::endpoint_id.eq(endpoint))
        .order(dsl::id.desc())
        .limit(limit)
        .select(DeliveryRow::as_select())
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(dsl::status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(dsl::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Drops up to `limit` deliveries from before `before`; how many.
pub fn purge_deliveries(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<DeliveryId> = dsl::table
        .filter(dsl::id.lt(DeliveryId::first_at(before)))
        .order(dsl::id.asc())
        .limit(limit)
        .select(dsl::id)
        .load(conn)?;
    diesel::delete(dsl::table.filter(dsl::id.eq_any(old.clone()))).execute(conn)?;
    Ok(old.len())
}
