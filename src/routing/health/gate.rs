//! One route's circuit: opens on errors and on receipts that are far from usual, lets probes through after a rest, and
//! closes when they do better than what opened it.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::habit::{Habit, PATIENCE, Seen, Unusual};
use crate::clock::Millis;
use crate::providers::circuit::State;

/// How far back outcomes count.
const WINDOW: Duration = Duration::from_secs(60);
/// Most outcomes that are kept.
const KEPT: usize = 40;
/// Fewest a rate is taken from; half of them failed: open. More than a carrier's own circuit takes, which comes first
/// where the carrier is sick as a whole.
const RATE_FROM: usize = 20;
/// Hand-offs that are let through to try; all of them must do well.
const PROBES: u32 = 3;
/// The first rest; it doubles with each round of probes that failed, and where the route is open again soon.
const FIRST_REST: Duration = Duration::from_secs(15);
/// The longest rest. A route that was closed for so long begins anew with the first.
const LONGEST_REST: Duration = Duration::from_secs(600);
/// Probes of which nobody heard for so long are taken for lost, and others may go.
const PROBES_LOST: Duration = Duration::from_secs(300);

crate::text_enum! {
    /// Why a circuit changed.
    pub enum Reason as "CircuitReason" {
        /// Too many hand-offs failed.
        Errors = "errors",
        /// The carrier says that our account or number is stopped.
        Stopped = "stopped",
        /// Receipts that usually come do not.
        ReceiptsMissing = "receipts_missing",
        /// Receipts take far longer than they usually do.
        ReceiptsSlow = "receipts_slow",
        /// The rest is over; a few hand-offs try.
        RestOver = "rest_over",
        /// A try failed.
        ProbeFailed = "probe_failed",
        /// The tries did well.
        Recovered = "recovered",
        /// An operator said so: a pause or a drain, which is no circuit's doing.
        Operator = "operator",
    }
}

/// A step of a circuit.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// From.
    pub from: State,
    /// To.
    pub to: State,
    /// Why.
    pub reason: Reason,
    /// The numbers.
    pub detail: Value,
}

/// A circuit as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub state: State,
    /// Why it opened; none while it is closed.
    pub reason: Option<Reason>,
    /// Takes nothing before this moment.
    pub open_until: Option<Millis>,
}

#[derive(Debug, Clone, Copy)]
enum Gate {
    Closed,
    Open { why: Reason, until: Millis, span: Duration },
    HalfOpen { why: Reason, span: Duration, since: Millis, sent: u32, well: u32 },
}

/// One route's circuit.
#[derive(Debug, Clone)]
pub struct Health {
    gate: Gate,
    outcomes: VecDeque<(Millis, bool)>,
    habit: Habit,
    /// When it was closed last, and after which rest.
    closed: Option<(Millis, Duration)>,
}

impl Default for Health {
    fn default() -> Health {
        Health { gate: Gate::Closed, outcomes: VecDeque::new(), habit: Habit::default(), closed: None }
    }
}

impl Health {
    /// Whether a hand-off may go now.
    pub fn is_open_to(&self, now: Millis) -> bool {
        match self.gate {
            Gate::Closed => true,
            Gate::Open { until, .. } => until <= now,
            Gate::HalfOpen { sent, since, .. } => sent < PROBES || since.plus(PROBES_LOST) <= now,
        }
    }

    /// Counts a hand-off that goes now, after [`Health::is_open_to`] said that it may.
    pub fn permit(&mut self, now: Millis) -> Option<Change> {
        match self.gate {
            Gate::Closed => None,
            Gate::Open { why, span, .. } => {
                self.gate = Gate::HalfOpen { why, span, since: now, sent: 1, well: 0 };
                Some(change(State::Open, State::HalfOpen, Reason::RestOver, json!({ "rest_s": span.as_secs() })))
            }
            Gate::HalfOpen { why, span, since, sent, well } => {
                self.gate = if sent < PROBES {
                    Gate::HalfOpen { why, span, since, sent: sent.saturating_add(1), well }
                } else {
                    Gate::HalfOpen { why, span, since: now, sent: 1, well: 0 }
                };
                None
            }
        }
    }

    /// Takes in how a hand-off ended that was begun at `started`. One from before the circuit opened decides nothing.
    pub fn record(&mut self, started: Millis, failed: bool, now: Millis) -> Option<Change> {
        match self.gate {
            Gate::Closed => self.count(failed, now),
            Gate::HalfOpen { span, since, .. } if started >= since && failed => {
                Some(self.reopen(span, json!({ "probe": "refused or lost" }), now))
            }
            // Where receipts opened it, an answer alone proves nothing.
            Gate::HalfOpen { why: Reason::Errors, since, .. } if started >= since => self.probes_did_well(1, now),
            Gate::HalfOpen { .. } | Gate::Open { .. } => None,
        }
    }

    /// Takes in hand-offs whose receipts came or are overdue.
    pub fn judge(&mut self, seen: &[Seen], now: Millis) -> Option<Change> {
        match self.gate {
            Gate::Closed => {
                // One by one, so that what comes after the verdict does not become what is usual.
                let unusual = seen.iter().find_map(|one| {
                    self.habit.add(*one, now);
                    self.habit.verdict()
                })?;
                Some(self.open_for(unusual, now))
            }
            Gate::HalfOpen { why, span, since, .. } if why != Reason::Errors => {
                let probes = seen.iter().filter(|one| one.started >= since);
                let (well, badly): (Vec<Seen>, Vec<Seen>) = probes.partition(|probe| self.habit.is_well(**probe));
                self.judge_probes(span, &well, &badly, now)
            }
            Gate::HalfOpen { .. } | Gate::Open { .. } => None,
        }
    }

    /// What to show.
    pub fn standing(&self) -> Standing {
        match self.gate {
            Gate::Closed => Standing { state: State::Closed, reason: None, open_until: None },
            Gate::Open { why, until, .. } => {
                Standing { state: State::Open, reason: Some(why), open_until: Some(until) }
            }
            Gate::HalfOpen { why, .. } => Standing { state: State::HalfOpen, reason: Some(why), open_until: None },
        }
    }

    fn count(&mut self, failed: bool, now: Millis) -> Option<Change> {
        self.outcomes.push_back((now, failed));
        while self.outcomes.len() > KEPT || self.outcomes.front().is_some_and(|(at, _)| now.since(*at) > WINDOW) {
            self.outcomes.pop_front();
        }
        let (failures, of) = (self.outcomes.iter().filter(|(_, failed)| *failed).count(), self.outcomes.len());
        let reached = failed && of >= RATE_FROM && failures.saturating_mul(2) >= of;
        let detail = || json!({ "failed": failures, "of": of, "window_s": WINDOW.as_secs() });
        reached.then(|| self.open(Reason::Errors, detail(), now))
    }

    fn open_for(&mut self, unusual: Unusual, now: Millis) -> Change {
        let (reason, detail) = match unusual {
            Unusual::Missing { missing, of, usual_percent } => (
                Reason::ReceiptsMissing,
                json!({ "missing": missing, "of": of, "usual_percent": usual_percent, "after_s": PATIENCE.as_secs() }),
            ),
            Unusual::Slow { median, usual } => {
                (Reason::ReceiptsSlow, json!({ "median_s": median.as_secs(), "usual_s": usual.as_secs() }))
            }
        };
        self.open(reason, detail, now)
    }

    fn open(&mut self, why: Reason, detail: Value, now: Millis) -> Change {
        let again = self.closed.filter(|(at, _)| now.since(*at) < LONGEST_REST);
        let span = again.map_or(FIRST_REST, |(_, span)| longer(span));
        self.gate = Gate::Open { why, until: now.plus(span), span };
        self.outcomes.clear();
        self.habit.forget_recent();
        change(State::Closed, State::Open, why, detail)
    }

    fn reopen(&mut self, span: Duration, detail: Value, now: Millis) -> Change {
        let why = self.standing().reason.unwrap_or(Reason::Errors);
        let span = longer(span);
        self.gate = Gate::Open { why, until: now.plus(span), span };
        change(State::HalfOpen, State::Open, Reason::ProbeFailed, detail)
    }

    fn close(&mut self, span: Duration, now: Millis) -> Change {
        self.gate = Gate::Closed;
        self.closed = Some((now, span));
        change(State::HalfOpen, State::Closed, Reason::Recovered, json!({ "probes": PROBES }))
    }

    /// One bad probe is enough against it; the good ones must be all there are.
    fn judge_probes(&mut self, span: Duration, well: &[Seen], badly: &[Seen], now: Millis) -> Option<Change> {
        if !badly.is_empty() {
            let missing = badly.iter().filter(|probe| probe.lag.is_none()).count();
            return Some(self.reopen(span, json!({ "missing": missing, "of": badly.len() + well.len() }), now));
        }
        self.probes_did_well(u32::try_from(well.len()).unwrap_or(PROBES), now)
    }

    fn probes_did_well(&mut self, more: u32, now: Millis) -> Option<Change> {
        let Gate::HalfOpen { why, span, since, sent, well } = self.gate else { return None };
        let well = well.saturating_add(more);
        self.gate = Gate::HalfOpen { why, span, since, sent, well };
        (well >= PROBES).then(|| self.close(span, now))
    }
}

fn longer(span: Duration) -> Duration {
    span.saturating_mul(2).min(LONGEST_REST)
}

fn change(from: State, to: State, reason: Reason, detail: Value) -> Change {
    Change { from, to, reason, detail }
}
