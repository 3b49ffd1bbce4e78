//! What is done with an endpoint: rotate, test, look at its log, replay.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::docs::{ChangeRefusals, ReadRefusals};
use super::owner_of;
use crate::accounts::{Caller, Scope, change_once, change_sealed, stored};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::http::page::{self, PageParams};
use crate::http::{Body, Id, Listing, NoMembers, OptionalBody, Page, reply};
use crate::ids::{DeliveryId, EndpointId};
use crate::webhooks::endpoints;
use crate::webhooks::store::{self, DeliveryStatus};
use crate::webhooks::view::{DeliveryView, EndpointWithSecret, Replayed};

/// What becomes of the secrets before.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"end_old": false}))]
pub(super) struct RotateBody {
    /// True ends the secrets before at once, as for one that has leaked; else each signs along for 24 h.
    end_old: Option<bool>,
}

/// From when on to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"since": "2026-12-01T08:00:00Z"}))]
pub(super) struct ReplayBody {
    /// Events at or after this moment (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    since: Millis,
}

/// Which deliveries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveryFilter {
    /// In this state.
    status: Option<DeliveryStatus>,
}

/// Give a webhook endpoint a new secret.
///
/// The secret before signs along for 24 h: deliveries carry a signature of each, the newest first. Two may sign along at
/// once; a further rotation while they do is refused unless `end_old` is true, which ends them at once. The answer holds
/// the new secret, once.
#[utoipa::path(
    operation_id = "rotate_webhook_secret",
    tag = "Webhooks",
    path = "/v1/webhooks/{id}/rotate",
    params(
        ("id" = EndpointId, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one rotation"),
    ),
    request_body = Option<RotateBody>,
    responses((status = 200, description = "The endpoint and its new secret", body = EndpointWithSecret), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/webhooks/{id}/rotate")]
pub(super) async fn rotate(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<EndpointId>,
    body: OptionalBody<RotateBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    let (ring, what) = (app.keyring.clone(), (id.0, body.0.value.end_old.unwrap_or(false)));
    change_sealed(&app, &caller, (&req, &body.0), move |conn, by| {
        stored(200, &endpoints::rotate(conn, &ring, owner, what, by.now)?)
    })
    .await
}

/// Send a test event to a webhook endpoint.
///
/// A `webhook.test` event is put on its way, whatever the endpoint subscribes to; the list of deliveries tells the
/// status it was answered and how long that took.
#[utoipa::path(
    operation_id = "test_webhook",
    tag = "Webhooks",
    path = "/v1/webhooks/{id}/test",
    params(
        ("id" = EndpointId, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one test"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 202, description = "On its way", body = DeliveryView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/webhooks/{id}/test")]
pub(super) async fn test(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<EndpointId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    change_once(&app, &caller, (&req, &body.0), move |conn, by| {
        stored(202, &endpoints::test(conn, owner, id.0, by.now)?)
    })
    .await
}

/// List the deliveries of a webhook endpoint, newest first.
#[utoipa::path(
    operation_id = "list_webhook_deliveries",
    tag = "Webhooks",
    path = "/v1/webhooks/{id}/deliveries",
    params(("id" = EndpointId, Path, description = "The endpoint"), DeliveryFilter, PageParams),
    responses((status = 200, description = "A page of deliveries", body = Page<DeliveryView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/webhooks/{id}/deliveries")]
pub(super) async fn deliveries(
    caller: Caller,
    app: Data<App>,
    id: Id<EndpointId>,
    listing: Listing<DeliveryFilter>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksRead)?;
    let owner = owner_of(&caller);
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<DeliveryId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let (fetch, status) = (listing.page.fetch(), listing.filter.status);
    let rows = app
        .db
        .read(move |conn| {
            store::load_endpoint(conn, owner, id.0)?;
            store::list_deliveries(conn, id.0, status, before, fetch)
        })
        .await?;
    let views: Vec<DeliveryView> = rows.iter().map(DeliveryView::of).collect();
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Send events again to a webhook endpoint.
///
/// Every kept event since the moment that the endpoint subscribes to, a thousand at most at once; each keeps its id, by
/// which the receiver knows it again.
#[utoipa::path(
    operation_id = "replay_webhook",
    tag = "Webhooks",
    path = "/v1/webhooks/{id}/replay",
    params(
        ("id" = EndpointId, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one replay"),
    ),
    request_body = ReplayBody,
    responses((status = 202, description = "On their way", body = Replayed), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/webhooks/{id}/replay")]
pub(super) async fn replay(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<EndpointId>,
    body: Body<ReplayBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    let since = body.value.since;
    change_once(&app, &caller, (&req, &body), move |conn, by| {
        stored(202, &endpoints::replay_since(conn, owner, id.0, since, by.now)?)
    })
    .await
}
