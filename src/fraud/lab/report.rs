//! What is counted in a run, and the table of all runs.

use std::collections::HashMap;

use serde::Serialize;

use crate::clock::Millis;
use crate::fraud::Action;
use crate::fraud::engine::Key;
use crate::money::Micros;

use super::traffic::{Label, Planned};

/// Messages of one kind of sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Sent.
    pub sent: u64,
    /// Refused.
    pub blocked: u64,
    /// Sent to a channel that does not pay.
    pub challenged: u64,
    /// Refused by the spend guard.
    pub capped: u64,
}

/// What a run comes to.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    began: Millis,
    background: Counts,
    case: Counts,
    attack: Counts,
    before_first: u64,
    first: Option<Millis>,
    lost: i64,
    saved: i64,
    // Honest attempts in the way of a hold: since when it stood, and when they came.
    held: Vec<(Millis, Millis)>,
    per_number: HashMap<Key, u32>,
    verified: u64,
}

impl Tally {
    /// Nothing counted yet of a scenario that begins at `began`.
    pub fn of(began: Millis) -> Tally {
        Tally { began, ..Tally::default() }
    }

    fn counts(&mut self, label: Label) -> &mut Counts {
        match label {
            Label::Background => &mut self.background,
            Label::Case => &mut self.case,
            Label::Attack => &mut self.attack,
        }
    }

    /// A message went out.
    pub fn sent(&mut self, planned: &Planned, _now: Millis) {
        self.counts(planned.label).sent += 1;
        if planned.label == Label::Attack {
            self.lost = self.lost.saturating_add(planned.features.price.0);
            self.before_first += u64::from(self.first.is_none());
            *self.per_number.entry(planned.features.number).or_default() += 1;
        }
    }

    /// A message was refused or challenged; by a hold that stood since `held`, where one did.
    pub fn refused(&mut self, planned: &Planned, action: Action, now: Millis, held: Option<Millis>) {
        if let (Some(since), true) = (held, planned.label != Label::Attack) {
            self.held.push((since, now));
        }
        let counts = self.counts(planned.label);
        if action == Action::Challenge {
            counts.challenged += 1;
        } else {
            counts.blocked += 1;
        }
        self.stopped(planned, now);
    }

    /// The spend guard refused.
    pub fn capped(&mut self, planned: &Planned, now: Millis) {
        self.counts(planned.label).capped += 1;
        self.stopped(planned, now);
    }

    fn stopped(&mut self, planned: &Planned, now: Millis) {
        if planned.label == Label::Attack {
            self.first.get_or_insert(now);
            self.saved = self.saved.saturating_add(planned.features.price.0);
        }
    }

    /// A code was typed.
    pub fn verified(&mut self, _planned: &Planned) {
        self.verified += 1;
    }

    /// When an honest attempt last met a hold that began before `ended`.
    fn last_held(&self, ended: Millis) -> Millis {
        let of_cause = self.held.iter().filter(|(since, _)| *since <= ended);
        of_cause.map(|(_, at)| *at).max().unwrap_or(ended)
    }

    /// The row of this run, where the scenario's cause ended at `ended`.
    pub fn row(&self, scenario: &str, guard: &str, seed: u64, ended: Millis) -> Row {
        let minutes = |ms: i64| (ms as f64 / 60_000.0 * 10.0).round() / 10.0;
        Row {
            scenario: String::from(scenario),
            guard: String::from(guard),
            seed,
            attack: self.attack,
            case: self.case,
            background: self.background,
            leaked_before_first: self.before_first,
            detected_s: self.first.map(|at| (at.0 - self.began.0) / 1_000),
            lost: Micros(self.lost).to_string(),
            saved: Micros(self.saved).to_string(),
            most_per_number: self.per_number.values().copied().max().unwrap_or(0),
            tail_min: minutes((self.last_held(ended).0 - ended.0).max(0)),
        }
    }
}

/// One run in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The scenario.
    pub scenario: String,
    /// The guard.
    pub guard: String,
    /// The seed.
    pub seed: u64,
    /// The attackers' messages.
    pub attack: Counts,
    /// The hard case's.
    pub case: Counts,
    /// Ordinary users'.
    pub background: Counts,
    /// The attackers' messages before the first was stopped.
    pub leaked_before_first: u64,
    /// Seconds from the first attempt until then.
    pub detected_s: Option<i64>,
    /// Money spent on the attack, in the lab's currency.
    pub lost: String,
    /// Money not spent on it.
    pub saved: String,
    /// The most messages that one attacked number had.
    pub most_per_number: u32,
    /// Minutes after the cause's end until the last honest user met a hold of its time.
    pub tail_min: f64,
}

impl Counts {
    /// Messages that were stopped.
    pub fn stopped(&self) -> u64 {
        self.blocked + self.challenged + self.capped
    }

    /// All messages.
    pub fn all(&self) -> u64 {
        self.sent + self.stopped()
    }

    /// The share that was stopped, 0 where there was none.
    pub fn share(&self) -> f64 {
        if self.all() == 0 { 0.0 } else { self.stopped() as f64 / self.all() as f64 }
    }

    /// The share that was refused, challenges left out.
    pub fn refused_share(&self) -> f64 {
        if self.all() == 0 { 0.0 } else { (self.blocked + self.capped) as f64 / self.all() as f64 }
    }

    fn plus(self, other: Counts) -> Counts {
        Counts {
            sent: self.sent + other.sent,
            blocked: self.blocked + other.blocked,
            challenged: self.challenged + other.challenged,
            capped: self.capped + other.capped,
        }
    }
}

impl Row {
    /// Of all that was stopped, the share that was an attack; 1 where nothing was.
    pub fn precision(&self) -> f64 {
        precision([self].into_iter())
    }
}

/// The same over several runs.
pub fn precision<'a>(rows: impl Iterator<Item = &'a Row>) -> f64 {
    let (attack, honest) = rows.fold((0, 0), |(attack, honest), row| {
        (attack + row.attack.stopped(), honest + row.case.plus(row.background).stopped())
    });
    if attack + honest == 0 { 1.0 } else { attack as f64 / (attack + honest) as f64 }
}

/// The middle of some figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let (low, high) = (figures.get(figures.len().saturating_sub(1) / 2), figures.get(figures.len() / 2));
    low.zip(high).map_or(0.0, |(low, high)| (low + high) / 2.0)
}

/// The table of runs: a line a scenario and guard, medians over the seeds.
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![format!(
        "{:9} {:19} {:>8} {:>7} {:>7} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "scenario",
        "guard",
        "attempts",
        "stopped",
        "leaked",
        "seconds",
        "lost",
        "precision",
        "case",
        "(refused)",
        "others",
        "tail min"
    )];
    let mut done: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        let name = (row.scenario.as_str(), row.guard.as_str());
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        let runs: Vec<&Row> =
            rows.iter().filter(|other| (other.scenario.as_str(), other.guard.as_str()) == name).collect();
        let middle = |figure: &dyn Fn(&Row) -> f64| median(runs.iter().map(|run| figure(run)).collect());
        let attacked = row.attack.all() > 0;
        let or_dash = |show: bool, text: String| if show { text } else { String::from("-") };
        let percent = |share: f64| format!("{:.2}%", share * 100.0);
        lines.push(format!(
            "{:9} {:19} {:>8} {:>7} {:>7} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8}",
            row.scenario,
            row.guard,
            or_dash(attacked, format!("{:.0}", middle(&|run| run.attack.all() as f64))),
            or_dash(attacked, format!("{:.1}%", middle(&|run| run.attack.share()) * 100.0)),
            or_dash(attacked, format!("{:.0}", middle(&|run| run.leaked_before_first as f64))),
            or_dash(
                attacked && runs.iter().any(|run| run.detected_s.is_some()),
                format!("{:.0}", median(runs.iter().filter_map(|run| run.detected_s).map(|s| s as f64).collect()))
            ),
            or_dash(attacked, format!("{:.2}", middle(&|run| run.lost.parse().unwrap_or(0.0)))),
            or_dash(attacked, percent(precision(runs.iter().copied()))),
            or_dash(row.case.all() > 0, percent(middle(&|run| run.case.share()))),
            or_dash(row.case.all() > 0, percent(middle(&|run| run.case.refused_share()))),
            percent(middle(&|run| run.background.share())),
            format!("{:.0}", middle(&|run| run.tail_min)),
        ));
    }
    lines.join("\n")
}
