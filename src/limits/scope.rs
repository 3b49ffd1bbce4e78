//! One counted thing in memory: a key's ring, an organization's minute, an address.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::limits::period::Period;
use crate::limits::ring::Ring;
use crate::limits::wheel::Wheel;
use crate::limits::{Policy, Rate, Rule, ScopeKey, Shape, Verdict};

/// Where a rule counts. The burst tiers of a key share one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Slot {
    pub policy: Policy,
    pub shape: Shape,
    pub scope: ScopeKey,
}

/// The largest limit that is kept as timestamps: 10,000 of them are 128 KB a key. Above, counters do, which are never over.
const LARGEST_RING: u32 = 10_000;

/// The window of a meter that has no limit.
const UNLIMITED_DAY: Rate = Rate::per_secs(u32::MAX, 86_400);

impl Slot {
    /// The slot a rule counts in and the rate it is held to; `None` where it neither limits nor meters.
    pub fn of(rule: &Rule) -> Option<(Slot, Rate)> {
        let rate = match (rule.allowance.rate(), rule.shape) {
            (Some(rate), _) => rate,
            (None, Shape::UtcDay) => UNLIMITED_DAY,
            (None, _) => return None,
        };
        let shape = match rule.shape {
            Shape::Ring if rate.limit > LARGEST_RING => Shape::Bucketed,
            shape => shape,
        };
        let policy = match (rule.policy, shape) {
            (Policy::KeyBurstShort | Policy::KeyBurstMedium, Shape::Ring) => Policy::KeyBurstLong,
            (policy, _) => policy,
        };
        Some((Slot { policy, shape, scope: rule.scope }, rate))
    }
}

/// What is counted in a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scope {
    Ring(Ring),
    Period(Period),
    Wheel(Box<Wheel>),
}

/// What is known of a count that several nodes share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// How many are counted.
    pub used: u64,
    /// Until when, where that is the end of a period.
    pub until: Millis,
}

/// What a ring must be able to answer for: the largest limit and the longest window of its tiers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub most: u32,
    pub longest_ms: i64,
}

impl Scope {
    /// Nothing counted yet.
    pub fn new(shape: Shape, rate: Rate) -> Self {
        match shape {
            Shape::Ring => Scope::Ring(Ring::default()),
            Shape::Calendar | Shape::UtcDay => Scope::Period(Period::default()),
            Shape::Bucketed => Scope::Wheel(Box::new(Wheel::new(rate))),
        }
    }

    /// What `policy` says at `at`; `now` is the caller's own reading, from which it waits.
    pub fn verdict(&mut self, policy: Policy, rate: Rate, at: Millis, now: Millis) -> Verdict {
        match self {
            Scope::Ring(ring) => ring.verdict(policy, rate, at, now),
            Scope::Period(period) => period.verdict(policy, rate, at, now),
            Scope::Wheel(wheel) => wheel.verdict(policy, rate, at, now),
        }
    }

    /// Counts one at `at`.
    pub fn add(&mut self, rate: Rate, reach: Reach, at: Millis) {
        match self {
            Scope::Ring(ring) => ring.add(at, reach.most, reach.longest_ms),
            Scope::Period(period) => period.add(rate, at),
            Scope::Wheel(wheel) => wheel.add(rate, at),
        }
    }

    /// Follows what several nodes have counted together. A list of moments cannot: it notes those `taken` here.
    pub fn follow(&mut self, rate: Rate, reach: Reach, at: Millis, (known, taken): (Known, u64)) {
        match self {
            Scope::Ring(ring) => (0..taken).for_each(|_| ring.add(at, reach.most, reach.longest_ms)),
            Scope::Period(period) => period.follow(rate, known.used, known.until),
            Scope::Wheel(wheel) => wheel.follow(rate, at, known.used),
        }
    }

    /// What is counted at `at` over all nodes, as far as is known; nothing where only this node's own is.
    pub fn known(&mut self, rate: Rate, at: Millis) -> Known {
        let (used, until) = match self {
            Scope::Ring(_) => (0, at),
            Scope::Period(period) => period.known(rate, at),
            Scope::Wheel(wheel) => (wheel.turned_to(rate, at).held(), at),
        };
        Known { used, until }
    }

    /// Takes back one that was counted at `at`.
    pub fn refund(&mut self, at: Millis) {
        match self {
            Scope::Ring(ring) => ring.refund(at),
            Scope::Period(period) => period.refund(at),
            Scope::Wheel(wheel) => wheel.refund(at),
        }
    }

    /// The clock, which said `before`, went back.
    pub fn step_back(&mut self, back_ms: i64, before: Millis) {
        match self {
            Scope::Ring(ring) => ring.step_back(back_ms),
            Scope::Period(period) => period.step_back(back_ms, before),
            Scope::Wheel(wheel) => wheel.step_back(back_ms),
        }
    }

    /// Whether it counts nothing any more.
    pub fn is_idle(&self, at: Millis) -> bool {
        match self {
            Scope::Ring(ring) => ring.is_idle(at),
            Scope::Period(period) => period.is_idle(at),
            Scope::Wheel(wheel) => wheel.is_idle(at),
        }
    }

    /// Whether its window is longer than a minute.
    pub fn outlives_a_minute(&self) -> bool {
        match self {
            Scope::Ring(ring) => ring.outlives_a_minute(),
            Scope::Period(period) => period.outlives_a_minute(),
            Scope::Wheel(wheel) => wheel.outlives_a_minute(),
        }
    }

    /// Of two records of one scope the heavier is the later or the fuller.
    pub fn weight(&self) -> (i64, u64) {
        match self {
            Scope::Ring(ring) => (0, ring.len()),
            Scope::Period(period) => period.weight(),
            Scope::Wheel(wheel) => (0, wheel.held()),
        }
    }

    /// A scope read from outside, made consistent.
    pub fn mended(self) -> Self {
        match self {
            Scope::Ring(ring) => Scope::Ring(ring.mended()),
            Scope::Wheel(wheel) => Scope::Wheel(Box::new(wheel.mended())),
            period => period,
        }
    }
}

/// One scope as it is kept over a restart. Opaque: written and read as JSON by whoever stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedScope {
    pub(super) shard: String,
    #[serde(flatten)]
    pub(super) slot: Slot,
    pub(super) as_of_ms: i64,
    pub(super) counts: Scope,
}

impl Serialize for ScopeKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for ScopeKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(ScopeKey).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_as_small_as_the_documentation_says() {
        assert_eq!(std::mem::size_of::<(Slot, Scope)>(), 80);
    }

    #[test]
    fn the_burst_tiers_share_a_slot_and_a_huge_one_counts_apart() {
        let rule = |policy, limit| Rule::new(policy, ScopeKey(1), Rate::per_secs(limit, 60).into());
        let slot = |policy, limit| Slot::of(&rule(policy, limit)).map(|(slot, _)| slot);
        assert_eq!(slot(Policy::KeyBurstShort, 5), slot(Policy::KeyBurstLong, 100));
        assert_ne!(slot(Policy::KeyBurstShort, 5), slot(Policy::KeyBurstLong, 10_001));
        assert_ne!(slot(Policy::KeyMinute, 5), slot(Policy::OrgMinute, 5));
    }
}
