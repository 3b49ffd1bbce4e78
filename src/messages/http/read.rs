//! Reading messages: list, show, timeline, bulk.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Deserialize;

use super::docs::ReadRefusals;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::http::page::{self, PageParams};
use crate::http::{Id, Listing, Page, reply};
use crate::ids::{BatchId, MessageId};
use crate::messages::new::Faults;
use crate::messages::state::Status;
use crate::messages::store::{self, Filter};
use crate::messages::view::{BatchView, EventView, MessageView};
use crate::recipient::Recipient;
use crate::terms::Channel;

/// What a list of messages may be narrowed to.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListFilter {
    /// In this status.
    status: Option<Status>,
    /// By this channel.
    channel: Option<Channel>,
    /// To this number (E.164) or mail address.
    to: Option<String>,
    /// Accepted at or after this moment (RFC 3339).
    #[param(format = DateTime)]
    created_after: Option<String>,
    /// Accepted before this moment (RFC 3339).
    #[param(format = DateTime)]
    created_before: Option<String>,
    /// Of this bulk.
    batch_id: Option<BatchId>,
}

/// List messages, newest first.
#[utoipa::path(
    operation_id = "list_messages",
    tag = "Messages",
    path = "/v1/messages",
    params(ListFilter, PageParams),
    responses((status = 200, description = "A page of messages", body = Page<MessageView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/messages")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<ListFilter>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let filter = filter_of(listing.filter)?;
    let owner = (caller.org_id(), caller.mode());
    let name = format!("{}/{}", owner.0, owner.1);
    let before = listing.page.position(&app.keyring, &name)?;
    let before: Option<MessageId> = before.and_then(|text| text.parse().ok());
    let fetch = listing.page.fetch();
    let rows = app.db.read(move |conn| store::list_messages(conn, owner, &filter, before, fetch)).await?;
    let views = rows.iter().map(MessageView::of).collect::<Result<Vec<_>>>()?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Show a message.
#[utoipa::path(
    operation_id = "show_message",
    tag = "Messages",
    path = "/v1/messages/{id}",
    params(("id" = MessageId, Path, description = "The message")),
    responses((status = 200, description = "The message", body = MessageView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/messages/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, id: Id<MessageId>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let owner = (caller.org_id(), caller.mode());
    let row = app.db.read(move |conn| store::load_message(conn, owner, id.0)).await?;
    reply::ok(&MessageView::of(&row)?)
}

/// A message's timeline.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Timeline {
    /// Its steps, first to last.
    data: Vec<EventView>,
}

/// Show a message's timeline: acceptance, hand-offs, receipts.
#[utoipa::path(
    operation_id = "list_message_events",
    tag = "Messages",
    path = "/v1/messages/{id}/events",
    params(("id" = MessageId, Path, description = "The message")),
    responses((status = 200, description = "Its steps, first to last", body = Timeline), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/messages/{id}/events")]
pub(super) async fn events(caller: Caller, app: Data<App>, id: Id<MessageId>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let owner = (caller.org_id(), caller.mode());
    let data = app
        .db
        .read(move |conn| {
            let row = store::load_message(conn, owner, id.0)?;
            let attempts = store::attempts_of(conn, row.id)?;
            let events = store::events_of(conn, row.id)?;
            EventView::timeline(&row, &attempts, events)
        })
        .await?;
    reply::ok(&Timeline { data })
}

/// Show a bulk and where its messages are.
#[utoipa::path(
    tag = "Messages",
    path = "/v1/batches/{id}",
    params(("id" = BatchId, Path, description = "The bulk")),
    responses((status = 200, description = "Counts by status", body = BatchView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/batches/{id}")]
pub(super) async fn show_batch(caller: Caller, app: Data<App>, id: Id<BatchId>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let owner = (caller.org_id(), caller.mode());
    let (row, counts) = app.db.read(move |conn| store::load_batch(conn, owner, id.0)).await?;
    reply::ok(&BatchView::of(&row, counts))
}

fn filter_of(wanted: ListFilter) -> Result<Filter> {
    const MOMENT: &str = "must be an RFC 3339 timestamp, e.g. 2026-12-01T08:00:00Z";
    let mut faults = Faults::default();
    let mut moment = |field: &str, text: Option<String>| {
        faults.keep(field, text.map(|text| Millis::parse_rfc3339(&text).ok_or(MOMENT)).transpose()).flatten()
    };
    let created_after = moment("created_after", wanted.created_after);
    let created_before = moment("created_before", wanted.created_before);
    let to = wanted.to.map(|text| address_of(&text)).transpose();
    let to = faults.keep("to", to.map_err(|_| "must be a number in E.164 or a mail address")).flatten();
    match faults.into_error() {
        Some(fault) => Err(fault),
        None => Ok(Filter {
            status: wanted.status,
            channel: wanted.channel,
            to,
            created_after,
            created_before,
            batch_id: wanted.batch_id,
        }),
    }
}

/// The address as it is stored.
pub(super) fn address_of(text: &str) -> Result<String> {
    let recipient = Recipient::in_query(text).map_err(|why| Error::field("to", why))?;
    Ok(String::from(recipient.address()))
}
