//! The last hour, minute by minute, kept in memory: a minute is read again the seldomer the older it is, so that asking
//! costs the same however often it is done.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::store::{self, Refused, Sent, Verified};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::messages::Status;
use crate::phone::Country;
use crate::terms::Mode;

/// Minutes that are kept.
pub const KEPT: i64 = 60;
const MINUTE_MS: i64 = 60_000;
/// A minute is read again after this part of its age.
const PART: u32 = 20;
/// And at least this long after it was read.
const SOONEST: Duration = Duration::from_secs(1);

/// Counts of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handed over, its end not known yet.
    pub sent: i64,
    /// On the handset.
    pub delivered: i64,
    /// Failed, not delivered, or too late.
    pub failed: i64,
    /// Nobody knows.
    pub unknown: i64,
    /// Accepted and not handed over yet, or called back.
    pub waiting: i64,
    /// Verifications begun.
    pub begun: i64,
    /// Of these, the code was entered.
    pub verified: i64,
}

/// One minute.
#[derive(Debug, Clone, Default)]
pub struct Minute {
    /// By country; none for mail.
    pub countries: HashMap<Option<Country>, Counts>,
    /// Sends refused.
    pub blocked: i64,
    /// Of these, by the fraud guard.
    pub fraud: i64,
    read_at: Millis,
}

/// The minutes, by minutes since the epoch.
#[derive(Debug, Clone, Default)]
pub struct Minutes(pub BTreeMap<i64, Minute>);

impl Counts {
    fn add(&mut self, status: Status, count: i64) {
        let place = match status {
            Status::Sent => &mut self.sent,
            Status::Delivered => &mut self.delivered,
            Status::Failed | Status::Undelivered | Status::Expired => &mut self.failed,
            Status::Unknown => &mut self.unknown,
            Status::Scheduled | Status::Queued | Status::Sending | Status::Canceled => &mut self.waiting,
        };
        *place += count;
    }

    /// All messages.
    pub fn messages(&self) -> i64 {
        self.sent + self.delivered + self.failed + self.unknown + self.waiting
    }

    /// The sum of both.
    #[must_use]
    pub fn with(self, other: Counts) -> Counts {
        Counts {
            sent: self.sent + other.sent,
            delivered: self.delivered + other.delivered,
            failed: self.failed + other.failed,
            unknown: self.unknown + other.unknown,
            waiting: self.waiting + other.waiting,
            begun: self.begun + other.begun,
            verified: self.verified + other.verified,
        }
    }
}

impl Minute {
    /// Over all countries.
    pub fn sum(&self) -> Counts {
        self.countries.values().fold(Counts::default(), |sum, counts| sum.with(*counts))
    }
}

/// The minute of a moment.
pub fn minute_of(at: Millis) -> i64 {
    at.0.div_euclid(MINUTE_MS)
}

/// The moment a minute begins.
pub fn start_of(minute: i64) -> Millis {
    Millis(minute.saturating_mul(MINUTE_MS))
}

impl Minutes {
    /// The stretches of minutes that are to be read again at `now`, each from its first minute to behind its last.
    fn stale(&self, now: Millis) -> Vec<(i64, i64)> {
        let last = minute_of(now);
        let mut stretches: Vec<(i64, i64)> = Vec::new();
        for minute in last - KEPT + 1..=last {
            let is_fresh = self.0.get(&minute).is_some_and(|known| {
                let pause = (now.since(start_of(minute)) / PART).max(SOONEST);
                now >= known.read_at && now.since(known.read_at) < pause
            });
            match stretches.last_mut() {
                _ if is_fresh => {}
                Some((_, end)) if *end == minute => *end = minute + 1,
                _ => stretches.push((minute, minute + 1)),
            }
        }
        stretches
    }

    /// Reads what is stale at `now`.
    pub fn refresh(&mut self, conn: &mut Conn, mode: Mode, now: Millis) -> Result<()> {
        for (first, end) in self.stale(now) {
            let span = (start_of(first), start_of(end));
            let sent = store::sent(conn, span, mode)?;
            let refused = store::refused(conn, span, mode)?;
            let verified = store::verified(conn, span, mode)?;
            self.put((first, end), (&sent, &refused, &verified), now);
        }
        let oldest = minute_of(now) - KEPT + 1;
        self.0.retain(|minute, _| *minute >= oldest);
        Ok(())
    }

    fn put(
        &mut self,
        (first, end): (i64, i64),
        (sent, refused, verified): (&[Sent], &[Refused], &[Verified]),
        now: Millis,
    ) {
        for minute in first..end {
            self.0.insert(minute, Minute { read_at: now, ..Minute::default() });
        }
        let inside = first..end;
        for row in sent.iter().filter(|row| inside.contains(&row.minute)) {
            let minute = self.0.entry(row.minute).or_default();
            minute.countries.entry(row.country).or_default().add(row.status, row.count);
        }
        for row in verified.iter().filter(|row| inside.contains(&row.minute)) {
            let counts = self.0.entry(row.minute).or_default().countries.entry(row.country).or_default();
            counts.begun += row.begun;
            counts.verified += row.verified;
        }
        for row in refused.iter().filter(|row| inside.contains(&row.minute)) {
            let minute = self.0.entry(row.minute).or_default();
            minute.blocked += row.count;
            minute.fraud += row.fraud;
        }
    }

    /// The last `count` minutes, the present one included.
    pub fn last(&self, count: i64, now: Millis) -> impl Iterator<Item = (i64, Minute)> {
        let last = minute_of(now);
        (last - count + 1..=last).map(|minute| (minute, self.0.get(&minute).cloned().unwrap_or_default()))
    }

    /// Counts by country over all that is kept.
    pub fn by_country(&self) -> HashMap<Option<Country>, Counts> {
        let mut sums: HashMap<Option<Country>, Counts> = HashMap::new();
        for (country, counts) in self.0.values().flat_map(|minute| &minute.countries) {
            let sum = sums.entry(*country).or_default();
            *sum = sum.with(*counts);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_790_000_000_000);

    fn read_whole(now: Millis) -> Minutes {
        let mut minutes = Minutes::default();
        let last = minute_of(now);
        minutes.put((last - KEPT + 1, last + 1), (&[], &[], &[]), now);
        minutes
    }

    #[test]
    fn at_first_the_hour_is_read_in_one_and_then_only_what_is_young() {
        let last = minute_of(NOW);
        assert_eq!(Minutes::default().stale(NOW), [(last - 59, last + 1)]);
        let minutes = read_whole(NOW);
        assert_eq!(minutes.stale(NOW), []);
        let later = NOW.plus(Duration::from_secs(4));
        let stale = minutes.stale(later);
        let (first, end) = stale[0];
        assert!(stale.len() == 1 && end == minute_of(later) + 1 && end - first <= 3, "{stale:?}");
    }

    #[test]
    fn a_minute_counts_what_lies_in_it() {
        let mut minutes = Minutes::default();
        let (minute, lv) = (minute_of(NOW), "LV".parse().ok());
        let sent = |minute, status, count| Sent { minute, country: lv, status, count };
        let rows =
            [sent(minute, Status::Delivered, 3), sent(minute, Status::Expired, 1), sent(minute - 9, Status::Sent, 7)];
        let verified = [Verified { minute, country: lv, begun: 4, verified: 3 }];
        minutes.put((minute, minute + 1), (&rows, &[], &verified), NOW);
        let counts = minutes.by_country()[&lv];
        assert_eq!((counts.messages(), counts.delivered, counts.failed, counts.verified), (4, 3, 1, 3));
        assert_eq!(minutes.last(2, NOW).map(|(_, minute)| minute.sum().messages()).collect::<Vec<_>>(), [0, 4]);
    }
}
