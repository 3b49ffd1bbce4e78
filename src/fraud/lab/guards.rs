//! What the lab compares: the engine, and the guards that others ship.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::clock::Millis;
use crate::fraud::Action;
use crate::fraud::engine::{Event, Features, Key, Node, Rules, State, decide};

/// Something that judges attempts and learns.
#[derive(Debug, Clone)]
pub enum Guard {
    /// The engine.
    Engine(Box<State>, Box<Rules>),
    /// Three codes to a number in ten minutes, and nothing else.
    NumberCap(HashMap<Key, VecDeque<Millis>>),
    /// A range is closed for an hour, then for two, … where of at least 30 codes older than 3 min 35 % or fewer were typed.
    Share35(HashMap<Node, Range>),
    /// Codes that nobody typed, per country and day: at most the greater of 20 and 0.3 of those that were.
    Budget(HashMap<Node, Range>),
}

/// One range or country of the simple guards.
#[derive(Debug, Clone, Default)]
pub struct Range {
    sent: VecDeque<(Millis, Key, bool)>,
    until: Millis,
    held: u32,
}

impl Guard {
    /// Its name in the table.
    pub fn name(&self) -> &'static str {
        match self {
            Guard::Engine(..) => "engine",
            Guard::NumberCap(_) => "number cap only",
            Guard::Share35(_) => "35 % per network",
            Guard::Budget(_) => "unverified budgets",
        }
    }

    /// The guards that others ship.
    pub fn others() -> [Guard; 3] {
        [Guard::NumberCap(HashMap::new()), Guard::Share35(HashMap::new()), Guard::Budget(HashMap::new())]
    }

    /// Since when a hold is in the way of an attempt, where one is; a hold that follows another counts from the first. Of
    /// guards that know no holds every refusal counts.
    pub fn held_since(&self, features: &Features, now: Millis) -> Option<Millis> {
        let Guard::Engine(state, _) = self else { return Some(Millis(0)) };
        let hold = features.origin().nodes().find_map(|node| state.hold(&node).filter(|hold| hold.stands(now)))?;
        Some(if hold.plan().before > 0 { Millis(0) } else { hold.since() })
    }

    /// Judges an attempt: what happens, and the hold it probes.
    pub fn judge(&mut self, features: &Features, now: Millis) -> (Action, Option<Node>) {
        let block = |blocked: bool| (if blocked { Action::Block } else { Action::Allow }, None);
        match self {
            Guard::Engine(state, rules) => {
                let verdict = decide(state, features, rules, now);
                if let Some(event) = verdict.follows(features) {
                    state.observe(&event, rules, now);
                }
                (verdict.action, verdict.probe)
            }
            Guard::NumberCap(sent) => {
                let own = sent.entry(features.number).or_default();
                own.retain(|at| now.since(*at) < Duration::from_secs(600));
                block(own.len() >= 3)
            }
            Guard::Share35(ranges) => {
                let own = ranges.entry(features.origin().range()).or_default();
                own.forget(now, 3_600);
                let ripe = own.sent.iter().filter(|(at, ..)| now.since(*at) >= Duration::from_secs(180));
                let (all, typed) = ripe.fold((0u32, 0u32), |(all, typed), row| (all + 1, typed + u32::from(row.2)));
                if now >= own.until && all >= 30 && typed * 100 <= all * 35 {
                    own.until = now.plus(Duration::from_secs(3_600 << own.held.min(4)));
                    own.held += 1;
                    own.sent.clear();
                }
                block(now < own.until)
            }
            Guard::Budget(countries) => {
                let own = countries.entry(features.origin().country()).or_default();
                own.forget(now, 86_400);
                let typed = own.sent.iter().filter(|row| row.2).count();
                let most = (typed as f64 * 0.3).max(20.0);
                block((own.sent.len() - typed) as f64 >= most)
            }
        }
    }

    /// Learns that an attempt was let through.
    pub fn accepted(&mut self, features: &Features, probe: Option<Node>, now: Millis) {
        match self {
            Guard::Engine(state, rules) => {
                state.observe(&Event::Accepted(Box::new(features.clone()), probe), rules, now);
            }
            Guard::NumberCap(sent) => sent.entry(features.number).or_default().push_back(now),
            Guard::Share35(ranges) => {
                ranges.entry(features.origin().range()).or_default().sent.push_back((now, features.number, false));
            }
            Guard::Budget(countries) => {
                let own = countries.entry(features.origin().country()).or_default();
                own.sent.push_back((now, features.number, false));
            }
        }
    }

    /// Learns that a number typed its code.
    pub fn verified(&mut self, features: &Features, now: Millis) {
        let (org, number) = (features.org, features.number);
        match self {
            Guard::Engine(state, rules) => state.observe(&Event::Verified { org, number }, rules, now),
            Guard::NumberCap(_) => {}
            Guard::Share35(ranges) => {
                ranges.entry(features.origin().range()).or_default().typed(number);
            }
            Guard::Budget(countries) => {
                countries.entry(features.origin().country()).or_default().typed(number);
            }
        }
    }

    /// Learns what a carrier reports.
    pub fn receipt(&mut self, features: &Features, delivered: bool, now: Millis) {
        if let Guard::Engine(state, rules) = self {
            let event = Event::Receipt { org: features.org, number: features.number, delivered };
            state.observe(&event, rules, now);
        }
    }
}

impl Range {
    fn forget(&mut self, now: Millis, seconds: u64) {
        while self.sent.front().is_some_and(|(at, ..)| now.since(*at) >= Duration::from_secs(seconds)) {
            self.sent.pop_front();
        }
    }

    fn typed(&mut self, number: Key) {
        for row in self.sent.iter_mut().rev().take(2_000).filter(|row| row.1 == number) {
            row.2 = true;
        }
    }
}
