//! The sequential test on a group: log-odds that its codes go untyped, set against proven users of the same place and time.
//!
//! Under normal use a unit verifies with share p0, under attack with p1; by age `a` a share F(a) of those who will verify has.
//! A verified unit adds ln(p1/p0), a silent one ln((1 - p1 F) / (1 - p0 F)): Wald's sequential ratio with late answers.
//! Where the operator itself fails, proven users fall silent too; p0 follows them slot by slot and the evidence vanishes.

use super::curve::Curve;
use super::rings::{FINE, FIVE, HOUR, Rings, Slot};
use super::rules::Conversion;
use crate::clock::Millis;

/// What a verified and a silent unit add, per slot.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Weights {
    hit: f64,
    miss: f64,
}

/// The shares of proven users that verified, per slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    now: f64,
    five: [f64; FIVE],
    hour: [f64; HOUR],
}

/// Share of proven users who verify where none were seen.
const USUAL: f64 = 0.9;
/// How many units the wider control weighs.
const WEIGHT: f64 = 3.0;
/// How far p0 stays above p1, so that the logarithms stay finite and the sign right.
const APART: f64 = 0.02;

impl Default for Control {
    fn default() -> Self {
        Control { now: USUAL, five: [USUAL; FIVE], hour: [USUAL; HOUR] }
    }
}

impl Control {
    /// The control of a place, shrunk to that of the place around it.
    pub fn of(rings: &Rings, ages: &[f64; FINE], curve: &Curve, wider: &Control) -> Control {
        let young = rings.fine.iter().zip(ages).fold((0.0, 0.0), |(due, verified), (slot, age)| {
            if slot.begun == 0 {
                return (due, verified);
            }
            (due + f64::from(slot.begun) * curve.by(*age), verified + f64::from(slot.verified))
        });
        let share = |(due, verified): (f64, f64), wider: f64| ((verified + WEIGHT * wider) / (due + WEIGHT)).min(1.0);
        let around = |slots: &[Slot], place: usize, reach: usize| {
            let from = place.saturating_sub(reach);
            let near = slots.iter().skip(from).take(place + reach + 1 - from);
            near.fold((0.0, 0.0), |(due, verified), slot| {
                (due + f64::from(slot.begun), verified + f64::from(slot.verified))
            })
        };
        let plus = |(a, b): (f64, f64), (c, d): (f64, f64)| (a + c, b + d);
        let five = std::array::from_fn(|place| {
            let seen = around(&rings.five, place, 2);
            let seen = if place < 3 { plus(seen, young) } else { seen };
            share(seen, wider.five.get(place).copied().unwrap_or(USUAL))
        });
        let hour = std::array::from_fn(|place| {
            let seen = around(&rings.hour, place, 1);
            share(seen, wider.hour.get(place).copied().unwrap_or(USUAL))
        });
        let now = share(plus(around(&rings.five, 0, 4), young), wider.now);
        Control { now, five, hour }
    }
}

/// The weights of every slot in one place.
#[derive(Debug, Clone)]
pub struct Odds {
    fine: [Weights; FINE],
    five: [Weights; FIVE],
    hour: [Weights; HOUR],
}

impl Odds {
    /// Weights where new users verify with `share`, and no more than the control allows.
    pub fn new(share: f64, control: &Control, curve: &Curve, ages: &[f64; FINE], rule: &Conversion) -> Odds {
        let p1 = rule.attacked;
        let allowed = |seen: f64| share.min(rule.control * seen).max(p1 + APART);
        let full = |p0: f64| Weights { hit: (p1 / p0).ln(), miss: ((1.0 - p1) / (1.0 - p0)).ln() };
        let usual = full(share.max(p1 + APART));
        let slot = |seen: &f64| {
            let p0 = allowed(*seen);
            if p0 >= share { usual } else { full(p0) }
        };
        let p0 = allowed(control.now);
        let hit = (p1 / p0).ln();
        let fine = ages.map(|age| {
            let by = curve.by(age);
            Weights { hit, miss: ((1.0 - p1 * by) / (1.0 - p0 * by)).ln() }
        });
        Odds { fine, five: control.five.each_ref().map(slot), hour: control.hour.each_ref().map(slot) }
    }

    /// The evidence of a group: the greatest of its last ten minutes, hour and day; what speaks for it, of the last hour only.
    /// `credit` is the share of its verifications that are believed. A wide group is `patient`: only the hour and the day
    /// count, and silence of the last two minutes says nothing yet, so that a narrower group that explains it is found first.
    pub fn evidence(&self, rings: &Rings, credit: f64, patient: bool, rule: &Conversion) -> f64 {
        let sum = |slots: &[Slot], weights: &[Weights]| -> f64 {
            let seen = slots.iter().zip(weights).filter(|(slot, _)| slot.begun > 0);
            seen.map(|(slot, weight)| {
                f64::from(slot.verified) * credit * weight.hit + f64::from(slot.missing()) * weight.miss
            })
            .sum()
        };
        let fine = sum(&rings.fine, &self.fine);
        let fine = if patient { fine.min(0.0) } else { fine };
        let (recent, recent_weights) = rings.five.split_at(2.min(FIVE));
        let (first, rest) = self.five.split_at(2.min(FIVE));
        let short = fine + sum(recent, first);
        let hour = short + sum(recent_weights, rest);
        let day = hour + sum(&rings.hour, &self.hour).max(0.0);
        let short = if patient { hour } else { short };
        short.max(hour).max(day).clamp(rule.limits.0, rule.limits.1)
    }
}

/// How surprising `seen` units are where `usual` were expected, in log-odds (the rate function of Poisson).
pub fn surprise(seen: f64, usual: f64) -> f64 {
    if seen <= usual { 0.0 } else { seen * (seen / usual).ln() - (seen - usual) }
}

/// The moment's mean ages for the fine ring.
pub fn ages(now: Millis) -> [f64; FINE] {
    Rings::fine_ages(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::engine::rings::Change;

    const START: i64 = 1_790_000_000_000;

    fn evidence(units: &[(i64, bool)], control: &Control, after_s: i64) -> f64 {
        let now = Millis(START + after_s * 1_000);
        let mut rings = Rings::at(Millis(START));
        for (at, verified) in units {
            let at = Millis(START + at * 1_000);
            rings.turn(at);
            rings.note(at, Change::Begun);
            if *verified {
                rings.note(at, Change::Verified);
            }
        }
        rings.turn(now);
        let (curve, ages, rule) = (Curve::default(), ages(now), Conversion::default());
        Odds::new(0.8, control, &curve, &ages, &rule).evidence(&rings, 1.0, false, &rule)
    }

    #[test]
    fn five_silent_units_are_enough_and_fresh_ones_say_little() {
        let silent: Vec<_> = (0..5).map(|i| (i * 10, false)).collect();
        assert!(evidence(&silent, &Control::default(), 400) > 6.8);
        assert!(evidence(&[(0, false), (1, false), (2, false)], &Control::default(), 4) < 0.5);
        let good: Vec<_> = (0..20).map(|i| (i * 10, i % 5 != 0)).collect();
        assert!((evidence(&good, &Control::default(), 400) + 1.5).abs() < 1e-9);
    }

    #[test]
    fn where_proven_users_fail_too_silence_says_nothing() {
        let silent: Vec<_> = (0..20).map(|i| (i * 60, false)).collect();
        let mut rings = Rings::at(Millis(START));
        (0..20).for_each(|i| {
            let at = Millis(START + i * 60_000);
            rings.turn(at);
            rings.note(at, Change::Begun);
        });
        let now = Millis(START + 1_300_000);
        rings.turn(now);
        let outage = Control::of(&rings, &ages(now), &Curve::default(), &Control::default());
        assert!(evidence(&silent, &outage, 1_300) < 3.0);
        assert!(evidence(&silent, &Control::default(), 1_300) > 7.9);
    }

    #[test]
    fn only_more_than_usual_surprises() {
        assert!(surprise(3.0, 4.0) == 0.0 && surprise(20.0, 4.0) > 15.0);
    }
}
