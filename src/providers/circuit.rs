//! How well a carrier is: too many failures open its circuit, a wait later one hand-off probes it, and its answer
//! closes the circuit or opens it for longer. Pure: `now` is given.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::carrier::{Outcome, RefusalKind};
use crate::clock::Millis;

/// How far back outcomes count.
const WINDOW: Duration = Duration::from_secs(30);
/// How many outcomes are kept; the rate is taken over these.
const KEPT: usize = 20;
/// Failures in a row that open the circuit.
const IN_A_ROW: u32 = 5;
/// Fewest outcomes a rate is taken from. Half of them failed: open. So ten failures open it whatever lies between.
const RATE_FROM: usize = 10;
/// The first rest of an open circuit; it doubles with each failed probe.
const FIRST_REST: Duration = Duration::from_secs(5);
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// The first rest of a carrier that says it is stopped until somebody has looked; it doubles likewise.
pub const STOPPED_REST: Duration = Duration::from_secs(60);
/// The longest of those.
const LONGEST_STOPPED: Duration = Duration::from_secs(900);
/// A probe that nobody reported within this time is taken for lost, and another may go.
const PROBE_PATIENCE: Duration = Duration::from_secs(30);

/// What a hand-off's outcome says of the carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It answered as it should.
    Well,
    /// It did not answer, or not sensibly, or does not let us in.
    Sick,
    /// It is well, and wants to be left alone for this long.
    Busy(Duration),
    /// It says that it is stopped: one such word is enough.
    Stopped,
}

/// Reads an outcome as a verdict. A refusal of one recipient or one destination is the answer of a healthy carrier.
pub fn judge(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Accepted { .. } => Verdict::Well,
        Outcome::Unknown { .. } => Verdict::Sick,
        Outcome::Refused(refusal) => match (refusal.kind, refusal.code) {
            (RefusalKind::Throttled(wait), _) => Verdict::Busy(wait),
            (RefusalKind::Stop, _) => Verdict::Stopped,
            (RefusalKind::Pair, _) => Verdict::Well,
            (RefusalKind::Final | RefusalKind::Template(_), _) | (RefusalKind::Route, "provider.rejected") => {
                Verdict::Well
            }
            (RefusalKind::Route, _) => Verdict::Sick,
        },
    }
}

/// Whether a hand-off may go to a carrier now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// It may.
    Yes,
    /// It may, and its outcome decides whether the circuit closes.
    Probe,
    /// Not before this moment.
    No(Millis),
}

crate::text_enum! {
    /// The state of a circuit, as health pages and metrics show it.
    pub enum State {
        /// Hand-offs pass.
        Closed = "closed",
        /// None passes.
        Open = "open",
        /// One is out to try.
        HalfOpen = "half_open",
    }
}

/// One carrier's circuit.
#[derive(Debug, Clone, Default)]
pub struct Circuit {
    recent: VecDeque<(Millis, bool)>,
    failed_in_a_row: u32,
    open: Option<Rest>,
    busy_until: Option<Millis>,
    exempt: bool,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Millis,
    span: Duration,
    probe_since: Option<Millis>,
}

impl Circuit {
    /// Whether a hand-off may go now, without taking the probe.
    pub fn peek(&self, now: Millis) -> Permit {
        if let Some(until) = self.busy_until.filter(|until| now < *until) {
            return Permit::No(until);
        }
        match self.open {
            None => Permit::Yes,
            Some(rest) if now < rest.until => Permit::No(rest.until),
            Some(rest) => match rest.probe_since.map(|since| since.plus(PROBE_PATIENCE)) {
                Some(lost_at) if now < lost_at => Permit::No(lost_at),
                _ => Permit::Probe,
            },
        }
    }

    /// Whether a hand-off may go now; a `Probe` is taken by the answer.
    pub fn permit(&mut self, now: Millis) -> Permit {
        let permit = self.peek(now);
        if let (Permit::Probe, Some(rest)) = (permit, self.open.as_mut()) {
            rest.probe_since = Some(now);
        }
        permit
    }

    /// Takes in how a hand-off ended.
    pub fn record(&mut self, verdict: Verdict, now: Millis) {
        if self.exempt {
            return;
        }
        if let Verdict::Busy(wait) = verdict {
            self.busy_until = self.busy_until.max(Some(now.plus(wait)));
        }
        let stopped = verdict == Verdict::Stopped;
        let failed = stopped || verdict == Verdict::Sick;
        match self.open {
            Some(rest) if rest.probe_since.is_some() => self.end_probe(rest, verdict, now),
            // A late answer of a hand-off that left before the circuit opened decides nothing.
            Some(_) => {}
            None if stopped => self.rest(STOPPED_REST, now),
            None => self.count(failed, now),
        }
    }

    /// Takes in what the carrier says of itself beside any hand-off: it neither ends a probe nor counts again while the
    /// circuit is open.
    fn heed(&mut self, verdict: Verdict, now: Millis) {
        match verdict {
            _ if self.exempt => {}
            Verdict::Busy(wait) => self.busy_until = self.busy_until.max(Some(now.plus(wait))),
            Verdict::Stopped if self.open.is_none() => self.rest(STOPPED_REST, now),
            Verdict::Stopped | Verdict::Well | Verdict::Sick => {}
        }
    }

    /// What to show.
    pub fn state(&self) -> State {
        match self.open {
            None => State::Closed,
            Some(rest) if rest.probe_since.is_some() => State::HalfOpen,
            Some(_) => State::Open,
        }
    }

    fn end_probe(&mut self, rest: Rest, verdict: Verdict, now: Millis) {
        let longer = rest.span.saturating_mul(2);
        match verdict {
            Verdict::Stopped => self.rest(longer.clamp(STOPPED_REST, LONGEST_STOPPED), now),
            Verdict::Sick => self.rest(longer.min(LONGEST_REST), now),
            Verdict::Well | Verdict::Busy(_) => {
                *self = Circuit { busy_until: self.busy_until, ..Circuit::default() };
            }
        }
    }

    fn rest(&mut self, span: Duration, now: Millis) {
        self.open = Some(Rest { until: now.plus(span), span, probe_since: None });
    }

    fn count(&mut self, failed: bool, now: Millis) {
        self.recent.push_back((now, failed));
        while self.recent.len() > KEPT || self.recent.front().is_some_and(|(at, _)| now.since(*at) > WINDOW) {
            self.recent.pop_front();
        }
        self.failed_in_a_row = if failed { self.failed_in_a_row.saturating_add(1) } else { 0 };
        let failures = self.recent.iter().filter(|(_, failed)| *failed).count();
        let rate_reached = self.recent.len() >= RATE_FROM && failures * 2 >= self.recent.len();
        if failed && (self.failed_in_a_row >= IN_A_ROW || rate_reached) {
            self.rest(FIRST_REST, now);
        }
    }
}

/// The circuits of all carriers, by name. Per process: each node finds out for itself.
#[derive(Debug, Default)]
pub struct Circuits(Mutex<BTreeMap<String, Circuit>>);

impl Circuits {
    /// Whether `carrier` could take a hand-off now; takes nothing. For choosing among routes.
    pub fn is_open_to(&self, carrier: &str, now: Millis) -> bool {
        self.with(carrier, |circuit| !matches!(circuit.peek(now), Permit::No(_)))
    }

    /// How long `carrier` takes nothing; zero where it does.
    pub fn rest(&self, carrier: &str, now: Millis) -> Duration {
        self.with(carrier, |circuit| match circuit.peek(now) {
            Permit::No(until) => until.since(now),
            Permit::Yes | Permit::Probe => Duration::ZERO,
        })
    }

    /// Takes in what a carrier says of itself beside any hand-off; where the circuit stood and where it stands now.
    pub fn heed(&self, carrier: &str, verdict: Verdict, now: Millis) -> (State, State) {
        self.with(carrier, |circuit| {
            let before = circuit.state();
            circuit.heed(verdict, now);
            (before, circuit.state())
        })
    }

    /// Asks for one hand-off; after any answer but `No` its outcome must be told with [`Circuits::record`].
    pub fn permit(&self, carrier: &str, now: Millis) -> Permit {
        self.with(carrier, |circuit| circuit.permit(now))
    }

    /// Tells how a hand-off ended; where the circuit stood before and where it stands now.
    pub fn record(&self, carrier: &str, outcome: &Outcome, now: Millis) -> (State, State) {
        self.with(carrier, |circuit| {
            let before = circuit.state();
            circuit.record(judge(outcome), now);
            (before, circuit.state())
        })
    }

    /// The state of a carrier's circuit.
    pub fn state(&self, carrier: &str) -> State {
        self.with(carrier, |circuit| circuit.state())
    }

    /// Keeps `carrier`'s circuit closed whatever it answers: one test key's magic numbers must not shut the sandbox to
    /// all others.
    pub fn exempt(&self, carrier: &str) {
        self.with(carrier, |circuit| circuit.exempt = true);
    }

    fn with<T>(&self, carrier: &str, work: impl FnOnce(&mut Circuit) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(carrier) {
            Some(circuit) => work(circuit),
            None => work(all.entry(String::from(carrier)).or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::Refusal;

    const START: Millis = Millis(1_000_000);

    fn after(ms: u64) -> Millis {
        START.plus(Duration::from_millis(ms))
    }

    fn opened() -> Circuit {
        let mut circuit = Circuit::default();
        for _ in 0..5 {
            assert_eq!(circuit.permit(START), Permit::Yes);
            circuit.record(Verdict::Sick, START);
        }
        circuit
    }

    #[test]
    fn one_word_stops_a_carrier_and_each_further_one_for_longer() {
        let (all, mut now) = (Circuits::default(), START);
        assert_eq!(all.heed("acme", Verdict::Stopped, now), (State::Closed, State::Open));
        for rest in [60, 120, 240, 480, 900, 900] {
            assert_eq!(all.rest("acme", now), Duration::from_secs(rest));
            // Repeats of an old word change nothing.
            all.heed("acme", Verdict::Stopped, now);
            now = now.plus(Duration::from_secs(rest));
            assert_eq!(all.permit("acme", now), Permit::Probe);
            let refusal = Refusal { kind: RefusalKind::Stop, code: "provider.auth", detail: String::new() };
            all.record("acme", &Outcome::Refused(refusal), now);
        }
        now = now.plus(Duration::from_secs(900));
        all.permit("acme", now);
        all.record("acme", &Outcome::Accepted { provider_id: None, state: None }, now);
        assert_eq!((all.state("acme"), all.rest("acme", now)), (State::Closed, Duration::ZERO));
    }

    #[test]
    fn five_failures_in_a_row_open_the_circuit() {
        assert_eq!(opened().peek(START), Permit::No(after(5_000)));
    }

    #[test]
    fn a_carrier_that_fails_every_other_time_is_open_within_ten_failures() {
        let mut circuit = Circuit::default();
        let mut failures = 0;
        for step in 0..40 {
            if circuit.state() == State::Open {
                break;
            }
            failures += u64::from(step % 2 == 1);
            circuit.record(if step % 2 == 1 { Verdict::Sick } else { Verdict::Well }, after(step * 100));
        }
        assert_eq!(circuit.state(), State::Open);
        assert!(failures <= 10, "{failures}");
    }

    #[test]
    fn failures_long_ago_do_not_add_up() {
        let mut circuit = Circuit::default();
        for step in 0..30 {
            circuit.record(Verdict::Sick, after(step * 40_000));
            circuit.record(Verdict::Well, after(step * 40_000 + 1));
        }
        assert_eq!(circuit.state(), State::Closed);
    }

    #[test]
    fn half_open_lets_one_probe_through_and_its_answer_decides() {
        let mut circuit = opened();
        assert_eq!(circuit.permit(after(4_999)), Permit::No(after(5_000)));
        assert_eq!(circuit.permit(after(5_000)), Permit::Probe);
        assert!(matches!(circuit.permit(after(5_001)), Permit::No(_)), "one probe at a time");
        assert_eq!(circuit.state(), State::HalfOpen);
        circuit.record(Verdict::Sick, after(6_000));
        assert_eq!(circuit.permit(after(6_000)), Permit::No(after(16_000)), "the rest doubles");
        assert_eq!(circuit.permit(after(16_000)), Permit::Probe);
        circuit.record(Verdict::Well, after(16_100));
        assert_eq!((circuit.permit(after(16_100)), circuit.state()), (Permit::Yes, State::Closed));
    }

    #[test]
    fn a_lost_probe_does_not_keep_the_circuit_shut() {
        let mut circuit = opened();
        assert_eq!(circuit.permit(after(5_000)), Permit::Probe);
        assert_eq!(circuit.permit(after(34_999)), Permit::No(after(35_000)));
        assert_eq!(circuit.permit(after(35_000)), Permit::Probe);
    }

    #[test]
    fn a_late_success_from_before_does_not_close_an_open_circuit() {
        let mut circuit = opened();
        circuit.record(Verdict::Well, after(1));
        assert_eq!(circuit.state(), State::Open);
    }

    #[test]
    fn a_throttled_carrier_is_left_alone_for_as_long_as_it_asked() {
        let mut circuit = Circuit::default();
        circuit.record(Verdict::Busy(Duration::from_secs(7)), START);
        assert_eq!(circuit.permit(after(6_999)), Permit::No(after(7_000)));
        assert_eq!(circuit.permit(after(7_000)), Permit::Yes);
    }

    #[test]
    fn a_refused_recipient_says_nothing_against_the_carrier() {
        let refused = |kind, code| judge(&Outcome::Refused(Refusal { kind, code, detail: String::new() }));
        assert_eq!(refused(RefusalKind::Final, "recipient.invalid"), Verdict::Well);
        assert_eq!(refused(RefusalKind::Route, "provider.rejected"), Verdict::Well);
        assert_eq!(refused(RefusalKind::Route, "provider.unreachable"), Verdict::Sick);
        assert_eq!(refused(RefusalKind::Route, "provider.auth"), Verdict::Sick);
    }

    #[test]
    fn each_carrier_has_a_circuit_of_its_own() {
        let circuits = Circuits::default();
        let lost = Outcome::Unknown { code: "provider.timeout", detail: String::new() };
        let steps: Vec<_> = (0..5).map(|_| circuits.record("one", &lost, START)).collect();
        assert_eq!(steps[3..], [(State::Closed, State::Closed), (State::Closed, State::Open)]);
        assert!(!circuits.is_open_to("one", START));
        assert!(circuits.is_open_to("two", START));
        circuits.exempt("three");
        assert!((0..20).all(|_| circuits.record("three", &lost, START).1 == State::Closed));
        assert_eq!(circuits.permit("three", START), Permit::Yes);
    }
}
