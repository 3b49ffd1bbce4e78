//! Messages as the API shows them.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::accept::{BulkTerms, ItemOutcome, place_of};
use super::state::Status;
use super::store::{Attempt, BatchRow, Event, Row};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::fraud::{Action, Reason, for_customer};
use crate::http::problem::Problem;
use crate::idempotency::Stored;
use crate::ids::{BatchId, DecisionId, MessageId, VerificationId};
use crate::money::MoneyView;
use crate::phone::Country;
use crate::terms::{Channel, Kind, Mode};
use crate::text::Encoding;

/// A message.
#[derive(Serialize, ToSchema)]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// Where it is.
    pub status: Status,
    /// Live or test.
    pub mode: Mode,
    /// The number in E.164, or the mail address.
    #[schema(example = "+14155550123")]
    pub to: String,
    /// The number's country.
    #[schema(value_type = Option<String>, example = "US")]
    pub country: Option<Country>,
    /// How it travels.
    pub channel: Channel,
    /// What it is for.
    pub kind: Kind,
    /// SMS encoding.
    pub encoding: Option<Encoding>,
    /// SMS parts; 1 on other channels.
    #[schema(example = 1)]
    pub segments: i32,
    /// What it costs.
    pub price: MoneyView,
    /// Why it was let through.
    pub decision: DecisionView,
    /// Why it failed, where it did.
    pub error_code: Option<String>,
    /// The bulk it came in.
    pub batch_id: Option<BatchId>,
    /// The verification whose code it carries.
    pub verification_id: Option<VerificationId>,
    /// The template its text came from; texts themselves are not shown.
    pub template: Option<String>,
    /// Accepted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
    /// Never sent after.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Millis,
    /// Not sent before.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_for: Option<Millis>,
    /// Your own notes.
    pub metadata: BTreeMap<String, String>,
}

/// A decision, short.
#[derive(Serialize, ToSchema)]
pub struct DecisionView {
    /// Its id.
    pub id: Option<DecisionId>,
    /// What it did.
    pub action: Action,
    /// The rules that fired.
    pub reasons: Vec<Reason>,
}

/// A step of a message's timeline.
#[derive(Serialize, ToSchema)]
pub struct EventView {
    /// What happened, e.g. `message.sent`.
    #[schema(example = "message.sent")]
    pub kind: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
    /// What is worth knowing besides.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

/// What became of one message of a bulk.
#[derive(Serialize, ToSchema)]
pub struct BulkResult {
    /// Its place in the request.
    pub index: usize,
    /// Its id, where it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// Its status, where it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// When it goes, where that is later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_for: Option<Millis>,
    /// Why not, where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// What became of a bulk.
#[derive(Serialize, ToSchema)]
pub struct BulkView {
    /// Its id, for `GET /v1/batches/{id}`.
    pub batch_id: Option<BatchId>,
    /// Messages taken.
    pub accepted: usize,
    /// Messages refused.
    pub rejected: usize,
    /// One entry a message, in the order of the request.
    pub results: Vec<BulkResult>,
}

/// A bulk and where its messages are.
#[derive(Serialize, ToSchema)]
pub struct BatchView {
    /// Its id.
    pub id: BatchId,
    /// Messages taken.
    pub accepted: i32,
    /// Messages refused.
    pub rejected: i32,
    /// Messages by status; a status without messages is absent.
    pub counts: BTreeMap<String, i64>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// A limit as it stands.
#[derive(Serialize, ToSchema)]
pub struct LimitView {
    /// Its policy.
    #[schema(example = "otp.number")]
    pub policy: String,
    /// What it allows in its window.
    #[schema(example = 3)]
    pub limit: u64,
    /// Its window, seconds.
    #[schema(example = 300)]
    pub window_s: u64,
    /// What is used.
    #[schema(example = 1)]
    pub used: u64,
    /// What is left.
    #[schema(example = 2)]
    pub remaining: u64,
    /// When it is whole again.
    #[schema(value_type = String, format = DateTime)]
    pub reset: Millis,
}

impl From<&crate::limits::Verdict> for LimitView {
    fn from(verdict: &crate::limits::Verdict) -> LimitView {
        LimitView {
            policy: verdict.policy.to_string(),
            limit: verdict.limit,
            window_s: verdict.window.as_secs(),
            used: verdict.used,
            remaining: verdict.remaining(),
            reset: verdict.reset_at,
        }
    }
}

impl MessageView {
    /// Shows a row.
    pub fn of(row: &Row) -> Result<MessageView> {
        let extra = row.extra()?;
        Ok(MessageView {
            id: row.id,
            status: row.status,
            mode: row.mode,
            to: row.recipient.clone(),
            country: row.country,
            channel: row.channel,
            kind: row.kind,
            encoding: row.encoding,
            segments: row.segments,
            price: MoneyView::new(row.price_micros, row.currency),
            decision: DecisionView {
                id: Some(row.decision_id),
                action: Action::Allow,
                reasons: for_customer(row.reasons()?),
            },
            error_code: row.error_code.clone(),
            batch_id: row.batch_id,
            verification_id: row.verification_id,
            template: extra.template,
            created_at: row.created_at,
            updated_at: row.updated_at,
            expires_at: row.expires_at,
            scheduled_for: row.scheduled_for,
            metadata: extra.metadata,
        })
    }
}

impl EventView {
    /// The whole timeline: acceptance, hand-offs, and what followed.
    pub fn timeline(row: &Row, attempts: &[Attempt], events: Vec<Event>) -> Result<Vec<EventView>> {
        let terms = row.terms()?;
        let accepted = serde_json::json!({
            "request_id": row.request_id,
            "limits": terms.limits,
            "reasons": for_customer(terms.reasons),
            "scheduled_for": row.scheduled_for,
        });
        let mut steps =
            vec![EventView { kind: String::from("message.accepted"), at: row.created_at, detail: accepted }];
        steps.extend(attempts.iter().map(EventView::begun));
        for event in events {
            let mut detail: serde_json::Value = serde_json::from_str(&event.detail).map_err(Error::internal)?;
            // A carrier's own words are for operators.
            detail.as_object_mut().map(|members| members.remove("detail"));
            steps.push(EventView { kind: event.kind, at: event.at, detail });
        }
        steps.sort_by_key(|step| step.at);
        Ok(steps)
    }

    fn begun(attempt: &Attempt) -> EventView {
        let detail = serde_json::json!({
            "attempt": attempt.number,
            "channel": attempt.channel,
            "carrier": attempt.carrier,
            "state": attempt.state,
            "error_code": attempt.error_code,
            "finished_at": attempt.finished_at,
        });
        EventView { kind: String::from("message.handed_over"), at: attempt.started_at, detail }
    }
}

impl BatchView {
    /// Shows a bulk.
    pub fn of(row: &BatchRow, counts: Vec<(Status, i64)>) -> BatchView {
        BatchView {
            id: row.id,
            accepted: row.accepted,
            rejected: row.rejected,
            counts: counts.into_iter().map(|(status, count)| (status.to_string(), count)).collect(),
            created_at: row.created_at,
        }
    }
}

/// The answer to a single send: 202 and the message.
pub fn render_single(_: Option<&BulkTerms>, outcomes: &[ItemOutcome]) -> Stored {
    let row = outcomes.first().and_then(|outcome| outcome.result.as_ref().ok());
    let view = row.and_then(|row| MessageView::of(row).ok());
    let location = row.map(|row| place_of(row.id));
    Stored { status: 202, body: serde_json::to_vec(&view).unwrap_or_default(), location }
}

/// The answer to a bulk: 202 and one result a message.
pub fn render_bulk(bulk: Option<&BulkTerms>, outcomes: &[ItemOutcome]) -> Stored {
    let results = bulk_results(bulk, outcomes);
    let accepted = results.iter().filter(|result| result.id.is_some()).count();
    let batch_id = bulk.map(|terms| terms.batch_id);
    let view = BulkView { batch_id, accepted, rejected: results.len() - accepted, results };
    let location = batch_id.map(|id| format!("/v1/batches/{id}"));
    Stored { status: 202, body: serde_json::to_vec(&view).unwrap_or_default(), location }
}

/// The results of a bulk.
pub fn bulk_results(bulk: Option<&BulkTerms>, outcomes: &[ItemOutcome]) -> Vec<BulkResult> {
    let base = bulk.map_or("", |terms| terms.base.as_str());
    outcomes.iter().enumerate().map(|(index, outcome)| bulk_result(index, outcome, base)).collect()
}

fn bulk_result(index: usize, outcome: &ItemOutcome, base: &str) -> BulkResult {
    match &outcome.result {
        Ok(row) => BulkResult {
            index,
            id: Some(row.id),
            status: Some(row.status),
            scheduled_for: row.scheduled_for,
            error: None,
        },
        Err(fault) => {
            BulkResult { index, id: None, status: None, scheduled_for: None, error: Some(Problem::of(fault, base)) }
        }
    }
}
