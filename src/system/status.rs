//! The state of the installation, at a look.

use serde::Serialize;
use utoipa::ToSchema;

use super::backups::Backup;
use super::checks::{Finding, examine_running};
use super::store;
use crate::app::App;
use crate::audit::{self, Checkpoint};
use crate::clock::{Millis, whole_ms};
use crate::config::{Config, DatabaseUrl, Written};
use crate::db::{Conn, Db, facts, migrate};
use crate::disk::Room;
use crate::error::Result;
use crate::ids::NodeId;
use crate::jobs::{self, JobQueue};
use crate::nodes::{self, NodeView};

/// This binary's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit it was built from, where the build said so by `POSTERN_COMMIT`.
pub const COMMIT: Option<&str> = option_env!("POSTERN_COMMIT");

/// How the installation is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SystemStatus {
    /// The moment of all this.
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
    /// The version of the binary.
    #[schema(example = "0.1.0")]
    pub version: &'static str,
    /// The commit it was built from, where the build said so.
    pub commit: Option<&'static str>,
    /// The process that answers; null where none runs, as in a bundle made at the machine.
    pub process: Option<Process>,
    /// The database.
    pub database: DatabaseStatus,
    /// Room on the disk that holds the data; null where the system does not say.
    pub disk: Option<Disk>,
    /// The last copy of the database that was made by Postern; null where none is known.
    pub backup: Option<Backup>,
    /// The last checkpoint of the audit chain.
    pub checkpoint: Option<Checkpoint>,
    /// The processes that share the database, those of the last hour; on SQLite there is only the one that answers.
    pub nodes: Vec<NodeView>,
    /// The queue of jobs, kind by kind.
    pub jobs: Vec<JobQueue>,
    /// Every key of the configuration that is written somewhere and differs from its default, without values that might be
    /// secrets.
    pub config: Vec<Written>,
    /// What was checked, as `postern doctor` does it.
    pub findings: Vec<Finding>,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Process {
    /// Its id.
    pub node: NodeId,
    /// `all`, `api` or `worker`.
    #[schema(example = "all")]
    pub role: String,
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Millis,
    /// Milliseconds since.
    pub uptime_ms: u64,
    /// Redis, as it knows it.
    pub redis: RedisState,
}

crate::text_enum! {
    /// The Redis that several nodes count requests in.
    pub enum RedisState {
        /// It is not used.
        Unused = "unused",
        /// It answers in time.
        Ok = "ok",
        /// It does not answer; each node holds to its share of the limits.
        Degraded = "degraded",
    }
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DatabaseStatus {
    /// `sqlite` or `postgresql`.
    #[schema(example = "sqlite")]
    pub kind: &'static str,
    /// The version of its program.
    pub version: String,
    /// Its size on disk.
    pub bytes: i64,
    /// What is written and not yet copied back into the file: SQLite's log. Null on PostgreSQL.
    pub log_bytes: Option<i64>,
    /// The newest migration of the schema.
    pub migration: Option<String>,
    /// Migrations that this binary has and the schema lacks.
    pub pending: Vec<String>,
    /// How far its clock is ahead of this machine's, milliseconds; always 0 on SQLite.
    pub clock_ahead_ms: i64,
}

/// Room on a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Disk {
    /// Bytes that may still be used.
    pub free_bytes: u64,
    /// All of it.
    pub total_bytes: u64,
    /// Whether less than a tenth, and than 10 GiB, is free.
    pub low: bool,
}

/// How the installation of a running process is.
///
/// # Errors
/// Of the database.
pub async fn status(app: &App) -> Result<SystemStatus> {
    let findings = examine_running(app).await?;
    let now = app.clock.now();
    let redis = match () {
        () if app.config.node.redis_url.is_none() || app.db.is_sqlite() => RedisState::Unused,
        () if app.door.is_degraded() => RedisState::Degraded,
        () => RedisState::Ok,
    };
    let process = Process {
        node: app.nodes.id(),
        role: app.nodes.role().to_string(),
        started_at: app.started_at,
        uptime_ms: whole_ms(now.since(app.started_at)),
        redis,
    };
    let (myself, role) = (process.clone(), app.nodes.role());
    let mut seen = look(&app.config, &app.db, now, findings).await?;
    if app.db.is_sqlite() {
        seen.nodes = vec![NodeView { id: myself.node, role, started_at: myself.started_at, seen_at: now }];
    }
    Ok(SystemStatus { process: Some(process), ..seen })
}

/// The same without a process.
///
/// # Errors
/// Of the database.
pub async fn look(config: &Config, db: &Db, now: Millis, findings: Vec<Finding>) -> Result<SystemStatus> {
    let (asked, log_bytes) = (db.clone(), log_size(config));
    let mut status = db.read(move |conn| read(conn, &asked, now)).await?;
    status.database.log_bytes = log_bytes;
    let disk = Room::of_data(config);
    let disk = disk.map(|room| Disk { free_bytes: room.free, total_bytes: room.total, low: room.is_low() });
    let differs = |one: &&Written| one.value.is_none() || one.value != one.default;
    let config = config.written.iter().filter(differs).cloned().collect();
    Ok(SystemStatus { disk, config, findings, ..status })
}

fn read(conn: &mut Conn, db: &Db, now: Millis) -> Result<SystemStatus> {
    let found = facts::facts(conn)?;
    let there = db.now(conn)?;
    let database = DatabaseStatus {
        kind: found.kind,
        version: found.version,
        bytes: found.bytes,
        log_bytes: None,
        migration: migrate::newest(conn)?,
        pending: migrate::pending(conn)?,
        clock_ahead_ms: if conn.is_sqlite() { 0 } else { there.0.saturating_sub(now.0) },
    };
    // Tables may be missing until the schema is up to date.
    let ready = database.pending.is_empty();
    Ok(SystemStatus {
        at: now,
        version: VERSION,
        commit: COMMIT,
        process: None,
        database,
        disk: None,
        backup: if ready { store::last_made(conn)? } else { None },
        checkpoint: if ready { audit::list_checkpoints(conn, None, 1)?.pop() } else { None },
        nodes: if ready { nodes::list(conn)? } else { Vec::new() },
        jobs: if ready { jobs::queues(conn, now)? } else { Vec::new() },
        config: Vec::new(),
        findings: Vec::new(),
    })
}

fn log_size(config: &Config) -> Option<i64> {
    let DatabaseUrl::Sqlite(path) = config.database_url() else { return None };
    let mut log = path.into_os_string();
    log.push("-wal");
    let size = std::fs::metadata(log).map_or(0, |meta| meta.len());
    i64::try_from(size).ok()
}
