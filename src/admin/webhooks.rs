//! Webhook endpoints of all organizations, and what carriers call here.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Look, Manage};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{accepted, done};
use crate::app::App;
use crate::callbacks::{self, CarrierCalls};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::{Body, Id, Listing, OptionalBody, reply};
use crate::ids::{DeliveryId, EndpointId, EventId, OrgId};
use crate::webhooks::{
    self, Again, DeliveryStatus, DeliveryView, EndpointState, EndpointStatus, EndpointWithSecret, EventType, Replayed,
    WatchedDelivery, WatchedEndpoint,
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(list_webhooks)
        .service(show_webhook)
        .service(list_deliveries)
        .service(test_webhook)
        .service(replay_webhook)
        .service(disable_webhook)
        .service(enable_webhook)
        .service(rotate_webhook)
        .service(list_carrier_calls);
}

/// Which endpoints.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichWebhooks {
    /// Of this organization.
    org_id: Option<OrgId>,
    /// That stand so.
    state: Option<EndpointState>,
}

/// Which deliveries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichDeliveries {
    /// In this state.
    status: Option<DeliveryStatus>,
}

/// What to test with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "message.delivered"}))]
pub(super) struct WebhookTest {
    /// The event's type; `webhook.test` where absent. Of another type it looks like a real one, with `"test": true` in
    /// its data.
    #[serde(rename = "type")]
    kind: Option<EventType>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// What to send again: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"failed_since": "2026-12-01T08:00:00Z"}))]
pub(super) struct WebhookReplay {
    /// This event.
    event_id: Option<EventId>,
    /// Every event since this moment (RFC 3339) that the endpoint was sent and never took; a thousand at most at once.
    #[schema(value_type = Option<String>, format = DateTime)]
    failed_since: Option<Millis>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "asked for in ticket 4711"}))]
pub(super) struct WebhookSwitch {
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// What becomes of the secrets before.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"end_old": false}))]
pub(super) struct WebhookRotation {
    /// True ends the secrets before at once, as for one that has leaked; else each signs along for 24 h.
    end_old: Option<bool>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// What each carrier has called here.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CarrierCallList {
    /// Since when this process counts.
    #[schema(value_type = String, format = DateTime)]
    since: Millis,
    /// One entry a carrier of the configuration.
    data: Vec<CarrierCalls>,
}

/// List webhook endpoints of all organizations, newest first, with how each fares.
#[utoipa::path(
    operation_id = "list_all_webhooks",
    tag = "Admin: webhooks",
    path = "/v1/admin/webhooks",
    params(WhichWebhooks, PageParams),
    responses((status = 200, description = "A page of endpoints", body = Page<WatchedEndpoint>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/webhooks")]
pub(super) async fn list_webhooks(
    desk: Desk<Look>,
    app: Data<App>,
    listing: Listing<WhichWebhooks>,
) -> Result<HttpResponse> {
    let WhichWebhooks { org_id, state } = listing.filter;
    let now = app.clock.now();
    let read = move |conn: &mut Conn, before: Option<EndpointId>, limit| {
        webhooks::watch_endpoints(conn, (org_id, state), (before, limit), now)
    };
    desk.list(listing.page, read, |one: &WatchedEndpoint| one.endpoint.id.to_string()).await
}

/// Show a webhook endpoint and how it fares.
#[utoipa::path(
    operation_id = "watch_webhook",
    tag = "Admin: webhooks",
    path = "/v1/admin/webhooks/{id}",
    params(("id" = EndpointId, Path, description = "The endpoint")),
    responses((status = 200, description = "The endpoint", body = WatchedEndpoint), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/webhooks/{id}")]
pub(super) async fn show_webhook(desk: Desk<Look>, app: Data<App>, id: Id<EndpointId>) -> Result<HttpResponse> {
    let now = app.clock.now();
    desk.show(move |conn| webhooks::watch_endpoint(conn, id.0, now)).await
}

/// List the deliveries of a webhook endpoint, newest first: what the last try was answered, how long it took, when the
/// next is due.
#[utoipa::path(
    operation_id = "watch_webhook_deliveries",
    tag = "Admin: webhooks",
    path = "/v1/admin/webhooks/{id}/deliveries",
    params(("id" = EndpointId, Path, description = "The endpoint"), WhichDeliveries, PageParams),
    responses((status = 200, description = "A page of deliveries", body = Page<WatchedDelivery>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/webhooks/{id}/deliveries")]
pub(super) async fn list_deliveries(
    desk: Desk<Look>,
    id: Id<EndpointId>,
    listing: Listing<WhichDeliveries>,
) -> Result<HttpResponse> {
    let status = listing.filter.status;
    let read = move |conn: &mut Conn, before: Option<DeliveryId>, limit| {
        webhooks::watch_deliveries(conn, id.0, status, (before, limit))
    };
    desk.list(listing.page, read, |one: &WatchedDelivery| one.delivery.id.to_string()).await
}

/// Send a made-up event to a webhook endpoint, whatever it subscribes to.
#[utoipa::path(
    operation_id = "test_any_webhook",
    tag = "Admin: webhooks",
    path = "/v1/admin/webhooks/{id}/test",
    params(
        ("id" = EndpointId, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one test"),
    ),
    request_body = Option<WebhookTest>,
    responses((status = 202, description = "On its way", body = DeliveryView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/webhooks/{id}/test")]
pub(super) async fn test_webhook(
    desk: Desk<Manage>,
    id: Id<EndpointId>,
    body: OptionalBody<WebhookTest>,
) -> Result<HttpResponse> {
    let kind = body.0.value.kind.unwrap_or(EventType::Test);
    let order = desk.order(&body.0, body.0.value.reason.clone())?;
    order.run(move |conn, by| accepted(&webhooks::test_endpoint(conn, by, id.0, kind)?)).await
}

/// Send events to a webhook endpoint again: one, or all since a moment that it never took. Each keeps its id.
#[utoipa::path(
    operation_id = "replay_any_webhook",
    tag = "Admin: webhooks",
    path = "/v1/admin/webhooks/{id}/replay",
    params(
        ("id" = EndpointId, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one replay"),
    ),
    request_body = WebhookReplay,
    responses((status = 202, description = "On their way", body = Replayed), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/webhooks/{id}/replay")]
pub(super) async fn replay_webhook(
    desk: Desk<Manage>,
    id: Id<EndpointId>,
    body: Body<WebhookReplay>,
) -> Result<HttpResponse> {
    let what = match (body.value.event_id, body.value.failed_since) {
        (Some(event), None) => Again::Event(event),
        (None, Some(since)) => Again::FailedSince(since),
        _ => return Err(Error::field("event_id", "or failed_since must be there, and not both")),
    };
    let order = desk.order(&body, body.value.reason.clone())?;
    order.run(move |conn, by| accepted(&webhooks::replay_to(conn, by, id.0, what)?)).await
}

/// Call a webhook endpoint no more; its organization is told, and can turn it on again. What is on its way to it is
/// dropped.
#[utoipa::path(
    operation_id = "disable_any_webhook",
    tag = "Admin: webhooks",
    path = "/v1/admin/webhooks/{id}/disable",
    params(
        ("id" = EndpointId, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = Option<WebhookSwitch>,
    responses((status = 200, description = "The endpoint", body = WatchedEndpoint), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/webhooks/{id}/disable")]
pub(super) async fn disable_webhook(
    desk: Desk<Manage>,
    id: Id<EndpointId>,
    body: OptionalBody<WebhookSwitch>,
) -> Result<HttpResponse> {
    switch(desk, id.0, body, EndpointStatus::Disabled).await
}

/// Call a webhook endpoint again; it starts afresh.
#[utoipa::path(
    operation_id = "enable_any_webhook",
    tag = "Admin: webhooks",
    path = "/v1/admin/webhooks/{id}/enable",
    params(
        ("id" = EndpointId, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = Option<WebhookSwitch>,
    responses((status = 200, description = "The endpoint", body = WatchedEndpoint), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/webhooks/{id}/enable")]
pub(super) async fn enable_webhook(
    desk: Desk<Manage>,
    id: Id<EndpointId>,
    body: OptionalBody<WebhookSwitch>,
) -> Result<HttpResponse> {
    switch(desk, id.0, body, EndpointStatus::Enabled).await
}

async fn switch(
    desk: Desk<Manage>,
    id: EndpointId,
    body: OptionalBody<WebhookSwitch>,
    to: EndpointStatus,
) -> Result<HttpResponse> {
    let order = desk.order(&body.0, body.0.value.reason.clone())?;
    order.run(move |conn, by| done(&webhooks::switch_endpoint(conn, by, id, to)?)).await
}

/// Give a webhook endpoint a new secret, to be handed to its organization. Those before sign along for 24 h, two at most.
#[utoipa::path(
    operation_id = "rotate_any_webhook_secret",
    tag = "Admin: webhooks",
    path = "/v1/admin/webhooks/{id}/rotate",
    params(
        ("id" = EndpointId, Path, description = "The endpoint"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one rotation"),
    ),
    request_body = Option<WebhookRotation>,
    responses((status = 200, description = "The endpoint and its new secret", body = EndpointWithSecret), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/webhooks/{id}/rotate")]
pub(super) async fn rotate_webhook(
    desk: Desk<Manage>,
    app: Data<App>,
    id: Id<EndpointId>,
    body: OptionalBody<WebhookRotation>,
) -> Result<HttpResponse> {
    let (ring, what) = (app.keyring.clone(), (id.0, body.0.value.end_old.unwrap_or(false)));
    let order = desk.order(&body.0, body.0.value.reason.clone())?;
    order.run_sealed(move |conn, by| done(&webhooks::rotate_endpoint(conn, &ring, by, what)?)).await
}

/// Show what each carrier has called here: when last, how often with a bad signature.
///
/// Counted in this process since its start; `postern_callbacks_total` has the same for all of them.
#[utoipa::path(
    tag = "Admin: webhooks",
    path = "/v1/admin/hooks",
    responses((status = 200, description = "One entry a carrier", body = CarrierCallList), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/hooks")]
pub(super) async fn list_carrier_calls(_desk: Desk<Look>, app: Data<App>) -> Result<HttpResponse> {
    let (since, data) = callbacks::carrier_calls(&app);
    reply::ok(&CarrierCallList { since, data })
}
