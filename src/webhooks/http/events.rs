//! Events: listed, shown, sent again.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;

use super::docs::{ChangeRefusals, ReadRefusals};
use super::owner_of;
use crate::accounts::{Caller, Scope, change_once, stored};
use crate::app::App;
use crate::error::Result;
use crate::http::page::{self, PageParams};
use crate::http::{Id, Listing, NoMembers, OptionalBody, Page, reply};
use crate::ids::EventId;
use crate::webhooks::endpoints;
use crate::webhooks::kinds::EventType;
use crate::webhooks::store;
use crate::webhooks::view::{Replayed, ToldEventView};

/// Which events.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventFilter {
    /// Of this type.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<EventType>,
}

/// List events, newest first.
///
/// Kept are those that at least one endpoint or listener subscribed to when they happened.
#[utoipa::path(
    operation_id = "list_events",
    tag = "Webhooks",
    path = "/v1/events",
    params(EventFilter, PageParams),
    responses((status = 200, description = "A page of events", body = Page<ToldEventView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/events")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<EventFilter>) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksRead)?;
    let owner = owner_of(&caller);
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<EventId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let (fetch, kind) = (listing.page.fetch(), listing.filter.kind);
    let rows = app.db.read(move |conn| store::list_events(conn, owner, kind, before, fetch)).await?;
    let views = rows.iter().map(ToldEventView::of).collect::<Result<Vec<_>>>()?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Show an event.
#[utoipa::path(
    operation_id = "show_event",
    tag = "Webhooks",
    path = "/v1/events/{id}",
    params(("id" = EventId, Path, description = "The event")),
    responses((status = 200, description = "The event", body = ToldEventView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/events/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, id: Id<EventId>) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksRead)?;
    let owner = owner_of(&caller);
    let row = app.db.read(move |conn| store::load_event(conn, owner, id.0)).await?;
    reply::ok(&ToldEventView::of(&row)?)
}

/// Send an event again, to every enabled endpoint that subscribes to its type. It keeps its id.
#[utoipa::path(
    operation_id = "replay_event",
    tag = "Webhooks",
    path = "/v1/events/{id}/replay",
    params(
        ("id" = EventId, Path, description = "The event"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one replay"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 202, description = "On its way", body = Replayed), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/events/{id}/replay")]
pub(super) async fn replay(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<EventId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    change_once(&app, &caller, (&req, &body.0), move |conn, by| {
        stored(202, &endpoints::replay_event(conn, owner, id.0, by.now)?)
    })
    .await
}
