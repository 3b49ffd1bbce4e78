//! Runs traffic against a guard: what it lets through has its outcome, and silence makes users ask again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::clock::Millis;
use crate::fraud::Action;
use crate::fraud::engine::budget::{Budget, Caps};
use crate::fraud::engine::rng::mix;
use crate::fraud::engine::{Key, Node};
use crate::money::Micros;
use crate::terms::Channel;

use super::guards::Guard;
use super::report::Tally;
use super::traffic::Planned;

/// What may be spent per organization and country in the lab, whatever the scenario.
pub const CAPS: Caps = Caps { hour: Micros(150_000_000), day: Micros(600_000_000) };

/// Seconds until a user asks again, and until a carrier reports.
const PATIENCE_S: i64 = 50;
const RECEIPT_S: i64 = 4;
/// Share of users who type a code that came by the second message, where the first did not lead there.
const SECOND: f64 = 0.3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Attempt(u8),
    Receipt,
    Verify,
}

/// A world in motion: a guard, what is to come, and what was spent. A clone goes its own way.
#[derive(Debug, Clone)]
pub struct Sim {
    /// The guard.
    pub guard: Guard,
    seed: u64,
    planned: Vec<Planned>,
    // Time, order, what, which of `planned`.
    to_come: BinaryHeap<Reverse<(Millis, u64, Step, usize)>>,
    order: u64,
    spent: HashMap<(Key, Node), Budget>,
}

impl Sim {
    /// An empty world with a guard.
    pub fn new(guard: Guard, seed: u64) -> Sim {
        Sim { guard, seed, planned: Vec::new(), to_come: BinaryHeap::new(), order: 0, spent: HashMap::new() }
    }

    /// Adds attempts to come.
    pub fn add(&mut self, planned: Vec<Planned>) {
        for attempt in planned {
            let (at, index) = (attempt.at, self.planned.len());
            self.planned.push(attempt);
            self.push(at, Step::Attempt(0), index);
        }
    }

    fn push(&mut self, at: Millis, step: Step, index: usize) {
        self.order += 1;
        self.to_come.push(Reverse((at, self.order, step, index)));
    }

    /// Runs all that is due before `until`, and counts it.
    pub fn run(&mut self, until: Millis, tally: &mut Tally) {
        while let Some(Reverse((now, ..))) = self.to_come.peek() {
            if *now >= until {
                return;
            }
            let Some(Reverse((now, _, step, index))) = self.to_come.pop() else { return };
            let Some(planned) = self.planned.get(index).cloned() else { continue };
            match step {
                Step::Attempt(time) => self.attempt(index, &planned, time, now, tally),
                Step::Receipt => self.guard.receipt(&planned.features, planned.outcome.delivered, now),
                Step::Verify => {
                    tally.verified(&planned);
                    self.guard.verified(&planned.features, now);
                }
            }
        }
    }

    fn attempt(&mut self, index: usize, planned: &Planned, time: u8, now: Millis, tally: &mut Tally) {
        let features = &planned.features;
        let (action, probe) = self.guard.judge(features, now);
        if action != Action::Allow {
            return tally.refused(planned, action, now, self.guard.held_since(features, now));
        }
        let country = features.origin().country();
        if self.spent.entry((features.org, country)).or_default().spend(features.price, &CAPS, now).is_err() {
            return tally.capped(planned, now);
        }
        tally.sent(planned, now);
        self.guard.accepted(features, probe, now);
        if features.channel != Channel::Sms {
            return;
        }
        self.push(Millis(now.0 + RECEIPT_S * 1_000), Step::Receipt, index);
        let draw = (mix(self.seed ^ features.digits ^ u64::from(time)) % 1_000) as f64 / 1_000.0;
        let second = time > 0 && draw < SECOND && planned.outcome.delivered && planned.outcome.resends < 2;
        let verify_s = if time == 0 { planned.outcome.verify_s } else { second.then_some(15.0 + 20.0 * draw) };
        match verify_s {
            Some(seconds) => self.push(Millis(now.0 + (seconds.max(0.5) * 1_000.0) as i64), Step::Verify, index),
            None if time < planned.outcome.resends => {
                self.push(Millis(now.0 + PATIENCE_S * 1_000), Step::Attempt(time + 1), index);
            }
            None => {}
        }
    }
}
