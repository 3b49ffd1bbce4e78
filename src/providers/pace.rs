//! How fast hand-offs may follow each other to one carrier: the generic cell rate algorithm (ITU-T I.371), which hands out
//! moments rather than counting. Pure: `now` is given.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Millis;

/// How far ahead of its pace a carrier that was left alone may be served: one tick of a dispatcher.
const AHEAD_US: i64 = 50_000;

/// One carrier's pace.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    /// When the next hand-off is due at an even pace, in microseconds.
    due_us: i64,
}

impl Pace {
    /// How long until a hand-off may go at `per_second`; zero where it may now.
    pub fn wait(self, per_second: u32, now: Millis) -> Duration {
        let ahead = self.due_us.saturating_sub(now.0.saturating_mul(1_000)).saturating_sub(leeway(per_second));
        Duration::from_micros(u64::try_from(ahead).unwrap_or(0))
    }

    /// Counts a hand-off that goes now.
    pub fn take(&mut self, per_second: u32, now: Millis) {
        self.due_us = self.due_us.max(now.0.saturating_mul(1_000)).saturating_add(step(per_second));
    }
}

/// One part in this many of a carrier's own pace is left unused: what came a moment early at our end, or late at theirs,
/// stays within it.
const SPARE: u32 = 16;

/// The paces of all carriers, by name.
#[derive(Debug, Default)]
pub struct Paces {
    due: Mutex<BTreeMap<String, Pace>>,
    told: Mutex<BTreeMap<String, u32>>,
}

impl Paces {
    /// Notes how many a second a carrier takes by its own word.
    pub fn note(&self, name: &str, per_second: u32) {
        lock(&self.told).insert(String::from(name), per_second);
    }

    /// How many a second `name` is handed: what is configured and what it takes by its own word, else as usual, whichever
    /// is less; `None` for as many as there are.
    pub fn rate(&self, name: &str, configured: Option<u32>, usual: impl FnOnce() -> Option<u32>) -> Option<u32> {
        let theirs = lock(&self.told).get(name).copied().or_else(usual).map(|pace| pace - pace / SPARE);
        configured.into_iter().chain(theirs).min()
    }

    /// How long until `name` may be handed another.
    pub fn wait(&self, name: &str, per_second: u32, now: Millis) -> Duration {
        lock(&self.due).get(name).map_or(Duration::ZERO, |pace| pace.wait(per_second, now))
    }

    /// Counts a hand-off that goes now.
    pub fn take(&self, name: &str, per_second: u32, now: Millis) {
        lock(&self.due).entry(String::from(name)).or_default().take(per_second, now);
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn step(per_second: u32) -> i64 {
    1_000_000 / i64::from(per_second.max(1))
}

/// At least one may always go at once; fast carriers take a few together.
fn leeway(per_second: u32) -> i64 {
    (AHEAD_US - step(per_second)).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many go in each of `seconds`, a dispatcher asking every millisecond.
    fn served(per_second: u32, seconds: i64) -> Vec<u32> {
        let mut pace = Pace::default();
        let second = |from: i64, pace: &mut Pace| {
            let mut count = 0;
            for ms in 0..1_000 {
                let now = Millis(1_774_708_200_000 + from * 1_000 + ms);
                while pace.wait(per_second, now).is_zero() {
                    pace.take(per_second, now);
                    count += 1;
                }
            }
            count
        };
        (0..seconds).map(|from| second(from, &mut pace)).collect()
    }

    #[test]
    fn each_second_takes_its_rate_and_the_first_a_tick_more() {
        assert_eq!(served(1, 4), [1, 1, 1, 1]);
        assert_eq!(served(10, 3), [10, 10, 10]);
        let fast = served(1_000, 3);
        assert!((1_000..=1_050).contains(&fast[0]), "{fast:?}");
        assert_eq!(fast[1..], [1_000, 1_000]);
    }

    #[test]
    fn the_least_of_what_is_configured_and_what_a_carrier_takes_counts() {
        let paces = Paces::default();
        let rate = |configured, usual: Option<u32>| paces.rate("meta", configured, || usual);
        assert_eq!((rate(None, None), rate(Some(100), None)), (None, Some(100)));
        assert_eq!(
            (rate(None, Some(80)), rate(Some(20), Some(80)), rate(Some(200), Some(80))),
            (Some(75), Some(20), Some(75))
        );
        paces.note("meta", 1_000);
        assert_eq!((rate(None, Some(80)), rate(Some(200), Some(80))), (Some(938), Some(200)));
    }

    #[test]
    fn the_wait_is_the_time_to_the_next_turn() {
        let (mut pace, now) = (Pace::default(), Millis(5_000));
        pace.take(2, now);
        assert_eq!(pace.wait(2, now), Duration::from_millis(500));
        assert!(pace.wait(2, Millis(5_500)).is_zero());
    }
}
