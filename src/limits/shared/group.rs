//! Requests that ask the same rules and are decided in one step, and what each of them is told. Pure.

use crate::clock::Millis;
use crate::limits::scope::{Known, Slot};
use crate::limits::{Rate, Rule, Shape, Verdict, View};

/// A rule that counts something, and what it is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// The rule as it was asked.
    pub rule: Rule,
    /// What it counts. Unlike in memory each tier of a key has its own.
    pub slot: Slot,
    /// Its rate; of a meter without a limit a very large one.
    pub rate: Rate,
}

impl Counted {
    /// The rules that count anything, in their order.
    pub fn of(rules: &[Rule]) -> Vec<Counted> {
        let counted = |rule: &Rule| {
            let (slot, rate) = Slot::of(rule)?;
            Some(Counted { rule: *rule, slot: Slot { policy: rule.policy, ..slot }, rate })
        };
        rules.iter().filter_map(counted).collect()
    }

    /// Whether it counts whatever the others say.
    pub fn is_meter(&self) -> bool {
        self.slot.shape == Shape::UtcDay
    }

    /// Whether it refuses, and is not only a meter.
    pub fn is_limit(&self) -> bool {
        self.rule.allowance.rate().is_some()
    }

    fn limit(&self) -> u64 {
        u64::from(self.rate.limit)
    }
}

/// What one rule had counted before a group of requests came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    /// How many.
    pub used: u64,
    /// When there is more, by the server's clock; of no meaning where a list of moments is empty.
    pub changes: Millis,
}

/// What became of a group: how many of its requests passed, and what its rules had counted before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decided {
    /// What the server's clock said.
    pub now: Millis,
    /// What it decided by: later, where its clock was a little late.
    pub by: Millis,
    /// How many passed: the first ones.
    pub admitted: u64,
    /// In the order of the rules that count.
    pub counts: Vec<Count>,
}

/// Requests with the same rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// What they ask.
    pub rules: Vec<Rule>,
    /// Whether they want to pass, or only to look.
    pub takes: bool,
}

impl Group {
    /// What the request at `place` is told, had all of them come at `at`: just what it would be told after those before it
    /// were decided one by one.
    pub fn view(&self, decided: &Decided, place: u64, at: Millis) -> View {
        let admitted = self.takes && place < decided.admitted;
        let mut view = View::new();
        for (counted, count) in Counted::of(&self.rules).iter().zip(&decided.counts) {
            if !counted.is_limit() {
                continue;
            }
            let used = count.after(counted, self.takes, place, decided.admitted);
            let verdict = count.verdict(counted, used, decided, at);
            let taken = admitted || (self.takes && counted.is_meter() && !verdict.denied());
            view.push(if taken { verdict.taken(decided.here(decided.by, at)) } else { verdict });
        }
        view
    }

    /// What each rule has counted once `n` requests are decided: what the next one would be told, and what is known.
    pub fn counts_after(&self, decided: &Decided, n: u64, at: Millis) -> Vec<(Counted, Verdict, Known)> {
        let after = |(counted, count): (Counted, &Count)| {
            let used = count.after(&counted, self.takes, n, decided.admitted);
            (counted, count.verdict(&counted, used, decided, at), Known { used, until: count.changes })
        };
        Counted::of(&self.rules).into_iter().zip(&decided.counts).map(after).collect()
    }
}

impl Decided {
    /// A moment of the server's clock as this node's shows it, which says `at` where the server's says `now`.
    fn here(&self, there: Millis, at: Millis) -> Millis {
        at.plus(there.since(self.now))
    }
}

impl Count {
    /// How many are counted once `requests` of a group were decided, of which `admitted` pass.
    fn after(&self, counted: &Counted, takes: bool, requests: u64, admitted: u64) -> u64 {
        let room = counted.limit().saturating_sub(self.used);
        match (takes, counted.is_meter()) {
            (false, _) => self.used,
            (true, true) => self.used.saturating_add(requests.min(room)),
            (true, false) => self.used.saturating_add(requests.min(admitted)),
        }
    }

    fn verdict(&self, counted: &Counted, used: u64, decided: &Decided, at: Millis) -> Verdict {
        let rate = counted.rate;
        let unused = Verdict { used, ..Verdict::unused(counted.rule.policy, rate, at) };
        let is_list = counted.slot.shape == Shape::Ring;
        let reset_at = match (is_list, self.used, used) {
            (true, 0, 0) => return unused,
            // The first of this group starts the window.
            (true, 0, _) => decided.here(decided.by.plus(rate.window), at),
            _ => decided.here(self.changes, at),
        };
        let wait = (used >= counted.limit()).then(|| if rate.limit == 0 { rate.window } else { reset_at.since(at) });
        Verdict { reset_at, wait, ..unused }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::{Allowance, Policy, ScopeKey};

    const AT: Millis = Millis(1_774_710_000_000);

    fn rule(policy: Policy, limit: u32, seconds: u64) -> Rule {
        Rule::new(policy, ScopeKey(1), Rate::per_secs(limit, seconds).into())
    }

    /// The server's clock, a minute off.
    const THERE: Millis = Millis(AT.0 + 60_000);

    fn count(used: u64, changes_ms: i64) -> Count {
        Count { used, changes: Millis(THERE.0 + changes_ms) }
    }

    fn decided(admitted: u64, counts: Vec<Count>) -> Decided {
        Decided { now: THERE, by: THERE, admitted, counts }
    }

    fn used(view: &View) -> Vec<u64> {
        view.iter().map(|verdict| verdict.used).collect()
    }

    #[test]
    fn each_request_of_a_group_sees_those_before_it() {
        let rules = vec![rule(Policy::KeyBurstShort, 3, 1), rule(Policy::KeyDaily, 5, 86_400)];
        let group = Group { rules, takes: true };
        let decided = decided(2, vec![count(1, 400), count(2, 9_000)]);
        let views: Vec<View> = (0..5).map(|place| group.view(&decided, place, AT)).collect();
        assert_eq!(views.iter().map(used).collect::<Vec<_>>(), [[2, 3], [3, 4], [3, 5], [3, 5], [3, 5]]);
        let waits: Vec<Option<u128>> = views.iter().map(|view| view.wait().map(|wait| wait.as_millis())).collect();
        assert_eq!(waits, [None, None, Some(400), Some(9_000), Some(9_000)], "the meter counts the third and is full");
        let after = group.counts_after(&decided, 5, AT);
        assert_eq!(after.iter().map(|(_, verdict, _)| verdict.used).collect::<Vec<_>>(), [3, 5]);
        assert_eq!(
            after.last().map(|(_, _, known)| known.until),
            Some(Millis(THERE.0 + 9_000)),
            "on the server's clock"
        );
    }

    #[test]
    fn the_first_request_starts_the_window() {
        let group = Group { rules: vec![rule(Policy::KeyBurstShort, 1, 2)], takes: true };
        let decided = decided(1, vec![count(0, 0)]);
        let verdict = |place| *group.view(&decided, place, AT).binding().unwrap();
        assert_eq!((verdict(0).used, verdict(0).reset_at, verdict(0).wait), (1, Millis(AT.0 + 2_000), None));
        assert_eq!(verdict(1).wait, Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_look_takes_nothing_and_a_meter_without_a_limit_shows_nothing() {
        let open = Rule::new(Policy::KeyDaily, ScopeKey(1), Allowance::Unlimited);
        let group = Group { rules: vec![open, rule(Policy::KeyMinute, 4, 60)], takes: false };
        let decided = decided(0, vec![count(7, 1), count(4, 100)]);
        let view = group.view(&decided, 0, AT);
        assert_eq!((used(&view), view.wait()), (vec![4], Some(Duration::from_millis(100))));
    }
}
