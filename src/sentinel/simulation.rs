//! Simulations: recorded attempts of the database judged anew under changed rules, beside those that act.
//!
//! What was refused at the time has no outcome; where the changed rules let it through it counts as never typed. Each
//! engine starts without a past: name a day more at the beginning than is of interest.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::{self, PastSend, SimulationRow, Span};
use crate::accounts::Protection;
use crate::app::App;
use crate::clock::Millis;
use crate::db::{Conn, Db};
use crate::error::{Code, Error, Result};
use crate::fraud::engine::Rules;
use crate::fraud::replay::{Recorded, ReplayReport, replay};
use crate::fraud::{Kept, RuleChange, RuleId, change_rules, latest_rules};
use crate::ids::{DecisionId, MessageId, OrgId, SimulationId};
use crate::terms::Mode;

crate::text_enum! {
    /// Where a simulation is.
    pub enum SimulationState { Queued = "queued", Running = "running", Done = "done", Failed = "failed" }
}

/// What to simulate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"changes": {"prefix.hold": {"parameters": {"hold_at": 2.5}, "mode": "enforce"}}, "from": "2026-12-01T00:00:00Z", "to": "2026-12-08T00:00:00Z"}))]
pub struct SimulationSpec {
    /// What to change of the rules that act, by the rules' names. Name a mode: a rule whose parameters change only watches
    /// else.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, RuleChange>)]
    pub changes: BTreeMap<RuleId, RuleChange>,
    /// Attempts from this moment on (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    pub from: Millis,
    /// And before this one.
    #[schema(value_type = String, format = DateTime)]
    pub to: Millis,
    /// Of this organization; of all where absent.
    pub org_id: Option<OrgId>,
    /// Live attempts where absent, or test ones.
    pub mode: Option<Mode>,
    /// The level at which both rule sets judge; `standard` where absent.
    pub level: Option<Protection>,
    /// The level of the rules that are, where it is another: `monitor` compares with no protection.
    pub level_before: Option<Protection>,
    /// Decides which attempts probe a hold; 1 where absent.
    pub seed: Option<u64>,
}

/// What a simulation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimulationResult {
    /// The version of the rules that it compared with.
    pub rule_version: i64,
    /// Attempts whose decision kept nothing of the engine: made before it, or at level `off`.
    pub skipped: u64,
    /// Whether there were more attempts than fit: the newest were taken.
    pub is_cut: bool,
    /// The oldest attempt that was taken.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub oldest: Option<Millis>,
    /// The newest.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub newest: Option<Millis>,
    /// What came of it.
    pub report: ReplayReport,
}

/// A simulation.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SimulationView {
    /// Its id.
    pub id: SimulationId,
    /// Where it is.
    pub state: SimulationState,
    /// What was asked for.
    pub spec: SimulationSpec,
    /// Who asked for it.
    pub author: String,
    /// What it found, once it is done.
    pub result: Option<SimulationResult>,
    /// Why it failed, where it did.
    pub fault: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Millis>,
}

impl SimulationView {
    /// The simulation of a row.
    pub fn of(row: &SimulationRow) -> Result<SimulationView> {
        let (outcome, is_done) = (row.outcome.as_deref(), row.state == SimulationState::Done);
        let result = outcome.filter(|_| is_done).map(serde_json::from_str).transpose().map_err(Error::internal)?;
        Ok(SimulationView {
            id: row.id,
            state: row.state,
            spec: serde_json::from_str(&row.spec).map_err(Error::internal)?,
            author: row.author.clone(),
            result,
            fault: outcome.filter(|_| row.state == SimulationState::Failed).map(String::from),
            created_at: row.created_at,
            finished_at: row.finished_at,
        })
    }
}

/// Most simulations that wait.
const MOST_QUEUED: i64 = 20;

/// Asks for a simulation. Errors: `validation_failed`, `overloaded` where too many wait.
pub fn order_simulation(conn: &mut Conn, author: &str, spec: &SimulationSpec, now: Millis) -> Result<SimulationView> {
    if spec.from >= spec.to {
        return Err(Error::field("to", "must be later than from"));
    }
    rule_sets(conn, spec)?;
    let waiting = store::simulations_in(conn, SimulationState::Queued, MOST_QUEUED)?.len();
    if i64::try_from(waiting).unwrap_or(MOST_QUEUED) >= MOST_QUEUED {
        return Err(
            Error::new(Code::Overloaded).detail("Twenty simulations wait already; ask again when one has ended.")
        );
    }
    let row = SimulationRow {
        id: SimulationId::new(now),
        state: SimulationState::Queued,
        spec: serde_json::to_string(spec).map_err(Error::internal)?,
        author: String::from(author),
        outcome: None,
        created_at: now,
        claimed_at: None,
        finished_at: None,
    };
    store::insert_simulation(conn, &row)?;
    SimulationView::of(&row)
}

/// The rules that act and the changed ones, each at its level, and the version of the former.
fn rule_sets(conn: &mut Conn, spec: &SimulationSpec) -> Result<(Rules, Rules, i64)> {
    let kept = latest_rules(conn)?;
    let version = kept.as_ref().map_or(0, |kept| kept.version);
    let acting = kept.map_or_else(|| Ok(Rules::built_in()), |kept| kept.rules())?;
    let changed = change_rules(&acting, &spec.changes).map_err(|fault| Error::field("changes", fault.to_string()))?;
    let level = spec.level.unwrap_or(Protection::Standard);
    Ok((acting.at(spec.level_before.unwrap_or(level)), changed.at(level), version))
}

/// A process that has one in hand for so long has ended.
const ABANDONED: Duration = Duration::from_secs(15 * 60);

/// Runs the simulations that wait, one after the other; how many. The worker calls this each second, tests by hand.
pub async fn run_simulations(app: &App) -> Result<usize> {
    let mut ran = 0;
    while let Some(row) = claim(app).await? {
        let done = match serde_json::from_str(&row.spec) {
            Ok(spec) => simulate(&app.db, &spec).await,
            Err(fault) => Err(Error::internal(fault)),
        };
        let (state, outcome) = match done {
            Ok(result) => (SimulationState::Done, serde_json::to_string(&result).map_err(Error::internal)?),
            Err(fault) => {
                tracing::warn!(simulation.id = %row.id, error = fault.cause_text().unwrap_or(fault.sentence()), "a simulation failed");
                (SimulationState::Failed, String::from(fault.sentence()))
            }
        };
        let (id, now) = (row.id, app.clock.now());
        app.db.write(move |conn| store::end_simulation(conn, id, state, &outcome, now)).await?;
        ran += 1;
    }
    Ok(ran)
}

async fn claim(app: &App) -> Result<Option<SimulationRow>> {
    let now = app.clock.now();
    let (waiting, running) = app
        .db
        .read(|conn| {
            let waiting = store::simulations_in(conn, SimulationState::Queued, 1)?;
            Ok((waiting, store::simulations_in(conn, SimulationState::Running, MOST_QUEUED)?))
        })
        .await?;
    let abandoned: Vec<SimulationId> = running
        .iter()
        .filter(|row| row.claimed_at.is_some_and(|at| now.since(at) > ABANDONED))
        .map(|row| row.id)
        .collect();
    let next = waiting.into_iter().next();
    if abandoned.is_empty() && next.is_none() {
        return Ok(None);
    }
    app.db
        .write(move |conn| {
            for id in abandoned {
                store::end_simulation(conn, id, SimulationState::Failed, "The process that ran it has ended.", now)?;
            }
            let Some(row) = next else { return Ok(None) };
            Ok(store::claim_simulation(conn, row.id, now)?.then_some(row))
        })
        .await
}

/// Reads the recorded attempts and judges them under both rule sets.
pub async fn simulate(db: &Db, spec: &SimulationSpec) -> Result<SimulationResult> {
    let wanted = spec.clone();
    let (before, after, rule_version) = db.read(move |conn| rule_sets(conn, &wanted)).await?;
    let mode = spec.mode.unwrap_or(Mode::Live);
    let past = Past::read(db, Span { from: spec.from, to: spec.to, org_id: spec.org_id, mode }).await?;
    let seed = spec.seed.unwrap_or(1);
    let Past { records, skipped, is_cut, .. } = past;
    let (oldest, newest) = (records.first().map(|(at, ..)| *at), records.last().map(|(at, ..)| *at));
    let records: Vec<Recorded> = records.into_iter().map(|(.., record)| record).collect();
    let run = move || replay(records, &before, &after, seed);
    let report = tokio::task::spawn_blocking(run).await.map_err(Error::internal)?;
    Ok(SimulationResult { rule_version, skipped, is_cut, oldest, newest, report })
}

/// Most attempts of a simulation: about 200 bytes of memory each.
const MOST: usize = 1_000_000;
/// Rows of one read.
const PAGE: i64 = 2_000;

/// Recorded attempts, read from the newest on.
#[derive(Default)]
struct Past {
    records: Vec<(Millis, DecisionId, Recorded)>,
    skipped: u64,
    is_cut: bool,
}

/// An attempt as it was read, with or without what the engine kept.
type Read = (Millis, DecisionId, Option<Recorded>);

/// One of the two tables, read page by page.
struct Reader<I> {
    page: VecDeque<Read>,
    before: I,
    is_over: bool,
}

impl<I> Reader<I> {
    fn from(before: I) -> Reader<I> {
        Reader { page: VecDeque::new(), before, is_over: false }
    }

    fn take(&mut self, rows: Vec<Read>, last: Option<I>) {
        self.is_over = i64::try_from(rows.len()).unwrap_or(PAGE) < PAGE;
        self.page.extend(rows);
        if let Some(last) = last {
            self.before = last;
        }
    }
}

impl Past {
    /// The attempts of `span`, oldest first; the newest where there are too many.
    async fn read(db: &Db, span: Span) -> Result<Past> {
        let mut past = Past::default();
        let mut sent = Reader::from(MessageId::first_at(span.to));
        let mut refused = Reader::from(DecisionId::first_at(span.to));
        loop {
            if sent.page.is_empty() && !sent.is_over {
                let before = sent.before;
                let rows = db.read(move |conn| store::past_sends(conn, span, before, PAGE)).await?;
                let last = rows.last().map(|row| row.id);
                sent.take(rows.iter().map(of_send).collect(), last);
            }
            if refused.page.is_empty() && !refused.is_over {
                let before = refused.before;
                let rows = db.read(move |conn| store::past_refusals(conn, span, before, PAGE)).await?;
                let last = rows.last().map(|(id, ..)| *id);
                refused.take(rows.iter().map(of_refusal).collect(), last);
            }
            let place = |page: &VecDeque<Read>| page.front().map(|(at, id, _)| (*at, *id));
            let newer = if place(&sent.page) > place(&refused.page) { &mut sent.page } else { &mut refused.page };
            match newer.pop_front() {
                None => break,
                Some((.., None)) => past.skipped += 1,
                Some((at, id, Some(record))) => past.records.push((at, id, record)),
            }
            if past.records.len() >= MOST {
                past.is_cut = true;
                break;
            }
        }
        past.records.sort_by_key(|(at, id, _)| (*at, *id));
        Ok(past)
    }
}

fn of_send(row: &PastSend) -> Read {
    let after = row.typed_at.map(|typed| typed.since(row.at).as_secs_f64());
    let record = kept_of(&row.terms).map(|kept| Recorded::kept(row.at, &kept, after, row.delivered));
    (row.at, row.decision_id, record)
}

fn of_refusal((id, terms, at): &(DecisionId, String, Millis)) -> Read {
    (*at, *id, kept_of(terms).map(|kept| Recorded::kept(*at, &kept, None, None)))
}

fn kept_of(terms: &str) -> Option<Kept> {
    #[derive(Deserialize)]
    struct Terms {
        e: Option<Kept>,
    }
    serde_json::from_str::<Terms>(terms).ok()?.e
}

/// The simulation `id`. Error: `not_found`.
pub fn find_simulation(conn: &mut Conn, id: SimulationId) -> Result<SimulationView> {
    let row = store::find_simulation(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    SimulationView::of(&row)
}

/// Simulations, newest first, from before `before` on.
pub fn list_simulations(conn: &mut Conn, before: Option<SimulationId>, limit: i64) -> Result<Vec<SimulationView>> {
    store::list_simulations(conn, before, limit)?.iter().map(SimulationView::of).collect()
}
