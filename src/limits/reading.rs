//! What a reading of the clock means to a window that has seen a later one.

use std::time::Duration;

use crate::clock::Millis;

/// How far back a reading may lie and still be an old reading rather than a clock that was set back.
///
/// Callers read the clock before they hold the lock (a mutex, a row), so readings arrive out of order all the time; taking
/// each for a step back would open the window by as much. Longer than the two seconds a row lock is waited for.
pub(super) const OUT_OF_ORDER: Duration = Duration::from_secs(5);

/// The moment to decide by, and how far what was counted before must move back with the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The moment to decide by; never earlier than what was seen, unless `back_ms` says by how much the clock went back.
    pub at: Millis,
    /// How far the clock was set back; nought where it was not.
    pub back_ms: i64,
}

impl Reading {
    /// Judges `now` against the latest reading seen.
    pub fn of(now: Millis, as_of: Millis) -> Self {
        let behind = as_of.since(now);
        if behind.is_zero() {
            Reading { at: now, back_ms: 0 }
        } else if behind <= OUT_OF_ORDER {
            Reading { at: as_of, back_ms: 0 }
        } else {
            Reading { at: now, back_ms: as_of.0.saturating_sub(now.0) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_late_is_the_latest_moment_and_far_back_is_a_clock_set_back() {
        let seen = Millis(100_000);
        assert_eq!(Reading::of(Millis(100_001), seen), Reading { at: Millis(100_001), back_ms: 0 });
        assert_eq!(Reading::of(Millis(95_000), seen), Reading { at: seen, back_ms: 0 });
        assert_eq!(Reading::of(Millis(94_999), seen), Reading { at: Millis(94_999), back_ms: 5_001 });
    }
}
