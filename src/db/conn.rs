//! One connection type over both databases, opened by the address's scheme, and the transactions every write uses.

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::{Connection, PgConnection, SqliteConnection};

use crate::db::task::Share;
use crate::error::{Error, Result};

/// A connection to either database. Queries are written once in diesel's common subset; where the two differ a
/// function has two arms by `both!` or `match`.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL.
    Pg(PgConnection),
    /// SQLite.
    Sqlite(SqliteConnection),
}

impl Conn {
    /// Whether this is the embedded database, which has one writer.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Conn::Sqlite(_))
    }
}

/// Runs the same diesel expression on the connection inside, once per database: for what the enum itself cannot
/// express (ON CONFLICT, RETURNING of a selectable, inserts of many rows).
#[macro_export]
macro_rules! both {
    ($conn:expr, $inner:ident => $body:expr) => {
        match $conn {
            $crate::db::Conn::Pg($inner) => $body,
            $crate::db::Conn::Sqlite($inner) => $body,
        }
    };
}

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL URL; never printed, it may hold a password.
    Postgres(String),
}

impl Address {
    /// Reads `sqlite://path` or `postgres://…`. Chosen by scheme, never by trying: a PostgreSQL that is down must not
    /// turn into a new SQLite file.
    pub fn parse(url: &str) -> Result<Address> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return Ok(Address::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Address::Postgres(String::from(url)));
        }
        Err(Error::internal("the database address must start with sqlite:// or postgres://"))
    }

    /// Whether this is SQLite, the database of one node.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Address::Sqlite(_))
    }
}

/// How long statements may take.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Longest wait for a lock before the statement fails: SQLite's busy time-out, PostgreSQL's `lock_timeout`.
    pub lock: Duration,
    /// Longest run of one statement on PostgreSQL.
    pub statement: Duration,
    /// Longest that a caller waits for an answer, whatever keeps the database from giving one.
    pub answer: Duration,
}

/// r2d2's opener of connections.
#[derive(Debug, Clone)]
pub struct Opener {
    /// Where to.
    pub address: Address,
    /// How patient.
    pub patience: Patience,
    /// SQLite page cache of each connection, KiB.
    pub cache_kib: u32,
}

/// An r2d2 error that keeps the real cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(String);

impl ManageConnection for Opener {
    type Connection = Conn;
    type Error = OpenError;

    fn connect(&self) -> Result<Conn, OpenError> {
        let opened = match &self.address {
            Address::Sqlite(path) => open_sqlite(path, self),
            Address::Postgres(url) => open_postgres(url, &self.patience),
        };
        opened.map_err(OpenError)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), OpenError> {
        both!(conn, c => R2D2Connection::ping(c)).map_err(|e| OpenError(e.to_string()))
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        both!(conn, c => R2D2Connection::is_broken(c))
    }
}

/// SQLite wants one PRAGMA per statement, the busy time-out first: switching to WAL can itself meet a lock
/// (diesel issue 2365). FULL: a 202 means on disk.
fn open_sqlite(path: &std::path::Path, opener: &Opener) -> Result<Conn, String> {
    let text = path.to_str().ok_or("the database path is not UTF-8")?;
    let mut conn = SqliteConnection::establish(text).map_err(|e| e.to_string())?;
    let pragmas = [
        format!("PRAGMA busy_timeout = {}", opener.patience.lock.as_millis()),
        String::from("PRAGMA journal_mode = WAL"),
        String::from("PRAGMA synchronous = FULL"),
        String::from("PRAGMA foreign_keys = ON"),
        format!("PRAGMA cache_size = -{}", opener.cache_kib),
        String::from("PRAGMA temp_store = MEMORY"),
        // What is deleted or written over in a page is zeroed with it, at no further write; an erasure asks for more.
        // Source: <https://www.sqlite.org/pragma.html#pragma_secure_delete>.
        String::from("PRAGMA secure_delete = FAST"),
        // 256 MiB: the bound where `checkpoint` does not keep up.
        String::from("PRAGMA wal_autocheckpoint = 65536"),
    ];
    for pragma in pragmas {
        conn.batch_execute(&pragma).map_err(|e| e.to_string())?;
    }
    Ok(Conn::Sqlite(conn))
}

/// Every statement goes by an index. PostgreSQL would scan a table that it has no statistics of yet, and keep that plan
/// for a prepared statement while the table grows: it is told not to. The few statements that must scan look expensive
/// by that, and compiling those for their length (`jit`) would cost each 25 ms and more.
fn open_postgres(url: &str, patience: &Patience) -> Result<Conn, String> {
    let mut conn = PgConnection::establish(&with_connect_timeout(url)).map_err(|e| e.to_string())?;
    conn.batch_execute(&format!(
        "SET lock_timeout = {}; SET statement_timeout = {}; SET idle_in_transaction_session_timeout = 10000; \
         SET client_min_messages = warning; \
         SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off",
        patience.lock.as_millis(),
        patience.statement.as_millis()
    ))
    .map_err(|e| e.to_string())?;
    Ok(Conn::Pg(conn))
}

/// libpq waits for ever by default: two seconds is its own least useful value.
fn with_connect_timeout(url: &str) -> String {
    if url.contains("connect_timeout=") {
        return String::from(url);
    }
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}connect_timeout=2")
}

/// Opens a write transaction: IMMEDIATE on SQLite (a deferred one loses most racing read-then-write transactions at
/// once), READ COMMITTED on PostgreSQL.
pub(super) fn begin(conn: &mut Conn) -> diesel::QueryResult<()> {
    match conn {
        Conn::Pg(c) => AnsiTransactionManager::begin_transaction(c),
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
    }
}

/// Commits what `begin` opened.
pub(super) fn commit(conn: &mut Conn) -> diesel::QueryResult<()> {
    both!(conn, c => AnsiTransactionManager::commit_transaction(c))
}

/// Undoes what `begin` opened.
pub(super) fn rollback(conn: &mut Conn) -> diesel::QueryResult<()> {
    both!(conn, c => AnsiTransactionManager::rollback_transaction(c))
}

/// Runs `work` as a whole in the transaction that is open: its failure undoes it. In a savepoint where the transaction is
/// shared; where it is not, by undoing all of it and beginning anew, since a savepoint costs PostgreSQL two round trips
/// and SQLite a copy of every page.
pub fn whole<T>(conn: &mut Conn, share: Share, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    if share == Share::Shared {
        return savepoint(conn, work);
    }
    let done = work(conn);
    if done.is_err() {
        rollback(conn)?;
        begin(conn)?;
    }
    done
}

/// Runs `work` in a savepoint of the transaction that is open: its failure undoes its own statements only, on both
/// databases alike.
pub fn savepoint<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    begin_nested(conn)?;
    match work(conn) {
        Ok(value) => {
            commit(conn)?;
            Ok(value)
        }
        Err(fault) => {
            rollback(conn)?;
            Err(fault)
        }
    }
}

/// Runs `work`, which only reads, on one snapshot of the database. Not in a transaction that is open.
pub fn snapshot<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    begin_nested(conn)?;
    if let Conn::Pg(c) = conn {
        let text = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
        diesel::RunQueryDsl::execute(diesel::sql_query(text), c)?;
    }
    let done = work(conn);
    rollback(conn)?;
    done
}

fn begin_nested(conn: &mut Conn) -> Result<()> {
    both!(conn, c => AnsiTransactionManager::begin_transaction(c))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_alone_chooses_the_database() {
        assert!(Address::parse("sqlite://data/postern.db").unwrap().is_sqlite());
        assert!(!Address::parse("postgres://u@h/db").unwrap().is_sqlite());
        for bad in ["host=localhost dbname=x", "data/postern.db", "mysql://x", ""] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn libpq_never_waits_for_ever() {
        assert_eq!(with_connect_timeout("postgres://h/db"), "postgres://h/db?connect_timeout=2");
        assert_eq!(with_connect_timeout("postgres://h/db?a=b"), "postgres://h/db?a=b&connect_timeout=2");
        assert_eq!(with_connect_timeout("postgres://h/db?connect_timeout=9"), "postgres://h/db?connect_timeout=9");
    }
}
