//! The engine's memory, and how it learns from what happens.

use std::time::Duration;

use super::aging::Aging;
use super::baseline::Baseline;
use super::features::{Features, Key, Level, Node, Origin};
use super::group::Group;
use super::hold::{Hold, Plan};
use super::people::{Person, SESSION};
use super::rings::{Change, Rings};
use super::rules::Rules;
use super::velocity::Count;
use crate::clock::Millis;

/// What happens, in the order in which it happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An attempt was let through; with the hold that it probes.
    Accepted(Box<Features>, Option<Node>),
    /// A number typed its code.
    Verified {
        /// The organization.
        org: Key,
        /// The number.
        number: Key,
    },
    /// A carrier says whether a code arrived.
    Receipt {
        /// The organization.
        org: Key,
        /// The number.
        number: Key,
        /// Whether it did.
        delivered: bool,
    },
    /// What was noted as accepted at that moment was refused after all, with the request it was part of.
    Withdrawn(Box<Features>, Millis),
    /// A decision asked for a hold, and its attempt's place.
    Held(Plan, Origin),
    /// An operator releases a group, and with it what its attempts have in common with others near them.
    Released(Node, Origin),
}

/// One number's session with one organization: what to credit when it verifies. 112 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    origin: Origin,
    begun: Millis,
    // Its latest session, from which the time to verify is measured.
    session: Millis,
    proven: bool,
    verified: bool,
    lost: bool,
    // Counted in groups up to this one: a probe is its hold's alone.
    top: Level,
    // What its neighbours said, and the plan's size its gap would be usual in.
    chain: f64,
    usual_ln: Option<f64>,
}

/// How much the engine may remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Numbers, at about 450 bytes each with their units.
    pub numbers: usize,
    /// Groups, at about 650 bytes each.
    pub groups: usize,
}

impl Default for Room {
    /// A million numbers and 200,000 groups: 860 MB when both are full (measured), next to nothing when empty.
    fn default() -> Self {
        Room { numbers: 1_000_000, groups: 200_000 }
    }
}

/// A number whose neighbours say more than this is one of a sequence.
const CHAINED: f64 = 0.5;

const DAY: Duration = Duration::from_secs(86_400);

/// Everything the engine knows. A value: a clone is a world of its own.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) seed: u64,
    pub(super) groups: Aging<Node, Group>,
    pub(super) control: Aging<Node, Rings>,
    pub(super) baselines: Aging<Node, Baseline>,
    pub(super) units: Aging<(Key, Key), Unit>,
    pub(super) people: Aging<Key, Person>,
    pub(super) named: Aging<Key, Count>,
    pub(super) holds: Aging<Node, Hold>,
    pub(super) reports: Aging<Key, u32>,
}

impl State {
    /// Knows nothing. The seed decides which attempts probe a hold.
    pub fn new(seed: u64, room: Room) -> State {
        State {
            seed,
            groups: Aging::new(DAY, room.groups),
            control: Aging::new(DAY, room.groups / 4),
            baselines: Aging::new(60 * DAY, 20_000),
            units: Aging::new(DAY, room.numbers),
            people: Aging::new(90 * DAY, room.numbers),
            named: Aging::new(31 * DAY, room.numbers),
            holds: Aging::new(2 * DAY, 50_000),
            reports: Aging::new(90 * DAY, 50_000),
        }
    }

    /// The holds that stand at `now`, in the order of their nodes.
    pub fn holds(&self, now: Millis) -> Vec<Hold> {
        self.holds
            .sorted()
            .into_iter()
            .filter(|(_, hold, _)| hold.stands(now))
            .map(|(_, hold, _)| hold.clone())
            .collect()
    }

    /// How many groups and numbers are remembered.
    pub fn size(&self) -> (usize, usize) {
        (self.groups.len(), self.people.len())
    }

    /// The seed that decides which attempts probe a hold.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many verifications `org` has reported.
    pub fn reports_of(&self, org: Key) -> u32 {
        self.reports.get(&org).copied().unwrap_or(0)
    }

    /// The hold on `node`, standing or not.
    pub fn hold(&self, node: &Node) -> Option<&Hold> {
        self.holds.get(node)
    }

    /// Learns from `event`. Events must come in the order of their time.
    pub fn observe(&mut self, event: &Event, rules: &Rules, now: Millis) {
        match event {
            Event::Accepted(features, probe) => self.accepted(features, *probe, rules, now),
            Event::Verified { org, number } => self.verified(*org, *number, rules, now),
            Event::Receipt { org, number, delivered } => self.receipt(*org, *number, *delivered, now),
            Event::Withdrawn(features, at) => self.withdrawn(features, *at, now),
            Event::Held(plan, origin) => self.held(*plan, origin, now),
            Event::Released(node, origin) => self.released(*node, origin, now),
        }
    }

    fn accepted(&mut self, features: &Features, probe: Option<Node>, rules: &Rules, now: Millis) {
        let caps = &rules.number.with;
        for named in &features.named {
            self.named.touch(named.key, now, Count::default).add(named.rate, now);
        }
        let person = self.people.touch(features.number, now, Person::default);
        let proven = person.proven(features.proven_at, caps, now);
        // Where nobody would report a typed code, an untyped one says nothing.
        if features.reports {
            person.send(now);
        }
        if let Some(hold) = probe.and_then(|node| self.holds.get_mut(&node)) {
            hold.probe(now);
        }
        let key = (features.org, features.number);
        let again = if proven { SESSION } else { DAY };
        if let Some(unit) = self.units.get_mut(&key)
            && now.since(unit.begun) < again
            && !(unit.verified && now.since(unit.session) >= SESSION)
        {
            if now.since(unit.session) >= SESSION {
                unit.session = now;
            }
            return;
        }
        let origin = features.origin();
        let mut unit = Unit {
            origin,
            begun: now,
            session: now,
            proven,
            verified: false,
            lost: false,
            top: probe.map_or(Level::Credential, |node| node.level),
            chain: 0.0,
            usual_ln: None,
        };
        if proven {
            for node in [origin.range(), origin.country()] {
                let rings = self.control.touch(node, now, || Rings::at(now));
                rings.turn(now);
                rings.note(now, Change::Begun);
            }
        } else {
            self.begin(features, &mut unit, rules, now);
        }
        *self.units.touch(key, now, || unit) = unit;
    }

    /// A new unit of a number that never proved itself.
    fn begin(&mut self, features: &Features, unit: &mut Unit, rules: &Rules, now: Millis) {
        let country = unit.origin.country();
        let base = self.baselines.touch(country, now, || Baseline::new(features.plan_size()));
        base.learned.begin(now, &rules.conversion.with);
        let gap = base.neighbours.gap(features.digits);
        base.neighbours.add(features.digits);
        unit.chain = gap.map_or(0.0, |gap| gap.term);
        unit.usual_ln = gap.map(|gap| gap.usual_ln);
        for node in unit.origin.nodes().filter(|node| node.level <= unit.top) {
            let group = self.groups.touch(node, now, || Group::at(now));
            group.turn(now);
            group.rings.note(now, Change::Begun);
            match (node.level, gap) {
                (Level::Block4 | Level::Range, Some(gap)) => group.chained(gap.term),
                (Level::Network | Level::Device, _) => group.country(country.id),
                _ => {}
            }
        }
    }

    fn verified(&mut self, org: Key, number: Key, rules: &Rules, now: Millis) {
        self.people.touch(number, now, Person::default).verify(now);
        *self.reports.touch(org, now, || 0) += 1;
        let Some(unit) = self.units.get_mut(&(org, number)) else { return };
        if unit.verified {
            return;
        }
        unit.verified = true;
        let unit = *unit;
        let seconds = now.since(unit.session).as_secs_f64();
        let Some(base) = self.baselines.get_mut(&unit.origin.country()) else {
            return self.proved(&unit, now);
        };
        // A machine's haste must neither teach what is usual nor end a hold.
        let range = self.groups.get(&unit.origin.range());
        let believed = range.map_or(1.0, |group| base.curve.credit_of(seconds, group.times()));
        if believed > 0.7 {
            base.curve.learn(seconds);
        }
        if unit.proven {
            return self.proved(&unit, now);
        }
        if believed > 0.5 {
            base.learned.verify(unit.begun);
            if let Some(usual_ln) = unit.usual_ln {
                base.neighbours.learn(usual_ln);
            }
        }
        for node in unit.origin.nodes().filter(|node| node.level <= unit.top) {
            if let Some(group) = self.groups.get_mut(&node) {
                group.turn(now);
                if unit.lost {
                    group.rings.note(unit.begun, Change::Delivered);
                }
                group.verified(unit.begun, seconds);
                if unit.chain > CHAINED && believed > 0.5 {
                    group.chained(-2.7);
                }
            }
        }
        if believed > 0.5 {
            self.let_go(&unit, rules, now);
        }
    }

    fn proved(&mut self, unit: &Unit, now: Millis) {
        if !unit.proven {
            return;
        }
        for node in [unit.origin.range(), unit.origin.country()] {
            if let Some(rings) = self.control.get_mut(&node) {
                rings.turn(now);
                if unit.lost {
                    rings.note(unit.begun, Change::Delivered);
                }
                rings.note(unit.begun, Change::Verified);
            }
        }
    }

    /// Tells the holds around a verified unit; what ends is forgiven, with all that lies within.
    fn let_go(&mut self, unit: &Unit, rules: &Rules, now: Millis) {
        let mut ended = None;
        for node in unit.origin.nodes() {
            if let Some(hold) = self.holds.get_mut(&node)
                && hold.stands(now)
                && hold.verify(&rules.hold.with, now)
            {
                ended = Some(node.level);
            }
        }
        let Some(level) = ended else { return };
        for node in unit.origin.nodes().filter(|node| node.level <= level) {
            if let Some(group) = self.groups.get_mut(&node) {
                group.forgive();
            }
        }
    }

    fn receipt(&mut self, org: Key, number: Key, delivered: bool, now: Millis) {
        let Some(unit) = self.units.get_mut(&(org, number)) else { return };
        if unit.verified || unit.lost != delivered {
            return;
        }
        unit.lost = !delivered;
        let unit = *unit;
        let change = if delivered { Change::Delivered } else { Change::Undelivered };
        if unit.proven {
            for node in [unit.origin.range(), unit.origin.country()] {
                if let Some(rings) = self.control.get_mut(&node) {
                    rings.turn(now);
                    rings.note(unit.begun, change);
                }
            }
            return;
        }
        for node in unit.origin.nodes().filter(|node| node.level <= unit.top) {
            if let Some(group) = self.groups.get_mut(&node) {
                group.turn(now);
                group.rings.note(unit.begun, change);
            }
        }
    }

    fn withdrawn(&mut self, features: &Features, at: Millis, now: Millis) {
        let (org, number) = (features.org, features.number);
        if let Some(person) = self.people.get_mut(&number) {
            person.unsend(at);
        }
        let Some(unit) = self.units.get(&(org, number)).copied().filter(|unit| unit.begun == at) else { return };
        if let Some(base) = self.baselines.get_mut(&unit.origin.country()) {
            base.neighbours.take_back(features.digits);
        }
        let near = |node: &Node| matches!(node.level, Level::Block4 | Level::Range) && node.level <= unit.top;
        for node in unit.origin.nodes().filter(near) {
            if let Some(group) = self.groups.get_mut(&node) {
                group.chained(-unit.chain);
            }
        }
        self.receipt(org, number, false, now);
    }

    fn released(&mut self, node: Node, origin: &Origin, now: Millis) {
        if let Some(hold) = self.holds.get_mut(&node) {
            hold.release(now);
        }
        // Else the numbers beside would hold it again with the next attempt.
        for near in origin.nodes().filter(|near| near.level.is_prefix() || *near == node) {
            if let Some(group) = self.groups.get_mut(&near) {
                group.forgive();
            }
        }
    }

    /// A hold begins: what it explains no longer speaks against the groups around it.
    fn held(&mut self, plan: Plan, origin: &Origin, now: Millis) {
        *self.holds.touch(plan.node, now, || Hold::begin(plan, now)) = Hold::begin(plan, now);
        if !plan.node.level.is_prefix() && plan.node.level != Level::Country {
            return;
        }
        let Some(group) = self.groups.get_mut(&plan.node) else { return };
        group.turn(now);
        let explained = group.rings.clone();
        let around = |level: Level| level > plan.node.level && (level.is_prefix() || level.is_wide());
        for node in origin.nodes().filter(|node| around(node.level)) {
            if let Some(wider) = self.groups.get_mut(&node) {
                wider.turn(now);
                wider.rings.explain(&explained);
            }
        }
    }
}
