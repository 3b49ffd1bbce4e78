//! A counter that starts anew at each multiple of its window: a calendar minute, a UTC day.

use crate::clock::Millis;
use crate::limits::{Policy, Rate, Verdict};

/// How many in the running period. Multiples are counted from the epoch, so that a day is a UTC day.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Period {
    window_ms: i64,
    ends_ms: i64,
    used: u64,
}

impl Period {
    /// What the period says at `at`; `now` is the caller's own reading, from which it waits.
    pub fn verdict(&mut self, policy: Policy, rate: Rate, at: Millis, now: Millis) -> Verdict {
        self.turn_to(rate, at);
        let denied = self.used >= u64::from(rate.limit);
        let ends = Millis(self.ends_ms);
        Verdict {
            used: self.used,
            reset_at: ends,
            wait: denied.then(|| ends.since(now)),
            ..Verdict::unused(policy, rate, now)
        }
    }

    /// Counts one at `at`.
    pub fn add(&mut self, rate: Rate, at: Millis) {
        self.turn_to(rate, at);
        self.used = self.used.saturating_add(1);
    }

    /// Makes it count `used` until `ends`, as somebody else counted, whose clock may be a little off this one.
    pub fn follow(&mut self, rate: Rate, used: u64, ends: Millis) {
        *self = Period { window_ms: rate.window_ms(), ends_ms: ends.0, used };
    }

    /// How many are counted, and until when.
    pub fn known(&mut self, rate: Rate, at: Millis) -> (u64, Millis) {
        self.turn_to(rate, at);
        (self.used, Millis(self.ends_ms))
    }

    /// Takes back one that was counted at `at`, if its period still runs.
    pub fn refund(&mut self, at: Millis) {
        if at.0 >= self.ends_ms.saturating_sub(self.window_ms) && at.0 < self.ends_ms {
            self.used = self.used.saturating_sub(1);
        }
    }

    /// The clock went back: the period ends at the first multiple that is no nearer than its end was, so that what was
    /// counted in it is not forgotten early, and it never lasts more than one window longer. What was over `before` stays so.
    pub fn step_back(&mut self, back_ms: i64, before: Millis) {
        if self.is_idle(before) {
            *self = Period::default();
            return;
        }
        let window = self.window_ms.max(1);
        let ends = self.ends_ms.saturating_sub(back_ms);
        let on_the_grid = ends.saturating_add(window - 1).div_euclid(window).saturating_mul(window);
        self.ends_ms = self.ends_ms.min(on_the_grid);
    }

    /// Whether the period is over.
    pub fn is_idle(&self, at: Millis) -> bool {
        self.used == 0 || at.0 >= self.ends_ms
    }

    /// When it ends and how many are counted: of two records the greater knows more.
    pub fn weight(&self) -> (i64, u64) {
        (self.ends_ms, self.used)
    }

    /// Whether it is worth keeping over a restart.
    pub fn outlives_a_minute(&self) -> bool {
        self.window_ms > 60_000
    }

    fn turn_to(&mut self, rate: Rate, at: Millis) {
        let window = rate.window_ms();
        let ends = at.0.div_euclid(window).saturating_add(1).saturating_mul(window);
        if at.0 >= self.ends_ms {
            self.used = 0;
            self.ends_ms = ends;
        } else if self.window_ms != window {
            // Another window by an override: what is counted stays until the next multiple of the new one.
            self.ends_ms = ends;
        }
        self.window_ms = window;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;
    const DAILY: Rate = Rate::per_secs(3, 86_400);

    fn used(period: &mut Period, at: i64) -> u64 {
        period.verdict(Policy::KeyDaily, DAILY, Millis(at), Millis(at)).used
    }

    #[test]
    fn a_day_starts_anew_at_midnight_utc() {
        let mut period = Period::default();
        for _ in 0..3 {
            period.add(DAILY, Millis(DAY_MS - 1_000));
        }
        let verdict = period.verdict(Policy::KeyDaily, DAILY, Millis(DAY_MS - 400), Millis(DAY_MS - 400));
        assert_eq!(verdict.wait.map(|wait| wait.as_millis()), Some(400));
        assert_eq!(verdict.reset_at, Millis(DAY_MS));
        assert_eq!(used(&mut period, DAY_MS), 0);
    }

    #[test]
    fn a_clock_set_back_over_midnight_resets_once() {
        let mut period = Period::default();
        period.add(DAILY, Millis(DAY_MS + 5_000));
        period.step_back(10_000, Millis(DAY_MS + 5_000));
        assert_eq!(used(&mut period, DAY_MS - 5_000), 1);
        assert_eq!(used(&mut period, DAY_MS + 5_000), 1, "midnight comes by again and opens nothing");
        assert_eq!(used(&mut period, 2 * DAY_MS), 0);
    }

    #[test]
    fn a_day_that_was_over_does_not_come_back_with_the_clock() {
        let mut period = Period::default();
        period.add(DAILY, Millis(DAY_MS - 5_000));
        period.step_back(20_000, Millis(DAY_MS + 5_000));
        assert_eq!(used(&mut period, DAY_MS - 15_000), 0);
    }

    #[test]
    fn a_clock_that_was_a_year_ahead_locks_nobody_out_for_a_year() {
        let mut period = Period::default();
        period.add(DAILY, Millis(366 * DAY_MS + 1_000));
        period.step_back(365 * DAY_MS + 1_000, Millis(366 * DAY_MS + 1_000));
        assert_eq!(used(&mut period, DAY_MS), 1);
        assert_eq!(used(&mut period, 3 * DAY_MS), 0);
    }

    #[test]
    fn a_shorter_window_by_an_override_ends_sooner() {
        let mut period = Period::default();
        period.add(DAILY, Millis(1_000));
        let minute = Rate::per_secs(1, 60);
        assert!(period.verdict(Policy::KeyMinute, minute, Millis(2_000), Millis(2_000)).denied());
        assert!(!period.verdict(Policy::KeyMinute, minute, Millis(60_000), Millis(60_000)).denied());
    }
}
