//! Endpoints: made, listed, shown, changed, deleted.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::docs::{ChangeRefusals, MakeRefusals, ReadRefusals};
use super::owner_of;
use crate::accounts::{Caller, Scope, change_bare, change_once, change_sealed, stored, stored_nothing};
use crate::app::App;
use crate::error::Result;
use crate::http::page::{self, PageParams};
use crate::http::{Body, Id, Listing, Page, reply};
use crate::idempotency::Stored;
use crate::ids::EndpointId;
use crate::webhooks::deliver::Line;
use crate::webhooks::endpoints::{self, EndpointPatch, NewEndpoint, checked_description, checked_url};
use crate::webhooks::kinds::Wanted;
use crate::webhooks::store::{self, EndpointStatus};
use crate::webhooks::view::{EndpointView, EndpointWithSecret};

/// An endpoint to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://example.com/webhooks", "events": ["message.delivered", "verification.approved"]}))]
pub(super) struct EndpointBody {
    /// Where to post: a public address, https or http.
    #[schema(max_length = 2048)]
    url: String,
    /// Which event types; all of them where absent.
    events: Option<Wanted>,
    /// Your own words.
    #[schema(max_length = 200)]
    description: Option<String>,
}

/// What to change of an endpoint; what is absent stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"events": ["*"], "status": "enabled"}))]
pub(super) struct EndpointPatchBody {
    /// Where to post.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// Which event types.
    events: Option<Wanted>,
    /// Your own words.
    #[schema(max_length = 200)]
    description: Option<String>,
    /// `enabled` to be called (again), `disabled` not to be.
    #[schema(value_type = Option<String>)]
    status: Option<EndpointStatus>,
}

/// A list without filters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfiltered {}

/// Make a webhook endpoint.
///
/// Events are posted to it as JSON and signed by Standard Webhooks 1.0 (`webhook-id`, `webhook-timestamp`,
/// `webhook-signature`). Only 2xx is a success; else it is tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h,
/// 20 h and 24 h, each up to a tenth later, or when Retry-After says on 429, 502, 503 and 504. 410, and five days of
/// nothing but failure, disable it. The answer holds the secret, once.
#[utoipa::path(
    operation_id = "create_webhook",
    tag = "Webhooks",
    path = "/v1/webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one endpoint")),
    request_body = EndpointBody,
    responses((status = 201, description = "Made", body = EndpointWithSecret), MakeRefusals),
    security(("api_key" = [])),
)]
#[post("/webhooks")]
pub(super) async fn create(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: Body<EndpointBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    let line = app.room::<Line>();
    let wanted = body.value.clone();
    let new = NewEndpoint {
        url: checked_url(line.client()?.reach(), &wanted.url)?,
        events: wanted.events.unwrap_or(Wanted::Every),
        description: checked_description(wanted.description.as_deref().unwrap_or_default())?,
    };
    let ring = app.keyring.clone();
    change_sealed(&app, &caller, (&req, &body), move |conn, by| {
        let made = endpoints::create(conn, &ring, owner, new, by.now)?;
        let location = Some(format!("/v1/webhooks/{}", made.endpoint.id));
        Ok(Stored { location, ..stored(201, &made)? })
    })
    .await
}

/// List webhook endpoints, newest first.
#[utoipa::path(
    operation_id = "list_webhooks",
    tag = "Webhooks",
    path = "/v1/webhooks",
    params(PageParams),
    responses((status = 200, description = "A page of endpoints", body = Page<EndpointView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/webhooks")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksRead)?;
    let owner = owner_of(&caller);
    let name = format!("{}/{}", owner.0, owner.1);
    let before = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let fetch = listing.page.fetch();
    let rows = app.db.read(move |conn| store::list_endpoints(conn, owner, before, fetch)).await?;
    let now = app.clock.now();
    let views = rows.iter().map(|row| EndpointView::of(row, now)).collect::<Result<Vec<_>>>()?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Show a webhook endpoint.
#[utoipa::path(
    operation_id = "show_webhook",
    tag = "Webhooks",
    path = "/v1/webhooks/{id}",
    params(("id" = EndpointId, Path, description = "The endpoint")),
    responses((status = 200, description = "The endpoint", body = EndpointView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/webhooks/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, id: Id<EndpointId>) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksRead)?;
    let owner = owner_of(&caller);
    let row = app.db.read(move |conn| store::load_endpoint(conn, owner, id.0)).await?;
    reply::ok(&EndpointView::of(&row, app.clock.now())?)
}

/// Change a webhook endpoint, or enable it again.
#[utoipa::path(
    operation_id = "update_webhook",
    tag = "Webhooks",
    path = "/v1/webhooks/{id}",
    params(
        ("id" = EndpointId, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = EndpointPatchBody,
    responses((status = 200, description = "The endpoint", body = EndpointView), MakeRefusals),
    security(("api_key" = [])),
)]
#[patch("/webhooks/{id}")]
pub(super) async fn update(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<EndpointId>,
    body: Body<EndpointPatchBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    let line = app.room::<Line>();
    let wanted = body.value.clone();
    let patch = EndpointPatch {
        url: wanted.url.map(|text| checked_url(line.client()?.reach(), &text)).transpose()?,
        events: wanted.events,
        description: wanted.description.map(|text| checked_description(&text)).transpose()?,
        status: wanted.status,
    };
    change_once(&app, &caller, (&req, &body), move |conn, by| {
        stored(200, &endpoints::update(conn, owner, id.0, patch, by.now)?)
    })
    .await
}

/// Delete a webhook endpoint. What is on its way to it is dropped.
#[utoipa::path(
    operation_id = "delete_webhook",
    tag = "Webhooks",
    path = "/v1/webhooks/{id}",
    params(
        ("id" = EndpointId, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    responses((status = 204, description = "Deleted"), ChangeRefusals),
    security(("api_key" = [])),
)]
#[delete("/webhooks/{id}")]
pub(super) async fn delete(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<EndpointId>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    change_bare(&app, &caller, &req, move |conn, _| {
        endpoints::delete(conn, owner, id.0)?;
        Ok(stored_nothing())
    })
    .await
}
