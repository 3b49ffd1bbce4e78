//! Holds: a group that is refused for a while, watched by probes, and let go when people verify again.

use serde::{Deserialize, Serialize};

use super::features::{Key, Node};
use super::rules::Holding;
use crate::clock::Millis;

/// A hold that a decision asks for; [`super::Event::Held`] makes it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The group.
    pub node: Node,
    /// When it is half open.
    pub until: Millis,
    /// Holds of this group before, within a day.
    pub before: u32,
    /// Codes out in the group that nobody typed yet: a third of them verifying ends the hold early.
    pub waiting: u32,
}

/// How a hold treats an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has ended.
    Over,
    /// The attempt is refused until then.
    Closed(Millis),
    /// The attempt passes, to see whether somebody verifies.
    Probe,
    /// The probes failed: it is held again.
    Again(Plan),
}

/// A hold and its probes: 80 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    plan: Plan,
    since: Millis,
    last_probe: Millis,
    // Since it was last closed.
    probes: u32,
    verified: u32,
    ended: Option<Millis>,
}

/// Within this time a new hold of the same group is a repetition.
const REPEATS_MS: i64 = 86_400_000;
/// A probe that old without a verification has failed.
const RIPE_MS: i64 = 120_000;
/// A hold that saw no attempt for so long after its end is over.
const IDLE_MS: i64 = 6 * 3_600_000;

impl Hold {
    /// A hold from `now` on.
    pub fn begin(plan: Plan, now: Millis) -> Hold {
        Hold { plan, since: now, last_probe: now, probes: 0, verified: 0, ended: None }
    }

    /// What is held, until when, and how often before.
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// When it began.
    pub fn since(&self) -> Millis {
        self.since
    }

    /// Whether it still stands at `now`.
    pub fn stands(&self, now: Millis) -> bool {
        self.ended.is_none() && now.0 < self.plan.until.0.saturating_add(IDLE_MS)
    }

    /// How often the group was held in the day before `now`.
    pub fn repetitions(&self, now: Millis) -> u32 {
        let last = self.ended.unwrap_or(self.plan.until);
        if now.0 - last.0 < REPEATS_MS { self.plan.before + 1 } else { 0 }
    }

    /// What it does with an attempt on `number`. The draw is a hash of seed, number and time, so that a replay draws alike.
    pub fn meet(&self, number: Key, seed: u64, rule: &Holding, now: Millis) -> Standing {
        if !self.stands(now) {
            return Standing::Over;
        }
        let waited = now.since(self.last_probe).as_secs();
        if now < self.plan.until {
            let probe = waited >= u64::from(rule.sentinel_s);
            return if probe { Standing::Probe } else { Standing::Closed(self.plan.until) };
        }
        let ripe = now.0 - self.last_probe.0 > RIPE_MS;
        if self.probes >= rule.pending && ripe && self.verified < rule.verified {
            let before = self.plan.before + 1;
            let until = now.plus(rule.length(before));
            return Standing::Again(Plan { until, before, waiting: 0, ..self.plan });
        }
        let drawn = draw(number, seed, now) % 1_000 < u64::from(rule.probe_permille);
        let may = self.probes < rule.pending;
        if may && (drawn || waited >= u64::from(rule.probe_s)) {
            return Standing::Probe;
        }
        Standing::Closed(now.plus(std::time::Duration::from_secs(u64::from(rule.probe_s))))
    }

    /// A probe was sent.
    pub fn probe(&mut self, now: Millis) {
        (self.probes, self.last_probe) = (self.probes.saturating_add(1), now);
    }

    /// A believed verification in the group; true where it ends the hold.
    pub fn verify(&mut self, rule: &Holding, now: Millis) -> bool {
        self.verified = self.verified.saturating_add(1);
        let enough = self.verified >= rule.verified.max(self.plan.waiting / 3);
        if enough && self.stands(now) {
            self.ended = Some(now);
        }
        self.ended == Some(now)
    }

    /// Ended by hand.
    pub fn release(&mut self, now: Millis) {
        self.ended.get_or_insert(now);
    }
}

/// SplitMix64 (Steele et al. 2014) over what makes this draw its own.
pub fn draw(number: Key, seed: u64, now: Millis) -> u64 {
    super::rng::mix(seed ^ number.0.rotate_left(17) ^ now.0.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::engine::Level;

    const NOW: Millis = Millis(1_790_000_000_000);

    fn held() -> Hold {
        let node = Node { org: Key(1), level: Level::Block4, id: 3_712_012 };
        let until = NOW.plus(Holding::default().length(0));
        Hold::begin(Plan { node, until, before: 0, waiting: 0 }, NOW)
    }

    fn after(seconds: i64) -> Millis {
        Millis(NOW.0 + seconds * 1_000)
    }

    #[test]
    fn closed_then_half_open_then_closed_for_twice_as_long() {
        let (mut hold, rule) = (held(), Holding::default());
        assert_eq!(hold.meet(Key(9), 1, &rule, after(10)), Standing::Closed(after(900)));
        for probe in 0..4 {
            let at = after(900 + probe * 301);
            assert_eq!(hold.meet(Key(9), 1, &rule, at), Standing::Probe, "{probe}");
            hold.probe(at);
        }
        assert!(matches!(hold.meet(Key(9), 1, &rule, after(1_810)), Standing::Closed(_)));
        let Standing::Again(plan) = hold.meet(Key(9), 1, &rule, after(2_000)) else { panic!("held again") };
        assert_eq!((plan.before, plan.until), (1, after(2_000 + 1_800)));
    }

    #[test]
    fn two_verified_probes_end_it_and_a_day_later_it_is_forgotten() {
        let (mut hold, rule) = (held(), Holding::default());
        hold.probe(after(901));
        assert!(!hold.verify(&rule, after(930)));
        assert!(hold.verify(&rule, after(1_250)));
        assert_eq!(hold.meet(Key(9), 1, &rule, after(1_300)), Standing::Over);
        assert_eq!((hold.repetitions(after(5_000)), hold.repetitions(after(100_000))), (1, 0));
    }

    #[test]
    fn nobody_asking_for_hours_ends_it_too() {
        assert!(!held().stands(after(900 + 6 * 3_600)));
    }
}
