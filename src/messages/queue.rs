//! The accept queue: requests that wait for the database become one batch of the accepting transaction.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::accept::{Accept, Accepted};
use super::record::{Acceptance, record};
use super::refused::RefusalBook;
use crate::app::{App, FromApp};
use crate::db::batch::{Batcher, Bounds, Work, Worked};
use crate::db::task::{Share, contained};
use crate::db::{Conn, savepoint, whole};
use crate::error::{Code, Error, Result};
use crate::failpoint;

/// Requests waiting for the database, and the bell of the dispatcher.
#[derive(Clone)]
pub struct Queue {
    accepting: Batcher<Accepting>,
    bell: Arc<Notify>,
    terms: Acceptance,
}

impl FromApp for Queue {
    fn from_app(app: &App) -> Self {
        let bounds = Bounds {
            depth: count(app.config.database.accept_queue),
            batch: count(app.config.database.accept_batch),
            // Batches of one organization wait for each other at its wallet: two at once are enough to keep PostgreSQL
            // busy while one commits.
            lanes: app.db.writers().min(2),
        };
        let bell = Arc::new(Notify::new());
        let terms = Acceptance {
            clock: app.clock.clone(),
            key_ttl: app.config.retention.idempotency,
            refusals: RefusalBook::default(),
        };
        let accepting = Accepting { terms: terms.clone(), bell: Arc::clone(&bell) };
        Queue { accepting: Batcher::new(app.db.clone(), bounds, accepting), bell, terms }
    }
}

impl Queue {
    /// Accepts a request; answers after the commit. Errors: the request's own, 503 where too many wait.
    pub async fn submit(&self, accept: Accept) -> Result<Accepted> {
        let answer = self.accepting.submit(accept)?;
        self.accepting.db().in_time(answer).await
    }

    /// The terms of acceptance, for those who accept in a transaction of their own.
    pub fn terms(&self) -> Acceptance {
        self.terms.clone()
    }

    /// Where refusals are noted.
    pub fn refusals(&self) -> RefusalBook {
        self.terms.refusals.clone()
    }

    /// Rings for the dispatcher: something is due.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits for the bell, however long.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Waits for the bell, at most so long.
    pub async fn wait(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.bell.notified()).await;
    }
}

/// The accepting transaction as work for a batch.
struct Accepting {
    terms: Acceptance,
    bell: Arc<Notify>,
}

impl Work for Accepting {
    type Ask = Accept;
    type Answer = Accepted;

    fn size(&self, ask: &Accept) -> usize {
        ask.items.len()
    }

    fn run(&self, conn: &mut Conn, share: Share, batch: &[&Accept]) -> Worked<Accepted> {
        let attempt = whole(conn, share, |conn| contained(|| record(conn, &self.terms, batch)));
        attempt.unwrap_or_else(|fault| halved(conn, &self.terms, batch, &fault))
    }

    fn committed(&self, results: &[Result<Accepted>]) -> bool {
        // A failure here is an answer that is lost after the commit.
        if failpoint::pass("accept.after_commit").is_err() {
            return false;
        }
        if results.iter().flatten().any(|done| !done.replayed && !done.rows.is_empty()) {
            self.bell.notify_one();
        }
        true
    }
}

/// Records each half on its own, down to the one request that is at fault, so that it fails alone.
fn halved(conn: &mut Conn, terms: &Acceptance, batch: &[&Accept], fault: &Error) -> Worked<Accepted> {
    if batch.len() <= 1 || fault.code() == Code::StorageFull {
        return Worked { results: batch.iter().map(|_| Err(fault.clone())).collect(), wrote: false };
    }
    let (left, right) = batch.split_at(batch.len() / 2);
    let mut half = |batch: &[&Accept]| {
        let attempt = savepoint(conn, |conn| contained(|| record(conn, terms, batch)));
        attempt.unwrap_or_else(|fault| halved(conn, terms, batch, &fault))
    };
    let (mut done, rest) = (half(left), half(right));
    done.results.extend(rest.results);
    Worked { wrote: done.wrote || rest.wrote, ..done }
}

fn count(setting: u32) -> usize {
    usize::try_from(setting).unwrap_or(usize::MAX)
}
