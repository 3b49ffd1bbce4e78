//! The spend guard: what may be spent in an hour and in a day. Not a guess about traffic: the bound on what any attack can cost.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::money::Micros;

/// What may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// In one hour of UTC.
    pub hour: Micros,
    /// In one day of UTC.
    pub day: Micros,
}

/// What was spent. The caller keeps one per organization and country, in the transaction that accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Budget {
    hour: i64,
    day: i64,
    in_hour: i64,
    in_day: i64,
}

/// Why nothing more may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// The cap that is reached.
    pub cap: Micros,
    /// What was spent of it.
    pub spent: Micros,
    /// The cap's window, seconds.
    pub window_s: u64,
    /// When it begins anew.
    pub until: Millis,
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

impl Budget {
    /// Spends `price`, or says which cap it would pass: never more than a cap, to the micro.
    pub fn spend(&mut self, price: Micros, caps: &Caps, now: Millis) -> Result<(), Exhausted> {
        let at = self.at(now);
        let (Some(in_hour), Some(in_day)) = (at.in_hour.checked_add(price.0), at.in_day.checked_add(price.0)) else {
            return Err(at.exhausted(caps.day, at.in_day, DAY_MS, now));
        };
        if in_day > caps.day.0 {
            return Err(at.exhausted(caps.day, at.in_day, DAY_MS, now));
        }
        if in_hour > caps.hour.0 {
            return Err(at.exhausted(caps.hour, at.in_hour, HOUR_MS, now));
        }
        *self = Budget { in_hour, in_day, ..at };
        Ok(())
    }

    /// Gives back what was spent for nothing, where its window still runs.
    pub fn refund(&mut self, price: Micros, spent_at: Millis, now: Millis) {
        let mut at = self.at(now);
        if spent_at.0.div_euclid(DAY_MS) == at.day {
            at.in_day = at.in_day.saturating_sub(price.0).max(0);
        }
        if spent_at.0.div_euclid(HOUR_MS) == at.hour {
            at.in_hour = at.in_hour.saturating_sub(price.0).max(0);
        }
        *self = at;
    }

    fn at(self, now: Millis) -> Budget {
        let (hour, day) = (now.0.div_euclid(HOUR_MS), now.0.div_euclid(DAY_MS));
        Budget {
            hour,
            day,
            in_hour: if hour == self.hour { self.in_hour } else { 0 },
            in_day: if day == self.day { self.in_day } else { 0 },
        }
    }

    fn exhausted(&self, cap: Micros, spent: i64, window_ms: i64, now: Millis) -> Exhausted {
        let until = Millis((now.0.div_euclid(window_ms) + 1) * window_ms);
        Exhausted { cap, spent: Micros(spent), window_s: window_ms.unsigned_abs() / 1_000, until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: Caps = Caps { hour: Micros(100), day: Micros(250) };

    #[test]
    fn a_cap_is_reached_to_the_micro_and_never_passed() {
        let (mut budget, mut spent) = (Budget::default(), 0);
        for minute in 0..(24 * 60) {
            let now = Millis(86_400_000 * 20_000 + minute * 60_000);
            if budget.spend(Micros(7), &CAPS, now).is_ok() {
                spent += 7;
            }
        }
        assert_eq!(spent, 245);
        let first = budget.spend(Micros(7), &CAPS, Millis(86_400_000 * 20_000 + 86_399_999)).unwrap_err();
        assert_eq!((first.window_s, first.until), (86_400, Millis(86_400_000 * 20_001)));
        assert!(budget.spend(Micros(i64::MAX), &CAPS, Millis(86_400_000 * 20_001)).is_err());
        assert!(budget.spend(Micros(100), &CAPS, Millis(86_400_000 * 20_001)).is_ok());
    }

    #[test]
    fn what_was_spent_for_nothing_comes_back() {
        let (mut budget, now) = (Budget::default(), Millis(86_400_000 * 20_000));
        budget.spend(Micros(100), &CAPS, now).unwrap();
        budget.refund(Micros(100), now, now);
        assert!(budget.spend(Micros(100), &CAPS, now).is_ok());
    }
}
