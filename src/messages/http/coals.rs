//! `POST /simcoal/send` and `/simcoal/send-bulk`: the same engine in the coals dialect.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::docs::CoalsRefusals;
use super::{answered, ask, one_spelling};
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{Body, RequestId, base_url};
use crate::idempotency::Stored;
use crate::messages::accept::{BulkTerms, ItemOutcome, place_of};
use crate::messages::body::{BulkBody, SendBody};
use crate::messages::send::{Ask, send as send_one, send_bulk as send_many};
use crate::messages::view::{BulkView, MessageView, bulk_results};
use crate::terms::Kind;

/// A message in the coals dialect.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "+14155550123", "message": "Your code is 481516"}))]
pub(super) struct CoalsSend {
    /// The number in E.164.
    to: String,
    /// The text; `message` or `text`.
    message: Option<String>,
    /// The text; `message` or `text`.
    text: Option<String>,
    /// The idempotency key, where no header carries it.
    #[serde(rename = "idempotency_key")]
    _idempotency_key: Option<String>,
}

/// One text to many numbers, in the coals dialect.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"recipients": ["+14155550123", "+14155550124"], "message": "Doors open at 8"}))]
pub(super) struct CoalsBulk {
    /// The numbers in E.164; `recipients` or `to`.
    #[schema(max_items = 1000)]
    recipients: Option<Vec<String>>,
    /// The numbers in E.164; `recipients` or `to`.
    #[schema(max_items = 1000)]
    to: Option<Vec<String>>,
    /// The text; `message` or `text`.
    message: Option<String>,
    /// The text; `message` or `text`.
    text: Option<String>,
    /// The idempotency key, where no header carries it.
    #[serde(rename = "idempotency_key")]
    _idempotency_key: Option<String>,
}

/// Success in the coals dialect.
#[derive(Serialize, ToSchema)]
pub(super) struct Success<T> {
    /// Always true.
    success: bool,
    /// What was done.
    data: T,
}

/// Send a message (coals dialect).
#[utoipa::path(
    operation_id = "coals_send",
    tag = "Coals dialect",
    path = "/simcoal/send",
    params(("X-Idempotency-Key" = Option<String>, Header, description = "One key, one message")),
    request_body = CoalsSend,
    responses((status = 202, description = "Accepted", body = Success<MessageView>), CoalsRefusals),
    security(("api_key" = [])),
)]
#[post("/send")]
pub(super) async fn send(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: RequestId,
    mut body: Body<CoalsSend>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    let to = body.value.to.clone();
    let to = one_spelling(&mut body, Some(&to), None, None);
    let ask = Ask { to, ..ask(&req, &caller, &body, &id, render_send) };
    let text = one_of(("message", body.value.message), ("text", body.value.text))?;
    let message = SendBody { to: Some(body.value.to), body: Some(text), ..SendBody::default() };
    let accepted = send_one(&app, &caller, message, ask).await?;
    Ok(answered(&req, &accepted, render_send))
}

/// Send one text to many numbers (coals dialect).
#[utoipa::path(
    operation_id = "coals_send_bulk",
    tag = "Coals dialect",
    path = "/simcoal/send-bulk",
    params(("X-Idempotency-Key" = Option<String>, Header, description = "One key, one bulk")),
    request_body = CoalsBulk,
    responses((status = 202, description = "Accepted, at least in part", body = Success<BulkView>), CoalsRefusals),
    security(("api_key" = [])),
)]
#[post("/send-bulk")]
pub(super) async fn send_bulk(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: RequestId,
    body: Body<CoalsBulk>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    let ask = Ask { base: base_url(&req), ..ask(&req, &caller, &body, &id, render_bulk) };
    let text = one_of(("message", body.value.message), ("text", body.value.text))?;
    let numbers = one_of(("recipients", body.value.recipients), ("to", body.value.to))?;
    let defaults = SendBody { body: Some(text), kind: Some(Kind::Transactional), ..SendBody::default() };
    let messages = numbers.into_iter().map(|to| SendBody { to: Some(to), ..SendBody::default() }).collect();
    let bulk = BulkBody {
        defaults: Some(defaults),
        messages,
        mode: None,
        pacing: None,
        _idempotency_key: None,
        dry_run: None,
    };
    let accepted = send_many(&app, &caller, bulk, ask).await?;
    Ok(answered(&req, &accepted, render_bulk))
}

fn one_of<T>(first: (&str, Option<T>), second: (&str, Option<T>)) -> Result<T> {
    match (first.1, second.1) {
        (Some(value), None) | (None, Some(value)) => Ok(value),
        (None, None) => Err(Error::field(first.0, format!("is required (or {})", second.0))),
        (Some(_), Some(_)) => {
            Err(Error::field(second.0, format!("cannot stand beside {}; give one of the two", first.0)))
        }
    }
}

fn render_send(_: Option<&BulkTerms>, outcomes: &[ItemOutcome]) -> Stored {
    let row = outcomes.first().and_then(|outcome| outcome.result.as_ref().ok());
    let view = row.and_then(|row| MessageView::of(row).ok());
    stored(row.map(|row| place_of(row.id)), &Success { success: true, data: view })
}

fn render_bulk(bulk: Option<&BulkTerms>, outcomes: &[ItemOutcome]) -> Stored {
    let results = bulk_results(bulk, outcomes);
    let accepted = results.iter().filter(|result| result.id.is_some()).count();
    let batch_id = bulk.map(|terms| terms.batch_id);
    let location = batch_id.map(|id| format!("/v1/batches/{id}"));
    let view = BulkView { batch_id, accepted, rejected: results.len() - accepted, results };
    stored(location, &Success { success: true, data: view })
}

fn stored(location: Option<String>, body: &impl Serialize) -> Stored {
    Stored { status: 202, body: serde_json::to_vec(body).unwrap_or_default(), location }
}
