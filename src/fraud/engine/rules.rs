//! The rule set: which rules there are, in which version and mode, with which parameters. JSON in and out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::accounts::Protection;
use crate::money::Micros;

crate::text_enum! {
    /// Whether a rule acts, only watches, or sleeps.
    pub enum RuleMode { Enforce = "enforce", Shadow = "shadow", Off = "off" }
}

/// One rule: what it is set to, and how it acts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule<P> {
    /// Goes up when the rule or its parameters change; decisions name it.
    pub version: u32,
    /// Whether it acts.
    pub mode: RuleMode,
    /// Its parameters.
    #[serde(default)]
    pub with: P,
}

/// `number.unverified`: codes that one number may have in a day without typing one, in all organizations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NumberCaps {
    /// For a number that never proved itself.
    pub unproven: u32,
    /// For one that did.
    pub proven: u32,
    /// Days until proof has faded.
    pub proven_days: u32,
    /// Sessions in a row without a verification that undo it.
    pub proven_misses: u8,
}

/// `destination.price`: an attack is likelier where it pays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prior {
    /// Log-odds of an attack before anything is known: -4.6 is 1 %.
    pub base: f64,
    /// Micros from which a price adds, by its logarithm.
    pub from: i64,
    /// The most that it adds.
    pub most: f64,
}

/// `prefix.conversion`: a sequential test of whether codes are typed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conversion {
    /// Share of codes typed under attack.
    pub attacked: f64,
    /// Share of codes typed by new users, before it is learned.
    pub usual: f64,
    /// The least and the most that it may be learned to be.
    pub learned: (f64, f64),
    /// How much of the proven users' share the new users' must reach in an outage.
    pub control: f64,
    /// The least and the most that the term may be.
    pub limits: (f64, f64),
    /// Verifications an organization must have reported before its silence says anything.
    pub reports: u32,
}

/// `prefix.sequence`: numbers next to each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sequence {
    /// What the evidence is multiplied by.
    pub weight: f64,
    /// The most that it may add.
    pub most: f64,
}

/// `prefix.volume`: many more than usual.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Volume {
    /// What the evidence is multiplied by.
    pub weight: f64,
    /// The most that it may add.
    pub most: f64,
}

/// `network.conversion`: the user's network or device.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// What the evidence is multiplied by.
    pub weight: f64,
    /// The most that it may add.
    pub most: f64,
}

/// `verify.shape`: verifications that a machine made are not believed. No parameters.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {}

/// `key.velocity`: the rates that the caller named. No parameters of its own.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Velocity {}

/// `prefix.hold`: how long a group is held, and what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Holding {
    /// Score from which a group is held.
    pub hold_at: f64,
    /// Score from which an attempt is challenged.
    pub challenge_at: f64,
    /// Log-odds that a range, a network or device, a country and a credential must have above a block.
    pub penalty: [f64; 4],
    /// Seconds of the first hold; doubled each time within a day.
    pub first_s: u32,
    /// Seconds of the longest.
    pub longest_s: u32,
    /// Seconds between probes while a hold stands.
    pub sentinel_s: u32,
    /// Seconds between probes when it is half open.
    pub probe_s: u32,
    /// Per mille of attempts that probe when it is half open.
    pub probe_permille: u32,
    /// Probes without an answer at any time.
    pub pending: u32,
    /// Verifications that end it.
    pub verified: u32,
    /// Per mille of challenged attempts that pass all the same, so that a doubt can resolve.
    pub explore_permille: u32,
}

macro_rules! defaults {
    ($($name:ident { $($field:ident: $value:expr),+ $(,)? })+) => {
        $(impl Default for $name { fn default() -> Self { $name { $($field: $value),+ } } })+
    };
}

defaults! {
    NumberCaps { unproven: 6, proven: 12, proven_days: 90, proven_misses: 5 }
    Prior { base: -4.6, from: 50_000, most: 1.0 }
    Conversion { attacked: 0.05, usual: 0.8, learned: (0.45, 0.9), control: 0.85, limits: (-1.5, 10.0), reports: 20 }
    Sequence { weight: 1.0, most: 3.0 }
    Volume { weight: 0.6, most: 2.5 }
    Network { weight: 0.8, most: 4.0 }
    Holding {
        hold_at: 2.2, challenge_at: 0.0, penalty: [0.4, 0.5, 2.0, 3.0], first_s: 900, longest_s: 43_200, sentinel_s: 1_800,
        probe_s: 300, probe_permille: 30, pending: 4, verified: 2,
        explore_permille: 60,
    }
}

/// Every rule of the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// `number.unverified`.
    pub number: Rule<NumberCaps>,
    /// `key.velocity`.
    pub velocity: Rule<Velocity>,
    /// `destination.price`.
    pub price: Rule<Prior>,
    /// `prefix.conversion`.
    pub conversion: Rule<Conversion>,
    /// `prefix.sequence`.
    pub sequence: Rule<Sequence>,
    /// `prefix.volume`.
    pub volume: Rule<Volume>,
    /// `network.conversion`.
    pub network: Rule<Network>,
    /// `verify.shape`.
    pub shape: Rule<Shape>,
    /// `prefix.hold`.
    pub hold: Rule<Holding>,
}

fn rule<P: Default>(mode: RuleMode) -> Rule<P> {
    Rule { version: 1, mode, with: P::default() }
}

impl Rules {
    /// The preset of a level.
    pub fn of(level: Protection) -> Rules {
        Rules::built_in().at(level)
    }

    /// The rules as they are before anybody changed them: everything acts.
    pub fn built_in() -> Rules {
        let mode = RuleMode::Enforce;
        Rules {
            number: rule(mode),
            velocity: rule(mode),
            price: rule(mode),
            conversion: rule(mode),
            sequence: rule(mode),
            volume: rule(mode),
            network: rule(mode),
            shape: rule(mode),
            hold: rule(mode),
        }
    }

    /// These rules at a level: `off` switches all off, `monitor` lets none act, `strict` acts sooner.
    pub fn at(&self, level: Protection) -> Rules {
        let mut rules = self.clone();
        match level {
            Protection::Off => rules.cap(RuleMode::Off),
            Protection::Monitor => rules.cap(RuleMode::Shadow),
            Protection::Standard => {}
            Protection::Strict => {
                rules.number.with.unproven = rules.number.with.unproven.saturating_sub(2).max(1);
                rules.hold.with.hold_at -= 1.0;
                rules.hold.with.challenge_at -= 0.8;
            }
        }
        rules
    }

    /// These rules for an organization whose usual traffic is not known yet: what judges by it only watches. What the
    /// caller asked for itself acts.
    pub fn learning(&self) -> Rules {
        let mut rules = self.clone();
        rules.cap(RuleMode::Shadow);
        rules.velocity.mode = self.velocity.mode;
        rules
    }

    /// Lets no rule do more than `most`.
    fn cap(&mut self, most: RuleMode) {
        let modes = [
            &mut self.number.mode,
            &mut self.velocity.mode,
            &mut self.price.mode,
            &mut self.conversion.mode,
            &mut self.sequence.mode,
            &mut self.volume.mode,
            &mut self.network.mode,
            &mut self.shape.mode,
            &mut self.hold.mode,
        ];
        modes.into_iter().for_each(|mode| *mode = most.max(*mode));
    }

    /// Reads a rule set, with a fault that names what is wrong.
    pub fn from_json(text: &str) -> Result<Rules, String> {
        let rules: Rules = serde_json::from_str(text).map_err(|fault| fault.to_string())?;
        let conversion = &rules.conversion.with;
        let share = |value: f64| value > 0.0 && value < 1.0;
        if !(share(conversion.attacked) && share(conversion.usual) && conversion.attacked < conversion.usual) {
            return Err(String::from(
                "conversion: attacked and usual are shares between 0 and 1, the first the smaller",
            ));
        }
        if !(conversion.learned.0 <= conversion.learned.1 && conversion.limits.0 <= conversion.limits.1) {
            return Err(String::from("conversion: learned and limits are pairs, the smaller first"));
        }
        let hold = &rules.hold.with;
        if hold.first_s == 0 || hold.longest_s < hold.first_s || hold.challenge_at > hold.hold_at {
            return Err(String::from(
                "hold: first_s is at least 1 and at most longest_s, challenge_at at most hold_at",
            ));
        }
        Ok(rules)
    }
}

impl Holding {
    /// The length of the hold after `before` others.
    pub fn length(&self, before: u32) -> Duration {
        let doubled = u64::from(self.first_s) << before.min(16);
        Duration::from_secs(doubled.min(u64::from(self.longest_s)))
    }
}

impl Prior {
    /// Log-odds of an attempt at this price.
    pub fn at(&self, price: Micros) -> f64 {
        let over = (price.0.max(1) as f64 / self.from.max(1) as f64).ln();
        self.base + over.clamp(0.0, self.most.max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_set_reads_back_what_it_writes() {
        for level in Protection::ALL {
            let rules = Rules::of(*level);
            let text = serde_json::to_string(&rules).unwrap();
            assert_eq!(Rules::from_json(&text), Ok(rules));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_name() {
        let mut rules = Rules::of(Protection::Standard);
        rules.conversion.with.attacked = 0.9;
        let fault = Rules::from_json(&serde_json::to_string(&rules).unwrap()).unwrap_err();
        assert!(fault.starts_with("conversion"), "{fault}");
        assert!(Rules::from_json("{\"number\":{}}").is_err());
    }

    #[test]
    fn holds_double_to_half_a_day() {
        let hold = Holding::default();
        let minutes: Vec<_> = (0..8).map(|before| hold.length(before).as_secs() / 60).collect();
        assert_eq!(minutes, [15, 30, 60, 120, 240, 480, 720, 720]);
    }
}
