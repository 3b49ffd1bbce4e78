//! All request-level scopes of one organization, decided together: every gate first, then all or none.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Millis;
use crate::limits::reading::Reading;
use crate::limits::scope::{Known, Reach, Scope, Slot};
use crate::limits::seeds::Seeds;
use crate::limits::{Rate, Rule, ScopeKey, Shape, View};

/// The scopes behind one lock, and the latest moment they have seen.
#[derive(Debug, Clone)]
pub(super) struct Shard {
    as_of: Millis,
    scopes: HashMap<Slot, Scope, Seeds>,
    next_sweep: Millis,
}

/// Scopes a shard may hold, about 40 MB of addresses. Beyond it, newcomers of a policy share one scope: closed, not open.
const MOST_SCOPES: usize = 262_144;

/// The scope that newcomers share in a full shard.
const CROWD: ScopeKey = ScopeKey(u128::MAX);

/// A full shard looks for idle scopes no more often than this.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl Shard {
    /// An empty shard that starts at `now`.
    pub fn new(seeds: Seeds, now: Millis) -> Self {
        Shard { as_of: now, scopes: HashMap::with_hasher(seeds), next_sweep: now }
    }

    /// Asks every rule; counts the request in all of them if all pass, and in meters whose own gate is open in any case.
    pub fn take(&mut self, rules: &[Rule], now: Millis) -> View {
        let at = self.turn_to(now);
        let mut view = View::new();
        for rule in rules {
            let Some((slot, rate)) = Slot::of(rule) else { continue };
            let slot = self.room_for(slot);
            let scope = self.scopes.entry(slot).or_insert_with(|| Scope::new(slot.shape, rate));
            let verdict = scope.verdict(rule.policy, rate, at, now);
            if rule.allowance.rate().is_some() {
                view.push(verdict);
            }
        }
        self.count(rules, &mut view, at);
        view
    }

    /// Asks every rule and takes nothing.
    pub fn peek(&mut self, rules: &[Rule], now: Millis) -> View {
        let at = self.turn_to(now);
        let mut view = View::new();
        for rule in rules {
            let (Some((slot, rate)), Some(_)) = (Slot::of(rule), rule.allowance.rate()) else { continue };
            let slot = self.room_for(slot);
            view.push(match self.scopes.get_mut(&slot) {
                Some(scope) => scope.verdict(rule.policy, rate, at, now),
                None => Scope::new(slot.shape, rate).verdict(rule.policy, rate, at, now),
            });
        }
        view
    }

    /// Follows what several nodes have counted together: of each rule what is used, and how many requests this node took.
    pub fn follow(&mut self, rules: &[Rule], known: &[Known], taken: u64, now: Millis) {
        let at = self.turn_to(now);
        for (place, (rule, known)) in rules.iter().zip(known).enumerate() {
            let Some((slot, rate)) = Slot::of(rule).filter(|(slot, _)| first_in_slot(rules, place, *slot)) else {
                continue;
            };
            let slot = self.room_for(slot);
            let scope = self.scopes.entry(slot).or_insert_with(|| Scope::new(slot.shape, rate));
            scope.follow(rate, reach(rules, slot, rate), at, (*known, taken));
        }
    }

    /// What is known of each rule's count over all nodes.
    pub fn known(&mut self, rules: &[Rule], now: Millis) -> Vec<Known> {
        let at = self.turn_to(now);
        let mut known = |rule: &Rule| {
            let (slot, rate) = Slot::of(rule)?;
            Some(self.scopes.get_mut(&slot)?.known(rate, at))
        };
        rules.iter().map(|rule| known(rule).unwrap_or(Known { used: 0, until: at })).collect()
    }

    /// What the counters of a rule hold, with its age; nothing where it counts otherwise.
    pub fn ages(&mut self, rule: &Rule, now: Millis) -> Vec<(u64, u32)> {
        let at = self.turn_to(now);
        match Slot::of(rule).and_then(|(slot, rate)| Some((self.scopes.get_mut(&slot)?, rate))) {
            Some((Scope::Wheel(wheel), rate)) => wheel.ages(rate, at),
            _ => Vec::new(),
        }
    }

    /// Takes back a request that `take` counted at `taken_at`.
    pub fn refund(&mut self, rules: &[Rule], taken_at: Millis) {
        for (place, rule) in rules.iter().enumerate() {
            let Some((slot, _)) = Slot::of(rule).filter(|(slot, _)| first_in_slot(rules, place, *slot)) else {
                continue;
            };
            let slot = self.room_for(slot);
            if let Some(scope) = self.scopes.get_mut(&slot) {
                scope.refund(taken_at);
            }
        }
    }

    /// Drops what counts nothing any more.
    pub fn sweep(&mut self, now: Millis) {
        let at = self.turn_to(now);
        self.drop_idle(at);
        if self.scopes.len() < self.scopes.capacity() / 4 {
            self.scopes.shrink_to(self.scopes.len() * 2);
        }
    }

    /// How many scopes are held.
    pub fn len(&self) -> usize {
        self.scopes.len()
    }

    /// The latest moment seen.
    pub fn as_of(&self) -> Millis {
        self.as_of
    }

    /// The scopes whose window is longer than a minute and that count something.
    pub fn lasting(&self) -> impl Iterator<Item = (&Slot, &Scope)> {
        self.scopes.iter().filter(|(_, scope)| scope.outlives_a_minute() && !scope.is_idle(self.as_of))
    }

    /// Puts back a saved scope; of several records of one scope, or one counted since, the heavier stays.
    pub fn put_back(&mut self, slot: Slot, scope: Scope, as_of: Millis) {
        self.as_of = self.as_of.max(as_of);
        let kept = self.scopes.entry(slot).or_insert_with(|| scope.clone());
        if scope.weight() > kept.weight() {
            *kept = scope;
        }
    }

    fn count(&mut self, rules: &[Rule], view: &mut View, at: Millis) {
        let denied = view.denied();
        let counts = |rule: &Rule, view: &View| {
            let gate_open = || view.find(rule.policy).is_none_or(|verdict| !verdict.denied());
            !denied || (rule.shape == Shape::UtcDay && gate_open())
        };
        for (place, rule) in rules.iter().enumerate().filter(|(_, rule)| counts(rule, view)) {
            let Some((slot, rate)) = Slot::of(rule).filter(|(slot, _)| first_in_slot(rules, place, *slot)) else {
                continue;
            };
            let slot = self.room_for(slot);
            let scope = self.scopes.entry(slot).or_insert_with(|| Scope::new(slot.shape, rate));
            scope.add(rate, reach(rules, slot, rate), at);
        }
        let metered = |policy| rules.iter().any(|rule| rule.policy == policy && rule.shape == Shape::UtcDay);
        view.mark_taken(at, |verdict| !denied || (metered(verdict.policy) && !verdict.denied()));
    }

    fn room_for(&mut self, slot: Slot) -> Slot {
        if self.scopes.len() < MOST_SCOPES || self.scopes.contains_key(&slot) {
            return slot;
        }
        if self.as_of >= self.next_sweep {
            self.drop_idle(self.as_of);
            self.next_sweep = self.as_of.plus(SWEEP_EVERY);
        }
        if self.scopes.len() < MOST_SCOPES { slot } else { Slot { scope: CROWD, ..slot } }
    }

    fn drop_idle(&mut self, at: Millis) {
        self.scopes.retain(|_, scope| !scope.is_idle(at));
    }

    /// The moment to decide by, after the scopes followed a clock that was set back.
    fn turn_to(&mut self, now: Millis) -> Millis {
        let reading = Reading::of(now, self.as_of);
        if reading.back_ms > 0 {
            for scope in self.scopes.values_mut() {
                scope.step_back(reading.back_ms, self.as_of);
            }
            self.next_sweep = reading.at;
        }
        self.as_of = reading.at;
        reading.at
    }
}

/// Whether no earlier rule counts in the same slot: a request is one timestamp, however many tiers look at it.
fn first_in_slot(rules: &[Rule], place: usize, slot: Slot) -> bool {
    !rules.iter().take(place).filter_map(Slot::of).any(|(earlier, _)| earlier == slot)
}

fn reach(rules: &[Rule], slot: Slot, rate: Rate) -> Reach {
    let own = Reach { most: rate.limit, longest_ms: rate.window_ms() };
    let tiers = rules.iter().filter_map(Slot::of).filter(|(other, _)| *other == slot);
    tiers.fold(own, |reach, (_, tier)| Reach {
        most: reach.most.max(tier.limit),
        longest_ms: reach.longest_ms.max(tier.window_ms()),
    })
}
