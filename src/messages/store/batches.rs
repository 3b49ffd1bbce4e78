//! Bulks: their own rows, and where their messages are.

use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{batches, messages};
use crate::error::Result;
use crate::ids::{BatchId, OrgId};
use crate::messages::state::Status;
use crate::terms::Mode;

/// A bulk's own row.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = batches)]
pub struct BatchRow {
    /// Its id.
    pub id: BatchId,
    /// Whose.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// Messages that were taken.
    pub accepted: i32,
    /// Messages that were refused.
    pub rejected: i32,
    /// When.
    pub created_at: Millis,
}

/// Stores a bulk's row; what a further step of a broadcast took is added to the row that is there.
pub fn insert_batch(conn: &mut Conn, row: &BatchRow) -> Result<()> {
    let more = batches::accepted.eq(batches::accepted + row.accepted);
    crate::both!(conn, c => {
        diesel::insert_into(batches::table).values(row).on_conflict(batches::id).do_update().set(more).execute(c)
    })?;
    Ok(())
}

/// The messages of a bulk by status.
pub fn batch_counts(conn: &mut Conn, id: BatchId) -> Result<Vec<(Status, i64)>> {
    Ok(messages::table
        .filter(messages::batch_id.eq(id))
        .group_by(messages::status)
        .select((messages::status, count_star()))
        .load(conn)?)
}

/// The messages of a bulk that came to nothing, by what went wrong: only those are looked at.
pub fn batch_faults(conn: &mut Conn, id: BatchId) -> Result<Vec<(Option<String>, i64)>> {
    const FAILED: [Status; 4] = [Status::Failed, Status::Undelivered, Status::Expired, Status::Unknown];
    Ok(messages::table
        .filter(messages::batch_id.eq(id))
        .filter(messages::status.eq_any(FAILED))
        .group_by(messages::error_code)
        .select((messages::error_code, count_star()))
        .load(conn)?)
}

/// How many messages of a bulk wait to be handed over.
pub fn batch_backlog(conn: &mut Conn, id: BatchId) -> Result<i64> {
    const OPEN: [Status; 3] = [Status::Scheduled, Status::Queued, Status::Sending];
    Ok(messages::table
        .filter(messages::batch_id.eq(id))
        .filter(messages::status.eq_any(OPEN))
        .select(count_star())
        .get_result(conn)?)
}
