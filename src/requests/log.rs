//! The book of this process, and its writer: a request waits for neither.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::book::Book;
use super::store;
use crate::app::{App, FromApp};
use crate::config::Switch;
use crate::error::Result;
use crate::http::Seen;

/// The book of a process.
pub struct RequestLog {
    book: Mutex<Book>,
    places: Option<u32>,
}

impl FromApp for RequestLog {
    fn from_app(app: &App) -> RequestLog {
        let config = &app.config.request_log;
        let places = (config.enabled == Switch::On).then_some(config.max_per_second);
        RequestLog { book: Mutex::default(), places }
    }
}

impl RequestLog {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes a request, in memory.
pub fn note(log: &RequestLog, seen: &Seen<'_>) {
    if let Some(places) = log.places {
        log.book().note(seen, places);
    }
}

/// Most rows of one transaction: small enough that accepting never waits long for it.
const ROWS_A_WRITE: usize = 500;

/// Writes down what was noted: lines at once, counts when their minute is over, or all of them at the `end` of the
/// process. How many rows. What the database does not take stays noted; a crash loses the lines of a second and the
/// counts of a minute.
pub async fn write_log(app: &App, end: bool) -> Result<usize> {
    let log = app.room::<RequestLog>();
    let due = log.book().take(app.clock.now(), end);
    metrics::counter!("postern_request_log_unlisted_total").increment(due.counted);
    metrics::counter!("postern_request_log_lost_total").increment(due.lost);
    let mut rows = due.rows;
    let mut written = 0;
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(ROWS_A_WRITE));
        let (batch, kept) = (rows.clone(), rows);
        rows = rest;
        if let Err(fault) = app.db.write(move |conn| store::insert(conn, &batch)).await {
            let mut book = log.book();
            book.put_back(kept);
            book.put_back(rows);
            return Err(fault);
        }
        written += kept.len();
    }
    Ok(written)
}
