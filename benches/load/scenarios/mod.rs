//! The scenarios, a file each.

pub mod accept;
pub mod bulk;
pub mod dispatch;
pub mod flat;
pub mod kill;
pub mod mixed;
pub mod pump;
pub mod smpp;
pub mod start;
pub mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::carrier::Books;
use crate::drive::Shot;
use crate::requests::{FIRST_NUMBER, NUMBERS, Request, member, message};
use crate::wire::Answer;

/// Messages, each to a number that was never used before and under a key of its own.
pub struct Messages {
    request: Request,
    numbers: Arc<AtomicU64>,
    books: Arc<Books>,
    last: (u64, Instant),
    /// Where ids go, of runs that look for each afterwards.
    ids: Option<std::sync::mpsc::Sender<(u64, String)>>,
}

impl Messages {
    /// Messages of `key`.
    pub fn new(key: &str, numbers: Arc<AtomicU64>, books: Arc<Books>) -> Messages {
        Messages { request: message(key), numbers, books, last: (0, Instant::now()), ids: None }
    }

    /// The same, each accepted one told to `ids`.
    #[must_use]
    pub fn told_to(mut self, ids: std::sync::mpsc::Sender<(u64, String)>) -> Messages {
        self.ids = Some(ids);
        self
    }
}

impl Shot for Messages {
    fn next(&mut self, due: Instant) -> &[u8] {
        let index = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.last = (index, due);
        self.request.put(0, index);
        self.request.put(1, number(index));
        self.request.bytes()
    }

    fn answered(&mut self, answer: Answer<'_>) -> u64 {
        if answer.status != 202 {
            return 0;
        }
        self.books.note_accepted(self.last.0, self.last.1);
        if let (Some(ids), Some(id)) = (&self.ids, member(answer.body, "id")) {
            // The reader lives as long as the run.
            let _ = ids.send((self.last.0, String::from(id)));
        }
        1
    }
}

/// The number of this index.
pub fn number(index: u64) -> u64 {
    FIRST_NUMBER + index % NUMBERS
}
