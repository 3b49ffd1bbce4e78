//! The table of jobs.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::jobs;
use crate::error::{Error, Result};
use crate::ids::JobId;
use crate::jobs::view::{Filter, JobQueue, JobState, JobView};

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

/// Lists jobs, newest first, from behind `before`.
pub fn list(conn: &mut Conn, filter: &Filter, before: Option<JobId>, now: Millis, limit: i64) -> Result<Vec<JobView>> {
    let mut query = jobs::table.select(Row::as_select()).order(jobs::id.desc()).limit(limit).into_boxed();
    if let Some(before) = before {
        query = query.filter(jobs::id.lt(before));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(jobs::kind.eq(kind));
    }
    query = match filter.state {
        None => query,
        Some(JobState::Buried) => query.filter(jobs::run_at.is_null()),
        Some(JobState::Due) => query.filter(jobs::run_at.le(now)),
        Some(JobState::Waiting) => query.filter(jobs::run_at.gt(now)),
    };
    let rows: Vec<Row> = query.load(conn)?;
    Ok(rows.into_iter().map(|row| view(row, now)).collect())
}

fn view(row: Row, now: Millis) -> JobView {
    let state = match row.run_at {
        None => JobState::Buried,
        Some(at) if at <= now => JobState::Due,
        Some(_) => JobState::Waiting,
    };
    let Row { id, kind, payload: _, run_at, attempts, last_error, created_at } = row;
    JobView { id, kind, state, attempts, run_at, last_error, created_at }
}

#[derive(QueryableByName)]
struct QueueRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    kind: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    waiting: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    due: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    buried: i64,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    oldest: Option<Millis>,
}

/// How much waits of each kind of job.
pub fn queues(conn: &mut Conn, now: Millis) -> Result<Vec<JobQueue>> {
    let now = now.0;
    let sql = format!(
        "SELECT kind, COUNT(CASE WHEN run_at > {now} THEN 1 END) AS waiting,
                COUNT(CASE WHEN run_at <= {now} THEN 1 END) AS due,
                COUNT(CASE WHEN run_at IS NULL THEN 1 END) AS buried,
                MIN(CASE WHEN run_at <= {now} THEN run_at END) AS oldest
           FROM jobs GROUP BY kind ORDER BY kind"
    );
    let rows: Vec<QueueRow> = crate::both!(conn, c => diesel::sql_query(&sql).load(c))?;
    let queue = |row: QueueRow| {
        let QueueRow { kind, waiting, due, buried, oldest } = row;
        JobQueue { kind, waiting, due, buried, oldest_due_at: oldest }
    };
    Ok(rows.into_iter().map(queue).collect())
}
