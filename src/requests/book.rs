//! What waits to be written, pure: lines while a second has places for them, counts of all others.

use std::collections::HashMap;

use super::line::{Group, is_plain_send, line, minute_of};
use super::store::Row;
use crate::clock::Millis;
use crate::http::Seen;

/// Most lines that wait for the database; what comes then is counted.
const LINES_MAX: usize = 10_000;
/// Most groups that are counted at once; what comes then is lost to the log, and counted as that.
const GROUPS_MAX: usize = 5_000;
/// The part of a second's places that plain sends may take: one in so many.
const SENDS_PART: u32 = 10;

/// What is to be written.
#[derive(Default)]
pub(super) struct Due {
    /// Lines and counts.
    pub rows: Vec<Row>,
    /// Requests among the counts.
    pub counted: u64,
    /// Requests that found no room since the last time.
    pub lost: u64,
}

/// The book.
#[derive(Default)]
pub(super) struct Book {
    second: i64,
    lines: u32,
    sends: u32,
    waiting: Vec<Row>,
    counts: HashMap<Group, u64>,
    lost: u64,
}

impl Book {
    /// Notes a request; a second has `places` for lines.
    pub(super) fn note(&mut self, seen: &Seen<'_>, places: u32) {
        if self.takes_line(seen, places) {
            self.waiting.push(line(seen));
            return;
        }
        let group = Group::of(seen);
        let has_room = self.counts.len() < GROUPS_MAX;
        match self.counts.get_mut(&group) {
            Some(count) => *count = count.saturating_add(1),
            None if has_room => {
                self.counts.insert(group, 1);
            }
            None => self.lost = self.lost.saturating_add(1),
        }
    }

    fn takes_line(&mut self, seen: &Seen<'_>, places: u32) -> bool {
        let second = seen.at.0.div_euclid(1_000);
        if second > self.second {
            (self.second, self.lines, self.sends) = (second, 0, 0);
        }
        let is_send = is_plain_send(seen);
        let is_full = self.lines >= places || (is_send && self.sends >= places.div_ceil(SENDS_PART));
        if is_full || self.waiting.len() >= LINES_MAX {
            return false;
        }
        self.lines = self.lines.saturating_add(1);
        self.sends = self.sends.saturating_add(u32::from(is_send));
        true
    }

    /// Takes what is due at `now`: every line, and the counts of minutes that are over; all of them at the `end`.
    pub(super) fn take(&mut self, now: Millis, end: bool) -> Due {
        let this_minute = minute_of(now);
        let over = self.counts.extract_if(|group, _| end || group.minute < this_minute);
        let mut due = Due { lost: std::mem::take(&mut self.lost), ..Due::default() };
        let mut counted = 0u64;
        let counts = over.map(|(group, count)| {
            counted = counted.saturating_add(count);
            group.row(count)
        });
        due.rows.extend(counts);
        due.counted = counted;
        due.rows.append(&mut self.waiting);
        due
    }

    /// Takes back what the database did not take.
    pub(super) fn put_back(&mut self, rows: Vec<Row>) {
        let room = LINES_MAX.saturating_sub(self.waiting.len());
        let lost = rows.iter().skip(room).map(|row| u64::try_from(row.requests).unwrap_or(0)).sum();
        self.lost = self.lost.saturating_add(lost);
        self.waiting.extend(rows.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::http::header::HeaderMap;

    use super::*;
    use crate::error::Code;
    use crate::http::RequestId;
    use crate::http::witness::End;

    fn note(book: &mut Book, at: i64, (method, route): (&'static str, &str), code: Option<Code>) {
        let id = RequestId::fresh(&HeaderMap::new(), Millis(at));
        let status = code.map_or(202, |code| code.entry().status);
        let end = End { status, code, policy: None, decision: None, location: None, is_deprecated: false };
        let (client, took) = ("203.0.113.9".parse().unwrap(), Duration::from_millis(3));
        let seen = Seen { id: &id, at: Millis(at), method, path: route, route, who: None, client, end, took };
        book.note(&seen, 20);
    }

    fn shape(due: &Due) -> Vec<(bool, i64)> {
        due.rows.iter().map(|row| (row.listed, row.requests)).collect()
    }

    #[test]
    fn sends_take_a_tenth_of_the_places_and_never_those_of_errors() {
        let mut book = Book::default();
        for _ in 0..50 {
            note(&mut book, 1_000, ("POST", "/v1/messages"), None);
        }
        for _ in 0..30 {
            note(&mut book, 1_999, ("POST", "/v1/messages"), Some(Code::OtpNumberLimit));
        }
        let due = book.take(Millis(2_000), true);
        assert_eq!(due.rows.iter().filter(|row| row.listed && row.code.is_none()).count(), 2);
        assert_eq!(due.rows.iter().filter(|row| row.listed && row.code.is_some()).count(), 18);
        assert_eq!((due.counted, due.lost), (48 + 12, 0));
        assert_eq!(due.rows.iter().map(|row| row.requests).sum::<i64>(), 80, "every request is in a row");
    }

    #[test]
    fn counts_are_written_once_their_minute_is_over_and_at_the_end() {
        let mut book = Book::default();
        for _ in 0..3 {
            note(&mut book, 1_000, ("POST", "/v1/messages"), None);
        }
        assert_eq!(shape(&book.take(Millis(59_999), false)), [(true, 1), (true, 1)]);
        note(&mut book, 1_500, ("POST", "/v1/messages"), None);
        assert_eq!(shape(&book.take(Millis(60_000), false)), [(false, 2)]);
        assert_eq!(shape(&book.take(Millis(60_000), true)), []);
    }

    #[test]
    fn what_the_database_did_not_take_waits_and_what_has_no_room_is_told() {
        let mut book = Book::default();
        note(&mut book, 1_000, ("GET", "/v1/account"), None);
        let due = book.take(Millis(1_000), false);
        let many = vec![due.rows[0].clone(); LINES_MAX + 2];
        book.put_back(many);
        let due = book.take(Millis(1_000), false);
        assert_eq!((due.rows.len(), due.lost), (LINES_MAX, 2));
    }
}
