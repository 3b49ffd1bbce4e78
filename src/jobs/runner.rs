//! Runs due jobs: one step that the worker calls in its loop, and tests by hand.

use std::future::Future;
use std::time::Duration;

use super::{backoff, store};
use crate::clock::{Clock, Millis};
use crate::db::Db;
use crate::error::Result;

/// A kind of job.
pub trait Job {
    /// Its name in the table; never renamed.
    const KIND: &'static str;
    /// Failures after which it is buried.
    const ATTEMPTS_MAX: i32 = 10;
}

/// How long a worker may take for one job.
const LEASE: Duration = Duration::from_secs(60);

/// Runs up to `limit` due jobs of kind `J`, one after the other; how many were due. A job that fails waits and is
/// tried again; one that failed too often stays in the table without a time, for an operator to see.
pub async fn run_due<J, F, Fut>(db: &Db, clock: &Clock, limit: i64, work: F) -> Result<usize>
where
    J: Job,
    F: Fn(String) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let now = clock.now();
    let rows = db.write(move |conn| store::claim(conn, &[J::KIND], (now, now.plus(LEASE)), limit)).await?;
    let count = rows.len();
    for row in rows {
        let outcome = work(row.payload.clone()).await;
        let now = clock.now();
        db.write(move |conn| match outcome {
            Ok(()) => store::done(conn, row.id),
            Err(fault) => {
                let text = fault.cause_text().unwrap_or(fault.sentence()).to_owned();
                tracing::warn!(job.id = %row.id, job.kind = J::KIND, attempts = row.attempts, error = %text, "a job failed");
                store::put_back(conn, row.id, next_try::<J>(row.attempts, now), &text)
            }
        })
        .await?;
    }
    Ok(count)
}

fn next_try<J: Job>(attempts: i32, now: Millis) -> Option<Millis> {
    let failures = u32::try_from(attempts).unwrap_or(1);
    (attempts < J::ATTEMPTS_MAX).then(|| now.plus(backoff::after(failures, crate::secret::random_u64())))
}
