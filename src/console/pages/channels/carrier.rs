//! One carrier, and the test messages by it.

use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use askama::Template;
use serde_json::Value;

use super::{CARRIERS, DRAIN_CARRIER, RESUME_CARRIER, TEST_CARRIER};
use crate::console::cells::{Column, plain, rows_at};
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::layout::Page;
use crate::console::listing::{Listing, Place};
use crate::console::markup::Markup;
use crate::error::{Code, Error, Result};
use crate::http::query::encoded;
use crate::words::Words;

/// Test messages, the latest first.
pub(in crate::console::pages) static TESTS: Listing = Listing {
    name: "carrier-tests",
    title: "Test messages",
    api: "/v1/admin/carrier-tests",
    columns: &[
        Column::time("When", "/created_at").to("/console/channels/tests/{/id}"),
        Column::text("Carrier", "/carrier").hidden(),
        Column::text("Channel", "/channel"),
        Column::text("To", "/to"),
        Column::status("Status", "/status"),
        Column::code("Error", "/error_code"),
        Column::text("Carrier's words", "/detail"),
        Column::duration("Took", "/took_ms"),
        Column::status("Receipt", "/receipts/0/status"),
        Column::code("By", "/author").hidden(),
        Column::code("Id", "/id").to("/console/channels/tests/{/id}").hidden(),
    ],
    empty: "No test message yet: send one below.",
    ..Listing::NEW
};

/// What a carrier told of a test message.
pub(in crate::console::pages) static TEST_RECEIPTS: Listing = Listing {
    name: "test-receipts",
    title: "Receipts",
    api: "/v1/admin/carrier-tests/{id}",
    rows: "/receipts",
    columns: &[Column::time("When", "/at"), Column::status("Status", "/status"), Column::code("Error", "/error_code")],
    empty: "No receipt yet.",
    is_paged: false,
    ..Listing::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(carrier).service(test);
}

#[get("/channels/carriers/{name}")]
async fn carrier(desk: Desk, name: Path<String>) -> Result<HttpResponse> {
    let all = desk.need("/v1/admin/carriers").await?;
    let mut found = rows_at(&all, "/data").iter();
    let one = found.find(|one| one.get("name").and_then(Value::as_str) == Some(name.as_str()));
    let one = one.ok_or_else(|| Error::new(Code::NotFound))?;
    let at: &[(&str, &str)] = &[("name", name.as_str())];
    let fixed: &[(&str, &str)] = &[("carrier", name.as_str())];
    // What the table of carriers shows, but the name, which is the title here.
    let shown = CARRIERS.columns.get(1..).unwrap_or_default();
    let mut body = vec![facts("", shown, one, desk.words, desk.now)?];
    body.extend(desk.form(&DRAIN_CARRIER, &[], one)?);
    body.extend(desk.form(&RESUME_CARRIER, &[], one)?);
    body.push(desk.table(&TESTS, Place { fixed, ..Place::default() }).await?);
    body.extend(desk.form(&TEST_CARRIER, at, one)?);
    desk.page(Page { key: "channels", title: &name, lead: String::new(), body })
}

#[derive(Template)]
#[template(path = "console/again.html")]
struct Again<'a> {
    words: Words,
    page: &'a str,
}

#[get("/channels/tests/{id}")]
async fn test(desk: Desk, id: Path<String>) -> Result<HttpResponse> {
    let one = desk.need(&format!("/v1/admin/carrier-tests/{}", encoded(&id))).await?;
    let path: &[(&str, &str)] = &[("id", id.as_str())];
    let body = vec![
        facts("What was asked of the carrier", ASKED, &one, desk.words, desk.now)?,
        facts("What it answered", ANSWERED, &one, desk.words, desk.now)?,
        desk.table(&TEST_RECEIPTS, Place { path, ..Place::default() }).await?,
        Markup::of(&Again { words: desk.words, page: desk.path() })?,
    ];
    let title = format!("{}: {}", desk.words.say("Test message"), one.get("carrier").map(plain).unwrap_or_default());
    desk.page(Page { key: "channels", title: &title, lead: String::new(), body })
}

const ASKED: &[Column] = &[
    Column::text("Carrier", "/carrier").to("/console/channels/carriers/{/carrier}"),
    Column::text("Channel", "/channel"),
    Column::text("To", "/to"),
    Column::text("Text", "/text"),
    Column::code("Template", "/template_id"),
    Column::code("By", "/author"),
    Column::time("Asked for", "/created_at"),
    Column::time("Hand-off", "/started_at"),
];

const ANSWERED: &[Column] = &[
    Column::status("Status", "/status"),
    Column::code("Carrier's id", "/provider_id"),
    Column::code("Error", "/error_code"),
    Column::text("Carrier's words", "/detail"),
    Column::duration("Took", "/took_ms"),
    Column::time("Answered", "/ended_at"),
];
