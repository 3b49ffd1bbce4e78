//! Listeners: opened, asked by, acknowledged, closed; and events made up to be heard.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::docs::{ChangeRefusals, ListenRefusals, ReadRefusals};
use super::owner_of;
use crate::accounts::{Caller, Scope, change_bare, change_once, stored, stored_nothing};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::query::Query;
use crate::http::{Body, Id, OptionalBody, reply};
use crate::ids::{EventId, ListenerId};
use crate::terms::Mode;
use crate::webhooks::kinds::{EventType, Wanted};
use crate::webhooks::view::{ListenerView, ToldEventView, TriggeredView, UnheardView};
use crate::webhooks::{emit, listeners, sample, waiting};

/// Longest wait for an event, seconds: below the idle time-outs of balancers in use.
const WAIT_MAX: u64 = 30;

/// What to listen to.
#[derive(Debug, Default, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"events": ["message.delivered", "verification.approved"]}))]
pub(super) struct ListenBody {
    /// Which event types; all of them where absent.
    events: Option<Wanted>,
}

/// How long to wait.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitFilter {
    /// Seconds to wait for an event where there is none; 0 where absent.
    #[param(minimum = 0, maximum = 30)]
    wait: Option<u64>,
}

/// What has arrived.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"events": ["evt_01h455vb4pex5vsknk084sn02q"]}))]
pub(super) struct HeardBody {
    /// Ids of events; none of them only renews the lease.
    #[schema(max_items = 100)]
    events: Vec<EventId>,
}

/// An event to be made up.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "message.delivered", "data": {"metadata": {"order": "7"}}}))]
pub(super) struct MadeUpEvent {
    /// Its type.
    #[serde(rename = "type")]
    kind: EventType,
    /// Members to put over the usual ones, 8,000 bytes at most.
    #[schema(value_type = Option<Object>)]
    data: Option<Map<String, Value>>,
}

/// Listen to events from a machine that cannot be called.
///
/// What happens is kept for the listener until it says that it has it; `postern listen` does so and posts each event to
/// an address on its own machine. The lease is an hour and renewed by each acknowledgement; when it ends, what was not
/// heard is dropped. Ten listeners at most; one that has been silent for five minutes makes room for an eleventh.
#[utoipa::path(
    operation_id = "open_listener",
    tag = "Webhooks",
    path = "/v1/listeners",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one listener")),
    request_body = Option<ListenBody>,
    responses((status = 201, description = "Listening", body = ListenerView), ListenRefusals),
    security(("api_key" = [])),
)]
#[post("/listeners")]
pub(super) async fn open(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: OptionalBody<ListenBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    let wanted = body.0.value.events.clone().unwrap_or(Wanted::Every);
    change_once(&app, &caller, (&req, &body.0), move |conn, by| {
        stored(201, &listeners::open(conn, owner, &wanted, by.now)?)
    })
    .await
}

/// Hear what has happened: the events that the listener has not acknowledged, oldest first.
///
/// Where there is none the answer waits for one, as long as `wait` says.
#[utoipa::path(
    operation_id = "hear_events",
    tag = "Webhooks",
    path = "/v1/listeners/{id}/events",
    params(("id" = ListenerId, Path, description = "The listener"), WaitFilter),
    responses((status = 200, description = "Events, perhaps none", body = UnheardView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/listeners/{id}/events")]
pub(super) async fn hear(
    caller: Caller,
    app: Data<App>,
    id: Id<ListenerId>,
    filter: Query<WaitFilter>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksRead)?;
    let wait = filter.0.wait.unwrap_or(0);
    if wait > WAIT_MAX {
        return Err(Error::field("wait", format!("must be at most {WAIT_MAX} seconds")));
    }
    let found = waiting::wait(&app, owner_of(&caller), id.0, Duration::from_secs(wait)).await?;
    let data = found.iter().map(ToldEventView::of).collect::<Result<Vec<_>>>()?;
    reply::ok(&UnheardView { data })
}

/// Acknowledge events, and renew the lease.
#[utoipa::path(
    operation_id = "acknowledge_events",
    tag = "Webhooks",
    path = "/v1/listeners/{id}/ack",
    params(
        ("id" = ListenerId, Path, description = "The listener"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = HeardBody,
    responses((status = 200, description = "The listener", body = ListenerView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/listeners/{id}/ack")]
pub(super) async fn acknowledge(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<ListenerId>,
    body: Body<HeardBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    let events = body.value.events.clone();
    if i64::try_from(events.len()).unwrap_or(i64::MAX) > listeners::BATCH_MAX {
        return Err(Error::field("events", format!("must be at most {} ids", listeners::BATCH_MAX)));
    }
    change_once(&app, &caller, (&req, &body), move |conn, by| {
        stored(200, &listeners::acknowledge(conn, owner, id.0, &events, by.now)?)
    })
    .await
}

/// End a listener. What it has not heard is dropped.
#[utoipa::path(
    operation_id = "close_listener",
    tag = "Webhooks",
    path = "/v1/listeners/{id}",
    params(
        ("id" = ListenerId, Path, description = "The listener"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    responses((status = 204, description = "Ended"), ChangeRefusals),
    security(("api_key" = [])),
)]
#[delete("/listeners/{id}")]
pub(super) async fn close(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<ListenerId>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    change_bare(&app, &caller, &req, move |conn, by| {
        listeners::close(conn, owner, id.0, by.now)?;
        Ok(stored_nothing())
    })
    .await
}

/// Make up an event, to see what your app does with it. With a test key only.
///
/// It is told to the endpoints and listeners of test mode that asked for its type, signed like a real one; its data has
/// `"test": true`.
#[utoipa::path(
    operation_id = "make_up_event",
    tag = "Sandbox",
    path = "/v1/sandbox/events",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one event")),
    request_body = MadeUpEvent,
    responses((status = 201, description = "The event, and who is told", body = TriggeredView), ListenRefusals),
    security(("api_key" = [])),
)]
#[post("/sandbox/events")]
pub(super) async fn make_up(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: Body<MadeUpEvent>,
) -> Result<HttpResponse> {
    caller.require(Scope::WebhooksWrite)?;
    let owner = owner_of(&caller);
    if caller.mode() == Mode::Live {
        return Err(Error::new(Code::PermissionDenied).detail("Only a test key makes events up."));
    }
    let MadeUpEvent { kind, data: set } = body.value.clone();
    let data = sample::data(kind, set.unwrap_or_default(), app.clock.now())?;
    change_once(&app, &caller, (&req, &body), move |conn, by| {
        let (row, endpoints, listeners) = emit::emit_one(conn, owner, (kind, &data), by.now)?;
        stored(201, &TriggeredView { event: ToldEventView::of(&row)?, endpoints, listeners })
    })
    .await
}
