//! One decision: what was seen, which rules fired by which numbers, and whether it comes to the same again.

use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use askama::Template;
use serde_json::Value;

use crate::console::cells::{Column, rows_at};
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::layout::Page;
use crate::console::markup::Markup;
use crate::console::pages::messages::FALSE_POSITIVE_OF;
use crate::console::pages::request::rows;
use crate::error::Result;
use crate::http::query::encoded;
use crate::words::Words;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(decision);
}

#[derive(Template)]
#[template(path = "console/trace.html")]
struct Raw<'a> {
    words: Words,
    json: &'a str,
    curl: &'a str,
}

#[get("/fraud/decisions/{id}")]
async fn decision(desk: Desk, id: Path<String>) -> Result<HttpResponse> {
    let path = format!("/v1/admin/decisions/{}", encoded(&id));
    let found = desk.need(&path).await?;
    let mut body = vec![facts("Decision", DECISION, &found, desk.words, desk.now)?];
    if found.get("action").and_then(Value::as_str) != Some("allow") {
        body.extend(desk.form(&FALSE_POSITIVE_OF, &[], &found)?);
    }
    body.extend(rows(&desk, "Rules that fired", RULES, rows_at(&found, "/reasons"))?);
    body.extend(rows(&desk, "Limits as they were counted", LIMITS, rows_at(&found, "/limits"))?);
    if found.get("engine").is_some_and(|engine| !engine.is_null()) {
        body.push(facts("What the engine saw", ENGINE, &found, desk.words, desk.now)?);
        body.extend(rows(&desk, "Groups it belonged to", GROUPS, rows_at(&found, "/engine/seen/groups"))?);
    }
    let json = serde_json::to_string_pretty(&found).unwrap_or_default();
    body.push(Markup::of(&Raw { words: desk.words, json: &json, curl: &desk.curl(&path) })?);
    let lead = desk.words.say("Why a send was let through or refused, with the numbers it was measured by.").to_owned();
    desk.page(Page { key: "fraud", title: desk.words.say("Decision"), lead, body })
}

const DECISION: &[Column] = &[
    Column::status("What", "/action"),
    Column::code("Told the request", "/code"),
    Column::time("When", "/created_at"),
    Column::code("Tenant", "/org_id").to("/console/tenants/{/org_id}"),
    Column::status("Mode", "/mode"),
    Column::code("Message", "/message_id").to("/console/messages/{/message_id}"),
    Column::code("Request", "/request_id").to("/console/requests/{/request_id}"),
    Column::code("Key", "/key_id"),
    Column::code("Id", "/id"),
];

const RULES: &[Column] = &[
    Column::code("Rule", "/rule"),
    Column::status("Mode", "/mode"),
    Column::text("Seen", "/observed"),
    Column::count("Limit", "/limit"),
    Column::count("Window, seconds", "/window_s"),
    Column::code("Evidence", "/evidence"),
    Column::code("Group", "/node"),
    Column::time("Until", "/until"),
    Column::count("Version", "/version"),
];

const LIMITS: &[Column] =
    &[Column::code("Limit", "/policy"), Column::count("Used", "/used"), Column::count("Of", "/limit")];

const ENGINE: &[Column] = &[
    Column::status("The rules that act said", "/engine/action"),
    Column::status("With those that watch", "/engine/shadow_action"),
    Column::count("Score", "/engine/score"),
    Column::text("Level", "/engine/level"),
    Column::flag("Still learning", "/engine/is_learning"),
    Column::count("Version of the rules", "/engine/rule_version"),
    Column::text("To", "/engine/attempt/number"),
    Column::text("Country", "/engine/attempt/country"),
    Column::count("Price", "/engine/attempt/price"),
    Column::code("Network", "/engine/attempt/network"),
    Column::code("Device", "/engine/attempt/device"),
    Column::flag("Number verified before", "/engine/seen/proven"),
    Column::count("Its codes that nobody typed", "/engine/seen/unanswered"),
    Column::code("Held by", "/engine/seen/hold"),
    Column::time("Held until", "/engine/seen/hold_until"),
    Column::flag("The same when computed again", "/engine/recomputed/same"),
];

const GROUPS: &[Column] = &[
    Column::code("Group", "/group"),
    Column::count("Numbers in an hour", "/begun"),
    Column::count("Verified", "/verified"),
    Column::count("Numbers in ten minutes", "/recent"),
    Column::count("Held before", "/held"),
    Column::count("Conversion, log-odds", "/conversion"),
    Column::count("Sequence, log-odds", "/sequence"),
    Column::count("Volume, log-odds", "/volume"),
];
