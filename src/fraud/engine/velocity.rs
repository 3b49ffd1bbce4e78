//! Keys that the caller named, each with its rate: a sliding window from two counted ones.

use crate::clock::Millis;
use crate::limits::Rate;

/// Attempts of one key: 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    window: i64,
    now: u32,
    before: u32,
}

impl Count {
    fn at(self, window: i64) -> Count {
        match window - self.window {
            ..=0 => self,
            1 => Count { window, now: 0, before: self.now },
            _ => Count { window, now: 0, before: 0 },
        }
    }

    /// About how many there were in the rate's window up to `now`.
    pub fn used(self, rate: Rate, now: Millis) -> u32 {
        let (window, into) = (now.0.div_euclid(rate.window_ms()), now.0.rem_euclid(rate.window_ms()));
        let count = self.at(window);
        let left = (rate.window_ms() - into) as f64 / rate.window_ms() as f64;
        count.now.saturating_add((f64::from(count.before) * left) as u32)
    }

    /// Counts one.
    pub fn add(&mut self, rate: Rate, now: Millis) {
        *self = self.at(now.0.div_euclid(rate.window_ms()));
        self.now = self.now.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let (rate, mut count) = (Rate::per_secs(3, 300), Count::default());
        (0..3).for_each(|second| count.add(rate, Millis(3_000_000 + second * 1_000)));
        assert_eq!(count.used(rate, Millis(3_010_000)), 3);
        assert_eq!(count.used(rate, Millis(3_450_000)), 1);
        assert_eq!(count.used(rate, Millis(3_900_000)), 0);
    }
}
