//! The accept queue: requests that wait for the database become one batch.
//!
//! A batch is taken at the moment its transaction begins, not before: whatever has queued while the last one was
//! committing goes into the next. A lone request is a batch of one and waits for nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::accept::{Accept, Accepted};
use super::record::{Acceptance, Recorded, record};
use crate::app::{App, FromApp};
use crate::db::task::{Task, contained};
use crate::db::{Conn, Db, alone, savepoint};
use crate::error::{Code, Error, Result};
use crate::failpoint;

/// Requests waiting for the database, and the bell of the dispatcher.
#[derive(Clone)]
pub struct Queue(Arc<Inner>);

struct Inner {
    waiting: Mutex<Waiting>,
    db: Db,
    terms: Acceptance,
    depth: usize,
    batch_max: usize,
    bell: Notify,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Ticket>,
    batches_due: u32,
}

struct Ticket {
    accept: Accept,
    reply: oneshot::Sender<Result<Accepted>>,
}

impl FromApp for Queue {
    fn from_app(app: &App) -> Self {
        Queue(Arc::new(Inner {
            waiting: Mutex::default(),
            db: app.db.clone(),
            terms: Acceptance { clock: app.clock.clone(), key_ttl: app.config.retention.idempotency },
            depth: count(app.config.database.accept_queue),
            batch_max: count(app.config.database.accept_batch),
            bell: Notify::new(),
        }))
    }
}

impl Queue {
    /// Accepts a request; answers after the commit. Errors: the request's own, 503 where too many wait.
    pub async fn submit(&self, accept: Accept) -> Result<Accepted> {
        let (reply, answer) = oneshot::channel();
        self.0.enqueue(Ticket { accept, reply })?;
        self.0.db.in_time(answer).await
    }

    /// Rings for the dispatcher: something is due.
    pub fn ring(&self) {
        self.0.bell.notify_one();
    }

    /// Waits for the bell, at most so long.
    pub async fn wait(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.0.bell.notified()).await;
    }
}

impl Inner {
    fn enqueue(self: &Arc<Self>, ticket: Ticket) -> Result<()> {
        let start = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.requests.len() >= self.depth {
                return Err(Error::new(Code::Overloaded).retry_after(Duration::from_secs(1)));
            }
            waiting.requests.push_back(ticket);
            let start = waiting.batches_due < self.db.writers();
            waiting.batches_due += u32::from(start);
            start
        };
        if start { self.start_batch() } else { Ok(()) }
    }

    fn start_batch(self: &Arc<Self>) -> Result<()> {
        let batch = Batch { queue: Arc::clone(self), begun: false, tickets: Vec::new(), results: Vec::new() };
        self.db.submit_write(Box::new(batch)).inspect_err(|_| self.give_up())
    }

    /// The database takes no more work: those that wait are told, rather than left to wait for a batch that never runs.
    fn give_up(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.batches_due = waiting.batches_due.saturating_sub(1);
        if waiting.batches_due == 0 {
            for ticket in waiting.requests.drain(..) {
                let _ = ticket.reply.send(Err(Error::new(Code::Overloaded).retry_after(Duration::from_secs(1))));
            }
        }
    }

    /// Takes what waits, up to the bound (in messages, at least one request), and sees to it that the rest is taken.
    fn take(self: &Arc<Self>) -> Vec<Ticket> {
        let (tickets, more) = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.batches_due = waiting.batches_due.saturating_sub(1);
            let mut tickets = Vec::new();
            let mut size = 0;
            while let Some(next) = waiting.requests.front() {
                size += next.accept.items.len().max(1);
                if !tickets.is_empty() && size > self.batch_max {
                    break;
                }
                // Whoever has gone away was told that it failed.
                tickets.extend(waiting.requests.pop_front().filter(|ticket| !ticket.reply.is_closed()));
            }
            let more = !waiting.requests.is_empty() && waiting.batches_due == 0;
            waiting.batches_due += u32::from(more);
            (tickets, more)
        };
        if more {
            // A failure is told to those that wait by `give_up`.
            let _ = self.start_batch();
        }
        tickets
    }
}

struct Batch {
    queue: Arc<Inner>,
    begun: bool,
    tickets: Vec<Ticket>,
    results: Vec<Result<Accepted>>,
}

impl Task for Batch {
    fn run(&mut self, conn: &mut Conn) -> bool {
        self.begun = true;
        self.tickets = self.queue.take();
        let accepts: Vec<&Accept> = self.tickets.iter().map(|ticket| &ticket.accept).collect();
        let Recorded { results, wrote } = record_all(conn, &self.queue.terms, &accepts);
        self.results = results;
        wrote
    }

    fn answer(self: Box<Self>, undone: Option<&Error>) {
        // A failure here is an answer that is lost after the commit.
        if failpoint::pass("accept.after_commit").is_err() {
            return;
        }
        // Its transaction could not begin: those who wait are told, and the next batch may try.
        if let (false, Some(fault)) = (self.begun, undone) {
            for ticket in self.queue.take() {
                let _ = ticket.reply.send(Err(fault.clone()));
            }
            return;
        }
        let mut due = false;
        for (ticket, result) in self.tickets.into_iter().zip(self.results) {
            let result = match undone {
                Some(fault) => Err(fault.clone()),
                None => result,
            };
            due |= result.as_ref().is_ok_and(|done| !done.rows.is_empty());
            let _ = ticket.reply.send(result);
        }
        if due {
            self.queue.bell.notify_one();
        }
    }
}

/// Records a batch; where the database refuses the whole of it, in halves.
fn record_all(conn: &mut Conn, terms: &Acceptance, batch: &[&Accept]) -> Recorded {
    if batch.is_empty() {
        return Recorded { results: Vec::new(), wrote: false };
    }
    let attempt = alone(conn, |conn| contained(|| record(conn, terms, batch)));
    attempt.unwrap_or_else(|fault| halved(conn, terms, batch, &fault))
}

/// Records each half on its own, down to the one request that is at fault, so that it fails alone.
fn halved(conn: &mut Conn, terms: &Acceptance, batch: &[&Accept], fault: &Error) -> Recorded {
    if batch.len() == 1 || fault.code() == Code::StorageFull {
        return Recorded { results: batch.iter().map(|_| Err(fault.clone())).collect(), wrote: false };
    }
    let (left, right) = batch.split_at(batch.len() / 2);
    let mut half = |batch: &[&Accept]| {
        let attempt = savepoint(conn, |conn| contained(|| record(conn, terms, batch)));
        attempt.unwrap_or_else(|fault| halved(conn, terms, batch, &fault))
    };
    let (mut done, rest) = (half(left), half(right));
    done.results.extend(rest.results);
    Recorded { wrote: done.wrote || rest.wrote, ..done }
}

fn count(setting: u32) -> usize {
    usize::try_from(setting).unwrap_or(usize::MAX)
}
