//! The only way to SQL: `Db::read` and `Db::write`, over SQLite or PostgreSQL.
//!
//! On SQLite every write goes through one writer thread that commits what has queued in one transaction (group
//! commit); on PostgreSQL writes run on several threads and the server groups their commits. Nobody gets an answer
//! before the commit is on disk.

pub mod backup;
pub mod batch;
mod bell;
mod checkpoint;
mod conn;
pub mod facts;
mod fault;
pub mod fixed;
mod fresh;
mod lanes;
pub mod many;
pub mod migrate;
pub mod schema;
mod settings;
pub mod task;
mod versions;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::Pool;
use tokio::sync::oneshot;

use checkpoint::Wish;
use conn::Opener;
pub use conn::{Address, Conn, Patience, savepoint, snapshot, whole};
pub use fresh::Fresh;
use lanes::{Kind, Lanes};
use task::{Once, Task};
pub use versions::{count_change, version_of};
pub use waiting::as_one_request;

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};

/// How the database is used.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it is.
    pub address: Address,
    /// Reading threads and connections.
    pub readers: u32,
    /// Writing threads and connections on PostgreSQL; SQLite has one.
    pub writers: u32,
    /// How much work may wait before 503, for reads and writes each.
    pub queue_depth: usize,
    /// Time-outs of statements.
    pub patience: Patience,
}

/// The database.
#[derive(Clone)]
pub struct Db {
    reads: Lanes,
    writes: Lanes,
    sqlite: bool,
    writers: u32,
    answer_within: Duration,
    opener: Opener,
    /// Ends what listens for this database when the last handle is dropped.
    life: Arc<()>,
    clock: Clock,
}

/// SQLite's page cache of the writer, KiB. At the end of each transaction that split a page, SQLite walks the whole cache
/// (`pcache1TruncateUnsafe`: splitting borrows the number of a page at 1 GiB, which is then cut off again). At 64 MiB that
/// was a tenth of the writer's time, more than reading again what 16 MiB do not hold.
const WRITER_CACHE_KIB: u32 = 16_384;
/// That of a reader: of single rows, it needs little.
const READER_CACHE_KIB: u32 = 2_048;

impl Db {
    /// Opens the pools and starts the threads. Connections are made on first use, so a database that is down does not
    /// keep the process from starting; `migrate::run` is what needs it.
    pub fn open(settings: &Settings, clock: Clock) -> Result<Db> {
        let sqlite = settings.address.is_sqlite();
        let writers = if sqlite { 1 } else { settings.writers.max(1) };
        let readers = settings.readers.max(1);
        let writing = pool(settings, writers, if sqlite { WRITER_CACHE_KIB } else { 0 })?;
        let reading = pool(settings, readers, READER_CACHE_KIB)?;
        let kind = if sqlite { Kind::Group } else { Kind::Write };
        let wish = Arc::new(Wish::default());
        if sqlite {
            checkpoint::start(opener(settings, READER_CACHE_KIB), &wish)?;
        }
        Ok(Db {
            reads: Lanes::start("db-read", Kind::Read, reading, readers, settings.queue_depth, &wish)?,
            writes: Lanes::start("db-write", kind, writing, writers, settings.queue_depth, &wish)?,
            sqlite,
            writers,
            answer_within: settings.patience.answer,
            opener: opener(settings, 0),
            life: Arc::new(()),
            clock,
        })
    }

    /// Runs `work` on a reading connection. Errors: the work's own, or 503 where the queue is full or the database
    /// does not answer.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (task, answer) = Once::new(work);
        self.reads.submit(Box::new(task))?;
        self.in_time(answer).await
    }

    /// Runs `work` in a write transaction and answers after its commit. An error of the work undoes it alone; after a
    /// 503 for want of time it may still be done.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (task, answer) = Once::new(work);
        self.submit_write(Box::new(task))?;
        self.in_time(answer).await
    }

    /// The same for work whose result must not be lost: waits as long as it takes.
    pub async fn write_patiently<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (task, answer) = Once::new(work);
        self.submit_write(Box::new(task))?;
        answer.await.map_err(|_| Error::internal("a database thread dropped its work"))?
    }

    /// Waits for an answer from the database's threads, and no longer than a caller should: 503 then. A server that
    /// stalls keeps its own time-outs to itself.
    pub async fn in_time<T>(&self, answer: oneshot::Receiver<Result<T>>) -> Result<T> {
        waiting::wait(answer, self.answer_within).await
    }

    /// Tells the workers of other processes that something is due. Nothing on SQLite, where there are none.
    pub async fn ring(&self) -> Result<()> {
        if self.sqlite { Ok(()) } else { self.read(bell::ring).await }
    }

    /// Calls `heard` whenever another process rings, as long as this database is open.
    pub fn on_ring(&self, heard: impl Fn() + Send + 'static) -> Result<()> {
        if self.sqlite { Ok(()) } else { bell::listen(self.opener.clone(), &self.life, heard) }
    }

    /// Queues a task of its own kind (the accept batch) among the writes.
    pub fn submit_write(&self, task: Box<dyn Task>) -> Result<()> {
        self.writes.submit(task)
    }

    /// How many writes run at once: 1 on SQLite.
    pub fn writers(&self) -> u32 {
        self.writers
    }

    /// Whether this is the embedded database.
    pub fn is_sqlite(&self) -> bool {
        self.sqlite
    }

    /// The moment that decides limits inside a write transaction: the database's own clock on PostgreSQL (one clock
    /// for all nodes), this host's on SQLite, read after BEGIN IMMEDIATE; a clock set by hand wins over both.
    pub fn now(&self, conn: &mut Conn) -> Result<Millis> {
        now(conn, &self.clock)
    }
}

/// See [`Db::now`]; for work that holds no `Db`.
pub fn now(conn: &mut Conn, clock: &Clock) -> Result<Millis> {
    use diesel::RunQueryDsl;
    match (conn, clock) {
        (Conn::Pg(c), Clock::System) => {
            let millis = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
            let at = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(millis));
            Ok(Millis(at.get_result(c)?))
        }
        _ => Ok(clock.now()),
    }
}

fn pool(settings: &Settings, size: u32, cache_kib: u32) -> Result<Pool<Opener>> {
    Ok(Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .connection_timeout(Duration::from_secs(2))
        .test_on_check_out(false)
        .error_handler(Box::new(diesel::r2d2::LoggingErrorHandler))
        .build_unchecked(opener(settings, cache_kib)))
}

fn opener(settings: &Settings, cache_kib: u32) -> Opener {
    Opener { address: settings.address.clone(), patience: settings.patience.clone(), cache_kib }
}
