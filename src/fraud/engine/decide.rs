//! From what was seen to a verdict: sums, thresholds and reasons; nothing else is looked at.

use serde::{Deserialize, Serialize};

use super::features::{Features, Level, Node, Origin};
use super::hold::Plan;
use super::rules::{RuleMode, Rules};
use super::see::{GroupSeen, Milli, Seen, see};
use super::state::{Event, State};
use crate::clock::Millis;
use crate::fraud::{Action, Reason};

/// What the engine says about an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What happens.
    pub action: Action,
    /// What would happen if the rules in shadow acted too.
    pub shadow: Action,
    /// Every rule that fired, with what it saw.
    pub reasons: Vec<Reason>,
    /// The highest score of a group, log-odds in thousandths; none where no score was needed.
    pub score: Option<Milli>,
    /// The hold that the attempt probes: it goes with [`Event::Accepted`].
    pub probe: Option<Node>,
    /// The hold to begin: [`Event::Held`].
    pub hold: Option<Plan>,
    /// What was seen; the same rules say the same about it at any time.
    pub seen: Seen,
}

/// What one reading of the rules comes to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Finding {
    action: Action,
    group: Option<usize>,
    hold: bool,
    score: Option<Milli>,
}

const PASS: Finding = Finding { action: Action::Allow, group: None, hold: false, score: None };

/// Judges an attempt. The state is only read; what follows from the verdict is told to it by [`Verdict::follows`].
pub fn decide(state: &State, features: &Features, rules: &Rules, now: Millis) -> Verdict {
    weigh(see(state, features, rules, now), rules, now)
}

/// The verdict on what was seen.
pub fn weigh(seen: Seen, rules: &Rules, now: Millis) -> Verdict {
    let acting = find(&seen, rules, |mode| mode == RuleMode::Enforce);
    let watching = find(&seen, rules, |mode| mode != RuleMode::Off);
    let shown = if acting.action == Action::Allow { watching } else { acting };
    let mode = if acting.action == Action::Allow { RuleMode::Shadow } else { RuleMode::Enforce };
    let reasons = if shown.action == Action::Allow { Vec::new() } else { reasons(&seen, rules, &shown, mode) };
    let held = acting.group.filter(|_| acting.hold).and_then(|at| seen.groups.get(at));
    let hold = match (held, seen.hold) {
        (Some(group), _) => Some(plan(group, rules, now)),
        (None, Some(hold)) if rules.hold.mode == RuleMode::Enforce => hold.again,
        _ => None,
    };
    let probe = seen.hold.filter(|hold| hold.until.is_none() && acting.action == Action::Allow).map(|hold| hold.node);
    Verdict {
        action: acting.action,
        shadow: watching.action,
        reasons,
        score: shown.score.or(acting.score),
        probe,
        hold,
        seen,
    }
}

fn plan(group: &GroupSeen, rules: &Rules, now: Millis) -> Plan {
    let until = now.plus(rules.hold.with.length(group.held));
    Plan { node: group.node, until, before: group.held, waiting: group.begun.saturating_sub(group.verified) }
}

/// Blocked, or where strangers share the group, only challenged.
fn firmly(level: Level) -> Action {
    if level.is_wide() { Action::Challenge } else { Action::Block }
}

fn find(seen: &Seen, rules: &Rules, counts: impl Fn(RuleMode) -> bool) -> Finding {
    let blocked = Finding { action: Action::Block, ..PASS };
    if counts(rules.number.mode) && seen.unanswered >= cap(seen, rules) {
        return blocked;
    }
    if counts(rules.velocity.mode) && seen.named.is_some() {
        return blocked;
    }
    if !counts(rules.hold.mode) {
        return PASS;
    }
    if let Some(hold) = seen.hold {
        let action = if hold.until.is_some() { firmly(hold.node.level) } else { Action::Allow };
        return Finding { action, ..PASS };
    }
    let rule = &rules.hold.with;
    let (hold_at, challenge_at) = ((rule.hold_at * 1e3) as Milli, (rule.challenge_at * 1e3) as Milli);
    let network = if counts(rules.network.mode) { seen.network } else { 0 };
    let mut best = PASS;
    for (at, group) in seen.groups.iter().enumerate() {
        let own = own_score(seen, group, rules, &counts);
        let theirs = matches!(group.node.level, Level::Network | Level::Device);
        let score = if theirs { own } else { own + network };
        if own >= hold_at {
            return Finding { action: firmly(group.node.level), group: Some(at), hold: true, score: Some(score) };
        }
        if best.score.is_none_or(|highest| score > highest) {
            let action = match score {
                score if score >= hold_at => firmly(group.node.level),
                score if score >= challenge_at && !seen.explores => Action::Challenge,
                _ => Action::Allow,
            };
            best = Finding { action, group: Some(at), hold: false, score: Some(score) };
        }
    }
    best
}

fn cap(seen: &Seen, rules: &Rules) -> u32 {
    if seen.proven { rules.number.with.proven } else { rules.number.with.unproven }
}

/// The score of a group by itself.
fn own_score(seen: &Seen, group: &GroupSeen, rules: &Rules, counts: &impl Fn(RuleMode) -> bool) -> Milli {
    let term = |mode: RuleMode, value: Milli| if counts(mode) { value } else { 0 };
    let [range, network, country, credential] = rules.hold.with.penalty;
    let penalty = match group.node.level {
        Level::Block3 | Level::Block4 => 0.0,
        Level::Range => range,
        Level::Network | Level::Device => network,
        Level::Country => country,
        Level::Credential => credential,
    };
    let prior = if counts(rules.price.mode) { seen.price } else { (rules.price.with.base * 1e3) as Milli };
    prior - (penalty * 1e3) as Milli
        + term(rules.conversion.mode, group.conversion)
        + term(rules.sequence.mode, group.sequence)
        + term(rules.volume.mode, group.volume)
}

fn decimal(value: Milli) -> String {
    format!("{:+.2}", f64::from(value) / 1e3)
}

fn reasons(seen: &Seen, rules: &Rules, finding: &Finding, mode: RuleMode) -> Vec<Reason> {
    let base = |rule: &str, version: u32, own: RuleMode, observed: String| Reason {
        version,
        mode: String::from(if own == RuleMode::Enforce { mode.as_str() } else { own.as_str() }),
        ..Reason::enforced(rule, observed)
    };
    let mut reasons = Vec::new();
    let limit = cap(seen, rules);
    if rules.number.mode != RuleMode::Off && seen.unanswered >= limit {
        reasons.push(Reason {
            limit: Some(u64::from(limit)),
            window_s: Some(86_400),
            until: Some(seen.unanswered_until),
            ..base("number.unverified", rules.number.version, rules.number.mode, seen.unanswered.to_string())
        });
    }
    if let Some(named) = seen.named.filter(|_| rules.velocity.mode != RuleMode::Off) {
        reasons.push(Reason {
            limit: Some(u64::from(named.limit)),
            window_s: Some(named.window_s),
            ..base("key.velocity", rules.velocity.version, rules.velocity.mode, named.used.to_string())
        });
    }
    if let Some(hold) = seen.hold.filter(|hold| hold.until.is_some()) {
        reasons.push(Reason {
            until: hold.until,
            node: Some(hold.node.to_string()),
            ..base("prefix.hold", rules.hold.version, rules.hold.mode, String::from("held"))
        });
    }
    let Some(group) = finding.group.and_then(|at| seen.groups.get(at)) else { return reasons };
    let typed = format!("{} of {} verified", group.verified, group.begun);
    let terms = [
        ("prefix.conversion", rules.conversion.version, rules.conversion.mode, group.conversion, typed, 3_600),
        (
            "prefix.sequence",
            rules.sequence.version,
            rules.sequence.mode,
            group.sequence,
            String::from("adjacent"),
            3_600,
        ),
        ("prefix.volume", rules.volume.version, rules.volume.mode, group.volume, group.recent.to_string(), 600),
        ("network.conversion", rules.network.version, rules.network.mode, seen.network, String::from("network"), 3_600),
    ];
    for (rule, version, own, value, observed, window) in terms {
        if value > 0 && own != RuleMode::Off {
            reasons.push(Reason {
                window_s: Some(window),
                node: Some(group.node.to_string()),
                evidence: Some(decimal(value)),
                ..base(rule, version, own, observed)
            });
        }
    }
    if group.credit < 900 {
        let share = format!("{:.0}% believed", f64::from(group.credit) / 10.0);
        let node = Some(group.node.to_string());
        reasons.push(Reason { node, ..base("verify.shape", rules.shape.version, rules.shape.mode, share) });
    }
    reasons
}

impl Verdict {
    /// What the state must learn from the verdict. `features` are those that were judged.
    pub fn follows(&self, features: &Features) -> Option<Event> {
        let origin: Origin = features.origin();
        self.hold.map(|plan| Event::Held(plan, origin))
    }
}
