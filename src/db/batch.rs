//! Many askers, one transaction: whoever waits for the database becomes part of one batch.
//!
//! A batch is taken at the moment its transaction begins, not before: whatever has queued while the last one was
//! committing goes into the next. A lone asker is a batch of one and waits for nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::db::task::{Share, Task};
use crate::db::{Conn, Db};
use crate::error::{Code, Error, Result};

/// What is done with a batch.
pub trait Work: Send + Sync + 'static {
    /// What one asker brings.
    type Ask: Send + 'static;
    /// What it gets.
    type Answer: Send + 'static;

    /// How much of a batch's room `ask` takes.
    fn size(&self, _ask: &Self::Ask) -> usize {
        1
    }

    /// Does the batch in the transaction that is open on `conn`.
    fn run(&self, conn: &mut Conn, share: Share, batch: &[&Self::Ask]) -> Worked<Self::Answer>;

    /// Is told the results after the commit, before the askers are; `false` keeps the answers from them, as a crash at
    /// this point would.
    fn committed(&self, _results: &[Result<Self::Answer>]) -> bool {
        true
    }
}

/// What a batch came to.
pub struct Worked<A> {
    /// One result an asker, in their order.
    pub results: Vec<Result<A>>,
    /// Whether anything must be committed: a flood of refusals costs no sync.
    pub wrote: bool,
}

/// How a queue is bounded.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Askers that may wait; more are answered 503.
    pub depth: usize,
    /// Most of a batch, by [`Work::size`].
    pub batch: usize,
    /// Batches that may be under way at once: 1 on SQLite, which has one writer.
    pub lanes: u32,
}

/// The queue before a kind of work.
pub struct Batcher<W: Work>(Arc<Inner<W>>);

impl<W: Work> Clone for Batcher<W> {
    fn clone(&self) -> Self {
        Batcher(Arc::clone(&self.0))
    }
}

struct Inner<W: Work> {
    work: W,
    db: Db,
    bounds: Bounds,
    waiting: Mutex<Waiting<W>>,
}

struct Waiting<W: Work> {
    tickets: VecDeque<Ticket<W>>,
    /// Batches that are queued or run.
    under_way: u32,
}

struct Ticket<W: Work> {
    ask: W::Ask,
    reply: oneshot::Sender<Result<W::Answer>>,
}

impl<W: Work> Batcher<W> {
    /// A queue before `work` on `db`.
    pub fn new(db: Db, bounds: Bounds, work: W) -> Self {
        let waiting = Mutex::new(Waiting { tickets: VecDeque::new(), under_way: 0 });
        Batcher(Arc::new(Inner { work, db, bounds, waiting }))
    }

    /// Queues an ask; its answer comes after the commit. Error: 503 where too many wait.
    pub fn submit(&self, ask: W::Ask) -> Result<oneshot::Receiver<Result<W::Answer>>> {
        let (reply, answer) = oneshot::channel();
        let start = {
            let mut waiting = self.0.lock();
            if waiting.tickets.len() >= self.0.bounds.depth {
                return Err(overloaded());
            }
            waiting.tickets.push_back(Ticket { ask, reply });
            waiting.may_start(self.0.bounds.lanes)
        };
        if start {
            start_batch(&self.0)?;
        }
        Ok(answer)
    }

    /// The work behind the queue.
    pub fn work(&self) -> &W {
        &self.0.work
    }

    /// The database behind the queue.
    pub fn db(&self) -> &Db {
        &self.0.db
    }
}

impl<W: Work> Waiting<W> {
    /// Whether one more batch may start; it counts from now on.
    fn may_start(&mut self, lanes: u32) -> bool {
        let start = !self.tickets.is_empty() && self.under_way < lanes;
        self.under_way += u32::from(start);
        start
    }
}

impl<W: Work> Inner<W> {
    fn lock(&self) -> MutexGuard<'_, Waiting<W>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database takes no more work: those that wait are told, rather than left to wait for a batch that never runs.
    fn give_up(&self) {
        let mut waiting = self.lock();
        waiting.under_way = waiting.under_way.saturating_sub(1);
        if waiting.under_way == 0 {
            for ticket in waiting.tickets.drain(..) {
                let _ = ticket.reply.send(Err(overloaded()));
            }
        }
    }
}

fn start_batch<W: Work>(inner: &Arc<Inner<W>>) -> Result<()> {
    let batch = Batch { inner: Arc::clone(inner), begun: false, tickets: Vec::new(), results: Vec::new() };
    inner.db.submit_write(Box::new(batch)).inspect_err(|_| inner.give_up())
}

/// Takes what waits, up to the bound (at least one).
fn take<W: Work>(inner: &Inner<W>) -> Vec<Ticket<W>> {
    let mut waiting = inner.lock();
    let mut tickets = Vec::new();
    let mut size = 0;
    while let Some(next) = waiting.tickets.front() {
        size += inner.work.size(&next.ask).max(1);
        if !tickets.is_empty() && size > inner.bounds.batch {
            break;
        }
        // Whoever has gone away was told that it failed.
        tickets.extend(waiting.tickets.pop_front().filter(|ticket| !ticket.reply.is_closed()));
    }
    tickets
}

/// A batch has ended: what has queued meanwhile is the next.
fn next<W: Work>(inner: &Arc<Inner<W>>) {
    let more = {
        let mut waiting = inner.lock();
        waiting.under_way = waiting.under_way.saturating_sub(1);
        waiting.may_start(inner.bounds.lanes)
    };
    if more {
        // A failure is told to those that wait by `give_up`.
        let _ = start_batch(inner);
    }
}

struct Batch<W: Work> {
    inner: Arc<Inner<W>>,
    begun: bool,
    tickets: Vec<Ticket<W>>,
    results: Vec<Result<W::Answer>>,
}

impl<W: Work> Task for Batch<W> {
    fn run(&mut self, conn: &mut Conn, share: Share) -> bool {
        self.begun = true;
        self.tickets = take(&self.inner);
        if self.tickets.is_empty() {
            return false;
        }
        let asks: Vec<&W::Ask> = self.tickets.iter().map(|ticket| &ticket.ask).collect();
        let Worked { results, wrote } = self.inner.work.run(conn, share, &asks);
        self.results = results;
        wrote
    }

    fn answer(self: Box<Self>, undone: Option<&Error>) {
        // First, so that the database has the next batch while these are told.
        let left = (!self.begun).then(|| take(&self.inner));
        next(&self.inner);
        // Its transaction could not begin: those who wait are told, and the next batch may try.
        if let (Some(left), Some(fault)) = (left, undone) {
            for ticket in left {
                let _ = ticket.reply.send(Err(fault.clone()));
            }
            return;
        }
        let results: Vec<Result<W::Answer>> = match undone {
            Some(fault) => self.tickets.iter().map(|_| Err(fault.clone())).collect(),
            None => self.results,
        };
        if !self.inner.work.committed(&results) {
            return;
        }
        for (ticket, result) in self.tickets.into_iter().zip(results) {
            // A caller that went away wants no answer.
            let _ = ticket.reply.send(result);
        }
    }
}

fn overloaded() -> Error {
    Error::new(Code::Overloaded).retry_after(Duration::from_secs(1))
}
