//! One request and all that it left behind.

use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use askama::Template;
use serde_json::Value;

use crate::console::cells::{Column, Shown, plain, rows_at};
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::layout::Page;
use crate::console::markup::Markup;
use crate::error::Result;
use crate::http::query::encoded;
use crate::words::Words;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(request);
}

/// A few rows that came with something else, without a list of their own.
#[derive(Template)]
#[template(path = "console/rows.html")]
struct Rows<'a> {
    title: &'a str,
    heads: Vec<&'a str>,
    rows: Vec<Vec<Shown>>,
}

#[derive(Template)]
#[template(path = "console/trace.html")]
struct Raw<'a> {
    words: Words,
    json: &'a str,
    curl: &'a str,
}

#[get("/requests/{id}")]
async fn request(desk: Desk, id: Path<String>) -> Result<HttpResponse> {
    let path = format!("/v1/admin/requests/{}", encoded(&id));
    let trace = desk.need(&path).await?;
    let mut body = Vec::new();
    match trace.get("request").filter(|line| !line.is_null()) {
        Some(line) => body.push(facts("Request", LINE, line, desk.words, desk.now)?),
        None => body.push(facts("Request", NO_LINE, &trace, desk.words, desk.now)?),
    }
    for decision in rows_at(&trace, "/decisions") {
        body.push(facts("Decision", DECISION, decision, desk.words, desk.now)?);
        body.extend(rows(&desk, "Limits as they were counted", LIMITS, rows_at(decision, "/limits"))?);
        body.extend(rows(&desk, "Rules that fired", RULES, rows_at(decision, "/reasons"))?);
    }
    if let Some(one) = trace.get("verification").filter(|one| !one.is_null()) {
        body.push(facts("Verification", VERIFICATION, one, desk.words, desk.now)?);
        body.extend(rows(&desk, "Requests about it", CHECKS, rows_at(one, "/requests"))?);
        body.extend(webhooks(&desk, one)?);
    }
    for message in rows_at(&trace, "/messages") {
        body.push(facts("Message", MESSAGE, message, desk.words, desk.now)?);
        body.extend(rows(&desk, "Timeline", STEPS, rows_at(message, "/timeline"))?);
        body.extend(rows(&desk, "Hand-offs to carriers", ATTEMPTS, rows_at(message, "/attempts"))?);
        body.extend(rows(&desk, "What carriers reported", RECEIPTS, rows_at(message, "/receipts"))?);
        body.extend(webhooks(&desk, message)?);
    }
    body.extend(rows(&desk, "Changes it made", CHANGES, rows_at(&trace, "/changes"))?);
    let json = serde_json::to_string_pretty(&trace).unwrap_or_default();
    body.push(Markup::of(&Raw { words: desk.words, json: &json, curl: &desk.curl(&path) })?);
    let title = format!("{} {}", desk.words.say("Request"), id.chars().take(8).collect::<String>());
    let lead =
        desk.words.say("All that this request left behind, in order. Numbers are masked, texts nowhere.").to_owned();
    desk.page(Page { key: "developers", title: &title, lead, body })
}

/// A table of `found` under `title`; nothing where there are none.
pub(super) fn rows(desk: &Desk, title: &str, columns: &[Column], found: &[Value]) -> Result<Option<Markup>> {
    if found.is_empty() {
        return Ok(None);
    }
    let shown = |row: &Value| columns.iter().map(|column| column.show(row, desk.words, desk.now)).collect();
    let heads = columns.iter().map(|column| desk.words.say(column.label)).collect();
    Markup::of(&Rows { title: desk.words.say(title), heads, rows: found.iter().map(shown).collect() }).map(Some)
}

/// The deliveries of what was told of `thing`, each with its event.
fn webhooks(desk: &Desk, thing: &Value) -> Result<Option<Markup>> {
    let mut found = Vec::new();
    for event in rows_at(thing, "/webhooks") {
        for delivery in rows_at(event, "/deliveries") {
            let mut row = delivery.clone();
            if let Some(members) = row.as_object_mut() {
                members.insert(String::from("type"), Value::from(event.get("type").map(plain).unwrap_or_default()));
            }
            found.push(row);
        }
    }
    rows(desk, "Webhooks", DELIVERIES, &found)
}

const LINE: &[Column] = &[
    Column::code("Request", "/id"),
    Column::time("When", "/at"),
    Column::text("Method", "/method"),
    Column::code("Route", "/route"),
    Column::count("Status", "/status"),
    Column::code("Error", "/code").to("/docs/errors/{/code}"),
    Column::code("Limit", "/policy"),
    Column::duration("Took", "/duration_ms"),
    Column::status("Mode", "/mode"),
    Column::code("Key", "/key_id"),
    Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}"),
    Column::code("Operator", "/operator_id"),
    Column::text("From", "/client_net"),
    Column::code("Client's own id", "/client_request_id"),
    Column::code("About", "/target"),
];

const NO_LINE: &[Column] = &[Column::code("Request", "/request_id"), Column::time("When", "/at")];

const DECISION: &[Column] = &[
    Column::code("Decision", "/id"),
    Column::status("Action", "/action"),
    Column::code("Error", "/code"),
    Column::time("When", "/created_at"),
];

const LIMITS: &[Column] =
    &[Column::code("Limit", "/policy"), Column::count("Used", "/used"), Column::count("Allowed", "/limit")];

const RULES: &[Column] = &[
    Column::code("Rule", "/rule"),
    Column::status("Mode", "/mode"),
    Column::text("Seen", "/observed"),
    Column::code("Group", "/node"),
];

const VERIFICATION: &[Column] = &[
    Column::code("Verification", "/id"),
    Column::status("Status", "/status"),
    Column::text("To", "/to"),
    Column::text("Channel", "/channel"),
    Column::count("Checks", "/checks"),
    Column::count("Allowed", "/max_checks"),
    Column::time("Started", "/created_at"),
    Column::time("Decided", "/decided_at"),
    Column::time("Ends", "/expires_at"),
];

const CHECKS: &[Column] = &[
    Column::time("When", "/at"),
    Column::code("Route", "/route"),
    Column::count("Status", "/status"),
    Column::code("Error", "/code"),
    Column::code("Request", "/id").to("/console/requests/{/id}"),
];

const MESSAGE: &[Column] = &[
    Column::code("Message", "/id").to("/console/messages/{/id}"),
    Column::status("Status", "/status"),
    Column::text("To", "/to"),
    Column::text("Channel", "/channel"),
    Column::text("Kind", "/kind"),
    Column::text("Carrier", "/carrier"),
    Column::code("Error", "/error_code"),
    Column::money("Price", "/price/amount", "/price/currency"),
    Column::time("Accepted", "/created_at"),
    Column::time("Changed", "/updated_at"),
];

const STEPS: &[Column] = &[
    Column::time("When", "/at"),
    Column::code("What", "/kind"),
    Column::duration("Took", "/took_ms"),
    Column::text("Detail", "/detail"),
];

const ATTEMPTS: &[Column] = &[
    Column::count("No.", "/number"),
    Column::text("Carrier", "/carrier"),
    Column::text("Channel", "/channel"),
    Column::status("State", "/state"),
    Column::code("Carrier's id", "/provider_id"),
    Column::code("Error", "/error_code"),
    Column::text("Carrier's words", "/detail"),
    Column::duration("Took", "/duration_ms"),
    Column::time("Begun", "/started_at"),
];

const RECEIPTS: &[Column] = &[
    Column::time("When", "/received_at"),
    Column::text("Carrier", "/carrier"),
    Column::code("Status", "/status"),
    Column::code("Error", "/error_code"),
    Column::code("Carrier's id", "/provider_id"),
];

const DELIVERIES: &[Column] = &[
    Column::time("When", "/created_at"),
    Column::code("Event", "/type"),
    Column::status("Status", "/status"),
    Column::count("Answered", "/http_status"),
    Column::text("Why not", "/error"),
    Column::count("Tries", "/attempts"),
    Column::time("Next try", "/next_at"),
    Column::code("Endpoint", "/endpoint_id").to("/console/webhooks/{/endpoint_id}"),
];

const CHANGES: &[Column] = &[
    Column::count("No.", "/seq"),
    Column::code("What", "/action"),
    Column::code("To what", "/target"),
    Column::code("By", "/actor"),
    Column::text("Why", "/reason"),
    Column::text("Before", "/before"),
    Column::text("After", "/after"),
];
