//! One word for how the platform does, and why: a pure function of what was read.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Millis;
use crate::ids::OrgId;
use crate::providers::circuit::State as Circuit;
use crate::routing::{Pause, PauseScope};
use crate::terms::{Channel, Mode};

crate::text_enum! {
    /// How the platform does.
    pub enum State as "OverviewState" {
        /// Sending normally.
        Normal = "normal",
        /// Sending, but something is wrong.
        Degraded = "degraded",
        /// Somebody pumps codes; the guard holds them.
        Attack = "attack",
        /// Operators have stopped all live messages.
        Paused = "paused",
        /// A channel has no carrier left, or most messages fail.
        Failing = "failing",
    }
}

crate::text_enum! {
    /// What is wrong.
    pub enum CauseKind {
        /// Most messages fail.
        MessagesFailing = "messages_failing",
        /// A carrier takes nothing.
        CarrierFailing = "carrier_failing",
        /// The fraud engine holds a group of attempts.
        Pumping = "pumping",
        /// An operator has stopped something.
        Paused = "paused",
        /// Messages wait for longer than they should.
        QueueOld = "queue_old",
        /// Less than a tenth of the disk, and than 10 GiB, is free.
        DiskLow = "disk_low",
    }
}

/// Something that is wrong, as data and as a sentence.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OverviewCause)]
pub struct Cause {
    /// What.
    pub kind: CauseKind,
    /// In a sentence.
    #[schema(example = "Carrier acme takes nothing since 14:02 UTC; its traffic goes by beta.")]
    pub text: String,
    /// Since when, where that is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Millis>,
    /// The carrier.
    pub carrier: Option<String>,
    /// The carriers that took messages of its channels since then.
    pub traffic_on: Vec<String>,
    /// The organization.
    pub org_id: Option<OrgId>,
    /// The group of attempts, or what is paused: `all`, or a scope and its value.
    #[schema(example = "block4:+3712012")]
    pub subject: Option<String>,
    /// How many: refused, failed, waiting, MiB free.
    pub count: Option<i64>,
    /// Of how many: messages that ended. Where the disk is low, `count` and this are MiB.
    pub of: Option<i64>,
    /// Who did it: an operator's id.
    pub by: Option<String>,
    /// What they said.
    pub reason: Option<String>,
}

/// How the platform does.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OverviewStanding)]
pub struct Standing {
    /// In a word.
    pub state: State,
    /// In a sentence: the first cause, or that all is well.
    #[schema(example = "Sending normally.")]
    pub sentence: String,
    /// What is wrong, the gravest first.
    pub causes: Vec<Cause>,
}

/// A carrier as it was read.
#[derive(Debug, Clone)]
pub struct CarrierFact {
    /// Its name.
    pub name: String,
    /// What it carries.
    pub channels: Vec<Channel>,
    /// Its circuit.
    pub circuit: Circuit,
    /// Since when it stands so, where that is known.
    pub since: Option<Millis>,
    /// The last hand-off that it accepted.
    pub last_accepted: Option<Millis>,
}

/// A group of attempts that is held.
#[derive(Debug, Clone)]
pub struct HeldFact {
    /// The group.
    pub group: String,
    /// Whose attempts.
    pub org_id: OrgId,
    /// Since when.
    pub since: Millis,
    /// Refused since then, at most of the last hour.
    pub refused: i64,
}

/// What was read.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Live or test.
    pub mode: Mode,
    /// What operators have stopped.
    pub pauses: Vec<Pause>,
    /// The carriers.
    pub carriers: Vec<CarrierFact>,
    /// What the engine holds.
    pub held: Vec<HeldFact>,
    /// Messages of the last five minutes that failed, and all whose end or hand-off is known.
    pub failed: (i64, i64),
    /// Since when the first due message waits, and how many do.
    pub queue: (Option<Millis>, i64),
    /// Bytes free and in all, where that is low.
    pub low_disk: Option<(u64, u64)>,
}

/// Fewer messages than this fail by chance.
const ENOUGH: i64 = 20;
/// A message that is due waits no longer than this while all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Judges what was read at `now`.
pub fn judge(facts: &Facts, now: Millis) -> Standing {
    let is_stopped = facts.mode == Mode::Live && facts.pauses.iter().any(|pause| pause.scope == PauseScope::All);
    let (failed, ended) = facts.failed;
    let most_fail = ended >= ENOUGH && failed.saturating_mul(2) > ended;
    let mut causes = Vec::new();
    causes.extend(facts.pauses.iter().filter(|_| facts.mode == Mode::Live).map(paused));
    causes.extend(most_fail.then(|| failing(failed, ended)));
    causes.extend(facts.carriers.iter().filter(|carrier| carrier.circuit == Circuit::Open).map(|one| down(one, facts)));
    causes.extend(facts.held.iter().map(pumping));
    let (oldest, waiting) = facts.queue;
    let is_old = |since: &Millis| now.since(*since) > PATIENCE && !is_stopped;
    causes.extend(oldest.filter(is_old).map(|since| queue_old(since, waiting, now)));
    causes.extend(facts.low_disk.map(|(free, total)| disk_low(free, total)));
    let state = match () {
        () if is_stopped => State::Paused,
        () if most_fail || has_no_way(facts) => State::Failing,
        () if !facts.held.is_empty() => State::Attack,
        () if !causes.is_empty() => State::Degraded,
        () => State::Normal,
    };
    causes.sort_by_key(|cause| gravity(cause, state));
    let sentence = causes.first().map_or_else(|| String::from("Sending normally."), |cause| cause.text.clone());
    Standing { state, sentence, causes }
}

/// What explains the state comes first; what is alike stays in its order.
fn gravity(cause: &Cause, state: State) -> u8 {
    let explains = match state {
        State::Paused => cause.kind == CauseKind::Paused && cause.subject.as_deref() == Some("all"),
        State::Failing => matches!(cause.kind, CauseKind::MessagesFailing | CauseKind::CarrierFailing),
        State::Attack => cause.kind == CauseKind::Pumping,
        State::Normal | State::Degraded => false,
    };
    u8::from(!explains)
}

/// Whether a channel has carriers and all of them are down.
fn has_no_way(facts: &Facts) -> bool {
    Channel::ALL.iter().any(|channel| {
        let mut of_it = facts.carriers.iter().filter(|carrier| carrier.channels.contains(channel)).peekable();
        of_it.peek().is_some() && of_it.all(|carrier| carrier.circuit == Circuit::Open)
    })
}

fn cause(kind: CauseKind, text: String) -> Cause {
    Cause {
        kind,
        text,
        since: None,
        carrier: None,
        traffic_on: Vec::new(),
        org_id: None,
        subject: None,
        count: None,
        of: None,
        by: None,
        reason: None,
    }
}

/// Hours and minutes of a moment, UTC.
fn hour_of(at: Millis) -> String {
    at.rfc3339().get(11..16).map_or_else(|| at.rfc3339(), |text| format!("{text} UTC"))
}

fn paused(pause: &Pause) -> Cause {
    let subject = match pause.scope {
        PauseScope::All => String::from("all"),
        scope => format!("{scope} {}", pause.value),
    };
    let what = if pause.scope == PauseScope::All { "All live messages are" } else { "Live messages are" };
    let of = if pause.scope == PauseScope::All { String::new() } else { format!(" for {subject}") };
    let why = pause.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let text = format!("{what} paused{of} since {} by {}{why}.", hour_of(pause.created_at), pause.author);
    Cause {
        since: Some(pause.created_at),
        subject: Some(subject),
        by: Some(pause.author.clone()),
        reason: pause.reason.clone(),
        ..cause(CauseKind::Paused, text)
    }
}

fn failing(failed: i64, ended: i64) -> Cause {
    let text = format!("{failed} of the last {ended} messages failed.");
    Cause { count: Some(failed), of: Some(ended), ..cause(CauseKind::MessagesFailing, text) }
}

fn down(carrier: &CarrierFact, facts: &Facts) -> Cause {
    let shares = |other: &&CarrierFact| {
        let carries_the_same = other.channels.iter().any(|channel| carrier.channels.contains(channel));
        let since = carrier.since.unwrap_or(Millis(0));
        other.name != carrier.name && carries_the_same && other.last_accepted.is_some_and(|at| at >= since)
    };
    let traffic_on: Vec<String> = facts.carriers.iter().filter(shares).map(|other| other.name.clone()).collect();
    let since = carrier.since.map(|at| format!(" since {}", hour_of(at))).unwrap_or_default();
    let by = match traffic_on.is_empty() {
        true => String::from("nothing goes by another"),
        false => format!("its traffic goes by {}", traffic_on.join(", ")),
    };
    let text = format!("Carrier {} takes nothing{since}; {by}.", carrier.name);
    Cause {
        since: carrier.since,
        carrier: Some(carrier.name.clone()),
        traffic_on,
        ..cause(CauseKind::CarrierFailing, text)
    }
}

fn pumping(held: &HeldFact) -> Cause {
    let text =
        format!("Pumping suspected: {} is held since {}, {} refused.", held.group, hour_of(held.since), held.refused);
    Cause {
        since: Some(held.since),
        org_id: Some(held.org_id),
        subject: Some(held.group.clone()),
        count: Some(held.refused),
        ..cause(CauseKind::Pumping, text)
    }
}

fn queue_old(since: Millis, waiting: i64, now: Millis) -> Cause {
    let text = format!("{waiting} messages wait, the oldest for {} s.", now.since(since).as_secs());
    Cause { since: Some(since), count: Some(waiting), ..cause(CauseKind::QueueOld, text) }
}

fn disk_low(free: u64, total: u64) -> Cause {
    let text = format!("The disk is nearly full: {} of {} MiB are free.", free >> 20, total >> 20);
    let mib = |bytes: u64| i64::try_from(bytes >> 20).ok();
    Cause { count: mib(free), of: mib(total), ..cause(CauseKind::DiskLow, text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_790_000_000_000);

    fn quiet() -> Facts {
        Facts {
            mode: Mode::Live,
            pauses: Vec::new(),
            carriers: vec![carrier("acme", Circuit::Closed), carrier("beta", Circuit::Closed)],
            held: Vec::new(),
            failed: (1, 100),
            queue: (None, 0),
            low_disk: None,
        }
    }

    fn carrier(name: &str, circuit: Circuit) -> CarrierFact {
        let since = (circuit == Circuit::Open).then_some(NOW.minus(Duration::from_secs(60)));
        CarrierFact { name: name.to_owned(), channels: vec![Channel::Sms], circuit, since, last_accepted: Some(NOW) }
    }

    fn pause(scope: PauseScope, value: &str) -> Pause {
        let reason = Some(String::from("pumped"));
        Pause { scope, value: value.to_owned(), reason, author: String::from("opr_1"), created_at: NOW }
    }

    #[test]
    fn all_is_well_where_nothing_is_wrong() {
        let standing = judge(&quiet(), NOW);
        assert_eq!((standing.state, standing.sentence.as_str()), (State::Normal, "Sending normally."));
        assert!(standing.causes.is_empty());
    }

    #[test]
    fn a_carrier_down_degrades_and_the_last_one_fails() {
        let one = Facts { carriers: vec![carrier("acme", Circuit::Open), carrier("beta", Circuit::Closed)], ..quiet() };
        let standing = judge(&one, NOW);
        assert_eq!(standing.state, State::Degraded);
        assert!(standing.sentence.starts_with("Carrier acme takes nothing since "), "{}", standing.sentence);
        assert_eq!(standing.causes[0].traffic_on, ["beta"]);
        let both = Facts { carriers: vec![carrier("acme", Circuit::Open)], ..quiet() };
        assert_eq!(judge(&both, NOW).state, State::Failing);
        assert!(judge(&both, NOW).sentence.ends_with("nothing goes by another."));
    }

    #[test]
    fn a_pause_of_all_is_the_state_and_one_of_a_country_degrades() {
        let facts = Facts { pauses: vec![pause(PauseScope::Country, "LV"), pause(PauseScope::All, "")], ..quiet() };
        let standing = judge(&facts, NOW);
        assert_eq!((standing.state, standing.causes[0].subject.as_deref()), (State::Paused, Some("all")));
        assert_eq!(standing.causes[0].reason.as_deref(), Some("pumped"));
        let some = Facts { pauses: vec![pause(PauseScope::Country, "LV")], ..quiet() };
        assert_eq!(judge(&some, NOW).state, State::Degraded);
        assert_eq!(
            judge(&Facts { mode: Mode::Test, ..facts }, NOW).state,
            State::Normal,
            "test traffic is never paused"
        );
    }

    #[test]
    fn an_attack_names_the_group_and_what_was_refused() {
        let org_id = OrgId::new(NOW);
        let held = HeldFact { group: String::from("block4:+3712012"), org_id, since: NOW, refused: 412 };
        let standing = judge(&Facts { held: vec![held], ..quiet() }, NOW);
        assert_eq!((standing.state, standing.causes[0].count), (State::Attack, Some(412)));
        assert!(standing.sentence.contains("block4:+3712012"), "{}", standing.sentence);
    }

    #[test]
    fn most_messages_failing_an_old_queue_and_a_full_disk_are_told() {
        assert_eq!(judge(&Facts { failed: (10, 19), ..quiet() }, NOW).state, State::Normal);
        assert_eq!(judge(&Facts { failed: (11, 20), ..quiet() }, NOW).state, State::Failing);
        let since = NOW.minus(Duration::from_secs(31));
        let old = judge(&Facts { queue: (Some(since), 7), ..quiet() }, NOW);
        assert_eq!(
            (old.state, old.causes[0].kind, old.causes[0].count),
            (State::Degraded, CauseKind::QueueOld, Some(7))
        );
        let full = judge(&Facts { low_disk: Some((1 << 20, 100 << 20)), ..quiet() }, NOW);
        assert_eq!((full.state, full.causes[0].kind), (State::Degraded, CauseKind::DiskLow));
    }
}
