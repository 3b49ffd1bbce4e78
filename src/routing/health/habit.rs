//! What a route's receipts are usually like, and whether they are like that now.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Millis;

/// A hand-off whose receipt has not come after so long counts as one without: a code is of no use by then.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Judged hand-offs that count as now.
const RECENT: usize = 20;
/// Fewest of them a verdict is made from.
const RECENT_LEAST: usize = 10;
/// How long one counts as now.
const RECENT_FOR: Duration = Duration::from_secs(900);
/// Judged hand-offs that make up what is usual.
const USUAL: usize = 200;
/// Fewest of them before anything is called unusual.
const USUAL_LEAST: usize = 30;
/// Routes that go without a receipt more often than so, per hundred, are no routes whose receipts usually come.
const USUAL_MISSING_MOST: usize = 50;
/// So much more is missing than usual, per hundred: far above.
const MISSING_ABOVE: usize = 50;
/// So many times the usual time: far above.
const SLOWER: u32 = 5;
/// And never below this: a receipt within half a minute is in time for anybody.
const SLOW_LEAST: Duration = Duration::from_secs(30);
/// A probe's receipt must come within so many times the usual time: better than what opens.
const WELL_SLOWER: u32 = 3;
/// And this is always well enough.
const WELL_LEAST: Duration = Duration::from_secs(20);

/// A hand-off whose receipt came, or did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When it was handed over.
    pub started: Millis,
    /// How long its final receipt took; `None` where [`PATIENCE`] ended before.
    pub lag: Option<Duration>,
}

/// What is wrong with the receipts of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusual {
    /// Too many are missing.
    Missing {
        /// Without a receipt, of those of now.
        missing: usize,
        /// Those of now.
        of: usize,
        /// Usual, per hundred.
        usual_percent: usize,
    },
    /// They take too long.
    Slow {
        /// The median of now.
        median: Duration,
        /// The usual one.
        usual: Duration,
    },
}

/// What was seen of one route.
#[derive(Debug, Clone, Default)]
pub struct Habit {
    usual: VecDeque<Seen>,
    recent: VecDeque<Seen>,
}

impl Habit {
    /// Takes in a judged hand-off. What is no longer of now becomes part of what is usual.
    pub fn add(&mut self, seen: Seen, now: Millis) {
        self.recent.push_back(seen);
        let old = |front: &Seen| now.since(front.started) > RECENT_FOR;
        while self.recent.len() > RECENT || self.recent.front().is_some_and(old) {
            self.usual.extend(self.recent.pop_front());
        }
        while self.usual.len() > USUAL {
            self.usual.pop_front();
        }
    }

    /// What is far from usual, if anything is.
    pub fn verdict(&self) -> Option<Unusual> {
        let of = self.recent.len();
        let usual = self.usual_level()?;
        if of < RECENT_LEAST {
            return None;
        }
        let missing = missing(&self.recent);
        if missing.saturating_mul(100) >= usual.missing_percent.saturating_add(MISSING_ABOVE).saturating_mul(of) {
            return Some(Unusual::Missing { missing, of, usual_percent: usual.missing_percent });
        }
        let median = median(&self.recent)?;
        let slow = usual.median.saturating_mul(SLOWER).max(SLOW_LEAST);
        (median >= slow).then_some(Unusual::Slow { median, usual: usual.median })
    }

    /// Whether a probe of a route that was opened for its receipts did well.
    pub fn is_well(&self, probe: Seen) -> bool {
        let usual = self.usual_level().map_or(Duration::ZERO, |usual| usual.median);
        probe.lag.is_some_and(|lag| lag <= usual.saturating_mul(WELL_SLOWER).max(WELL_LEAST))
    }

    /// Forgets what is of now, so that an outage never becomes what is usual.
    pub fn forget_recent(&mut self) {
        self.recent.clear();
    }

    fn usual_level(&self) -> Option<Level> {
        let of = self.usual.len();
        if of < USUAL_LEAST {
            return None;
        }
        let missing_percent = missing(&self.usual).saturating_mul(100).checked_div(of)?;
        let median = median(&self.usual)?;
        (missing_percent < USUAL_MISSING_MOST).then_some(Level { missing_percent, median })
    }
}

struct Level {
    missing_percent: usize,
    median: Duration,
}

fn missing(seen: &VecDeque<Seen>) -> usize {
    seen.iter().filter(|one| one.lag.is_none()).count()
}

/// The median of the receipts that came.
fn median(seen: &VecDeque<Seen>) -> Option<Duration> {
    let mut lags: Vec<Duration> = seen.iter().filter_map(|one| one.lag).collect();
    lags.sort_unstable();
    lags.get(lags.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One judged hand-off a second.
    fn fed(habit: &mut Habit, from: i64, count: i64, lag_of: impl Fn(i64) -> Option<u64>) {
        for n in from..from + count {
            let now = Millis(n * 1_000);
            habit.add(Seen { started: now, lag: lag_of(n).map(Duration::from_secs) }, now);
        }
    }

    #[test]
    fn nothing_is_unusual_before_it_is_known_what_is_usual() {
        let mut habit = Habit::default();
        fed(&mut habit, 0, 45, |_| Some(3));
        fed(&mut habit, 45, 4, |_| None);
        assert_eq!(habit.verdict(), None);
        let mut silent = Habit::default();
        fed(&mut silent, 0, 300, |_| None);
        assert_eq!(silent.verdict(), None, "a route without receipts");
    }

    #[test]
    fn missing_receipts_are_told_with_their_numbers() {
        let mut habit = Habit::default();
        fed(&mut habit, 0, 100, |n| (n % 10 != 0).then_some(3));
        assert_eq!(habit.verdict(), None);
        fed(&mut habit, 100, 11, |_| None);
        assert_eq!(habit.verdict(), None, "55 in a hundred are not 60");
        fed(&mut habit, 111, 1, |_| None);
        assert_eq!(habit.verdict(), Some(Unusual::Missing { missing: 12, of: 20, usual_percent: 10 }));
    }

    #[test]
    fn slow_receipts_are_told_and_a_little_slower_is_not() {
        let mut habit = Habit::default();
        fed(&mut habit, 0, 100, |_| Some(10));
        fed(&mut habit, 100, 20, |_| Some(49));
        assert_eq!(habit.verdict(), None);
        fed(&mut habit, 120, 20, |_| Some(50));
        let told = Unusual::Slow { median: Duration::from_secs(50), usual: Duration::from_secs(10) };
        assert_eq!(habit.verdict(), Some(told));
        let lag = |secs| Seen { started: Millis(0), lag: Some(Duration::from_secs(secs)) };
        assert!(habit.is_well(lag(30)) && !habit.is_well(lag(31)), "closes at a better one than opens");
        assert!(!habit.is_well(Seen { started: Millis(0), lag: None }));
    }
}
