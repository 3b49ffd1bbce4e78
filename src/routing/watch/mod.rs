//! The watch over routes: how each does, in this process's memory, and what changed, on its way to the table.
//!
//! Every node learns for itself from the hand-offs it made; whether their receipts came it reads from the table of
//! receipts, so that it does not matter which node a carrier called. A sample of hand-offs is followed, so that the work
//! is the same at any load, and nothing of it is on the path of a hand-off but a lock of memory. A restart forgets what
//! was usual; it is learnt again from some fifty hand-offs.

mod store;

pub use store::{
    Act, Event, EventId, Stand, history, insert_events, latest, latest_of_carriers, note_act, purge_events, stops_since,
};

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::health::{Change, Health, PATIENCE, Reason, Seen, Standing};
use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::ids::{NodeId, RouteId};
use crate::providers::circuit::State;
use crate::providers::{Outcome, RefusalKind};

/// One hand-off of a route is followed in this time, and every one while the route is being tried.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Most hand-offs of a route that are followed at once.
const FOLLOWED: usize = 300;
/// Most changes that wait to be written down.
const UNTOLD: usize = 1_000;

/// A hand-off that ended.
pub struct Ended<'a> {
    /// By this route.
    pub route: RouteId,
    /// To this carrier.
    pub carrier: &'a str,
    /// Begun.
    pub started: Millis,
    /// How it ended.
    pub outcome: &'a Outcome,
}

/// A hand-off whose receipt is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// By this route.
    pub route: RouteId,
    /// To this carrier.
    pub carrier: String,
    /// The carrier's id of it.
    pub provider_id: String,
    /// Begun.
    pub started: Millis,
}

/// The watch.
pub struct Watch {
    node: NodeId,
    seen: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    routes: BTreeMap<RouteId, Route>,
    untold: VecDeque<Event>,
}

#[derive(Default)]
struct Route {
    health: Health,
    followed: VecDeque<Followed>,
}

impl FromApp for Watch {
    fn from_app(app: &App) -> Self {
        Watch { node: app.nodes.id(), seen: Mutex::default() }
    }
}

impl Watch {
    /// Whether a hand-off may go by `route` now.
    pub fn is_open_to(&self, route: RouteId, now: Millis) -> bool {
        self.lock().routes.get(&route).is_none_or(|known| known.health.is_open_to(now))
    }

    /// Counts a hand-off that goes by `route` now.
    pub fn permit(&self, route: RouteId, carrier: &str, now: Millis) {
        let mut known = self.lock();
        let change = known.routes.get_mut(&route).and_then(|route| route.health.permit(now));
        self.tell(&mut known, Some(route), carrier, change, now);
    }

    /// Takes in how a hand-off ended. `carrier_is_well`: the carrier's own circuit is closed; while it is not, failures
    /// are the carrier's and say nothing of the route.
    pub fn record(&self, ended: &Ended<'_>, carrier_is_well: bool, now: Millis) {
        let mut known = self.lock();
        let route = known.routes.entry(ended.route).or_default();
        let change = failed(ended.outcome)
            .filter(|_| carrier_is_well)
            .and_then(|failed| route.health.record(ended.started, failed, now));
        route.follow(ended);
        self.tell(&mut known, Some(ended.route), ended.carrier, change, now);
    }

    /// Notes that a carrier's own circuit changed.
    pub fn note_carrier(&self, carrier: &str, (from, to): (State, State), outcome: Option<&Outcome>, now: Millis) {
        let reason = match (from, to) {
            _ if from == to => return,
            (_, State::HalfOpen) => Reason::RestOver,
            (_, State::Closed) => Reason::Recovered,
            (_, State::Open) if outcome.is_some_and(is_stop) => Reason::Stopped,
            (State::HalfOpen, State::Open) => Reason::ProbeFailed,
            (_, State::Open) => Reason::Errors,
        };
        let change = Change { from, to, reason, detail: json!({ "last": outcome.map(word) }) };
        self.tell(&mut self.lock(), None, carrier, Some(change), now);
    }

    /// The hand-offs whose receipts are waited for.
    pub fn followed(&self) -> Vec<Followed> {
        self.lock().routes.values().flat_map(|route| route.followed.iter().cloned()).collect()
    }

    /// Judges the followed hand-offs: `came` says when the final receipt of a carrier's id came.
    pub fn judge(&self, came: &HashMap<(String, String), Millis>, now: Millis) {
        let mut known = self.lock();
        let mut changes = Vec::new();
        for (id, route) in &mut known.routes {
            let (carrier, seen) = route.settle(came, now);
            changes.extend(route.health.judge(&seen, now).map(|change| (*id, carrier.unwrap_or_default(), change)));
        }
        for (id, carrier, change) in changes {
            self.tell(&mut known, Some(id), &carrier, Some(change), now);
        }
    }

    /// Forgets routes that are no more.
    pub fn keep_only(&self, routes: &[super::Route]) {
        self.lock().routes.retain(|id, _| routes.iter().any(|route| route.id == *id));
    }

    /// How a route stands, as this process sees it.
    pub fn standing(&self, route: RouteId) -> Standing {
        self.lock().routes.get(&route).map_or_else(|| Health::default().standing(), |known| known.health.standing())
    }

    /// Takes the changes that are not written down yet.
    pub fn take_untold(&self) -> Vec<Event> {
        std::mem::take(&mut self.lock().untold).into()
    }

    /// Puts back changes that could not be written down.
    pub fn put_back(&self, events: Vec<Event>) {
        let mut known = self.lock();
        for event in events.into_iter().rev() {
            known.untold.push_front(event);
        }
        known.untold.truncate(UNTOLD);
    }

    fn tell(&self, known: &mut Known, route: Option<RouteId>, carrier: &str, change: Option<Change>, now: Millis) {
        let Some(change) = change else { return };
        let named = route.map(|route| route.to_string()).unwrap_or_default();
        tracing::warn!(
            route = named, carrier, from = %change.from, to = %change.to, reason = %change.reason,
            detail = %change.detail, "a circuit changed"
        );
        let labels = [("carrier", String::from(carrier)), ("to", change.to.to_string())];
        metrics::counter!("postern_circuit_changes_total", &labels).increment(1);
        if known.untold.len() < UNTOLD {
            known.untold.push_back(Event::new(route, carrier, change, self.node, now));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Route {
    /// A hand-off that the carrier took and will report on is followed, one in a while.
    fn follow(&mut self, ended: &Ended<'_>) {
        let Outcome::Accepted { provider_id: Some(provider_id), state: None } = ended.outcome else { return };
        let is_tried = self.health.standing().state == State::HalfOpen;
        let is_due = self.followed.back().is_none_or(|last| ended.started.since(last.started) >= SAMPLE_EVERY);
        if (is_due || is_tried) && self.followed.len() < FOLLOWED {
            self.followed.push_back(Followed {
                route: ended.route,
                carrier: String::from(ended.carrier),
                provider_id: provider_id.clone(),
                started: ended.started,
            });
        }
    }

    /// Takes out the hand-offs of which the truth is known, oldest first.
    fn settle(&mut self, came: &HashMap<(String, String), Millis>, now: Millis) -> (Option<String>, Vec<Seen>) {
        let carrier = self.followed.back().map(|followed| followed.carrier.clone());
        let mut seen = Vec::new();
        self.followed.retain(|followed| {
            let key = (followed.carrier.clone(), followed.provider_id.clone());
            let lag = came.get(&key).map(|at| at.since(followed.started)).filter(|lag| *lag <= PATIENCE);
            let is_known = lag.is_some() || now.since(followed.started) > PATIENCE;
            if is_known {
                seen.push(Seen { started: followed.started, lag });
            }
            !is_known
        });
        (carrier, seen)
    }
}

/// Whether an outcome speaks against the route; `None` where it says nothing. That a carrier refuses a destination does,
/// other than for the carrier as a whole.
fn failed(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Accepted { .. } => Some(false),
        Outcome::Unknown { .. } => Some(true),
        Outcome::Refused(refusal) => match refusal.kind {
            RefusalKind::Final | RefusalKind::Template(_) | RefusalKind::Pair => Some(false),
            RefusalKind::Route => Some(true),
            // The carrier's own circuit is about these.
            RefusalKind::Throttled(_) | RefusalKind::Stop => None,
        },
    }
}

fn is_stop(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(refusal) if refusal.kind == RefusalKind::Stop)
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Refused(refusal) => refusal.code,
        Outcome::Unknown { code, .. } => code,
    }
}
