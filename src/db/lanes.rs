//! Threads that serve the database: each takes work from one bounded queue and runs it on a pooled connection.
//!
//! Blocking work never runs on an async worker. A full queue is an answer (503), not a wait.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use diesel::r2d2::{Pool, PooledConnection};

use crate::db::checkpoint::Wish;
use crate::db::conn::{Opener, begin, commit, rollback, savepoint};
use crate::db::fault::{queue_full, unreachable};
use crate::db::task::{Share, Task};
use crate::error::{Error, Result};

type Pooled = PooledConnection<Opener>;

/// How many tasks one transaction of the group commit takes at most.
const GROUP_MAX: usize = 512;

/// What a lane does around its tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No transaction: each statement sees what is committed.
    Read,
    /// A transaction for each task.
    Write,
    /// What has queued runs in one transaction, each task in its own savepoint: one fsync pays for all.
    Group,
}

/// A bounded queue and the threads behind it.
#[derive(Clone)]
pub(super) struct Lanes {
    queue: SyncSender<Box<dyn Task>>,
}

impl Lanes {
    /// Starts `threads` threads on `pool`. They end when the last handle is dropped.
    pub(super) fn start(
        name: &str,
        kind: Kind,
        pool: Pool<Opener>,
        threads: u32,
        depth: usize,
        wish: &Arc<Wish>,
    ) -> Result<Lanes> {
        let (queue, source) = sync_channel::<Box<dyn Task>>(depth);
        let source = Arc::new(Mutex::new(source));
        for number in 0..threads {
            let (pool, source, wish) = (pool.clone(), Arc::clone(&source), Arc::clone(wish));
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || serve(kind, &pool, &source, &wish))
                .map_err(Error::internal)?;
        }
        Ok(Lanes { queue })
    }

    /// Queues a task; full is 503 `overloaded`.
    pub(super) fn submit(&self, task: Box<dyn Task>) -> Result<()> {
        self.queue.try_send(task).map_err(|fault| match fault {
            TrySendError::Full(_) => queue_full(),
            TrySendError::Disconnected(_) => unreachable("the database threads have stopped"),
        })
    }
}

fn serve(kind: Kind, pool: &Pool<Opener>, source: &Mutex<Receiver<Box<dyn Task>>>, wish: &Wish) {
    let mut kept: Option<Pooled> = None;
    while let Some(tasks) = next(kind, source) {
        match connection(pool, &mut kept) {
            Ok(conn) => {
                run(kind, conn, tasks);
                if kind == Kind::Group {
                    wish.fulfil(conn);
                }
            }
            Err(fault) => answer_all(tasks, Some(&fault)),
        }
        let broken = kept
            .as_mut()
            .is_some_and(|conn| crate::both!(&mut **conn, c => diesel::r2d2::R2D2Connection::is_broken(c)));
        if broken {
            kept = None;
        }
    }
}

/// The next task, and on a group lane whatever else has queued behind it. No timer: a lone task waits for nothing.
fn next(kind: Kind, source: &Mutex<Receiver<Box<dyn Task>>>) -> Option<Vec<Box<dyn Task>>> {
    let source = source.lock().unwrap_or_else(PoisonError::into_inner);
    let mut tasks = vec![source.recv().ok()?];
    if kind == Kind::Group {
        tasks.extend(source.try_iter().take(GROUP_MAX - 1));
    }
    Some(tasks)
}

/// A thread keeps its connection between tasks; after a fault it asks the pool for another.
fn connection<'a>(pool: &Pool<Opener>, kept: &'a mut Option<Pooled>) -> Result<&'a mut Pooled> {
    if kept.is_none() {
        *kept = Some(pool.get_timeout(Duration::from_secs(2)).map_err(unreachable)?);
    }
    kept.as_mut().ok_or_else(|| unreachable("no connection"))
}

fn run(kind: Kind, conn: &mut Pooled, mut tasks: Vec<Box<dyn Task>>) {
    let undone = match kind {
        Kind::Read => {
            tasks.iter_mut().for_each(|task| {
                task.run(conn, Share::Alone);
            });
            None
        }
        Kind::Write | Kind::Group => transact(conn, &mut tasks).err(),
    };
    answer_all(tasks, undone.as_ref());
}

fn transact(conn: &mut Pooled, tasks: &mut [Box<dyn Task>]) -> Result<()> {
    begin(conn)?;
    let done = match tasks {
        [lone] => Ok(lone.run(conn, Share::Alone)),
        many => many.iter_mut().try_for_each(|task| run_in_savepoint(conn, task.as_mut())).map(|()| true),
    };
    match done {
        Ok(true) => commit(conn).map_err(|fault| {
            let _ = rollback(conn);
            Error::from(fault)
        }),
        // A lone task that failed keeps its own error; nothing else was in the transaction.
        Ok(false) => Ok(rollback(conn)?),
        Err(fault) => {
            let _ = rollback(conn);
            Err(fault)
        }
    }
}

/// The task's own failure undoes its statements and is answered by itself; only a fault of the savepoint is ours.
fn run_in_savepoint(conn: &mut Pooled, task: &mut dyn Task) -> Result<()> {
    let mut kept = true;
    let done = savepoint(conn, |conn| {
        kept = task.run(conn, Share::Shared);
        if kept { Ok(()) } else { Err(Error::internal("undone")) }
    });
    if kept { done } else { Ok(()) }
}

fn answer_all(tasks: Vec<Box<dyn Task>>, undone: Option<&Error>) {
    for task in tasks {
        task.answer(undone);
    }
}
