//! SQLite's log is copied back into the database beside the writer, not by it: whoever waits for a commit does not wait
//! for that. The writer only finishes what little has come meanwhile, so that the log can begin anew.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::ManageConnection;
use diesel::{QueryableByName, RunQueryDsl};

use crate::db::Conn;
use crate::db::conn::Opener;
use crate::error::{Error, Result};

/// Pages in the log from which copying pays: 16 MiB, so that a page that many messages touch is copied once.
const WORTH_IT: i32 = 4_096;
/// Pages that the writer copies itself without keeping anybody waiting, and how often to try to leave no more.
const FEW: i32 = 512;
const PASSES: u32 = 6;
/// How often to look while there is something to do, and while there is not.
const BUSY: Duration = Duration::from_millis(50);
const IDLE: Duration = Duration::from_millis(500);

/// What the writer is asked to do between two transactions.
#[derive(Debug, Default)]
pub(super) struct Wish(AtomicBool);

#[derive(QueryableByName)]
struct Log {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    log: i32,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    checkpointed: i32,
}

/// Starts the thread; it ends with the last handle on `wish`.
pub(super) fn start(opener: Opener, wish: &Arc<Wish>) -> Result<()> {
    let wish = Arc::downgrade(wish);
    let work = move || watch(&opener, &wish);
    thread::Builder::new().name(String::from("db-checkpoint")).spawn(work).map_err(Error::internal)?;
    Ok(())
}

fn watch(opener: &Opener, wish: &Weak<Wish>) {
    let mut conn: Option<Conn> = None;
    let mut pause = IDLE;
    loop {
        thread::sleep(pause);
        let Some(wish) = wish.upgrade() else { return };
        if conn.is_none() {
            conn = opener.connect().ok();
        }
        match conn.as_mut().map(look) {
            Some(Ok(true)) => {
                wish.0.store(true, Ordering::Relaxed);
                pause = BUSY;
            }
            Some(Ok(false)) => pause = IDLE,
            // The writer's own bound (`wal_autocheckpoint`) still holds.
            Some(Err(_)) | None => (conn, pause) = (None, IDLE),
        }
    }
}

/// Copies back what the log holds, if it is much; whether it was.
fn look(conn: &mut Conn) -> diesel::QueryResult<bool> {
    let Conn::Sqlite(c) = conn else { return Ok(false) };
    let state: Log = diesel::sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(c)?;
    if state.log < WORTH_IT {
        return Ok(false);
    }
    // Each pass copies what came during the one before: less each time, where the disk keeps up.
    let mut left = state.log.saturating_sub(state.checkpointed);
    for _ in 0..PASSES {
        if left < FEW {
            break;
        }
        c.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")?;
        let state: Log = diesel::sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(c)?;
        left = state.log.saturating_sub(state.checkpointed);
    }
    Ok(true)
}

impl Wish {
    /// Finishes what the thread asked for, outside of any transaction.
    pub(super) fn fulfil(&self, conn: &mut Conn) {
        if self.0.swap(false, Ordering::Relaxed)
            && let Conn::Sqlite(c) = conn
            && let Err(fault) = c.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")
        {
            tracing::debug!(error = %fault, "a checkpoint was not finished");
        }
    }
}
