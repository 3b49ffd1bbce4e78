//! Reading what people sent, and making it up in the sandbox.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::docs::{ChangeRefusals, ReadRefusals};
use crate::accounts::{Caller, Scope, change_once, stored};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::page::{self, PageParams};
use crate::http::{Body, Id, Listing, Page, reply};
use crate::ids::InboundId;
use crate::inbound::store;
use crate::inbound::take::{LONGEST, take_test};
use crate::inbound::view::InboundView;
use crate::providers::Inbound;
use crate::recipient::Recipient;
use crate::secret::random_token;
use crate::terms::{Channel, Mode};

/// What a list of inbound messages may be narrowed to.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct InboundFilter {
    /// From this number (E.164) or mail address.
    from: Option<String>,
}

/// List the messages that people sent to your originators, newest first.
#[utoipa::path(
    operation_id = "list_inbound",
    tag = "Inbound messages",
    path = "/v1/inbound",
    params(InboundFilter, PageParams),
    responses((status = 200, description = "A page of inbound messages", body = Page<InboundView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/inbound")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<InboundFilter>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let from = listing.filter.from.map(|text| Recipient::in_query(&text)).transpose();
    let from = from.map_err(|why| Error::field("from", why))?.map(|from| String::from(from.address()));
    let owner = (caller.org_id(), caller.mode());
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<InboundId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let fetch = listing.page.fetch();
    let rows = app.db.read(move |conn| store::list_inbound(conn, owner, from.as_deref(), before, fetch)).await?;
    let views = rows.into_iter().map(|row| InboundView::of(row, &app.keyring)).collect::<Result<Vec<_>>>()?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Show a message that somebody sent to you.
#[utoipa::path(
    operation_id = "show_inbound",
    tag = "Inbound messages",
    path = "/v1/inbound/{id}",
    params(("id" = InboundId, Path, description = "The inbound message")),
    responses((status = 200, description = "The inbound message", body = InboundView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/inbound/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, id: Id<InboundId>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let owner = (caller.org_id(), caller.mode());
    let row = app.db.read(move |conn| store::load_inbound(conn, owner, id.0)).await?;
    reply::ok(&InboundView::of(row, &app.keyring)?)
}

/// A message that somebody might send.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "+14155550123", "to": "+14155550100", "body": "STOP"}))]
pub(super) struct MadeUp {
    /// Who sends it: a number in E.164, a mail address, or on WhatsApp a user id such as `GB.1234`.
    from: String,
    /// To which originator.
    #[schema(min_length = 1, max_length = 64)]
    to: String,
    /// By which channel; `sms` where absent.
    channel: Option<Channel>,
    /// What it says.
    #[schema(max_length = 1600)]
    body: String,
}

/// Make up a message that somebody sends to you, to see what your app does with it. With a test key only; it is heeded
/// as a real one would be, for test messages.
#[utoipa::path(
    operation_id = "make_up_inbound",
    tag = "Sandbox",
    path = "/v1/sandbox/inbound",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one effect")),
    request_body = MadeUp,
    responses((status = 201, description = "The inbound message", body = InboundView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/sandbox/inbound")]
pub(super) async fn make_up(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: Body<MadeUp>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    if caller.mode() == Mode::Live {
        return Err(Error::new(Code::PermissionDenied).detail("Only a test key makes messages up."));
    }
    let made = &body.value;
    let channel = made.channel.unwrap_or(Channel::Sms);
    let from = Recipient::parse_or_user(&made.from, channel, None).map_err(|why| Error::field("from", why))?;
    if made.to.is_empty() || made.to.chars().count() > 64 {
        return Err(Error::field("to", "must be an originator of 1 to 64 characters"));
    }
    if made.body.chars().count() > LONGEST {
        return Err(Error::field("body", format!("must be at most {LONGEST} characters")));
    }
    let (org, keyring) = (caller.org_id(), app.keyring.clone());
    let inbound = Inbound {
        provider_id: random_token::<16>(),
        channel,
        from: String::from(from.address()),
        to: made.to.clone(),
        text: made.body.clone(),
        sent_at: None,
    };
    change_once(&app, &caller, (&req, &body), move |conn, by| {
        let row = take_test(conn, &keyring, org, &inbound, by.now)?;
        stored(201, &InboundView::of(row, &keyring)?)
    })
    .await
}
