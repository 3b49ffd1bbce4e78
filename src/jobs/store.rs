//! The table of jobs.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::jobs;
use crate::error::{Error, Result};
use crate::ids::JobId;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
pub(super) struct Row {
    pub(super) id: JobId,
    pub(super) kind: String,
    pub(super) payload: String,
    pub(super) run_at: Option<Millis>,
    pub(super) attempts: i32,
    pub(super) last_error: Option<String>,
    pub(super) created_at: Millis,
}

/// Adds a job to be done as soon as may be, in the caller's transaction.
pub fn enqueue<T: serde::Serialize>(conn: &mut Conn, kind: &str, payload: &T, now: Millis) -> Result<JobId> {
    enqueue_at(conn, kind, payload, (now, now))
}

/// Adds a job to be done at the second moment; the first is now.
pub fn enqueue_at<T: serde::Serialize>(
    conn: &mut Conn,
    kind: &str,
    payload: &T,
    when: (Millis, Millis),
) -> Result<JobId> {
    let (now, run_at) = when;
    let row = Row {
        id: JobId::new(now),
        kind: String::from(kind),
        payload: serde_json::to_string(payload).map_err(Error::internal)?,
        run_at: Some(run_at),
        attempts: 0,
        last_error: None,
        created_at: now,
    };
    let id = row.id;
    crate::both!(conn, c => diesel::insert_into(jobs::table).values(row).execute(c))?;
    Ok(id)
}

/// Takes up to `limit` due jobs of `kinds` under a lease that ends at `lease_until`: a worker that dies gives them
/// back by itself.
pub(super) fn claim(conn: &mut Conn, kinds: &[&str], when: (Millis, Millis), limit: i64) -> Result<Vec<Row>> {
    let (now, lease_until) = when;
    let due = || jobs::table.filter(jobs::run_at.le(now)).filter(jobs::kind.eq_any(kinds.to_vec())).limit(limit);
    let mut rows: Vec<Row> = match conn {
        Conn::Pg(c) => due().order(jobs::run_at.asc()).select(Row::as_select()).for_update().skip_locked().load(c)?,
        Conn::Sqlite(c) => due().order(jobs::run_at.asc()).select(Row::as_select()).load(c)?,
    };
    for row in &mut rows {
        row.attempts += 1;
        diesel::update(jobs::table.find(row.id))
            .set((jobs::run_at.eq(lease_until), jobs::attempts.eq(row.attempts)))
            .execute(conn)?;
    }
    Ok(rows)
}

/// The job is done.
pub(super) fn done(conn: &mut Conn, id: JobId) -> Result<()> {
    diesel::delete(jobs::table.find(id)).execute(conn)?;
    Ok(())
}

/// The job failed and is tried again at `run_at`, or never where that is `None`.
pub(super) fn put_back(conn: &mut Conn, id: JobId, run_at: Option<Millis>, error: &str) -> Result<()> {
    diesel::update(jobs::table.find(id)).set((jobs::run_at.eq(run_at), jobs::last_error.eq(error))).execute(conn)?;
    Ok(())
}
