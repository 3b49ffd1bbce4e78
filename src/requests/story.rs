//! A message's whole story in one timeline, out of what each room keeps of it: for whoever follows the message, or the
//! request that brought it.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::messages::{Attempt, Hold, ReceiptRow, Row, Trail};
use crate::money::MoneyView;
use crate::phone::mask;
use crate::sentinel::DecisionReport;
use crate::text::redact;
use crate::verifications::{self, VerificationRow};
use crate::wallet;
use crate::webhooks::{self, TracedEvent};

/// A step of a message's story.
#[derive(Serialize, ToSchema)]
pub struct TraceStep {
    /// What, e.g. `ledger.settle`, `attempt.accepted`, `receipt`, `webhook.delivered`.
    #[schema(example = "attempt.accepted")]
    pub kind: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
    /// How long after the step before it, ms.
    #[schema(example = 42)]
    pub after_ms: i64,
    /// How long it took itself, ms, where that is known.
    pub took_ms: Option<i64>,
    /// What is worth knowing besides; numbers are masked.
    #[schema(value_type = Object)]
    pub detail: Value,
}

fn step(kind: impl Into<String>, at: Millis, detail: Value) -> TraceStep {
    TraceStep { kind: kind.into(), at, after_ms: 0, took_ms: None, detail }
}

/// What is known of a message besides what its own room, the ledger and its verification keep.
pub struct Known<'a> {
    /// Why it was let through.
    pub decision: Option<&'a DecisionReport>,
    /// Whether its request had an idempotency key that is still kept, where that was looked up.
    pub has_key: Option<bool>,
    /// What webhooks told of it.
    pub webhooks: &'a [TracedEvent],
}

/// What webhooks told of `row`: at the moments when something happened to it.
pub fn told_of(conn: &mut Conn, row: &Row, trail: &Trail) -> Result<Vec<TracedEvent>> {
    let begun = trail.attempts.iter().map(|attempt| attempt.started_at);
    let moments: BTreeSet<Millis> =
        std::iter::once(row.created_at).chain(begun).chain(trail.events.iter().map(|event| event.at)).collect();
    let moments: Vec<Millis> = moments.into_iter().collect();
    webhooks::trace_events(conn, (row.org_id, row.mode), row.id.as_str(), &moments)
}

/// Everything that happened to `row`, first to last.
pub fn timeline(conn: &mut Conn, row: &Row, trail: &Trail, known: &Known<'_>) -> Result<Vec<TraceStep>> {
    let verification = match row.verification_id {
        Some(id) => verifications::find_of_anybody(conn, id)?,
        None => None,
    };
    let mut steps = begun(row, known)?;
    steps.extend(trail.attempts.iter().flat_map(attempted));
    steps.extend(trail.receipts.iter().map(reported));
    steps.extend(trail.events.iter().map(|event| step(event.kind.clone(), event.at, told(&event.detail))));
    steps.extend(posted(conn, row, &trail.attempts)?);
    steps.extend(known.webhooks.iter().flat_map(hooks));
    steps.extend(verification.iter().filter_map(checked));
    Ok(in_order(steps, row.created_at))
}

/// By time, each with how long it came after the one before. Pure.
fn in_order(mut steps: Vec<TraceStep>, from: Millis) -> Vec<TraceStep> {
    steps.sort_by_key(|step| step.at);
    let mut before = from;
    for step in &mut steps {
        step.after_ms = step.at.0 - before.0;
        before = step.at;
    }
    steps
}

fn reported(receipt: &ReceiptRow) -> TraceStep {
    let detail = json!({
        "carrier": receipt.carrier, "provider_id": receipt.provider_id,
        "status": receipt.status.trim_start_matches('='), "error_code": receipt.error_code,
    });
    step("receipt", receipt.received_at, detail)
}

/// Acceptance: the request, the limits it met, what the guards said, the money that was held.
fn begun(row: &Row, known: &Known<'_>) -> Result<Vec<TraceStep>> {
    let at = row.created_at;
    let accepted = json!({
        "request_id": row.request_id, "client_request_id": row.extra_or_none().client_request_id,
        "idempotency_key": known.has_key, "scheduled_for": row.scheduled_for,
    });
    let mut steps = vec![step("message.accepted", at, accepted)];
    for limit in row.terms()?.limits {
        steps.push(step(
            "limit.counted",
            at,
            json!({"policy": limit.policy, "limit": limit.limit, "used": limit.used}),
        ));
    }
    if let Some(decision) = known.decision {
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

fn hooks(event: &TracedEvent) -> Vec<TraceStep> {
    let mut steps = vec![step("webhook.event", event.created_at, json!({"id": event.id, "type": event.kind}))];
    for delivery in &event.deliveries {
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
    steps
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
