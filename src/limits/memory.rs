//! `Limits`: the request-level limiter of one node.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use crate::clock::Millis;
use crate::limits::scope::Known;
use crate::limits::seeds::Seeds;
use crate::limits::shard::Shard;
use crate::limits::{Rule, SavedScope, View};

/// Counts requests in memory: one shard with one lock for each organization, so that a decision over all its scopes is one
/// step. What is here survives neither a crash nor a second node; money and codes are guarded in SQL.
#[derive(Debug)]
pub struct Limits {
    stripes: [RwLock<Stripe>; STRIPES],
    seeds: Seeds,
}

type Stripe = HashMap<Box<str>, Mutex<Shard>, Seeds>;

/// Tables the shards are spread over, so that a new organization does not hold up the others.
const STRIPES: usize = 16;

impl Limits {
    /// A limiter that has counted nothing.
    pub fn new() -> Self {
        let seeds = Seeds::new();
        Limits { stripes: std::array::from_fn(|_| RwLock::new(Stripe::with_hasher(seeds))), seeds }
    }

    /// Asks all `rules` of `shard` (an organization's id, or `ip`) and counts the request in all of them or, if one refuses, in
    /// none but the meters (`Shape::UtcDay`), which count whatever the others say. Does not allocate once the scopes exist.
    pub fn take(&self, shard: &str, rules: &[Rule], now: Millis) -> View {
        self.with(shard, now, |shard| shard.take(rules, now))
    }

    /// What `take` would say; takes nothing.
    pub fn peek(&self, shard: &str, rules: &[Rule], now: Millis) -> View {
        match read(self.stripe(shard)).get(shard) {
            Some(known) => lock(known).peek(rules, now),
            None => Shard::new(self.seeds, now).peek(rules, now),
        }
    }

    /// Takes back a request that `take` counted at `taken_at` under the same rules.
    pub fn refund(&self, shard: &str, rules: &[Rule], taken_at: Millis) {
        if let Some(known) = read(self.stripe(shard)).get(shard) {
            lock(known).refund(rules, taken_at);
        }
    }

    /// Follows what several nodes have counted together: of each rule what is used, and how many requests this node took.
    pub(super) fn follow(&self, shard: &str, rules: &[Rule], known: &[Known], taken: u64, now: Millis) {
        self.with(shard, now, |shard| shard.follow(rules, known, taken, now));
    }

    /// What is known of each rule's count over all nodes.
    pub(super) fn known(&self, shard: &str, rules: &[Rule], now: Millis) -> Vec<Known> {
        match read(self.stripe(shard)).get(shard) {
            Some(known) => lock(known).known(rules, now),
            None => vec![Known { used: 0, until: now }; rules.len()],
        }
    }

    /// What the counters of a rule hold, with its age in milliseconds.
    pub(super) fn ages(&self, shard: &str, rule: &Rule, now: Millis) -> Vec<(u64, u32)> {
        read(self.stripe(shard)).get(shard).map_or_else(Vec::new, |known| lock(known).ages(rule, now))
    }

    /// Drops scopes that count nothing any more, and empty shards. To be called every minute or so.
    pub fn evict_idle(&self, now: Millis) {
        for stripe in &self.stripes {
            let mut empty = false;
            for shard in read(stripe).values() {
                let mut shard = lock(shard);
                shard.sweep(now);
                empty |= shard.len() == 0;
            }
            if empty {
                let mut stripe = stripe.write().unwrap_or_else(PoisonError::into_inner);
                stripe.retain(|_, shard| shard.get_mut().unwrap_or_else(PoisonError::into_inner).len() > 0);
            }
        }
    }

    /// How many scopes are held, for a metric.
    pub fn scopes(&self) -> usize {
        self.stripes.iter().map(|stripe| read(stripe).values().map(|shard| lock(shard).len()).sum::<usize>()).sum()
    }

    /// The scopes with windows longer than a minute, to be stored every few seconds; shorter ones may be forgotten by a crash.
    pub fn snapshot(&self) -> Vec<SavedScope> {
        let mut saved = Vec::new();
        for stripe in &self.stripes {
            for (name, shard) in read(stripe).iter() {
                let shard = lock(shard);
                saved.extend(shard.lasting().map(|(slot, counts)| SavedScope {
                    shard: name.to_string(),
                    slot: *slot,
                    as_of_ms: shard.as_of().0,
                    counts: counts.clone(),
                }));
            }
        }
        saved
    }

    /// Puts back what `snapshot` gave before a restart, here or on several nodes; of two records of a scope the heavier stays.
    pub fn restore(&self, saved: Vec<SavedScope>) {
        for scope in saved {
            let as_of = Millis(scope.as_of_ms);
            self.with(&scope.shard, as_of, |shard| shard.put_back(scope.slot, scope.counts.mended(), as_of));
        }
    }

    fn with<R>(&self, name: &str, now: Millis, step: impl FnOnce(&mut Shard) -> R) -> R {
        let stripe = self.stripe(name);
        if let Some(shard) = read(stripe).get(name) {
            return step(&mut lock(shard));
        }
        let mut stripe = stripe.write().unwrap_or_else(PoisonError::into_inner);
        let shard = stripe.entry(Box::from(name)).or_insert_with(|| Mutex::new(Shard::new(self.seeds, now)));
        step(shard.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    fn stripe(&self, name: &str) -> &RwLock<Stripe> {
        // Ids end in random letters: the last ones spread well and cost nothing.
        let place = name.bytes().rev().take(4).fold(0usize, |sum, byte| sum * 31 + usize::from(byte)) % STRIPES;
        let [first, ..] = &self.stripes;
        self.stripes.get(place).unwrap_or(first)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::new()
    }
}

/// A panic elsewhere must not close the door for good: the counts are whole numbers, valid after any step.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(stripe: &RwLock<Stripe>) -> std::sync::RwLockReadGuard<'_, Stripe> {
    stripe.read().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::clock::Clock;
    use crate::limits::{Allowance, Policies, Policy, Rate, ScopeKey};

    const NOW: Millis = Millis(1_774_710_000_000);

    fn rule(policy: Policy, scope: u128, rate: Rate) -> Rule {
        Rule::new(policy, ScopeKey(scope), rate.into())
    }

    fn request_rules(plan: &str) -> Vec<Rule> {
        let policies = Policies::plan_defaults(plan).unwrap();
        let asked = [
            Policy::KeyBurstShort,
            Policy::KeyBurstMedium,
            Policy::KeyBurstLong,
            Policy::KeyMinute,
            Policy::OrgMinute,
            Policy::KeyWindow,
            Policy::KeyDaily,
            Policy::BandSend,
        ];
        asked.map(|policy| Rule::new(policy, ScopeKey(1), policies.get(policy))).to_vec()
    }

    #[test]
    fn a_hundred_a_second_passes_twenty_at_eighty_two_a_second() {
        let limits = Limits::new();
        let rules = [rule(Policy::KeyBurstShort, 1, Rate::per_secs(100, 1))];
        for request in 0..20 {
            let now = Millis(NOW.0 + request * 1_000 / 82);
            assert!(!limits.take("org", &rules, now).denied(), "request {request}");
        }
    }

    #[test]
    fn threads_let_exactly_the_limit_through() {
        let (limits, clock, passed) = (Limits::new(), Clock::manual(NOW), AtomicU64::new(0));
        let rules = [
            rule(Policy::KeyMinute, 1, Rate::per_secs(5_000, 60)),
            rule(Policy::KeyBurstLong, 1, Rate::per_secs(1_234, 60)),
            rule(Policy::KeyWindow, 1, Rate::per_secs(2_000, 3_600)),
        ];
        std::thread::scope(|threads| {
            for _ in 0..16 {
                threads.spawn(|| {
                    for _ in 0..500 {
                        if !limits.take("org_a", &rules, clock.now()).denied() {
                            passed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(passed.load(Ordering::Relaxed), 1_234);
        let used = |policy| limits.peek("org_a", &rules, clock.now()).find(policy).map(|verdict| verdict.used);
        assert_eq!((used(Policy::KeyMinute), used(Policy::KeyWindow)), (Some(1_234), Some(1_234)));
    }

    #[test]
    fn threads_with_clocks_out_of_order_let_exactly_the_limit_through() {
        let (limits, passed) = (Limits::new(), AtomicU64::new(0));
        let rules = [rule(Policy::KeyBurstLong, 1, Rate::per_secs(100, 60))];
        std::thread::scope(|threads| {
            for thread in 0..16 {
                let (limits, passed, rules) = (&limits, &passed, &rules);
                threads.spawn(move || {
                    for step in 0..500 {
                        let now = Millis(NOW.0 + (step * 7 + thread * 131) % 4_000);
                        passed.fetch_add(u64::from(!limits.take("org_a", rules, now).denied()), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(passed.load(Ordering::Relaxed), 100);
    }

    #[test]
    fn the_meter_counts_what_another_gate_refuses_but_not_what_its_own_does() {
        let limits = Limits::new();
        let rules = [
            rule(Policy::KeyBurstShort, 1, Rate::per_secs(1, 1)),
            rule(Policy::KeyDaily, 1, Rate::per_secs(3, 86_400)),
        ];
        let used: Vec<u64> = (0..5)
            .map(|_| limits.take("org", &rules, NOW).find(Policy::KeyDaily).map_or(0, |verdict| verdict.used))
            .collect();
        assert_eq!(used, [1, 2, 3, 3, 3]);
        let tomorrow = NOW.next_utc_midnight();
        assert_eq!(limits.peek("org", &rules, NOW).find(Policy::KeyDaily).map(|v| v.reset_at), Some(tomorrow));
        assert!(!limits.take("org", &rules, tomorrow).denied());
    }

    #[test]
    fn a_meter_without_a_limit_counts_and_shows_nothing() {
        let limits = Limits::new();
        let mut rules = [Rule::new(Policy::KeyDaily, ScopeKey(1), Allowance::Unlimited)];
        for _ in 0..7 {
            assert!(limits.take("org", &rules, NOW).is_empty());
        }
        rules = [rule(Policy::KeyDaily, 1, Rate::per_secs(10, 86_400))];
        assert_eq!(limits.peek("org", &rules, NOW).binding().map(|verdict| verdict.used), Some(7));
    }

    #[test]
    fn organizations_and_keys_do_not_count_for_each_other() {
        let limits = Limits::new();
        let one = [rule(Policy::KeyMinute, 1, Rate::per_secs(1, 60))];
        let two = [rule(Policy::KeyMinute, 2, Rate::per_secs(1, 60))];
        assert!(!limits.take("org_a", &one, NOW).denied());
        assert!(limits.take("org_a", &one, NOW).denied());
        assert!(!limits.take("org_a", &two, NOW).denied());
        assert!(!limits.take("org_b", &one, NOW).denied());
    }

    #[test]
    fn a_refund_gives_the_request_back_to_every_tier_once() {
        let limits = Limits::new();
        let rules = request_rules("free");
        for _ in 0..5 {
            assert!(!limits.take("org", &rules, NOW).denied());
        }
        assert!(limits.peek("org", &rules, NOW).denied());
        limits.refund("org", &rules, NOW);
        let used: Vec<u64> = limits.peek("org", &rules, NOW).iter().map(|verdict| verdict.used).collect();
        assert_eq!(used, [4; 8]);
    }

    #[test]
    fn idle_scopes_are_dropped_and_busy_ones_stay() {
        let limits = Limits::new();
        for address in 0..1_000 {
            limits.take("ip", &[rule(Policy::AnonymousIp, address, Rate::per_secs(30, 60))], NOW);
        }
        limits.take("org", &request_rules("free"), NOW);
        assert_eq!(limits.scopes(), 1_006, "eight rules of a key are six scopes");
        limits.evict_idle(Millis(NOW.0 + 60_000));
        assert_eq!(limits.scopes(), 2, "the rolling hour and the day still count");
        limits.evict_idle(NOW.next_utc_midnight());
        assert_eq!(limits.scopes(), 0);
    }

    #[test]
    fn windows_longer_than_a_minute_come_back_after_a_restart() {
        let limits = Limits::new();
        let rules = request_rules("free");
        for _ in 0..5 {
            limits.take("org", &rules, NOW);
        }
        let saved = serde_json::to_string(&limits.snapshot()).unwrap();
        let again = Limits::new();
        again.restore(serde_json::from_str(&saved).unwrap());
        let used: Vec<(Policy, u64)> = again
            .peek("org", &rules, NOW)
            .iter()
            .map(|verdict| (verdict.policy, verdict.used))
            .filter(|(_, used)| *used > 0)
            .collect();
        assert_eq!(used, [(Policy::KeyWindow, 5), (Policy::KeyDaily, 5)]);
    }

    #[test]
    fn a_crowd_of_addresses_shares_one_scope_and_does_not_grow_without_end() {
        let limits = Limits::new();
        let knock =
            |address| limits.take("ip", &[rule(Policy::AnonymousIp, address, Rate::per_secs(30, 60))], NOW).denied();
        let denied = (0..262_144 + 100).filter(|address| knock(*address)).count();
        assert_eq!(denied, 70, "thirty of the last hundred pass");
        assert_eq!(limits.scopes(), 262_145);
        assert!(!knock(7), "who was here before is counted alone");
    }
}
