//! The desk of one shard: who waits for the next call, what was heard of its limits, and what the server must be told.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::call::Report;
use super::group::{Counted, Decided, Group};
use crate::clock::Millis;
use crate::limits::scope::Slot;
use crate::limits::{Rate, Rule, Shape, Verdict, View};

/// How long a refusal is repeated without asking again. A gate that is full stays full until it changes, so this is about
/// the other gates, whose wait may be the longer one by now.
const BELIEVED: Duration = Duration::from_millis(100);

/// How long what was heard is kept where nobody asks any more.
const KEPT: Duration = Duration::from_secs(60);

/// Groups of one call at most; the rest goes with the next.
const GROUPS_MAX: usize = 64;

/// Reports of one call at most.
const REPORTS_MAX: usize = 256;

/// The desk of a shard.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) shard: Box<str>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<(Group, Vec<Teller>)>,
    in_flight: bool,
    heard: HashMap<Slot, Heard>,
    owed: HashMap<Slot, Owed>,
}

/// Tells a request what was decided; nothing where the server did not answer.
pub(super) type Teller = oneshot::Sender<Option<View>>;

/// What was last heard of a slot.
#[derive(Debug, Clone, Copy)]
struct Heard {
    rate: Rate,
    used: u64,
    reset_at: Millis,
    /// Full until then.
    shut_until: Option<Millis>,
    at: Millis,
}

/// What was counted here and not there.
#[derive(Debug, Clone, Copy)]
struct Owed {
    rate: Rate,
    count: u64,
    at: Millis,
}

/// What goes with one call.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Who asks.
    pub groups: Vec<(Group, Vec<Teller>)>,
    /// What the server is told first.
    pub reports: Vec<Report>,
}

impl Desk {
    pub(super) fn new(shard: &str) -> Self {
        Desk { shard: Box::from(shard), state: Mutex::default() }
    }

    /// The refusal that the server would repeat, as far as is known; `None` where it must be asked.
    pub(super) fn denial(&self, rules: &[Rule], now: Millis) -> Option<View> {
        let mut state = self.lock();
        if state.heard.is_empty() {
            return None;
        }
        let counted = Counted::of(rules);
        let fresh = |heard: &Heard| heard.at <= now && now.since(heard.at) < BELIEVED;
        let mut view = View::new();
        for counted in counted.iter().filter(|counted| counted.is_limit()) {
            let heard = state.heard.get(&counted.slot).filter(|heard| heard.rate == counted.rate)?;
            let wait = heard.shut_until.filter(|until| fresh(heard) && *until > now).map(|until| until.since(now));
            let over = heard.reset_at <= now;
            view.push(Verdict {
                used: if over { 0 } else { heard.used },
                reset_at: if over { now } else { heard.reset_at },
                wait,
                ..Verdict::unused(counted.rule.policy, counted.rate, now)
            });
        }
        if !view.denied() {
            return None;
        }
        for counted in counted.iter().filter(|counted| counted.is_meter()) {
            let open = view.find(counted.rule.policy).is_none_or(|verdict| !verdict.denied());
            if open {
                state.owe(counted, now);
                state.note_one(counted, now);
                view.mark_taken(now, |verdict| verdict.policy == counted.rule.policy);
            }
        }
        Some(view)
    }

    /// Joins those who wait; `true`: somebody must make the call, and it is the caller.
    pub(super) fn join(&self, group: Group) -> (oneshot::Receiver<Option<View>>, bool) {
        let (tell, answer) = oneshot::channel();
        let mut state = self.lock();
        match state.waiting.iter_mut().find(|(other, _)| *other == group) {
            Some((_, tellers)) => tellers.push(tell),
            None => state.waiting.push((group, vec![tell])),
        }
        (answer, !std::mem::replace(&mut state.in_flight, true))
    }

    /// `true` where something is owed and nobody is about to say so: the caller must.
    pub(super) fn must_report(&self) -> bool {
        let mut state = self.lock();
        !state.owed.is_empty() && !std::mem::replace(&mut state.in_flight, true)
    }

    /// What goes with the next call; `None` ends the flight.
    pub(super) fn next_batch(&self, now: Millis) -> Option<Batch> {
        let mut state = self.lock();
        let many = state.waiting.len().min(GROUPS_MAX);
        let mut groups: Vec<(Group, Vec<Teller>)> = state.waiting.drain(..many).collect();
        // Who has gone away wants nothing any more.
        groups.iter_mut().for_each(|(_, tellers)| tellers.retain(|tell| !tell.is_closed()));
        groups.retain(|(_, tellers)| !tellers.is_empty());
        let reports = state.reports(now);
        if groups.is_empty() && reports.is_empty() {
            state.in_flight = !state.waiting.is_empty();
            return state.in_flight.then(Batch::default);
        }
        Some(Batch { groups, reports })
    }

    /// The call failed: the flight ends, everybody who waits is told so, and what was to be reported is owed again.
    pub(super) fn give_up(&self, Batch { groups, reports }: Batch, now: Millis) {
        let mut state = self.lock();
        state.in_flight = false;
        let waiting = std::mem::take(&mut state.waiting);
        for tell in groups.into_iter().chain(waiting).flat_map(|(_, tellers)| tellers) {
            // Who has gone away wants nothing any more.
            let _ = tell.send(None);
        }
        for Report { slot, rate, count, .. } in reports {
            let owed = state.owed.entry(slot).or_insert(Owed { rate, count: 0, at: now });
            owed.count = owed.count.saturating_add(count);
        }
    }

    /// Notes what a group of `n` was told.
    pub(super) fn hear(&self, group: &Group, decided: &Decided, n: u64, at: Millis) {
        let mut state = self.lock();
        for (counted, verdict, _) in group.counts_after(decided, n, at) {
            let shut_until = verdict.wait.map(|wait| at.plus(wait));
            let Verdict { used, reset_at, .. } = verdict;
            state.heard.insert(counted.slot, Heard { rate: counted.rate, used, reset_at, shut_until, at });
        }
    }

    /// Owes what was counted here while the server did not answer.
    pub(super) fn owe(&self, rules: &[Rule], view: &View, now: Millis) {
        let mut state = self.lock();
        for counted in Counted::of(rules) {
            let gate_open = view.find(counted.rule.policy).is_none_or(|verdict| !verdict.denied());
            if !view.denied() || (counted.is_meter() && gate_open) {
                state.owe(&counted, now);
            }
        }
    }

    /// How many of each rule are owed.
    pub(super) fn owed(&self, rules: &[Counted]) -> Vec<u64> {
        let state = self.lock();
        rules.iter().map(|counted| state.owed.get(&counted.slot).map_or(0, |owed| owed.count)).collect()
    }

    /// Whether it can be cleared away: nothing waits, nothing is owed, nothing was heard of late.
    pub(super) fn is_idle(&self, now: Millis) -> bool {
        let mut state = self.lock();
        state.heard.retain(|_, heard| now.since(heard.at) < KEPT);
        state.owed.retain(|slot, owed| !owed.is_over(slot.shape, now));
        !state.in_flight && state.heard.is_empty() && state.owed.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn owe(&mut self, counted: &Counted, now: Millis) {
        let owed = self.owed.entry(counted.slot).or_insert(Owed { rate: counted.rate, count: 0, at: now });
        if owed.is_over(counted.slot.shape, now) {
            owed.count = 0;
        }
        *owed = Owed { rate: counted.rate, count: owed.count.saturating_add(1), at: now };
    }

    fn note_one(&mut self, counted: &Counted, now: Millis) {
        let Some(heard) = self.heard.get_mut(&counted.slot).filter(|heard| heard.reset_at > now) else { return };
        heard.used = heard.used.saturating_add(1);
        if heard.used >= u64::from(heard.rate.limit) {
            heard.shut_until = Some(heard.reset_at);
        }
    }

    fn reports(&mut self, now: Millis) -> Vec<Report> {
        self.owed.retain(|slot, owed| !owed.is_over(slot.shape, now));
        let some: Vec<Slot> = self.owed.keys().take(REPORTS_MAX).copied().collect();
        let report = |slot: Slot| {
            let Owed { rate, count, at } = self.owed.remove(&slot)?;
            let window = rate.window_ms();
            let until = Millis(at.0.div_euclid(window).saturating_add(1).saturating_mul(window));
            Some(Report { slot, rate, count, until, past: Vec::new() })
        };
        some.into_iter().filter_map(report).collect()
    }
}

impl Owed {
    /// Whether it would count nowhere any more.
    fn is_over(&self, shape: Shape, now: Millis) -> bool {
        let window = self.rate.window_ms();
        match shape {
            Shape::Calendar | Shape::UtcDay => self.at.0.div_euclid(window) != now.0.div_euclid(window),
            Shape::Ring | Shape::Bucketed => now.since(self.at) >= self.rate.window,
        }
    }
}
