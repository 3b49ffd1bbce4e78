//! `BucketLog`: the sliding window of one row where the limit is too large for a list of timestamps.

use std::time::Duration;

use crate::clock::Millis;
use crate::limits::reading::Reading;
use crate::limits::{Policy, Rate, Verdict, span, varint};

/// Counters of a hundredth of the window each. Every window counts each hundredth it touches in full: never over, and what
/// leaves is free up to a hundredth late. Entries may lie in the future, as in a `StampLog`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketLog {
    as_of: Millis,
    width_ms: i64,
    counts: Vec<(i64, u32)>,
}

/// First byte of an encoded log.
pub(super) const BUCKETS_FORMAT: u8 = 2;

/// Counters to a window.
const PARTS: i64 = 100;

impl BucketLog {
    /// An empty log for windows of `window`.
    pub fn new(window: Duration, as_of: Millis) -> Self {
        let window_ms = Rate { limit: 1, window }.window_ms();
        BucketLog { as_of, width_ms: window_ms.saturating_add(PARTS - 1) / PARTS, counts: Vec::new() }
    }

    /// Reads what `encode` wrote; `None` where the bytes are something else.
    pub fn decode(bytes: &[u8], as_of: Millis) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[BUCKETS_FORMAT])?;
        let width_ms = i64::try_from(varint::get(&mut rest)?).ok().filter(|width| *width > 0)?;
        let mut log = BucketLog { as_of, width_ms, counts: Vec::new() };
        let Some(mut index) = varint::get_signed(&mut rest) else { return Some(log) };
        while let (Some(gap), Some(count)) = (varint::get(&mut rest), varint::get(&mut rest)) {
            index = index.saturating_add_unsigned(gap);
            log.counts.push((index, u32::try_from(count).unwrap_or(u32::MAX)));
        }
        Some(log)
    }

    /// The bytes to store: about four a counter in use.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![BUCKETS_FORMAT];
        varint::put(&mut bytes, self.width_ms.unsigned_abs());
        let Some((first, _)) = self.counts.first() else { return bytes };
        varint::put_signed(&mut bytes, *first);
        let mut before = *first;
        for (index, count) in &self.counts {
            varint::put(&mut bytes, u64::try_from(index.saturating_sub(before)).unwrap_or(0));
            varint::put(&mut bytes, u64::from(*count));
            before = *index;
        }
        bytes
    }

    /// The latest moment this log has seen; store it beside the bytes.
    pub fn as_of(&self) -> Millis {
        self.as_of
    }

    /// Whether this log's counters are those of windows of `window`.
    pub(super) fn fits(&self, window: Duration) -> bool {
        self.width_ms == BucketLog::new(window, self.as_of).width_ms
    }

    /// Whether one more passes now. Takes nothing; `add` does.
    pub fn check(&self, policy: Policy, rate: Rate, now: Millis) -> Verdict {
        self.check_at(policy, rate, now, now)
    }

    /// Whether one more passes at `at`, now or later; the wait of a refusal is from now until one passes.
    pub fn check_at(&self, policy: Policy, rate: Rate, at: Millis, now: Millis) -> Verdict {
        let mut verdict = Verdict::unused(policy, rate, at);
        if rate.limit == 0 {
            return verdict;
        }
        let reading = Reading::of(now, self.as_of);
        let (here, touched) = (self.index(at.max(reading.at)), self.touched(rate));
        let entries = self.entries(reading, here.saturating_sub(touched));
        let free = span::earliest(entries.clone(), rate.limit, touched, here);
        verdict.used = span::fullest(entries.clone(), touched, here);
        if free > here {
            verdict.reset_at = self.start(free);
            verdict.wait = Some(self.start(free).since(now));
        } else if let Some((oldest, _)) = entries.into_iter().next() {
            verdict.reset_at = self.start(oldest.saturating_add(touched));
        }
        verdict
    }

    /// The first moment from `from` on at which one more entry keeps every window at the rate or below.
    pub fn opening(&self, rate: Rate, from: Millis, now: Millis) -> Millis {
        let reading = Reading::of(now, self.as_of);
        let (here, touched) = (self.index(from.max(reading.at)), self.touched(rate));
        let entries = self.entries(reading, here.saturating_sub(touched));
        let free = span::earliest(entries, rate.limit.max(1), touched, here);
        if free > here { self.start(free) } else { from }
    }

    /// Counts one at `now`.
    pub fn add(&mut self, now: Millis) {
        self.reserve(now, now);
    }

    /// Counts one at `at`, now or later.
    pub fn reserve(&mut self, at: Millis, now: Millis) {
        self.turn_to(now);
        self.count(at.max(self.as_of), 1);
    }

    /// Forgets what no window of `horizon` touches any more.
    pub fn prune(&mut self, horizon: Duration, now: Millis) {
        self.turn_to(now);
        let edge = self.index(self.as_of).saturating_sub(self.touched(Rate { limit: 1, window: horizon }));
        self.counts.retain(|(index, _)| *index > edge);
    }

    /// Follows the clock to `now`. `true`: it was set back and every age was kept; store the row then even if nothing is
    /// added, since a row that is not stored stands still until the clock is where it was.
    pub fn turn_to(&mut self, now: Millis) -> bool {
        let reading = Reading::of(now, self.as_of);
        if reading.back_ms > 0 {
            let moved: Vec<(i64, u32)> = self.entries(reading, i64::MIN).collect();
            self.counts.clear();
            for (index, count) in moved {
                self.count(self.start(index), count);
            }
        }
        self.as_of = reading.at;
        reading.back_ms > 0
    }

    /// Adds `count` at `at` without a look at the clock.
    pub(super) fn count(&mut self, at: Millis, count: u32) {
        let index = self.index(at);
        match self.counts.binary_search_by_key(&index, |(held, _)| *held) {
            Ok(place) => {
                if let Some((_, held)) = self.counts.get_mut(place) {
                    *held = held.saturating_add(count);
                }
            }
            Err(place) => self.counts.insert(place, (index, count)),
        }
    }

    /// The counters as moments, oldest first: the latest an entry of the past can have been, the earliest of the future.
    pub(super) fn moments(&self) -> impl Iterator<Item = (Millis, u32)> + '_ {
        let here = self.index(self.as_of);
        self.counts.iter().map(move |(index, count)| {
            let last = Millis(self.start(index.saturating_add(1)).0.saturating_sub(1)).min(self.as_of);
            (if *index <= here { last } else { self.start(*index) }, *count)
        })
    }

    /// What has happened moves back with the clock by whole counters, so that it looks younger rather than older, but not
    /// into the future, where it would be an appointment. What lies at `edge` or before is left out.
    fn entries(&self, reading: Reading, edge: i64) -> impl Iterator<Item = (i64, u32)> + Clone {
        let (here, back) = (self.index(self.as_of), reading.back_ms / self.width_ms);
        let latest = self.index(reading.at);
        let moved = move |index: i64| if index <= here { index.saturating_sub(back).min(latest) } else { index };
        let start = self.counts.partition_point(|(index, _)| moved(*index) <= edge);
        self.counts.iter().skip(start).map(move |(index, count)| (moved(*index), *count))
    }

    /// How many counters a window of the rate can touch at most.
    fn touched(&self, rate: Rate) -> i64 {
        rate.window_ms().saturating_add(self.width_ms).saturating_sub(2) / self.width_ms + 1
    }

    fn index(&self, at: Millis) -> i64 {
        at.0.div_euclid(self.width_ms)
    }

    fn start(&self, index: i64) -> Millis {
        Millis(index.saturating_mul(self.width_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::per_secs(1_000, 60);

    fn full(at: i64) -> BucketLog {
        let mut log = BucketLog::new(RATE.window, Millis(at));
        log.count(Millis(at), 1_000);
        log
    }

    fn wait_ms(log: &BucketLog, now: i64) -> Option<u128> {
        log.check(Policy::SmsPlan, RATE, Millis(now)).wait.map(|wait| wait.as_millis())
    }

    #[test]
    fn a_full_window_frees_at_most_a_hundredth_late() {
        let log = full(120_000);
        assert_eq!(wait_ms(&log, 120_000), Some(60_600));
        assert_eq!(wait_ms(&log, 180_599), Some(1));
        assert_eq!(wait_ms(&log, 180_600), None);
    }

    #[test]
    fn a_log_reads_back_from_its_bytes_and_is_small() {
        let mut log = BucketLog::new(RATE.window, Millis(0));
        for at in (0..120_000).step_by(37) {
            log.add(Millis(1_774_708_200_000 + at));
            log.prune(RATE.window, Millis(1_774_708_200_000 + at));
        }
        assert_eq!(BucketLog::decode(&log.encode(), log.as_of()), Some(log.clone()));
        assert!(log.encode().len() < 500, "{}", log.encode().len());
        assert_eq!(BucketLog::decode(b"", Millis(0)), None);
        assert_eq!(BucketLog::decode(&[BUCKETS_FORMAT, 0], Millis(0)), None);
    }

    #[test]
    fn a_clock_set_back_opens_nothing() {
        let mut log = full(7_200_000);
        let wait = wait_ms(&log, 1_000).unwrap();
        assert!((60_000..=61_200).contains(&wait), "{wait}");
        log.prune(RATE.window, Millis(1_000));
        assert_eq!(wait_ms(&log, 1_000), Some(wait));
    }

    #[test]
    fn pacing_goes_on_where_the_window_is_full() {
        let mut log = full(120_000);
        let at = log.opening(RATE, Millis(121_000), Millis(121_000));
        assert_eq!(at, Millis(180_600));
        log.reserve(at, Millis(121_000));
        assert_eq!(wait_ms(&log, 180_600), None);
    }
}
