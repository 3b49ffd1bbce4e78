//! Erasing somebody's number or mail address, and the proofs.

use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde_json::Value;

use crate::accounts::Duty;
use crate::console::cells::{Column, plain};
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::form::{Field, Form, Kind, Reason};
use crate::console::layout::Page;
use crate::console::listing::{Listing, Place};
use crate::console::markup::Markup;
use crate::error::Result;
use crate::http::query::encoded;
use crate::words::Words;

/// Every erasure.
pub(in crate::console::pages) static ERASURES: Listing = Listing {
    name: "erasures",
    title: "Erasures",
    api: "/v1/admin/erasures",
    columns: &[
        Column::time("Ordered", "/created_at").to("/console/system/erasures/{/id}"),
        Column::status("Status", "/status"),
        Column::code("Stands in its place", "/subject").to("/console/system/erasures/{/id}"),
        Column::code("By", "/author"),
        Column::text("Why", "/reason"),
        Column::time("Proved", "/finished_at"),
        Column::text("Waits because", "/error").hidden(),
        Column::code("Id", "/id").hidden(),
    ],
    empty: "Nobody has been erased.",
    duty: Duty::Audit,
    ..Listing::NEW
};

/// Orders one.
pub(in crate::console::pages) static ERASE: Form = Form {
    name: "erase",
    title: "Erase a number or mail address",
    about: "Of every tenant, for good. Messages to it that wait are canceled; sums, the ledger and limits stay as they are.",
    api: "/v1/admin/erasures",
    fields: &[Field::must("to", "Number (E.164) or mail address", Kind::Text)],
    reason: Reason::Must,
    confirm: "=erase",
    then: "/console/system/erasures/{/id}",
    done: "It is ordered; the worker does it within seconds.",
    is_danger: true,
    duty: Duty::Govern,
    ..Form::NEW
};

const FACTS: &[Column] = &[
    Column::status("Status", "/status"),
    Column::code("Stands in its place", "/subject"),
    Column::code("By", "/author"),
    Column::text("Why", "/reason"),
    Column::code("Request", "/request_id"),
    Column::time("Ordered", "/created_at"),
    Column::time("Begun", "/started_at"),
    Column::time("Proved", "/finished_at"),
    Column::text("Waits because", "/error"),
];

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(erasures).service(erasure);
}

#[get("/system/erasures")]
async fn erasures(desk: Desk) -> Result<HttpResponse> {
    let mut body: Vec<Markup> = Vec::new();
    body.extend(desk.form(&ERASE, &[], &Value::Null)?);
    body.push(desk.table(&ERASURES, Place::default()).await?);
    let lead = desk.words.say("Who asked to be forgotten, and the proof that they are.").to_owned();
    desk.page(Page { key: "system", title: desk.words.say("Erasures"), lead, body })
}

#[derive(askama::Template)]
#[template(path = "console/messages/proof.html")]
struct Proof {
    words: Words,
    rows: Vec<(String, String, String)>,
}

#[get("/system/erasures/{id}")]
async fn erasure(desk: Desk, id: Path<String>) -> Result<HttpResponse> {
    let proof = desk.need(&format!("/v1/admin/erasures/{}", encoded(&id))).await?;
    let left = proof.get("left_over").and_then(Value::as_object);
    let erased = |table: &str| proof.pointer(&format!("/erased/{table}")).map_or_else(|| String::from("0"), plain);
    let rows = left.into_iter().flatten().map(|(table, left)| (table.clone(), erased(table), plain(left))).collect();
    let body = vec![facts("", FACTS, &proof, desk.words, desk.now)?, Markup::of(&Proof { words: desk.words, rows })?];
    desk.page(Page { key: "system", title: desk.words.say("Erasure"), lead: String::new(), body })
}
