//! The schema's migrations: embedded, run under a lock, refused by a binary that is older than the schema.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::r2d2::ManageConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::db::conn::{Address, Conn, Opener};
use crate::db::{Settings, fault};
use crate::error::{Error, Result};
use crate::failpoint;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number that no other program on the same database uses for its advisory locks: "postern" in ASCII, cut.
const ADVISORY_LOCK: i64 = 0x706f_7374_6572;

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Versions that were applied now, oldest first.
    pub applied: Vec<String>,
    /// Versions that were undone now, newest first.
    pub undone: Vec<String>,
}

/// Applies what is pending. Of several processes that start at once one runs each migration, the others wait.
pub fn run(settings: &Settings) -> Result<Report> {
    with_lock(settings, |conn| {
        refuse_newer_schema(conn)?;
        let applied = crate::both!(conn, c => {
            let source = c.migrations();
            c.pending_migrations(source).and_then(|due| due.iter().map(|one| run_whole(c, one.as_ref())).collect())
        })
        .map_err(Error::internal)?;
        Ok(Report { applied, undone: Vec::new() })
    })
}

/// Runs one migration and writes down that it ran, both or neither.
fn run_whole<C>(conn: &mut C, one: &dyn Migration<C::Backend>) -> diesel::migration::Result<String>
where
    C: Connection + MigrationHarness<C::Backend>,
{
    conn.transaction(|conn| {
        let version = conn.run_migration(one)?.to_string();
        failpoint::pass("migrate.mid")?;
        Ok(version)
    })
}

/// Undoes the newest migration.
pub fn undo_last(settings: &Settings) -> Result<Report> {
    with_lock(settings, |conn| {
        let version = crate::both!(conn, c => {
            let source = c.migrations();
            c.revert_last_migration(source).map(|version| version.to_string())
        })
        .map_err(Error::internal)?;
        Ok(Report { applied: Vec::new(), undone: vec![version] })
    })
}

/// Versions that this binary knows and the schema lacks, oldest first. Empty: the schema is ready.
pub fn pending(conn: &mut Conn) -> Result<Vec<String>> {
    let applied: BTreeSet<String> = applied(conn)?.into_iter().collect();
    Ok(known(conn)?.into_iter().filter(|version| !applied.contains(version)).collect())
}

/// The newest migration that the schema has.
pub fn newest(conn: &mut Conn) -> Result<Option<String>> {
    Ok(applied(conn)?.pop())
}

/// The embedded migrations of each database.
trait Embedded {
    fn migrations(&self) -> EmbeddedMigrations;
}

impl Embedded for diesel::SqliteConnection {
    fn migrations(&self) -> EmbeddedMigrations {
        SQLITE
    }
}

impl Embedded for diesel::PgConnection {
    fn migrations(&self) -> EmbeddedMigrations {
        POSTGRES
    }
}

fn with_lock<T>(settings: &Settings, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    let _file = match &settings.address {
        Address::Sqlite(path) => Some(lock_file(path)?),
        Address::Postgres(_) => None,
    };
    let opener = Opener { address: settings.address.clone(), patience: settings.patience.clone(), cache_kib: 2_048 };
    let mut conn = opener.connect().map_err(fault::unreachable)?;
    if let Conn::Pg(c) = &mut conn {
        // The wait for the other process's migrations may be long; the lock ends with this connection.
        diesel::sql_query("SET lock_timeout = 0").execute(c)?;
        diesel::sql_query("SET statement_timeout = 0").execute(c)?;
        diesel::sql_query(format!("SELECT pg_advisory_lock({ADVISORY_LOCK})")).execute(c)?;
    }
    work(&mut conn)
}

/// A lock file beside the database: diesel's migrations take no lock of their own.
pub(super) fn lock_file(database: &Path) -> Result<File> {
    if let Some(folder) = database.parent() {
        std::fs::create_dir_all(folder).map_err(Error::internal)?;
    }
    let file = File::create(database.with_extension("migrate.lock")).map_err(Error::internal)?;
    file.lock().map_err(Error::internal)?;
    Ok(file)
}

/// Refuses a copy that is none of this product's databases, or newer than this binary. Changes nothing.
pub(super) fn refuse_strange_schema(conn: &mut Conn, file: &Path) -> Result<()> {
    let file = file.display();
    let has = names(conn).map_err(|_| Error::internal(format!("{file} is no copy of a Postern database")))?;
    match unknown(conn, has)? {
        None => Ok(()),
        Some(version) => Err(Error::internal(format!(
            "{file} has migration {version}, which this binary does not know: restore it with the newer binary"
        ))),
    }
}

fn refuse_newer_schema(conn: &mut Conn) -> Result<()> {
    let has = applied(conn)?;
    match unknown(conn, has)? {
        None => Ok(()),
        Some(version) => Err(Error::internal(format!(
            "the database has migration {version}, which this binary does not know: it is older than the schema. \
             Start the newer binary, or restore a backup made before the upgrade"
        ))),
    }
}

/// The first of `has` that this binary does not know.
fn unknown(conn: &Conn, has: Vec<String>) -> Result<Option<String>> {
    let known: BTreeSet<String> = known(conn)?.into_iter().collect();
    Ok(has.into_iter().find(|version| !known.contains(version)))
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

fn applied(conn: &mut Conn) -> Result<Vec<String>> {
    // Makes the table where it is missing.
    crate::both!(conn, c => MigrationHarness::<_>::applied_migrations(c).map(drop)).map_err(Error::internal)?;
    names(conn)
}

fn names(conn: &mut Conn) -> Result<Vec<String>> {
    let sql = "SELECT version FROM __diesel_schema_migrations ORDER BY version";
    let rows: Vec<Version> = crate::both!(conn, c => diesel::sql_query(sql).load(c))?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

fn known(conn: &Conn) -> Result<Vec<String>> {
    match conn {
        Conn::Pg(_) => versions(MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES)),
        Conn::Sqlite(_) => versions(MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE)),
    }
}

fn versions<DB: diesel::backend::Backend>(
    found: diesel::migration::Result<Vec<Box<dyn Migration<DB>>>>,
) -> Result<Vec<String>> {
    let migrations = found.map_err(Error::internal)?;
    let mut versions: Vec<String> = migrations.iter().map(|m| version_text(&m.name().version())).collect();
    versions.sort();
    Ok(versions)
}

fn version_text(version: &MigrationVersion<'_>) -> String {
    version.to_string()
}
