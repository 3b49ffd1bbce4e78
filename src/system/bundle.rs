//! What somebody who helps from afar needs to know, without a secret, a number, a code or the text of a request.

use serde::Serialize;
use utoipa::ToSchema;

use super::status::SystemStatus;
use crate::clock::Millis;
use crate::db::facts::{TableRows, tables};
use crate::db::{Conn, Db};
use crate::error::Result;
use crate::jobs::{self, Filter, JobState, JobView};

/// A support bundle: one JSON document.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Bundle {
    /// How the installation is.
    pub status: SystemStatus,
    /// How many rows each table has.
    pub tables: Vec<TableRows>,
    /// Jobs that are overdue or buried, the newest of each. Why they failed is left out: a driver's words may quote anything.
    pub stuck_jobs: Vec<JobView>,
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
    if !status.database.pending.is_empty() {
        return Ok(Bundle { status, tables: Vec::new(), stuck_jobs: Vec::new(), metrics });
    }
    let now = status.at;
    let counted = db.read(tables).await?;
    let stuck_jobs = db.read(move |conn| stuck(conn, now)).await?;
    Ok(Bundle { status, tables: counted, stuck_jobs, metrics })
}

fn stuck(conn: &mut Conn, now: Millis) -> Result<Vec<JobView>> {
    let mut found = Vec::new();
    for state in [JobState::Due, JobState::Buried] {
        found.extend(jobs::list(conn, &Filter { kind: None, state: Some(state) }, None, now, JOBS_MAX)?);
    }
    found.iter_mut().for_each(|job| job.last_error = None);
    Ok(found)
}
