//! Copies of the embedded database that somebody asks for while it runs: asked for in a transaction, made by the worker.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::store;
use crate::app::App;
use crate::audit::{self, By, Change, Verdict};
use crate::clock::Millis;
use crate::config::Config;
use crate::db::{Conn, Settings, backup};
use crate::error::{Code, Error, Result};
use crate::ids::BackupId;
use crate::jobs::{self, Job};

crate::text_enum! {
    /// How a backup stands.
    pub enum BackupStatus {
        /// It is to be made, or being made.
        Waiting = "waiting",
        /// It is on disk, and whole.
        Made = "made",
        /// It could not be made.
        Failed = "failed",
    }
}

/// A copy of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Backup {
    /// Its id.
    pub id: BackupId,
    /// The file, on the machine of the process that makes it.
    #[schema(example = "/backups/postern-2026-03-28T143000000Z.db")]
    pub file: String,
    /// How it stands.
    pub status: BackupStatus,
    /// Who asked for it: an operator's id, or `cli`.
    pub author: String,
    /// Its size.
    pub bytes: Option<i64>,
    /// The last hash of the audit chain in it, hex.
    pub head: Option<String>,
    /// Why it could not be made, or what is wrong with what is in it.
    pub fault: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// When it was made, or failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Millis>,
}

/// A backup that the worker is to make.
#[derive(Serialize, Deserialize)]
struct Wanted {
    id: BackupId,
}

impl Job for Wanted {
    const KIND: &'static str = "system.backup";
}

/// Backups of one round: they go one after the other.
const BACKUPS_MAX: i64 = 4;

/// Asks for a copy in the configured directory, and tells the audit log.
///
/// # Errors
/// `validation_failed` where the database is PostgreSQL's.
pub fn ask(conn: &mut Conn, by: &By, config: &Config) -> Result<Backup> {
    if !conn.is_sqlite() {
        return Err(Error::new(Code::ValidationFailed).detail(
            "The database is PostgreSQL's: copy it by pg_dump --format=custom, or by continuous archiving; see docs/backup.md.",
        ));
    }
    let name = format!("postern-{}.db", by.now.rfc3339().replace([':', '.'], ""));
    let asked = Backup {
        id: BackupId::new(by.now),
        file: config.backup_directory().join(name).display().to_string(),
        status: BackupStatus::Waiting,
        author: by.actor.to_string(),
        bytes: None,
        head: None,
        fault: None,
        created_at: by.now,
        ended_at: None,
    };
    store::insert(conn, &asked)?;
    jobs::enqueue(conn, Wanted::KIND, &Wanted { id: asked.id }, by.now)?;
    by.tell(conn, "backup.create", asked.id, Change::made(&asked))?;
    Ok(asked)
}

/// Makes the copies that were asked for; how many that were.
pub async fn run_due(app: &App) -> Result<usize> {
    jobs::run_due::<Wanted, _, _>(&app.db, &app.clock, BACKUPS_MAX, |payload| make(app, payload)).await
}

async fn make(app: &App, payload: String) -> Result<()> {
    let Wanted { id } = serde_json::from_str(&payload).map_err(Error::internal)?;
    let found = app.db.read(move |conn| store::find(conn, id)).await?;
    let Some(asked) = found.filter(|asked| asked.status == BackupStatus::Waiting) else { return Ok(()) };
    let (settings, file) = (Settings::of(&app.config), PathBuf::from(&asked.file));
    let copied = tokio::task::spawn_blocking(move || copy(&settings, &file)).await.map_err(Error::internal)?;
    let ended = ended(asked, copied, app.clock.now());
    match &ended.fault {
        Some(fault) => tracing::warn!(backup.id = %id, error = fault, "a backup has a fault"),
        None => tracing::info!(backup.id = %id, bytes = ended.bytes, "a backup was made"),
    }
    app.db.write(move |conn| store::finish(conn, &ended)).await
}

fn copy(settings: &Settings, file: &Path) -> Result<(u64, Verdict)> {
    if let Some(folder) = file.parent() {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| Error::internal(format!("{}: {error}", folder.display())))?;
    }
    backup::copy(settings, file, audit::verify)
}

fn ended(asked: Backup, copied: Result<(u64, Verdict)>, now: Millis) -> Backup {
    match copied {
        Ok((bytes, verdict)) => Backup {
            status: BackupStatus::Made,
            bytes: i64::try_from(bytes).ok(),
            fault: (!verdict.whole).then(|| String::from("the audit chain in it is not whole")),
            head: Some(verdict.head),
            ended_at: Some(now),
            ..asked
        },
        Err(fault) => {
            let why = fault.cause_text().unwrap_or(fault.sentence()).to_owned();
            Backup { status: BackupStatus::Failed, fault: Some(why), ended_at: Some(now), ..asked }
        }
    }
}

/// A copy that was made at the machine.
#[derive(Debug, Clone)]
pub struct Noted {
    /// The file.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// The last hash of the audit chain in it, hex.
    pub head: String,
    /// When it was made.
    pub at: Millis,
}

/// Writes down that a copy was made at the machine, so that the status knows of it.
pub fn note(conn: &mut Conn, noted: Noted) -> Result<()> {
    let Noted { file, bytes, head, at } = noted;
    let (bytes, author) = (i64::try_from(bytes).ok(), String::from("cli"));
    let (id, status) = (BackupId::new(at), BackupStatus::Made);
    let made =
        Backup { id, file, status, author, bytes, head: Some(head), fault: None, created_at: at, ended_at: Some(at) };
    store::insert(conn, &made)
}
