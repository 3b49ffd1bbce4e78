//! What is usual for an organization in a country: how many of its new users type their code, how fast, and how its numbers lie.

use serde::{Deserialize, Serialize};

use super::curve::Curve;
use super::neighbours::Neighbours;
use super::rules::Conversion;
use crate::clock::Millis;

/// Units that began in one hour, and those that verified.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Cohort {
    hour: i64,
    begun: f64,
    verified: f64,
}

const HOUR_MS: i64 = 3_600_000;
/// How many units the belief before weighs.
const PRIOR_WEIGHT: f64 = 8.0;
/// More than these are forgotten in proportion.
const MOST: f64 = 400.0;
/// How far the share may move in a day: nobody teaches the engine in one night.
const DAILY: f64 = 0.2;
/// Evidence in an hour from which it teaches nothing.
const SUSPECT: f64 = 2.0;

/// One organization in one country.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// How fast people verify.
    pub curve: Curve,
    /// The last numbers.
    pub neighbours: Neighbours,
    /// What is learned, without the two above.
    pub learned: Learned,
}

/// Shares learned by hours.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Learned {
    begun: f64,
    verified: f64,
    now: Cohort,
    before: Cohort,
    day: i64,
    anchor: Option<f64>,
    /// Verifications reported, ever.
    pub reports: u32,
}

impl Baseline {
    /// Nothing learned yet, in a plan of about `plan` numbers.
    pub fn new(plan: f64) -> Self {
        Baseline { curve: Curve::default(), neighbours: Neighbours::new(plan), learned: Learned::default() }
    }
}

impl Learned {
    /// The share of new users who type their code.
    pub fn share(&self, rule: &Conversion) -> f64 {
        let mean = (self.verified + PRIOR_WEIGHT * rule.usual) / (self.begun + PRIOR_WEIGHT);
        let anchor = self.anchor.unwrap_or(rule.usual);
        let near = mean.clamp(anchor * (1.0 - DAILY), anchor * (1.0 + DAILY));
        near.clamp(rule.learned.0, rule.learned.1)
    }

    /// A new user's unit began.
    pub fn begin(&mut self, at: Millis, rule: &Conversion) {
        let hour = at.0.div_euclid(HOUR_MS);
        if hour > self.now.hour {
            self.fold(rule);
            self.before = std::mem::replace(&mut self.now, Cohort { hour, ..Cohort::default() });
            let day = hour / 24;
            if day > self.day {
                (self.day, self.anchor) = (day, Some(self.share(rule)));
            }
        }
        self.now.begun += 1.0;
    }

    /// A new user's unit, begun at `begun`, verified.
    pub fn verify(&mut self, begun: Millis) {
        let hour = begun.0.div_euclid(HOUR_MS);
        for cohort in [&mut self.now, &mut self.before] {
            if cohort.hour == hour {
                cohort.verified += 1.0;
            }
        }
    }

    /// Learns from the hour before the one that ends, unless it looks like an attack.
    fn fold(&mut self, rule: &Conversion) {
        let Cohort { begun, verified, .. } = self.before;
        let share = self.share(rule);
        let missing = (begun - verified).max(0.0);
        let evidence = missing * ((1.0 - rule.attacked) / (1.0 - share)).ln() + verified * (rule.attacked / share).ln();
        if begun < 1.0 || evidence > SUSPECT {
            return;
        }
        let keep = (MOST / (self.begun + begun)).min(1.0);
        self.begun = (self.begun + begun) * keep;
        self.verified = (self.verified + verified.min(begun)) * keep;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(learned: &mut Learned, days: i64, share: f64) {
        let rule = Conversion::default();
        for unit in 0..days * 24 * 10 {
            let at = Millis(1_790_000_000_000 + unit * HOUR_MS / 10);
            learned.begin(at, &rule);
            if (unit * 37 % 100) as f64 / 100.0 < share {
                learned.verify(at);
            }
        }
    }

    #[test]
    fn a_usual_share_is_learned_within_bounds() {
        let mut learned = Learned::default();
        days(&mut learned, 10, 0.62);
        let share = learned.share(&Conversion::default());
        assert!((0.55..0.7).contains(&share), "{share}");
    }

    #[test]
    fn hours_of_attack_teach_nothing() {
        let (mut learned, rule) = (Learned::default(), Conversion::default());
        for unit in 0..5_000 {
            learned.begin(Millis(1_790_000_000_000 + unit * 20_000), &rule);
        }
        assert!(learned.share(&rule) > 0.75);
    }
}
