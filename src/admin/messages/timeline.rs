//! A message's whole story, out of what each room keeps of it.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{BatchId, KeyId};
use crate::messages::{self, Attempt, BodyState, FoundMessage, Hold, Row};
use crate::money::MoneyView;
use crate::phone::mask;
use crate::sentinel::{DecisionReport, report_decision};
use crate::text::{Encoding, redact};
use crate::verifications::{self, VerificationRow};
use crate::{wallet, webhooks};

/// A message and everything that happened to it.
#[derive(Serialize, ToSchema)]
pub(in crate::admin) struct MessageTrace {
    /// The message, as a search shows it.
    #[serde(flatten)]
    message: FoundMessage,
    /// Sent with this key.
    key_id: KeyId,
    /// The bulk it came in.
    batch_id: Option<BatchId>,
    /// The originator that was asked for.
    sender: Option<String>,
    /// The template its text came from.
    template: Option<String>,
    /// SMS encoding.
    encoding: Option<Encoding>,
    /// SMS parts; 1 on other channels.
    segments: i32,
    /// What became of its price.
    hold: Hold,
    /// Whether its request had an idempotency key that is still kept.
    has_idempotency_key: bool,
    /// The client's own id of the request.
    client_request_id: Option<String>,
    /// What the app said became of it.
    feedback: Option<String>,
    /// Whether its text can be revealed.
    body_state: BodyState,
    /// Not sent before.
    #[schema(value_type = Option<String>, format = DateTime)]
    scheduled_for: Option<Millis>,
    /// Never sent after.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Millis,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
    /// What can be done with it now: `cancel`, `settle`, `resend`.
    actions: Vec<&'static str>,
    /// Why it was let through; null once the rules it was judged by are gone.
    decision: Option<DecisionReport>,
    /// What happened, first to last.
    timeline: Vec<TraceStep>,
}

/// A step of a message's story.
#[derive(Serialize, ToSchema)]
pub(in crate::admin) struct TraceStep {
    /// What, e.g. `ledger.settle`, `attempt.accepted`, `receipt`, `webhook.delivered`.
    #[schema(example = "attempt.accepted")]
    kind: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Millis,
    /// How long after the step before it, ms.
    #[schema(example = 42)]
    after_ms: i64,
    /// How long it took itself, ms, where that is known.
    took_ms: Option<i64>,
    /// What is worth knowing besides; numbers are masked.
    #[schema(value_type = Object)]
    detail: Value,
}

fn step(kind: impl Into<String>, at: Millis, detail: Value) -> TraceStep {
    TraceStep { kind: kind.into(), at, after_ms: 0, took_ms: None, detail }
}

/// The story of `row`. `kept`: how long idempotency keys are.
pub(super) fn trace(conn: &mut Conn, row: &Row, message: FoundMessage, kept: Duration) -> Result<MessageTrace> {
    let attempts = messages::attempts_of(conn, row.id)?;
    let events = messages::events_of(conn, row.id)?;
    let has_key = messages::came_with_key(conn, row, kept)?;
    let decision = report_decision(conn, row.decision_id).ok();
    let verification = match row.verification_id {
        Some(id) => verifications::find_of_anybody(conn, id)?,
        None => None,
    };
    let mut timeline = begun(row, decision.as_ref(), has_key)?;
    timeline.extend(attempts.iter().flat_map(attempted));
    for receipt in messages::receipts_of(conn, &attempts)? {
        let detail = json!({
            "carrier": receipt.carrier, "provider_id": receipt.provider_id,
            "status": receipt.status.trim_start_matches('='), "error_code": receipt.error_code,
        });
        timeline.push(step("receipt", receipt.received_at, detail));
    }
    for event in &events {
        timeline.push(step(event.kind.clone(), event.at, told(&event.detail)));
    }
    timeline.extend(posted(conn, row, &attempts)?);
    let moments: Vec<Millis> = events.iter().map(|event| event.at).collect();
    timeline.extend(hooks(conn, row, &moments)?);
    timeline.extend(verification.iter().filter_map(checked));
    Ok(whole(row, message, decision, timeline, has_key))
}

fn whole(
    row: &Row,
    message: FoundMessage,
    decision: Option<DecisionReport>,
    mut timeline: Vec<TraceStep>,
    has_idempotency_key: bool,
) -> MessageTrace {
    timeline.sort_by_key(|step| step.at);
    let mut before = row.created_at;
    for step in &mut timeline {
        step.after_ms = step.at.0 - before.0;
        before = step.at;
    }
    let (extra, body_state) = (row.extra_or_none(), BodyState::of(row));
    MessageTrace {
        message,
        key_id: row.key_id,
        batch_id: row.batch_id,
        sender: row.sender.clone(),
        template: extra.template,
        encoding: row.encoding,
        segments: row.segments,
        hold: row.hold,
        has_idempotency_key,
        client_request_id: extra.client_request_id,
        feedback: extra.feedback,
        body_state,
        scheduled_for: row.scheduled_for,
        expires_at: row.expires_at,
        updated_at: row.updated_at,
        actions: actions(row, body_state),
        decision,
        timeline,
    }
}

fn actions(row: &Row, body: BodyState) -> Vec<&'static str> {
    let can = [
        ("cancel", row.status.is_cancelable()),
        ("settle", row.status == messages::Status::Unknown),
        ("resend", body == BodyState::Kept),
    ];
    can.into_iter().filter(|(_, can)| *can).map(|(name, _)| name).collect()
}

/// Acceptance: the request, the limits it met, what the guards said, the money that was held.
fn begun(row: &Row, decision: Option<&DecisionReport>, has_key: bool) -> Result<Vec<TraceStep>> {
    let at = row.created_at;
    let accepted = json!({
        "request_id": row.request_id, "client_request_id": row.extra_or_none().client_request_id,
        "idempotency_key": has_key, "scheduled_for": row.scheduled_for,
    });
    let mut steps = vec![step("message.accepted", at, accepted)];
    for limit in row.terms()?.limits {
        steps.push(step(
            "limit.counted",
            at,
            json!({"policy": limit.policy, "limit": limit.limit, "used": limit.used}),
        ));
    }
    if let Some(decision) = decision {
        let detail = json!({
            "id": decision.id, "action": decision.action, "reasons": decision.reasons,
            "score": decision.engine.as_ref().and_then(|engine| engine.score),
            "rule_version": decision.engine.as_ref().map(|engine| engine.rule_version),
        });
        steps.push(step("decision", at, detail));
    }
    if row.price_micros.0 > 0 && row.hold != Hold::None {
        let price = MoneyView::new(row.price_micros, row.currency);
        steps.push(step("ledger.hold", at, json!({ "amount": price })));
    }
    if row.hold == Hold::Released {
        steps.push(step("ledger.release", row.updated_at, Value::Null));
    }
    Ok(steps)
}

/// A hand-off: when it was begun and what the carrier said, in its own words, redacted.
fn attempted(attempt: &Attempt) -> Vec<TraceStep> {
    let began = json!({
        "attempt": attempt.number, "id": attempt.id, "carrier": attempt.carrier, "channel": attempt.channel,
        "route_id": attempt.route_id,
    });
    let mut steps = vec![step("attempt.started", attempt.started_at, began)];
    if let Some(at) = attempt.finished_at {
        let detail = json!({
            "attempt": attempt.number, "carrier": attempt.carrier, "provider_id": attempt.provider_id,
            "error_code": attempt.error_code, "reply": attempt.detail,
        });
        let took_ms = Some((at.0 - attempt.started_at.0).max(0));
        steps.push(TraceStep { took_ms, ..step(format!("attempt.{}", attempt.state), at, detail) });
    }
    steps
}

fn posted(conn: &mut Conn, row: &Row, attempts: &[Attempt]) -> Result<Vec<TraceStep>> {
    let ids: Vec<_> = attempts.iter().map(|attempt| attempt.id).collect();
    let entries = wallet::entries_of_message(conn, row.id, &ids)?;
    let shown = entries.into_iter().map(|entry| {
        let detail = json!({
            "id": entry.id, "account": entry.account, "contra": entry.contra, "parts": entry.parts,
            "amount": MoneyView::new(entry.amount_micros, entry.currency),
        });
        step(format!("ledger.{}", entry.kind), entry.created_at, detail)
    });
    Ok(shown.collect())
}

fn hooks(conn: &mut Conn, row: &Row, moments: &[Millis]) -> Result<Vec<TraceStep>> {
    let mut steps = Vec::new();
    for (event, deliveries) in webhooks::told_of(conn, (row.org_id, row.mode), row.id.as_str(), moments)? {
        steps.push(step("webhook.event", event.created_at, json!({"id": event.id, "type": event.kind})));
        for delivery in deliveries {
            let detail = json!({
                "id": delivery.id, "event_id": delivery.event_id, "endpoint_id": delivery.endpoint_id,
                "attempts": delivery.attempts, "http_status": delivery.http_status, "error": delivery.error,
                "next_at": delivery.next_at,
            });
            let at = delivery.attempted_at.unwrap_or(delivery.created_at);
            steps.push(TraceStep {
                took_ms: delivery.duration_ms,
                ..step(format!("webhook.{}", delivery.status), at, detail)
            });
        }
    }
    Ok(steps)
}

/// How the verification stands; single checks are counted, not kept.
fn checked(row: &VerificationRow) -> Option<TraceStep> {
    let detail = json!({
        "id": row.id, "status": row.status, "checks": row.checks, "max_checks": row.max_checks, "sends": row.sends,
    });
    row.decided_at.map(|at| step(format!("verification.{}", row.status), at, detail))
}

/// What an event keeps, with nothing in it that names a person.
fn told(detail: &str) -> Value {
    fn clean(value: Value) -> Value {
        match value {
            Value::String(text) if text.starts_with('+') || text.contains('@') => Value::String(mask(&text)),
            Value::Object(members) => members.into_iter().map(|(name, value)| (name, clean(value))).collect(),
            Value::Array(items) => items.into_iter().map(clean).collect(),
            other => other,
        }
    }
    let parsed = serde_json::from_str(detail).map(clean);
    parsed.unwrap_or_else(|_| Value::String(redact(detail)))
}
