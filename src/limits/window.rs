//! `StampLog`: the exact sliding window of one row, as a list of timestamps.
//!
//! The promise is "never more than N in any window of W", and only the log keeps it: by the worst traces a token bucket
//! admits 5 where 3 are promised, a fixed window 6, a sliding counter 5 or 6.

use std::time::Duration;

use crate::clock::Millis;
use crate::limits::reading::Reading;
use crate::limits::{Policy, Rate, Verdict, span, varint};

/// When things were let through, each with a tag (which organization; 0 where that does not matter), oldest first.
///
/// Entries may lie in the future: they are appointments (paced messages) and count in every window they fall in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StampLog {
    as_of: Millis,
    stamps: Vec<Stamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    at: i64,
    tag: u64,
}

/// First byte of an encoded log.
pub(super) const LOG_FORMAT: u8 = 1;

impl StampLog {
    /// An empty log.
    pub fn new() -> Self {
        StampLog::default()
    }

    /// A log of untagged entries at `moments`, which come oldest first.
    pub(super) fn of(moments: impl Iterator<Item = Millis>, as_of: Millis) -> Self {
        StampLog { as_of, stamps: moments.map(|at| Stamp { at: at.0, tag: 0 }).collect() }
    }

    /// Reads what `encode` wrote; `as_of` is the moment stored beside it. Bytes that make no sense end the list.
    pub fn decode(bytes: &[u8], as_of: Millis) -> Self {
        let mut log = StampLog { as_of, stamps: Vec::new() };
        let mut rest = bytes.strip_prefix(&[LOG_FORMAT]).unwrap_or(&[]);
        let Some(mut at) = varint::get_signed(&mut rest) else { return log };
        while let Some(word) = varint::get(&mut rest) {
            at = at.saturating_add_unsigned(word >> 1);
            let tag = if word & 1 == 0 { Some(0) } else { varint::get(&mut rest) };
            let Some(tag) = tag else { break };
            log.stamps.push(Stamp { at, tag });
        }
        log
    }

    /// The bytes to store: about three a stamp, ten more for a tag.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![LOG_FORMAT];
        let Some(first) = self.stamps.first() else { return bytes };
        varint::put_signed(&mut bytes, first.at);
        let mut before = first.at;
        for stamp in &self.stamps {
            let gap = u64::try_from(stamp.at.saturating_sub(before)).unwrap_or(0);
            varint::put(&mut bytes, (gap << 1) | u64::from(stamp.tag != 0));
            if stamp.tag != 0 {
                varint::put(&mut bytes, stamp.tag);
            }
            before = stamp.at;
        }
        bytes
    }

    /// The latest moment this log has seen; store it beside the bytes.
    pub fn as_of(&self) -> Millis {
        self.as_of
    }

    /// Entries held.
    pub fn len(&self) -> usize {
        self.stamps.len()
    }

    /// Whether no entry is held.
    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty()
    }

    /// Whether one more passes now, counting the entries of `tag` (`None`: of all). Takes nothing; `add` does.
    pub fn check(&self, tag: Option<u64>, policy: Policy, rate: Rate, now: Millis) -> Verdict {
        self.check_at(tag, policy, rate, now, now)
    }

    /// Whether one more passes at `at`, now or later: every window that holds that moment counts. The wait of a refusal
    /// is from now until the first moment from `at` on that passes.
    pub fn check_at(&self, tag: Option<u64>, policy: Policy, rate: Rate, at: Millis, now: Millis) -> Verdict {
        let mut verdict = Verdict::unused(policy, rate, at);
        if rate.limit == 0 {
            return verdict;
        }
        let reading = Reading::of(now, self.as_of);
        let (window, at) = (rate.window_ms(), at.max(reading.at).0);
        let entries = self.entries(tag, reading, at.saturating_sub(window));
        let free = span::earliest(entries.clone(), rate.limit, window, at);
        verdict.used = span::fullest(entries.clone(), window, at);
        if free > at {
            verdict.reset_at = Millis(free);
            verdict.wait = Some(Millis(free).since(now));
        } else if let Some((oldest, _)) = entries.into_iter().next() {
            verdict.reset_at = Millis(oldest.saturating_add(window));
        }
        verdict
    }

    /// The first moment from `from` on at which one more entry of `tag` keeps every window at the rate or below.
    pub fn opening(&self, tag: Option<u64>, rate: Rate, from: Millis, now: Millis) -> Millis {
        let reading = Reading::of(now, self.as_of);
        let (window, at) = (rate.window_ms(), from.max(reading.at).0);
        let entries = self.entries(tag, reading, at.saturating_sub(window));
        let free = span::earliest(entries, rate.limit.max(1), window, at);
        if free > at { Millis(free) } else { from }
    }

    /// Counts one at `now`.
    pub fn add(&mut self, tag: u64, now: Millis) {
        self.reserve(tag, now, now);
    }

    /// Counts one at `at`, now or later.
    pub fn reserve(&mut self, tag: u64, at: Millis, now: Millis) {
        self.turn_to(now);
        let at = at.max(self.as_of).0;
        let place = self.stamps.partition_point(|stamp| stamp.at <= at);
        self.stamps.insert(place, Stamp { at, tag });
    }

    /// Forgets every entry of `tag`: what it counted has been answered for.
    pub fn forget(&mut self, tag: u64) {
        self.stamps.retain(|stamp| stamp.tag != tag);
    }

    /// Forgets what lies `horizon` or longer back: the longest window that is asked of this log.
    pub fn prune(&mut self, horizon: Duration, now: Millis) {
        self.turn_to(now);
        let edge = self.as_of.minus(horizon).0;
        self.stamps.retain(|stamp| stamp.at > edge);
    }

    /// Follows the clock to `now`. `true`: it was set back and every age was kept; store the row then even if nothing is
    /// added, since a row that is not stored stands still until the clock is where it was.
    pub fn turn_to(&mut self, now: Millis) -> bool {
        let reading = Reading::of(now, self.as_of);
        let as_of = self.as_of;
        for stamp in &mut self.stamps {
            stamp.at = moved(stamp.at, as_of, reading);
        }
        self.as_of = reading.at;
        reading.back_ms > 0
    }

    /// Every entry's moment, oldest first.
    pub(super) fn moments(&self) -> impl Iterator<Item = Millis> + '_ {
        self.stamps.iter().map(|stamp| Millis(stamp.at))
    }

    /// The entries after `edge`: what lies before it shares no window with what is asked about.
    fn entries(&self, tag: Option<u64>, reading: Reading, edge: i64) -> impl Iterator<Item = (i64, u32)> + Clone {
        let start = self.stamps.partition_point(|stamp| moved(stamp.at, self.as_of, reading) <= edge);
        let of_tag = self.stamps.iter().skip(start).filter(move |stamp| tag.is_none_or(|wanted| wanted == stamp.tag));
        of_tag.map(move |stamp| (moved(stamp.at, self.as_of, reading), 1))
    }
}

/// What has happened moves back with the clock, so that its age stays; an appointment stays at its hour.
fn moved(at: i64, as_of: Millis, reading: Reading) -> i64 {
    if at <= as_of.0 { at.saturating_sub(reading.back_ms) } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::per_secs(3, 300);

    fn log(at_ms: &[i64]) -> StampLog {
        let mut log = StampLog::new();
        for at in at_ms {
            log.add(0, Millis(*at));
        }
        log
    }

    fn wait_ms(log: &StampLog, now: i64) -> Option<u128> {
        log.check(None, Policy::OtpNumber, RATE, Millis(now)).wait.map(|wait| wait.as_millis())
    }

    #[test]
    fn the_fourth_waits_until_the_first_is_a_window_old() {
        let log = log(&[0, 1_000, 2_000]);
        assert_eq!(wait_ms(&log, 163_000), Some(137_000));
        assert_eq!(wait_ms(&log, 299_999), Some(1));
        assert_eq!(wait_ms(&log, 300_000), None);
        let verdict = log.check(None, Policy::OtpNumber, RATE, Millis(163_000));
        assert_eq!((verdict.used, verdict.remaining(), verdict.reset_at), (3, 0, Millis(300_000)));
    }

    #[test]
    fn an_organization_counts_its_own_entries_and_the_platform_counts_all() {
        let mut log = StampLog::new();
        for tag in [7, 8, 7] {
            log.add(tag, Millis(1_000));
        }
        let used = |tag| log.check(tag, Policy::OtpNumber, RATE, Millis(2_000)).used;
        assert_eq!((used(Some(7)), used(Some(8)), used(Some(9)), used(None)), (2, 1, 0, 3));
    }

    #[test]
    fn a_log_reads_back_from_its_bytes_and_is_small() {
        let mut log = log(&[1_774_708_200_123; 20]);
        let untagged = log.encode().len();
        assert!(untagged <= 30, "{untagged}");
        log.add(u64::MAX, Millis(1_774_708_300_000));
        assert_eq!(StampLog::decode(&log.encode(), log.as_of()), log);
        assert!(StampLog::decode(&[], Millis(5)).is_empty());
        assert!(StampLog::decode(b"not a log", Millis(5)).is_empty());
    }

    #[test]
    fn a_clock_set_back_opens_nothing_and_locks_nobody_out_longer() {
        let mut log = log(&[600_000, 601_000, 602_000]);
        assert_eq!(wait_ms(&log, 2_000), Some(298_000), "ten minutes back: the ages stay");
        log.prune(RATE.window, Millis(2_000));
        assert_eq!(log.len(), 3);
        assert_eq!(wait_ms(&log, 300_000), None);
    }

    #[test]
    fn readings_out_of_order_open_nothing() {
        let mut log = StampLog::new();
        for step in 0..10_000 {
            // Every other reading is a millisecond old by the time it counts.
            let now = Millis(10_000 + step / 2 - step % 2);
            if !log.check(None, Policy::OtpNumber, RATE, now).denied() {
                log.add(0, now);
            }
        }
        assert_eq!(log.len(), 3);
    }

    #[test]
    fn pacing_hands_out_the_next_free_moments() {
        let mut log = StampLog::new();
        let now = Millis(1_000_000);
        let mut given = Vec::new();
        for _ in 0..7 {
            let at = log.opening(None, RATE, now, now);
            log.reserve(0, at, now);
            given.push((at.0 - now.0) / 1000);
        }
        assert_eq!(given, [0, 0, 0, 300, 300, 300, 600]);
        assert_eq!(wait_ms(&log, now.0), Some(600_000), "nothing fits between what is reserved");
    }

    #[test]
    fn an_appointment_is_counted_in_the_windows_it_will_stand_in() {
        let (now, due) = (Millis(1_000_000), Millis(90_000_000));
        let mut log = StampLog::new();
        for _ in 0..3 {
            assert!(!log.check_at(None, Policy::OtpNumber, RATE, due, now).denied());
            log.reserve(0, due, now);
        }
        assert!(!log.check(None, Policy::OtpNumber, RATE, now).denied(), "tomorrow does not fill today");
        let refused = log.check_at(None, Policy::OtpNumber, RATE, due, now);
        let opens = due.plus(RATE.window);
        assert_eq!((refused.used, refused.reset_at, refused.wait), (3, opens, Some(opens.since(now))));
        for near in [due.minus(Duration::from_millis(299_999)), due.plus(Duration::from_millis(299_999))] {
            assert_eq!(log.opening(None, RATE, near, now), opens);
        }
        let before = due.minus(RATE.window);
        assert_eq!(log.opening(None, RATE, before, now), before);
        log.prune(RATE.window, due);
        assert_eq!(log.len(), 3);
        log.prune(RATE.window, opens);
        assert!(log.is_empty());
    }

    #[test]
    fn an_appointment_stays_at_its_hour_when_the_clock_goes_back() {
        let mut log = StampLog::new();
        log.reserve(0, Millis(900_000), Millis(600_000));
        log.prune(RATE.window, Millis(100_000));
        assert_eq!(log.moments().collect::<Vec<_>>(), [Millis(900_000)]);
    }
}
