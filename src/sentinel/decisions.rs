//! Decisions, as customers and operators see them, and computed again.

use serde::Serialize;
use utoipa::ToSchema;

use super::store::{self, DecisionRow};
use crate::accounts::Protection;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::fraud::engine::{GroupSeen, Milli, NamedSeen, Seen};
use crate::fraud::{Action, Kept, Owner, Reason, RuleSet, for_customer, rules_at};
use crate::ids::{DecisionId, KeyId, MessageId, OrgId};
use crate::messages::{LimitTerm, Terms};
use crate::money::Micros;
use crate::phone::{Country, mask};
use crate::terms::Mode;

/// A decision, as customers see it: which rules fired, not where their lines are.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DecisionEntry {
    /// Its id.
    pub id: DecisionId,
    /// What it did.
    pub action: Action,
    /// What the request was told, where it was refused.
    #[schema(example = "fraud.blocked")]
    pub code: Option<String>,
    /// The rules that fired; one in `shadow` only watched.
    pub reasons: Vec<Reason>,
    /// The message, where it was let through.
    pub message_id: Option<MessageId>,
    /// The key that asked.
    pub key_id: KeyId,
    /// The request that asked.
    pub request_id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// A decision with its limits, and said again.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DecisionDetail {
    /// The decision.
    #[serde(flatten)]
    pub entry: DecisionEntry,
    /// The limits it was measured against, with what was used after it.
    pub limits: Vec<LimitMet>,
    /// What the fraud engine says again of what it saw then; null where it was not asked.
    pub recomputed: Option<RecomputedShort>,
}

/// A limit as a decision met it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LimitMet {
    /// The policy.
    #[schema(example = "otp.number")]
    pub policy: String,
    /// What it allows.
    pub limit: u64,
    /// What was used.
    pub used: u64,
}

/// Whether a decision computed again comes to the same.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RecomputedShort {
    /// What the engine says.
    pub action: Action,
    /// Whether it is the same, score and reasons included.
    pub same: bool,
}

/// A decision, as operators see it: all that was seen.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DecisionReport {
    /// Its id.
    pub id: DecisionId,
    /// Whose message.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// The key that asked.
    pub key_id: KeyId,
    /// What it did.
    pub action: Action,
    /// What the request was told, where it was refused.
    pub code: Option<String>,
    /// Every rule that fired, whole.
    pub reasons: Vec<Reason>,
    /// The limits it was measured against.
    pub limits: Vec<LimitMet>,
    /// The fraud engine's part; null where it was not asked.
    pub engine: Option<EngineReport>,
    /// The message, where it was let through.
    pub message_id: Option<MessageId>,
    /// The request that asked.
    pub request_id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// What the fraud engine saw and said.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EngineReport {
    /// Version of the operators' rule set; 0 is the built-in one.
    pub rule_version: i64,
    /// The level it was judged at.
    pub level: Protection,
    /// Whether the engine only watched, in the organization's first week.
    pub is_learning: bool,
    /// What the rules that act said.
    pub action: Action,
    /// What all rules would have said, those in shadow too.
    pub shadow_action: Action,
    /// The highest score of a group, log-odds; null where no score was needed.
    #[schema(example = 3.21)]
    pub score: Option<f64>,
    /// The attempt.
    pub attempt: AttemptReport,
    /// What was seen.
    pub seen: SeenReport,
    /// The same, computed again now from what was seen and the rules of that version.
    pub recomputed: Recomputed,
}

/// An attempt, without what would name a person.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AttemptReport {
    /// The number, masked.
    #[schema(example = "+371••••••456")]
    pub number: String,
    /// Its country.
    #[schema(value_type = String, example = "LV")]
    pub country: Country,
    /// Its price, decimal.
    #[schema(example = "0.07")]
    pub price: String,
    /// A hash of the end user's network.
    pub network: Option<String>,
    /// A hash of the end user's device.
    pub device: Option<String>,
    /// How many keys of its own the caller named.
    pub named_keys: usize,
    /// Whether somebody reports here which codes were typed.
    pub reports: bool,
}

/// What was seen of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SeenReport {
    /// Whether the number had verified before.
    pub proven: bool,
    /// Its codes of the last day that nobody typed.
    pub unanswered: u32,
    /// Whether it passed where others are challenged, so that a doubt can resolve.
    pub explores: bool,
    /// The group whose hold stood in its way.
    #[schema(example = "block4:+3712012")]
    pub hold: Option<String>,
    /// Until when; null where it passed as a probe.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub hold_until: Option<Millis>,
    /// Attempts under the first of the caller's own keys that was at its limit.
    pub named_used: Option<u32>,
    /// `destination.price`: the odds before anything is known, log-odds.
    pub price: f64,
    /// `network.conversion`, log-odds.
    pub network: f64,
    /// The groups it belonged to, narrowest first.
    pub groups: Vec<GroupReport>,
}

/// A group of attempts, as a decision saw it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GroupReport {
    /// The group.
    #[schema(example = "block4:+3712012")]
    pub group: String,
    /// Its numbers of the last hour.
    pub begun: u32,
    /// Those that verified.
    pub verified: u32,
    /// Its numbers of the last ten minutes.
    pub recent: u32,
    /// How much of its verifications is believed, per mille.
    pub credit_permille: u16,
    /// Holds of it in the last day.
    pub held: u32,
    /// `prefix.conversion`, log-odds.
    pub conversion: f64,
    /// `prefix.sequence`, log-odds.
    pub sequence: f64,
    /// `prefix.volume`, log-odds.
    pub volume: f64,
}

/// A verdict computed again.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Recomputed {
    /// What the rules that act say.
    pub action: Action,
    /// The score, log-odds.
    pub score: Option<f64>,
    /// Whether action, score and every reason are those that are stored.
    pub same: bool,
}

pub(super) fn terms_of(row: &DecisionRow) -> Result<Terms> {
    serde_json::from_str(&row.terms).map_err(Error::internal)
}

impl DecisionEntry {
    /// The decision of a row.
    pub fn of(row: &DecisionRow) -> Result<DecisionEntry> {
        Ok(DecisionEntry {
            id: row.id,
            action: row.action,
            code: row.code.clone(),
            reasons: for_customer(terms_of(row)?.reasons),
            message_id: row.message_id,
            key_id: row.key_id,
            request_id: row.request_id.clone(),
            created_at: row.created_at,
        })
    }
}

/// A decision of `owner`. Error: `not_found`.
pub fn show_decision(conn: &mut Conn, owner: Owner, id: DecisionId) -> Result<DecisionDetail> {
    let row = store::find_decision(conn, id)?.filter(|row| (row.org_id, row.mode) == owner);
    let row = row.ok_or_else(|| Error::new(Code::NotFound))?;
    let terms = terms_of(&row)?;
    let again = terms.engine.as_ref().map(|kept| again(conn, &row, &terms, kept)).transpose()?;
    Ok(DecisionDetail {
        entry: DecisionEntry::of(&row)?,
        limits: terms.limits.iter().map(LimitMet::of).collect(),
        recomputed: again.map(|again| RecomputedShort { action: again.action, same: again.same }),
    })
}

/// A decision with all that it saw. Error: `not_found`.
pub fn report_decision(conn: &mut Conn, id: DecisionId) -> Result<DecisionReport> {
    let row = store::find_decision(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    report(conn, row)
}

/// The decision that let the message `id` through. Error: `not_found`.
pub fn report_passed(conn: &mut Conn, id: MessageId) -> Result<DecisionReport> {
    let row = store::find_passed(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    report(conn, row)
}

fn report(conn: &mut Conn, row: DecisionRow) -> Result<DecisionReport> {
    let terms = terms_of(&row)?;
    let engine = terms.engine.as_ref().map(|kept| EngineReport::of(conn, &row, &terms, kept)).transpose()?;
    Ok(DecisionReport {
        id: row.id,
        org_id: row.org_id,
        mode: row.mode,
        key_id: row.key_id,
        action: row.action,
        code: row.code,
        limits: terms.limits.iter().map(LimitMet::of).collect(),
        reasons: terms.reasons,
        engine,
        message_id: row.message_id,
        request_id: row.request_id,
        created_at: row.created_at,
    })
}

/// The verdict again, by the rules of its version and at its moment.
fn again(conn: &mut Conn, row: &DecisionRow, terms: &Terms, kept: &Kept) -> Result<Recomputed> {
    let rules = rules_at(conn, kept.version)?;
    let rules = rules.ok_or_else(|| Error::internal(format!("rules of version {} are gone", kept.version)))?;
    let set = RuleSet::of(&rules, kept.version, kept.level, kept.is_learning);
    let verdict = kept.again(&set, row.created_at);
    let is_same_verdict = (verdict.action, verdict.shadow, verdict.score) == (kept.action, kept.shadow, kept.score);
    let same = is_same_verdict && verdict.reasons.iter().all(|reason| terms.reasons.contains(reason));
    Ok(Recomputed { action: verdict.action, score: verdict.score.map(log_odds), same })
}

fn log_odds(milli: Milli) -> f64 {
    f64::from(milli) / 1_000.0
}

impl LimitMet {
    fn of(term: &LimitTerm) -> LimitMet {
        LimitMet { policy: term.policy.clone(), limit: term.limit, used: term.used }
    }
}

impl EngineReport {
    fn of(conn: &mut Conn, row: &DecisionRow, terms: &Terms, kept: &Kept) -> Result<EngineReport> {
        Ok(EngineReport {
            rule_version: kept.version,
            level: kept.level,
            is_learning: kept.is_learning,
            action: kept.action,
            shadow_action: kept.shadow,
            score: kept.score.map(log_odds),
            attempt: AttemptReport::of(kept),
            seen: SeenReport::of(&kept.seen()),
            recomputed: again(conn, row, terms, kept)?,
        })
    }
}

impl AttemptReport {
    fn of(kept: &Kept) -> AttemptReport {
        let features = kept.features();
        let hash = |key: crate::fraud::engine::Key| format!("{:016x}", key.0);
        AttemptReport {
            number: mask(&format!("+{}", features.digits)),
            country: features.country,
            price: Micros(features.price.0).to_string(),
            network: features.network.map(hash),
            device: features.device.map(hash),
            named_keys: features.named.len(),
            reports: features.reports,
        }
    }
}

impl SeenReport {
    fn of(seen: &Seen) -> SeenReport {
        SeenReport {
            proven: seen.proven,
            unanswered: seen.unanswered,
            explores: seen.explores,
            hold: seen.hold.map(|hold| hold.node.to_string()),
            hold_until: seen.hold.and_then(|hold| hold.until),
            named_used: seen.named.map(|NamedSeen { used, .. }| used),
            price: log_odds(seen.price),
            network: log_odds(seen.network),
            groups: seen.groups.iter().map(GroupReport::of).collect(),
        }
    }
}

impl GroupReport {
    fn of(seen: &GroupSeen) -> GroupReport {
        GroupReport {
            group: seen.node.to_string(),
            begun: seen.begun,
            verified: seen.verified,
            recent: seen.recent,
            credit_permille: seen.credit,
            held: seen.held,
            conversion: log_odds(seen.conversion),
            sequence: log_odds(seen.sequence),
            volume: log_odds(seen.volume),
        }
    }
}
