//! One message: what happened to it, step by step.

use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use askama::Template;
use serde_json::Value;

use super::{BLOCK_NUMBER, CANCEL_MESSAGE, FALSE_POSITIVE, RELATED, RESEND_MESSAGE, REVEAL_MESSAGE, SETTLE_MESSAGE};
use crate::console::cells::{Column, Shown, plain, rows_at, span_text};
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::layout::Page;
use crate::console::listing::Place;
use crate::console::markup::Markup;
use crate::error::{Error, Result};
use crate::http::query::encoded;
use crate::words::Words;

const FACTS: &[Column] = &[
    Column::status("Status", "/status"),
    Column::code("Error", "/error_code"),
    Column::text("To", "/to"),
    Column::text("Country", "/country"),
    Column::text("Tenant", "/org_name").to("/console/tenants/{/org_id}"),
    Column::text("Mode", "/mode"),
    Column::text("Channel", "/channel"),
    Column::text("Kind", "/kind"),
    Column::text("Carrier", "/carrier"),
    Column::duration("Hand-off", "/latency_ms"),
    Column::money("Price", "/price/amount", "/price/currency"),
    Column::text("Its price is", "/hold"),
    Column::count("Parts", "/segments"),
    Column::text("Sender", "/sender"),
    Column::text("Template", "/template"),
    Column::status("The text is", "/body_state"),
    Column::flag("Verified", "/verified"),
    Column::code("Verification", "/verification_id").to("/console/messages?q={/verification_id}"),
    Column::code("Bulk", "/batch_id").to("/console/messages?q={/batch_id}"),
    Column::code("Request", "/request_id").to("/console/messages?q={/request_id}"),
    Column::code("Client's own request", "/client_request_id"),
    Column::flag("Idempotency key", "/has_idempotency_key"),
    Column::text("Feedback", "/feedback"),
    Column::time("Accepted", "/created_at"),
    Column::time("Not before", "/scheduled_for"),
    Column::time("Never after", "/expires_at"),
];

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(message);
}

struct StepView {
    kind: String,
    tone: &'static str,
    at: Shown,
    after: String,
    took: String,
    facts: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "console/messages/timeline.html")]
struct Timeline {
    words: Words,
    steps: Vec<StepView>,
    raw: String,
    curl: String,
}

#[get("/messages/{id}")]
async fn message(desk: Desk, id: Path<String>) -> Result<HttpResponse> {
    let path = format!("/v1/admin/messages/{}", encoded(&id));
    let found = desk.need(&path).await?;
    let at: &[(&str, &str)] = &[("id", id.as_str())];
    let mut body = vec![facts("", FACTS, &found, desk.words, desk.now)?];
    for form in [&CANCEL_MESSAGE, &SETTLE_MESSAGE, &RESEND_MESSAGE, &REVEAL_MESSAGE, &BLOCK_NUMBER] {
        body.extend(desk.form(form, at, &found)?);
    }
    if found.pointer("/decision/reasons/0").is_some() {
        let decision = found.pointer("/decision/id").map(plain).unwrap_or_default();
        body.extend(desk.form(&FALSE_POSITIVE, &[("id", decision.as_str())], &found)?);
    }
    let steps = rows_at(&found, "/timeline");
    body.push(Markup::of(&Timeline {
        words: desk.words,
        steps: steps.iter().map(|step| shown(step, &desk)).collect(),
        raw: serde_json::to_string_pretty(&found).map_err(Error::internal)?,
        curl: desk.curl(&path),
    })?);
    body.push(desk.table(&RELATED, Place { path: at, fixed: &[], prefix: "related." }).await?);
    desk.page(Page { key: "messages", title: &id, lead: String::new(), body })
}

fn shown(step: &Value, desk: &Desk) -> StepView {
    let kind = step.get("kind").map(plain).unwrap_or_default();
    let span = |name: &str| step.get(name).and_then(Value::as_u64).map(span_text).unwrap_or_default();
    let members = step.get("detail").and_then(Value::as_object).into_iter().flatten();
    let facts = members.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), plain(value)));
    StepView {
        tone: tone(&kind),
        at: Column::time("", "/at").show(step, desk.words, desk.now),
        after: span("after_ms"),
        took: span("took_ms"),
        facts: facts.filter(|(_, text)| !text.is_empty()).collect(),
        kind,
    }
}

/// Whether a step is good news; its word says it as well.
fn tone(kind: &str) -> &'static str {
    match kind.rsplit('.').next().unwrap_or_default() {
        "delivered" | "accepted" | "approved" | "settle" => "good",
        "failed" | "refused" | "undelivered" | "expired" | "max_checks" | "dropped" => "bad",
        "unknown" | "canceled" => "warn",
        _ => "neutral",
    }
}
