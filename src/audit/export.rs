//! Making checkpoints by the clock, and handing them to where the database's owner has no hand: a file, an address, the log.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, Signer};
use super::store::checkpoints;
use super::{By, Change};
use crate::app::{App, FromApp};
use crate::clock::{Millis, whole_ms};
use crate::config::Audit;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::guarded::GuardedClient;
use crate::http::outbound::Bounds;
use crate::ids::NodeId;
use crate::jobs::{self, Job};

/// A checkpoint on its way into the file.
struct ToFile;

impl Job for ToFile {
    const KIND: &'static str = "audit.checkpoint_file";
    const ATTEMPTS_MAX: i32 = 40;
}

/// A checkpoint on its way to the address.
struct ToUrl;

impl Job for ToUrl {
    const KIND: &'static str = "audit.checkpoint_url";
    const ATTEMPTS_MAX: i32 = 40;
}

/// Exports of one round.
const EXPORTS_MAX: i64 = 50;

/// The client for the address; made once.
struct Line(Result<GuardedClient>);

impl FromApp for Line {
    fn from_app(app: &App) -> Line {
        Line(GuardedClient::new(&app.config.outbound.allow, Bounds::from_config(&app.config.outbound)))
    }
}

/// Makes the checkpoint of the present period where there is none yet. Of several processes one makes it.
pub async fn checkpoint_due(app: &App) -> Result<Option<Checkpoint>> {
    let (signer, clock, config) = (Signer::of(&app.keyring)?, app.clock.clone(), app.config.audit.clone());
    let node = app.nodes.id();
    let period = period_of(app.clock.now(), &config);
    if app.db.read(move |conn| checkpoints::has_period(conn, period)).await? {
        return Ok(None);
    }
    let made = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        make(conn, &signer, (now, node), Some(period_of(now, &config)), &config)
    });
    let made = made.await?;
    made.iter().for_each(log_checkpoint);
    Ok(made)
}

fn period_of(now: Millis, config: &Audit) -> Millis {
    let every = i64::try_from(whole_ms(config.checkpoint_every)).unwrap_or(i64::MAX).max(1);
    Millis(now.0.div_euclid(every).saturating_mul(every))
}

/// Signs where the chain stands in this transaction and notes it for the export; `None` where its period has one.
fn make(
    conn: &mut Conn,
    signer: &Signer,
    (now, node): (Millis, NodeId),
    period: Option<Millis>,
    config: &Audit,
) -> Result<Option<Checkpoint>> {
    let head = super::store::find_head(conn)?;
    let checkpoint = signer.sign((head.seq, crate::secret::hex(&head.hash)), now, node)?;
    if !checkpoints::keep(conn, &checkpoint, period)? {
        return Ok(None);
    }
    if config.checkpoint_file.is_some() {
        jobs::enqueue(conn, ToFile::KIND, &checkpoint, now)?;
    }
    if config.checkpoint_url.is_some() {
        jobs::enqueue(conn, ToUrl::KIND, &checkpoint, now)?;
    }
    Ok(Some(checkpoint))
}

/// Makes a checkpoint that somebody asks for, beside those of the clock. It covers the row that tells of it.
///
/// # Errors
/// Of the database.
pub fn checkpoint_now(
    conn: &mut Conn,
    by: &By,
    (signer, node): (&Signer, NodeId),
    config: &Audit,
) -> Result<Checkpoint> {
    by.tell(conn, "audit.checkpoint", "audit", Change::default())?;
    let made = make(conn, signer, (by.now, node), None, config)?;
    made.ok_or_else(|| Error::internal("a checkpoint of no period was not kept"))
}

/// Writes a checkpoint into the log, with every member: a log that is kept elsewhere is an export as well.
pub fn log_checkpoint(made: &Checkpoint) {
    let Checkpoint { id, seq, hash, at, node, key, signature } = made;
    let at = at.rfc3339();
    tracing::info!(kind = "checkpoint", %id, seq, hash, at, %node, key, signature, "the audit chain's checkpoint");
}

/// Hands over what waits. A target that fails is tried again with back-off; how many were due.
pub async fn export_due(app: &App) -> Result<usize> {
    let files = jobs::run_due::<ToFile, _, _>(&app.db, &app.clock, EXPORTS_MAX, |payload| append(app, payload)).await?;
    let posts = jobs::run_due::<ToUrl, _, _>(&app.db, &app.clock, EXPORTS_MAX, |payload| post(app, payload)).await?;
    Ok(files + posts)
}

async fn append(app: &App, payload: String) -> Result<()> {
    let line = line_of(&payload)?;
    let Some(file) = app.config.audit.checkpoint_file.clone() else { return Ok(()) };
    tokio::task::spawn_blocking(move || write_line(&file, &line)).await.map_err(Error::internal)?
}

async fn post(app: &App, payload: String) -> Result<()> {
    let line = line_of(&payload)?;
    let Some(url) = app.config.audit.checkpoint_url.as_ref() else { return Ok(()) };
    let line_to = app.room::<Line>();
    let client = line_to.0.as_ref().map_err(Clone::clone)?;
    match client.post_json(url.as_str(), &[], line).await {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => Err(Error::internal(format!("checkpoint_url answers {}", answer.status))),
        Err(fault) => Err(Error::internal(format!("checkpoint_url: {fault}"))),
    }
}

/// The line of JSON that every target is given.
fn line_of(payload: &str) -> Result<String> {
    let checkpoint: Checkpoint = serde_json::from_str(payload).map_err(Error::internal)?;
    checkpoint.line()
}

/// Appends a line and waits until it is on disk. A line that a crash cut short is left behind by a new one.
fn write_line(path: &Path, line: &str) -> Result<()> {
    let place = |error: std::io::Error| Error::internal(format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o640).open(path).map_err(place)?;
    let start = if ends_torn(&mut file).map_err(place)? { "\n" } else { "" };
    file.write_all(format!("{start}{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(place)
}

fn ends_torn(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0_u8];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

/// Reads the checkpoints of a file.
///
/// # Errors
/// A sentence where it cannot be read, or holds none.
pub fn read_file(path: &PathBuf) -> Result<Vec<Checkpoint>> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
    match super::checkpoint::read_lines(&text) {
        found if found.is_empty() => Err(Error::internal(format!("{} holds no checkpoint", path.display()))),
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_short_does_not_take_the_next_one_with_it() {
        let path = std::env::temp_dir().join(format!("postern-lines-{}", crate::secret::random_token::<12>()));
        write_line(&path, "one").unwrap();
        write_line(&path, "two").unwrap();
        std::fs::write(&path, "one\ntw").unwrap();
        write_line(&path, "three").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntw\nthree\n");
        std::fs::remove_file(&path).unwrap();
    }
}
