//! `OrgWindow`: the sliding window of an organization's row, in the shape its limit asks for.

use std::time::Duration;

use crate::clock::Millis;
use crate::limits::bucket_log::BUCKETS_FORMAT;
use crate::limits::{BucketLog, Policy, Rate, StampLog, Verdict};

/// A list of timestamps for limits up to 600, counters above, so that a row stays under a few kilobytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrgWindow {
    /// Exact.
    Log(StampLog),
    /// Never over; frees up to a hundredth of the window late.
    Buckets(BucketLog),
}

/// The largest limit that is kept as a list of timestamps.
const LONGEST_LOG: u32 = 600;

impl OrgWindow {
    /// Reads a row (no bytes: an empty one) and brings it into the shape that `rate` asks for. `as_of` is stored beside it.
    pub fn open(bytes: &[u8], as_of: Millis, rate: Rate) -> Self {
        let buckets = if bytes.first() == Some(&BUCKETS_FORMAT) { BucketLog::decode(bytes, as_of) } else { None };
        match buckets {
            Some(buckets) if rate.limit <= LONGEST_LOG => OrgWindow::Log(listed(&buckets, rate)),
            Some(buckets) if buckets.fits(rate.window) => OrgWindow::Buckets(buckets),
            Some(buckets) => OrgWindow::Buckets(counted(buckets.moments(), as_of, rate)),
            None => {
                let log = StampLog::decode(bytes, as_of);
                if rate.limit <= LONGEST_LOG {
                    OrgWindow::Log(log)
                } else {
                    OrgWindow::Buckets(counted(log.moments().map(|at| (at, 1)), as_of, rate))
                }
            }
        }
    }

    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            OrgWindow::Log(log) => log.encode(),
            OrgWindow::Buckets(log) => log.encode(),
        }
    }

    /// The latest moment this window has seen; store it beside the bytes.
    pub fn as_of(&self) -> Millis {
        match self {
            OrgWindow::Log(log) => log.as_of(),
            OrgWindow::Buckets(log) => log.as_of(),
        }
    }

    /// Whether one more passes now. Takes nothing; `add` does.
    pub fn check(&self, policy: Policy, rate: Rate, now: Millis) -> Verdict {
        match self {
            OrgWindow::Log(log) => log.check(None, policy, rate, now),
            OrgWindow::Buckets(log) => log.check(policy, rate, now),
        }
    }

    /// Whether one more passes at `at`, now or later; the wait of a refusal is from now until one passes.
    pub fn check_at(&self, policy: Policy, rate: Rate, at: Millis, now: Millis) -> Verdict {
        match self {
            OrgWindow::Log(log) => log.check_at(None, policy, rate, at, now),
            OrgWindow::Buckets(log) => log.check_at(policy, rate, at, now),
        }
    }

    /// The first moment from `from` on at which one more keeps every window at the rate or below.
    pub fn opening(&self, rate: Rate, from: Millis, now: Millis) -> Millis {
        match self {
            OrgWindow::Log(log) => log.opening(None, rate, from, now),
            OrgWindow::Buckets(log) => log.opening(rate, from, now),
        }
    }

    /// Counts one at `now`.
    pub fn add(&mut self, now: Millis) {
        self.reserve(now, now);
    }

    /// Counts one at `at`, now or later.
    pub fn reserve(&mut self, at: Millis, now: Millis) {
        match self {
            OrgWindow::Log(log) => log.reserve(0, at, now),
            OrgWindow::Buckets(log) => log.reserve(at, now),
        }
    }

    /// Follows the clock to `now`. `true`: it was set back; store the row then even if nothing is added.
    pub fn turn_to(&mut self, now: Millis) -> bool {
        match self {
            OrgWindow::Log(log) => log.turn_to(now),
            OrgWindow::Buckets(log) => log.turn_to(now),
        }
    }

    /// Forgets what no window of `horizon` needs any more.
    pub fn prune(&mut self, horizon: Duration, now: Millis) {
        match self {
            OrgWindow::Log(log) => log.prune(horizon, now),
            OrgWindow::Buckets(log) => log.prune(horizon, now),
        }
    }
}

fn counted(moments: impl Iterator<Item = (Millis, u32)>, as_of: Millis, rate: Rate) -> BucketLog {
    let mut log = BucketLog::new(rate.window, as_of);
    for (at, count) in moments {
        log.count(at, count);
    }
    log
}

/// No more than a full window from each counter: that blocks as well as all of them would.
fn listed(buckets: &BucketLog, rate: Rate) -> StampLog {
    let moments = buckets.moments().flat_map(|(at, count)| std::iter::repeat_n(at, count.min(rate.limit) as usize));
    StampLog::of(moments, buckets.as_of())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Rate = Rate::per_secs(300, 60);
    const LARGE: Rate = Rate::per_secs(1_000, 60);

    fn filled(rate: Rate, count: i64) -> OrgWindow {
        let mut window = OrgWindow::open(&[], Millis(0), rate);
        for at in 0..count {
            window.add(Millis(1_000_000 + at * 10));
        }
        window
    }

    fn used(window: &OrgWindow, rate: Rate, now: i64) -> u64 {
        window.check(Policy::SmsPlan, rate, Millis(now)).used
    }

    #[test]
    fn a_larger_plan_keeps_what_was_counted() {
        let before = filled(SMALL, 200);
        let after = OrgWindow::open(&before.encode(), before.as_of(), LARGE);
        assert!(matches!(after, OrgWindow::Buckets(_)));
        assert_eq!(used(&after, LARGE, 1_002_000), 200);
    }

    #[test]
    fn a_smaller_plan_is_full_at_once_and_frees_no_earlier() {
        let before = filled(LARGE, 900);
        let after = OrgWindow::open(&before.encode(), before.as_of(), SMALL);
        assert!(matches!(after, OrgWindow::Log(_)));
        let verdict = after.check(Policy::SmsPlan, SMALL, Millis(1_009_000));
        // The three-hundredth newest was sent at 1,006,000.
        let wait = verdict.wait.unwrap().as_millis();
        assert!((57_000..=57_600).contains(&wait), "{wait}");
    }

    #[test]
    fn another_window_of_a_large_plan_keeps_what_was_counted() {
        let before = filled(LARGE, 900);
        let hourly = Rate::per_secs(5_000, 3_600);
        let after = OrgWindow::open(&before.encode(), before.as_of(), hourly);
        assert_eq!(used(&after, hourly, 1_009_000), 900);
    }

    #[test]
    fn a_row_that_reads_back_answers_the_same() {
        for (rate, count) in [(SMALL, 300), (LARGE, 1_000)] {
            let window = filled(rate, count);
            let again = OrgWindow::open(&window.encode(), window.as_of(), rate);
            assert_eq!(again, window);
            assert!(again.check(Policy::SmsPlan, rate, Millis(1_010_000)).denied());
            assert!(again.encode().len() < 2_048, "{}", again.encode().len());
        }
    }
}
