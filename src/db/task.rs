//! A unit of database work that waits in a queue, runs on a database thread and answers after the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::db::Conn;
use crate::error::{Error, Result};

/// Who else is in a task's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Nobody: it may undo the whole transaction and begin another.
    Alone,
    /// Others: it is in a savepoint of its own.
    Shared,
}

/// Work on a connection. `run` happens inside a transaction (or savepoint) and says whether to keep its effects;
/// `answer` happens after the commit, or with the error that undid everything.
pub trait Task: Send {
    /// Runs; `false` undoes this task's statements.
    fn run(&mut self, conn: &mut Conn, share: Share) -> bool;
    /// Tells the waiting caller. `undone` is why the whole transaction failed, where it did.
    fn answer(self: Box<Self>, undone: Option<&Error>);
}

/// A closure as a task: its error rolls back its own statements alone.
pub(super) struct Once<F, T> {
    work: Option<F>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Once<F, T> {
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T>>) {
        let (reply, answer) = oneshot::channel();
        (Once { work: Some(work), result: None, reply }, answer)
    }
}

impl<F, T> Task for Once<F, T>
where
    F: FnOnce(&mut Conn) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, conn: &mut Conn, _: Share) -> bool {
        // Whoever waited has gone away and was told that it failed: what has not begun is not done.
        let Some(work) = self.work.take().filter(|_| !self.reply.is_closed()) else { return false };
        let result = contained(|| work(conn));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn answer(self: Box<Self>, undone: Option<&Error>) {
        let result = match (self.result, undone) {
            (Some(Err(own)), _) => Err(own),
            (_, Some(fault)) => Err(fault.clone()),
            (Some(done), None) => done,
            (None, None) => Err(Error::internal("the work was never run")),
        };
        // A caller that went away wants no answer.
        let _ = self.reply.send(result);
    }
}

/// Runs `work`; a panic becomes an error, so that a database thread outlives it.
pub fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::internal("a panic in database work")))
}
