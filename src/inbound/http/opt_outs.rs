//! Who wants no messages: listed, added, taken back.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::docs::{ChangeRefusals, ReadRefusals};
use crate::accounts::{Caller, Scope, change_once, stored, stored_nothing};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::page::{self, PageParams};
use crate::http::{Body, Id, Listing, NoMembers, OptionalBody, Page, reply};
use crate::ids::OptOutId;
use crate::inbound::store::{self, OptOutRow};
use crate::inbound::view::OptOutView;
use crate::recipient::Recipient;
use crate::terms::Channel;

/// What a list of opt-outs may be narrowed to.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct OptOutFilter {
    /// Of this number (E.164) or mail address.
    to: Option<String>,
}

/// Somebody who wants no messages.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "+14155550123", "channel": "sms"}))]
pub(super) struct OptOutBody {
    /// The number in E.164, or the mail address.
    to: String,
    /// By which channel; `sms` where absent.
    channel: Option<Channel>,
}

/// List the recipients that have opted out of your messages, newest first.
///
/// Codes (kind `otp`) are not touched by an opt-out: whoever asks for one gets it. Who said STOP to an originator that
/// several organizations share is not in this list, and gets nothing but codes from any of them.
#[utoipa::path(
    operation_id = "list_opt_outs",
    tag = "Inbound messages",
    path = "/v1/opt-outs",
    params(OptOutFilter, PageParams),
    responses((status = 200, description = "A page of opt-outs", body = Page<OptOutView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/opt-outs")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<OptOutFilter>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let to = listing.filter.to.map(|text| Recipient::in_query(&text)).transpose();
    let to = to.map_err(|why| Error::field("to", why))?.map(|to| String::from(to.address()));
    let owner = (caller.org_id(), caller.mode());
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<OptOutId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let fetch = listing.page.fetch();
    let rows = app.db.read(move |conn| store::list_opt_outs(conn, owner, to.as_deref(), before, fetch)).await?;
    let views: Vec<OptOutView> = rows.into_iter().map(OptOutView::from).collect();
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Note that somebody wants no messages but codes from you. What is noted already stays as it is.
#[utoipa::path(
    operation_id = "add_opt_out",
    tag = "Inbound messages",
    path = "/v1/opt-outs",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one effect")),
    request_body = OptOutBody,
    responses((status = 201, description = "The opt-out", body = OptOutView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/opt-outs")]
pub(super) async fn add(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: Body<OptOutBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    let channel = body.value.channel.unwrap_or(Channel::Sms);
    let to = Recipient::parse(&body.value.to, channel, None).map_err(|why| Error::field("to", why))?;
    let (org, mode) = (caller.org_id(), caller.mode());
    change_once(&app, &caller, (&req, &body), move |conn, by| {
        let whom = (mode, channel, to.address());
        store::insert_opt_out(conn, &OptOutRow::new(Some(org), whom, None, by.now))?;
        let row = store::find_opt_out(conn, org, whom)?.ok_or_else(|| Error::internal("an opt-out is gone"))?;
        stored(201, &OptOutView::from(row))
    })
    .await
}

/// Take an opt-out back: only where the person has agreed to your messages again.
#[utoipa::path(
    operation_id = "remove_opt_out",
    tag = "Inbound messages",
    path = "/v1/opt-outs/{id}",
    params(
        ("id" = OptOutId, Path, description = "The opt-out"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    responses((status = 204, description = "Taken back"), ChangeRefusals),
    security(("api_key" = [])),
)]
#[delete("/opt-outs/{id}")]
pub(super) async fn remove(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<OptOutId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    let owner = (caller.org_id(), caller.mode());
    change_once(&app, &caller, (&req, &body.0), move |conn, _| {
        let row = store::load_opt_out(conn, owner, id.0)?;
        store::delete_opt_out(conn, Some(owner.0), (row.mode, row.channel, &row.recipient))?;
        Ok(stored_nothing())
    })
    .await
}
