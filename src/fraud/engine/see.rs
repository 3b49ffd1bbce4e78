//! What a decision sees of the state: a value that is kept with the decision, so that it can be computed again.

use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::curve::Curve;
use super::features::{Features, Level, Node};
use super::group::Group;
use super::hold::{Plan, Standing, draw};
use super::odds::{Control, Odds, ages, surprise};
use super::people::Person;
use super::rings::{FINE, Rings};
use super::rules::{RuleMode, Rules};
use super::state::State;
use crate::clock::Millis;

/// Log-odds in thousandths: whole, so that they are stored, compared and hashed alike everywhere.
pub type Milli = i32;

/// What a group shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSeen {
    /// The group.
    pub node: Node,
    /// Its units of the last hour.
    pub begun: u32,
    /// Those that verified.
    pub verified: u32,
    /// Units of the last ten minutes.
    pub recent: u32,
    /// How much of its verifications is believed, per mille.
    pub credit: u16,
    /// `prefix.conversion`.
    pub conversion: Milli,
    /// `prefix.sequence`.
    pub sequence: Milli,
    /// `prefix.volume`.
    pub volume: Milli,
    /// Holds of this group in the last day.
    pub held: u32,
}

/// A hold in the attempt's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldSeen {
    /// The group.
    pub node: Node,
    /// When it passes again; none for an attempt that passes as a probe.
    pub until: Option<Millis>,
    /// The hold that follows, where the probes failed.
    pub again: Option<Plan>,
}

/// A caller's key at its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSeen {
    /// Attempts in the window.
    pub used: u32,
    /// How many may be.
    pub limit: u32,
    /// The window, seconds.
    pub window_s: u64,
}

/// All that a decision saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Whether the number is proven.
    pub proven: bool,
    /// Its codes of the last day that nobody typed.
    pub unanswered: u32,
    /// When the oldest of them is a day old.
    pub unanswered_until: Millis,
    /// The first of the caller's keys that is at its limit.
    pub named: Option<NamedSeen>,
    /// The narrowest hold.
    pub hold: Option<HoldSeen>,
    /// Whether it passes where others are challenged, so that a doubt can resolve.
    pub explores: bool,
    /// `destination.price`, with the odds before anything is known.
    pub price: Milli,
    /// `network.conversion`.
    pub network: Milli,
    /// The groups, narrowest first; none for a proven number or where a hold has answered.
    pub groups: Vec<GroupSeen>,
}

fn milli(value: f64) -> Milli {
    (value * 1_000.0).round() as Milli
}

/// Units of ten seconds, and of ten minutes, that surprise no one anywhere.
const CALM: (f64, f64) = (4.0, 10.0);
/// Tens of seconds in a day.
const TENS: f64 = 8_640.0;
/// Countries that one user's network may well write to.
const HOMES: u32 = 2;

/// What the rules need to know about one attempt.
pub fn see(state: &State, features: &Features, rules: &Rules, now: Millis) -> Seen {
    let unknown = Person::default();
    let person = state.people.get(&features.number).unwrap_or(&unknown);
    let unanswered = if features.reports { person } else { &unknown }.unanswered(now);
    let proven = person.proven(features.proven_at, &rules.number.with, now);
    let named = features.named.iter().find_map(|named| {
        let used = state.named.get(&named.key)?.used(named.rate, now);
        let seen = NamedSeen { used, limit: named.rate.limit, window_s: named.rate.window.as_secs() };
        (used >= named.rate.limit).then_some(seen)
    });
    let mut seen = Seen {
        proven,
        unanswered: unanswered.count,
        unanswered_until: unanswered.until,
        named,
        hold: None,
        explores: draw(features.number, state.seed, now) % 1_000 < u64::from(rules.hold.with.explore_permille),
        price: 0,
        network: 0,
        groups: Vec::new(),
    };
    if !proven {
        seen.hold = standing(state, features, rules, now);
        if seen.hold.is_none() {
            Sight::new(state, features, rules, now).groups(&mut seen);
        }
    }
    seen
}

/// The narrowest hold in the attempt's way.
fn standing(state: &State, features: &Features, rules: &Rules, now: Millis) -> Option<HoldSeen> {
    if rules.hold.mode == RuleMode::Off {
        return None;
    }
    features.origin().nodes().find_map(|node| {
        match state.holds.get(&node)?.meet(features.number, state.seed, &rules.hold.with, now) {
            Standing::Over => None,
            Standing::Closed(until) => Some(HoldSeen { node, until: Some(until), again: None }),
            Standing::Probe => Some(HoldSeen { node, until: None, again: None }),
            Standing::Again(plan) => Some(HoldSeen { node, until: Some(plan.until), again: Some(plan) }),
        }
    })
}

/// What the groups of one attempt have in common.
struct Sight<'a> {
    state: &'a State,
    features: &'a Features,
    rules: &'a Rules,
    now: Millis,
    curve: Curve,
    odds: Option<(Odds, Odds)>,
}

impl<'a> Sight<'a> {
    fn new(state: &'a State, features: &'a Features, rules: &'a Rules, now: Millis) -> Sight<'a> {
        let base = state.baselines.get(&features.origin().country());
        let curve = base.map_or_else(Curve::default, |base| base.curve.clone());
        let share = base.map_or(rules.conversion.with.usual, |base| base.learned.share(&rules.conversion.with));
        let sight = Sight { state, features, rules, now, curve, odds: None };
        let speaks = sight.reported() && rules.conversion.mode != RuleMode::Off;
        Sight { odds: speaks.then(|| sight.odds(share)), ..sight }
    }

    /// What verified and silent units say, near the number and in its country.
    fn odds(&self, share: f64) -> (Odds, Odds) {
        let (origin, rule, ages) = (self.features.origin(), &self.rules.conversion.with, ages(self.now));
        let control =
            |node: Node, wider: &Control| Self::control(self.state, node, wider, &self.curve, &ages, self.now);
        let country = control(origin.country(), &Control::default());
        let range = control(origin.range(), &country);
        let of = |control: &Control| Odds::new(share, control, &self.curve, &ages, rule);
        (of(&range), of(&country))
    }

    fn control(state: &State, node: Node, wider: &Control, curve: &Curve, ages: &[f64; FINE], now: Millis) -> Control {
        let Some(rings) = state.control.get(&node) else { return wider.clone() };
        let mut rings: Rings = rings.clone();
        rings.turn(now);
        Control::of(&rings, ages, curve, wider)
    }

    fn groups(&self, seen: &mut Seen) {
        seen.price = milli(self.rules.price.with.at(self.features.price));
        for node in self.features.origin().nodes() {
            let Some(group) = self.state.groups.get(&node) else { continue };
            let mut group = group.clone();
            group.turn(self.now);
            let found = self.group(node, &group);
            if matches!(node.level, Level::Network | Level::Device) {
                seen.network = seen.network.max(self.network(&group, &found));
                if found.conversion < 0 && seen.network <= 0 {
                    seen.network = found.conversion;
                }
            }
            seen.groups.push(found);
        }
    }

    /// Whether the organization reports verifications at all: else silence says nothing.
    fn reported(&self) -> bool {
        self.features.reports && self.state.reports_of(self.features.org) >= self.rules.conversion.with.reports
    }

    fn group(&self, node: Node, group: &Group) -> GroupSeen {
        let believes = self.rules.shape.mode == RuleMode::Enforce;
        let credit = if believes { self.curve.credit(group.times()) } else { 1.0 };
        let wide = node.level.is_wide();
        let odds = self.odds.as_ref().map(|(near, far)| if node.level.is_prefix() { near } else { far });
        let evidence = |odds: &Odds| odds.evidence(&group.rings, credit, wide, &self.rules.conversion.with);
        let conversion = odds.map_or(0.0, evidence);
        let (sequence, volume) = (&self.rules.sequence.with, &self.rules.volume.with);
        let chain = if node.level.is_prefix() { group.chain(self.now) * sequence.weight } else { 0.0 };
        let (hour, ten) = (group.rings.last_hour(), group.rings.ten_minutes());
        let usual = f64::from(group.rings.day().begun) / TENS;
        let seconds = group.rings.fine.iter().take(2).map(|slot| f64::from(slot.begun)).sum::<f64>();
        let burst = surprise(seconds, usual * 1.5 + CALM.0).max(surprise(f64::from(ten.begun), usual * 60.0 + CALM.1));
        GroupSeen {
            node,
            begun: hour.begun,
            verified: hour.verified,
            recent: ten.begun,
            credit: (credit * 1_000.0) as u16,
            conversion: milli(conversion),
            sequence: milli(chain.clamp(0.0, sequence.most)),
            volume: if wide { 0 } else { milli((burst * volume.weight).min(volume.most)) },
            held: self.state.holds.get(&node).map_or(0, |hold| hold.repetitions(self.now)),
        }
    }

    /// What the user's network adds to every group of the attempt.
    fn network(&self, group: &Group, seen: &GroupSeen) -> Milli {
        let rule = &self.rules.network.with;
        let strangers = if seen.verified == 0 { group.countries().saturating_sub(HOMES) } else { 0 };
        milli((f64::from(seen.conversion) / 1_000.0 * rule.weight + f64::from(strangers)).min(rule.most))
    }
}

/// What is usual for a country, for the console: the learned share of new users who type their code.
pub fn usual_share(state: &State, node: &Node, rules: &Rules) -> Option<f64> {
    state.baselines.get(node).map(|base: &Baseline| base.learned.share(&rules.conversion.with))
}
