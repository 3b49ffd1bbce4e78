//! What somebody who helps from afar needs to know, without a secret, a number, a code or the text of a request.

use serde::Serialize;
use utoipa::ToSchema;

use super::status::SystemStatus;
use crate::clock::Millis;
use crate::db::facts::{TableRows, tables};
use crate::db::{Conn, Db};
use crate::error::Result;
use crate::jobs::{self, Filter, JobState, JobView};
use crate::recent;

/// A support bundle: one JSON document.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Bundle {
    /// How the installation is.
    pub status: SystemStatus,
    /// How many rows each table has.
    pub tables: Vec<TableRows>,
    /// Jobs that are overdue or buried, the newest of each. Why they failed is left out: a driver's words may quote anything.
    pub stuck_jobs: Vec<JobView>,
    /// The last warnings and errors in the log of the process, a line of JSON each, oldest first; empty where no process
    /// runs. Kept in memory, at most 500 lines and 256 KiB.
    pub log: Vec<String>,
    /// The metrics of the process, as Prometheus reads them: errors by code among them. Null where no process runs.
    pub metrics: Option<String>,
}

/// Jobs of each state that are shown.
const JOBS_MAX: i64 = 50;

/// Puts the bundle together.
///
/// # Errors
/// Of the database.
pub async fn bundle(db: &Db, status: SystemStatus, metrics: Option<String>) -> Result<Bundle> {
    let log = recent::lines();
    if !status.database.pending.is_empty() {
        return Ok(Bundle { status, tables: Vec::new(), stuck_jobs: Vec::new(), log, metrics });
    }
    let now = status.at;
    let counted = db.read(tables).await?;
    let stuck_jobs = db.read(move |conn| stuck(conn, now)).await?;
    Ok(Bundle { status, tables: counted, stuck_jobs, log, metrics })
}

fn stuck(conn: &mut Conn, now: Millis) -> Result<Vec<JobView>> {
    let mut found = Vec::new();
    for state in [JobState::Due, JobState::Buried] {
        found.extend(jobs::list(conn, &Filter { kind: None, state: Some(state) }, None, now, JOBS_MAX)?);
    }
    found.iter_mut().for_each(|job| job.last_error = None);
    Ok(found)
}
