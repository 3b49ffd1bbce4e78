//! A copy of the embedded database while it is in use, and putting one in its place. PostgreSQL has its own tools.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::r2d2::ManageConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};

use super::conn::{Address, Conn, Opener};
use super::{Settings, migrate};
use crate::error::{Error, Result};

/// Page cache of the connection that copies, KiB.
const CACHE_KIB: u32 = 8_192;

/// Copies the database of `settings` into the new file `to`, mode 0600, as it is at one moment; others read and write
/// meanwhile. What the sandbox's handsets show is left out. The copy is checked, looked at, and has its name only when it
/// is whole. Answers its size in bytes and what `look` found.
///
/// # Errors
/// With the cause: a file that is there already, a full disk, a database that is damaged or PostgreSQL's.
pub fn copy<T>(settings: &Settings, to: &Path, look: impl FnOnce(&mut Conn) -> Result<T>) -> Result<(u64, T)> {
    embedded(settings)?;
    if to.exists() {
        return Err(Error::internal(format!("{} is there already; name a new file", to.display())));
    }
    let partial = beside(to, "partial");
    let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial);
    made.map_err(|error| unusable(&partial, &error))?;
    let done = fill(settings, &partial).and_then(|size| {
        let found = look(&mut open(&partial)?)?;
        std::fs::rename(&partial, to).map_err(|error| unusable(to, &error))?;
        Ok((size, found))
    });
    if done.is_err() {
        // The failure is what counts; a leftover is overwritten by the next copy.
        let _ = std::fs::remove_file(&partial);
    }
    done
}

fn fill(settings: &Settings, partial: &Path) -> Result<u64> {
    let name = partial.to_str().ok_or_else(|| Error::internal("the file's name is not UTF-8"))?;
    let opener =
        Opener { address: settings.address.clone(), patience: settings.patience.clone(), cache_kib: CACHE_KIB };
    let mut conn = opener.connect().map_err(Error::internal)?;
    if let Conn::Sqlite(c) = &mut conn {
        diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(name).execute(c)?;
    }
    // The sandbox's handsets show codes in the clear; what is deleted is overwritten.
    let mut conn = SqliteConnection::establish(name).map_err(Error::internal)?;
    conn.batch_execute("PRAGMA secure_delete = ON; DELETE FROM sandbox_inbox")?;
    drop(conn);
    let file = File::open(partial).map_err(|error| unusable(partial, &error))?;
    file.sync_all().map_err(|error| unusable(partial, &error))?;
    Ok(file.metadata().map_err(|error| unusable(partial, &error))?.len())
}

#[derive(QueryableByName)]
struct Check {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// Opens a copy to be read, after looking whether it is whole and of a schema that this binary knows. Writes nothing, not
/// even beside it.
///
/// # Errors
/// With the cause.
pub fn open(file: &Path) -> Result<Conn> {
    let path = file.canonicalize().map_err(|error| unusable(file, &error))?;
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let mut conn = SqliteConnection::establish(&format!("file:{escaped}?immutable=1")).map_err(Error::internal)?;
    let damaged = |why: &str| Error::internal(format!("{} is no whole copy of a database: {why}", file.display()));
    let found: Vec<Check> =
        diesel::sql_query("PRAGMA quick_check(3)").load(&mut conn).map_err(|error| damaged(&error.to_string()))?;
    match found.first() {
        Some(check) if check.quick_check == "ok" => {}
        found => return Err(damaged(found.map_or("nothing in it", |check| check.quick_check.as_str()))),
    }
    let mut conn = Conn::Sqlite(conn);
    migrate::refuse_strange_schema(&mut conn, file)?;
    Ok(conn)
}

/// Puts the copy in the place of the database of `settings`. A database that is there is moved aside, and its new name
/// answered; only where `replace` says so.
///
/// # Errors
/// With the cause: a process has the database open, it is there and `replace` is false, the disk is full. The database is
/// as it was.
pub fn put_in_place(settings: &Settings, copy: &Path, replace: bool, aside: &str) -> Result<Option<PathBuf>> {
    let place = embedded(settings)?;
    let _turn = migrate::lock_file(place)?;
    let old = place.exists().then(|| beside(place, aside));
    if old.is_some() {
        if !replace {
            return Err(Error::internal(format!(
                "{} is there already; give --replace to move it aside",
                place.display()
            )));
        }
        close_alone(place)?;
    }
    let coming = beside(place, "restoring");
    let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&coming);
    let mut to = made.map_err(|error| unusable(&coming, &error))?;
    let mut from = File::open(copy).map_err(|error| unusable(copy, &error))?;
    std::io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).map_err(|error| unusable(&coming, &error))?;
    if let Some(old) = &old {
        std::fs::rename(place, old).map_err(|error| unusable(place, &error))?;
    }
    std::fs::rename(&coming, place).map_err(|error| unusable(place, &error))?;
    Ok(old)
}

/// Makes sure that nobody has the database open, and that all of it is in its one file.
fn close_alone(place: &Path) -> Result<()> {
    let name = place.to_str().ok_or_else(|| Error::internal("the database's path is not UTF-8"))?;
    let mut conn = SqliteConnection::establish(name).map_err(Error::internal)?;
    // Every open connection to a database with a log holds a shared lock on its file.
    let alone = conn.batch_execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");
    alone.map_err(|_| {
        Error::internal(format!("{} is in use: stop the server that has it open, and try again", place.display()))
    })?;
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

fn embedded(settings: &Settings) -> Result<&Path> {
    match &settings.address {
        Address::Sqlite(path) => Ok(path),
        Address::Postgres(_) => Err(Error::internal(
            "the database is PostgreSQL's: use pg_dump --format=custom and pg_restore, or its continuous archiving",
        )),
    }
}

/// The file beside `file` that has its name and `.word` behind it.
fn beside(file: &Path, word: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(word);
    PathBuf::from(name)
}

fn unusable(file: &Path, error: &std::io::Error) -> Error {
    Error::internal(format!("{}: {error}", file.display()))
}
