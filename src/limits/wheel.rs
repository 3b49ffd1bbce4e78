//! Sixty counters for one sliding window: constant memory whatever the limit.

use crate::clock::Millis;
use crate::limits::{Policy, Rate, Verdict};

/// Counters to a window.
const PARTS: i64 = 60;

/// Counters a window can touch: one more than its parts, since it rarely starts where a counter does.
const SLOTS: usize = 61;

/// The counters of the last window, newest first in time at `newest`. Every counter that the window touches counts in full:
/// never over, and what leaves is free up to a sixtieth late.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Wheel {
    window_ms: i64,
    width_ms: i64,
    /// Where counter nought starts; moves back with the clock.
    origin_ms: i64,
    newest: i64,
    held: u64,
    counts: Vec<u32>,
}

impl Wheel {
    /// An empty wheel for windows of `rate`.
    pub fn new(rate: Rate) -> Self {
        let window_ms = rate.window_ms();
        let width_ms = window_ms.saturating_add(PARTS - 1) / PARTS;
        Wheel { window_ms, width_ms, origin_ms: 0, newest: 0, held: 0, counts: vec![0; SLOTS] }
    }

    /// What the window says at `at`; `now` is the caller's own reading, from which it waits.
    pub fn verdict(&mut self, policy: Policy, rate: Rate, at: Millis, now: Millis) -> Verdict {
        self.turn_to(rate, at);
        let mut verdict = Verdict { used: self.held, ..Verdict::unused(policy, rate, now) };
        if self.held == 0 {
            verdict.reset_at = self.start(self.newest.saturating_add(self.touched()));
        }
        if rate.limit == 0 || self.held == 0 {
            return verdict;
        }
        let excess = self.held.saturating_sub(u64::from(rate.limit).saturating_sub(1));
        verdict.reset_at = self.leaves(excess.max(1));
        verdict.wait = (self.held >= u64::from(rate.limit)).then(|| verdict.reset_at.since(now));
        verdict
    }

    /// Counts one at `at`.
    pub fn add(&mut self, rate: Rate, at: Millis) {
        self.turn_to(rate, at);
        self.put(self.newest, 1);
    }

    /// Takes back one that was counted at `at`, if it still counts.
    pub fn refund(&mut self, at: Millis) {
        let index = self.index(at);
        if index > self.newest || index <= self.newest.saturating_sub(self.touched()) {
            return;
        }
        if let Some(count) = self.slot(index).filter(|count| **count > 0) {
            *count -= 1;
            self.held = self.held.saturating_sub(1);
        }
    }

    /// Moves everything back with the clock, so that the ages stay.
    pub fn step_back(&mut self, back_ms: i64) {
        self.origin_ms = self.origin_ms.saturating_sub(back_ms);
    }

    /// How many it holds.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// The wheel as it is at `at`.
    pub fn turned_to(&mut self, rate: Rate, at: Millis) -> &Self {
        self.turn_to(rate, at);
        self
    }

    /// Makes it hold `used` at `at`, as somebody else counted: what is new goes where it is now, what has left goes first.
    pub fn follow(&mut self, rate: Rate, at: Millis, used: u64) {
        self.turn_to(rate, at);
        if used >= self.held {
            self.put(self.newest, u32::try_from(used - self.held).unwrap_or(u32::MAX));
            return;
        }
        let mut excess = self.held - used;
        for index in self.newest.saturating_sub(self.touched() - 1)..=self.newest {
            let Some(count) = self.slot(index) else { continue };
            let gone = u32::try_from(excess).unwrap_or(u32::MAX).min(*count);
            *count -= gone;
            excess -= u64::from(gone);
        }
        self.held = used;
    }

    /// What is counted and how old it is: milliseconds since the end of its counter, and how many.
    pub fn ages(&mut self, rate: Rate, at: Millis) -> Vec<(u64, u32)> {
        self.turn_to(rate, at);
        let mut ages = Vec::new();
        for index in self.newest.saturating_sub(self.touched() - 1)..=self.newest {
            let last = self.start(index.saturating_add(1)).0.saturating_sub(1);
            let count = self.slot(index).map_or(0, |count| *count);
            if count > 0 {
                ages.push((u64::try_from(at.0.saturating_sub(last)).unwrap_or(0), count));
            }
        }
        ages
    }

    /// Whether nothing counts any more.
    pub fn is_idle(&self, at: Millis) -> bool {
        self.held == 0 || self.index(at).saturating_sub(self.touched()) >= self.newest
    }

    /// Whether it is worth keeping over a restart.
    pub fn outlives_a_minute(&self) -> bool {
        self.window_ms > 60_000
    }

    /// A wheel read from outside: the right number of counters, and a sum that is theirs.
    pub fn mended(mut self) -> Self {
        self.width_ms = self.width_ms.max(1);
        self.counts.resize(SLOTS, 0);
        self.held = self.counts.iter().map(|count| u64::from(*count)).sum();
        self
    }

    /// The moment at which `excess` of what is held has left.
    fn leaves(&mut self, excess: u64) -> Millis {
        let touched = self.touched();
        let mut left = 0u64;
        let oldest = self.newest.saturating_sub(touched - 1);
        for index in oldest..=self.newest {
            left = left.saturating_add(self.slot(index).map_or(0, |count| u64::from(*count)));
            if left >= excess {
                return self.start(index.saturating_add(touched));
            }
        }
        self.start(self.newest.saturating_add(touched))
    }

    /// Forgets the counters that no window at `at` touches.
    fn turn_to(&mut self, rate: Rate, at: Millis) {
        if rate.window_ms() != self.window_ms {
            self.rebuild(rate, at);
        }
        self.start_anew_if_empty(at);
        let index = self.index(at);
        if index <= self.newest {
            return;
        }
        let touched = self.touched();
        if index.saturating_sub(self.newest) >= touched {
            self.counts.fill(0);
            self.held = 0;
        } else {
            for gone in self.newest.saturating_sub(touched - 1)..=index.saturating_sub(touched) {
                let count = self.slot(gone).map_or(0, std::mem::take);
                self.held = self.held.saturating_sub(u64::from(count));
            }
        }
        self.newest = index;
        self.start_anew_if_empty(at);
    }

    /// An empty wheel starts where the clock does, whatever became of the clock before.
    fn start_anew_if_empty(&mut self, at: Millis) {
        if self.held == 0 {
            self.origin_ms = 0;
            self.newest = self.index(at);
        }
    }

    /// Another window by an override: each counter goes where its last millisecond falls.
    fn rebuild(&mut self, rate: Rate, at: Millis) {
        let mut fresh = Wheel::new(rate);
        fresh.newest = fresh.index(at);
        let kept_from = fresh.newest.saturating_sub(fresh.touched() - 1);
        for index in self.newest.saturating_sub(self.touched() - 1)..=self.newest {
            let last = Millis(self.start(index.saturating_add(1)).0.saturating_sub(1));
            let count = self.slot(index).map_or(0, |count| *count);
            let place = fresh.index(last).min(fresh.newest);
            if place >= kept_from {
                fresh.put(place, count);
            }
        }
        *self = fresh;
    }

    fn put(&mut self, index: i64, count: u32) {
        if let Some(held) = self.slot(index) {
            *held = held.saturating_add(count);
        }
        self.held = self.held.saturating_add(u64::from(count));
    }

    fn slot(&mut self, index: i64) -> Option<&mut u32> {
        let place = usize::try_from(index.rem_euclid(PARTS + 1)).ok()?;
        self.counts.get_mut(place)
    }

    /// How many counters a window can touch at most.
    fn touched(&self) -> i64 {
        (self.window_ms.saturating_add(self.width_ms).saturating_sub(2) / self.width_ms + 1).clamp(1, PARTS + 1)
    }

    fn index(&self, at: Millis) -> i64 {
        at.0.saturating_sub(self.origin_ms).div_euclid(self.width_ms)
    }

    fn start(&self, index: i64) -> Millis {
        Millis(index.saturating_mul(self.width_ms).saturating_add(self.origin_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURLY: Rate = Rate::per_secs(1_000, 3_600);
    const START: i64 = 1_774_710_000_000;

    fn wait_ms(wheel: &mut Wheel, rate: Rate, now: i64) -> Option<u128> {
        wheel.verdict(Policy::KeyWindow, rate, Millis(now), Millis(now)).wait.map(|wait| wait.as_millis())
    }

    fn filled(rate: Rate) -> Wheel {
        let mut wheel = Wheel::new(rate);
        for _ in 0..rate.limit {
            wheel.add(rate, Millis(START));
        }
        wheel
    }

    #[test]
    fn a_full_hour_frees_at_most_a_minute_late() {
        let mut wheel = filled(HOURLY);
        assert_eq!(wait_ms(&mut wheel, HOURLY, START), Some(3_660_000));
        assert_eq!(wait_ms(&mut wheel, HOURLY, START + 3_659_999), Some(1));
        assert_eq!(wait_ms(&mut wheel, HOURLY, START + 3_660_000), None);
        assert!(wheel.is_idle(Millis(START + 3_660_000)));
    }

    #[test]
    fn it_follows_what_another_has_counted() {
        let mut wheel = Wheel::new(HOURLY);
        wheel.follow(HOURLY, Millis(START), 40);
        wheel.follow(HOURLY, Millis(START + 600_000), 100);
        assert_eq!(wheel.ages(HOURLY, Millis(START + 600_000)), [(600_000 - 59_999, 40), (0, 60)]);
        wheel.follow(HOURLY, Millis(START + 1_200_000), 70);
        assert_eq!(wheel.ages(HOURLY, Millis(START + 1_200_000)), [(1_200_000 - 59_999, 10), (600_000 - 59_999, 60)]);
    }

    #[test]
    fn a_clock_set_back_keeps_the_ages() {
        let mut wheel = filled(HOURLY);
        wheel.step_back(7_777_777);
        assert_eq!(wait_ms(&mut wheel, HOURLY, START - 7_777_777), Some(3_660_000));
    }

    #[test]
    fn an_override_of_the_window_keeps_what_was_counted() {
        let mut wheel = filled(HOURLY);
        let longer = Rate::per_secs(1_000, 7_200);
        assert!(wait_ms(&mut wheel, longer, START + 4_000_000).is_some_and(|wait| wait <= 7_320_000));
        let shorter = Rate::per_secs(1_000, 60);
        assert_eq!(wait_ms(&mut wheel, shorter, START + 4_100_000), None);
    }

    #[test]
    fn a_refund_takes_back_what_still_counts() {
        let mut wheel = filled(HOURLY);
        wheel.refund(Millis(START));
        assert_eq!(wait_ms(&mut wheel, HOURLY, START + 1), None);
        wheel.refund(Millis(START - 10_000_000));
        assert_eq!(wheel.held, 999);
    }
}
