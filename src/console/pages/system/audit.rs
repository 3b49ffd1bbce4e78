//! The audit log: its rows, the check of its chain, its checkpoints, and proofs to take away.

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get};
use askama::Template;
use serde_json::Value;

use crate::accounts::Duty;
use crate::audit::Change;
use crate::console::cells::Column;
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::form::Form;
use crate::console::layout::Page;
use crate::console::listing::{Filter, Listing, Place, address, query};
use crate::console::markup::Markup;
use crate::error::{Error, Result};
use crate::http::query::encoded;
use crate::words::Words;

/// Every change.
pub(in crate::console::pages) static AUDIT: Listing = Listing {
    name: "audit",
    title: "Changes",
    api: "/v1/admin/audit",
    columns: &[
        Column::count("No.", "/seq"),
        Column::time("When", "/at"),
        Column::code("Who", "/actor"),
        Column::code("What", "/action"),
        Column::code("To what", "/target"),
        Column::text("Why", "/reason"),
        Column::code("Before", "/before"),
        Column::code("After", "/after"),
        Column::code("Request", "/request_id").to("/console/requests/{/request_id}"),
        Column::code("Hash", "/hash").hidden(),
    ],
    filters: &[
        Filter::text("actor", "Who"),
        Filter::text("action", "What"),
        Filter::text("target", "To what"),
        Filter::text("request_id", "Request"),
        Filter::text("since", "From (UTC, 2026-03-28T14:30:00Z)"),
        Filter::text("until", "Until"),
    ],
    empty: "No change is told of here.",
    duty: Duty::Audit,
    ..Listing::NEW
};

/// Signed statements of where the chain ended.
pub(in crate::console::pages) static CHECKPOINTS: Listing = Listing {
    name: "checkpoints",
    title: "Checkpoints",
    api: "/v1/admin/audit/checkpoints",
    columns: &[
        Column::time("When", "/at"),
        Column::count("Up to no.", "/seq"),
        Column::code("Hash", "/hash"),
        Column::code("Process", "/node"),
        Column::code("Signature", "/signature").hidden(),
        Column::code("Key", "/key").hidden(),
        Column::code("Id", "/id").hidden(),
    ],
    empty: "No checkpoint yet; one is made every hour.",
    duty: Duty::Audit,
    ..Listing::NEW
};

/// Makes one.
pub(in crate::console::pages) static NEW_CHECKPOINT: Form = Form {
    name: "new-checkpoint",
    title: "Make a checkpoint now",
    about: "Signs where the chain stands, and hands it to wherever checkpoints are exported to.",
    api: "/v1/admin/audit/checkpoints",
    done: "The checkpoint is made.",
    duty: Duty::Audit,
    ..Form::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(audit).service(proof);
}

#[derive(Template)]
#[template(path = "console/audit.html")]
struct Tools {
    words: Words,
    checked: Option<bool>,
    key: String,
}

const VERDICT: &[Column] = &[
    Column::flag("Whole", "/whole"),
    Column::count("Good rows", "/rows"),
    Column::count("First bad row", "/first_bad"),
    Column::status("What is wrong with it", "/fault"),
    Column::count("Checkpoints that agree", "/checkpoints/agreeing"),
    Column::status("What a checkpoint shows", "/checkpoints/fault"),
    Column::time("The log was still right", "/checkpoints/at"),
    Column::code("Last hash", "/head"),
];

#[get("/system/audit")]
async fn audit(desk: Desk) -> Result<HttpResponse> {
    desk.operator.require(Duty::Audit)?;
    let key = desk.need("/v1/admin/audit/key").await?;
    let key = key.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
    let wanted = desk.pairs.iter().any(|(name, _)| name == "check");
    let verdict = if wanted { Some(desk.need("/v1/admin/audit/verify").await?) } else { None };
    let checked = verdict.as_ref().and_then(|verdict| verdict.get("whole")).and_then(Value::as_bool);
    let mut body = vec![Markup::of(&Tools { words: desk.words, checked, key })?];
    if let Some(verdict) = &verdict {
        body.push(facts("What the check found", VERDICT, verdict, desk.words, desk.now)?);
    }
    body.push(desk.table(&AUDIT, Place::default()).await?);
    body.push(desk.table(&CHECKPOINTS, Place { prefix: "checkpoints.", ..Place::default() }).await?);
    body.extend(desk.form(&NEW_CHECKPOINT, &[], &Value::Null)?);
    let lead = desk.words.say("Every change that somebody made, each bound to the one before it.").to_owned();
    desk.page(Page { key: "system", title: desk.words.say("Audit log"), lead, body })
}

/// A proof as a file; told to the audit log.
#[get("/system/audit/proof")]
async fn proof(desk: Desk) -> Result<HttpResponse> {
    let given = |name: &str| desk.pairs.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value.trim());
    let path = address("/v1/admin/audit/proof", &query([("from", given("from")), ("to", given("to"))]));
    let proof = desk.need(&path).await?;
    let text = proof.as_str().ok_or_else(|| Error::internal("a proof that is no text"))?;
    let stretch = format!("{}-{}", encoded(given("from")), encoded(given("to")));
    desk.tell("audit.proof", &stretch, Change::default()).await?;
    let name = format!("attachment; filename=\"audit-proof-{stretch}.jsonl\"");
    let file = HttpResponse::Ok()
        .content_type("application/jsonl")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(text.to_owned());
    Ok(file)
}
