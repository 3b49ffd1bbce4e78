//! What is done with a broadcast: started, scheduled, held, called off.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::docs::ChangeRefusals;
use super::owner_of;
use crate::accounts::{Caller, Scope, change_once, stored};
use crate::app::App;
use crate::broadcasts::act::{self, By};
use crate::broadcasts::state::Action;
use crate::broadcasts::store;
use crate::broadcasts::view::BroadcastView;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::http::{Body, Id, NoMembers, OptionalBody};
use crate::ids::BroadcastId;

/// How far ahead a broadcast may be scheduled.
const SCHEDULE_MAX: Duration = Duration::from_secs(30 * 86_400);

/// When a broadcast begins.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"at": "2026-12-01T08:00:00Z"}))]
pub(super) struct ScheduleBody {
    /// In the future and within 30 days (RFC 3339).
    #[schema(value_type = String, format = DateTime)]
    at: Millis,
}

/// Start a broadcast.
///
/// Its contacts are sent to in the order they were added, as fast as the plan's share for bulks, the channel's limits and
/// the queue allow; who meets a limit waits for it. Codes are never behind it. What each contact is decided by is the
/// standing of the key that starts or resumes it.
#[utoipa::path(
    operation_id = "start_broadcast",
    tag = "Broadcasts",
    path = "/v1/broadcasts/{id}/start",
    params(
        ("id" = BroadcastId, Path, description = "The broadcast"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 200, description = "The broadcast, running", body = BroadcastView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/broadcasts/{id}/start")]
pub(super) async fn start(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<BroadcastId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    change(&app, &caller, (&req, &body.0), id.0, (Action::Start, None)).await
}

/// Schedule a broadcast.
///
/// It starts by itself at that time; until then it can be scheduled anew, started or canceled.
#[utoipa::path(
    operation_id = "schedule_broadcast",
    tag = "Broadcasts",
    path = "/v1/broadcasts/{id}/schedule",
    params(
        ("id" = BroadcastId, Path, description = "The broadcast"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = ScheduleBody,
    responses((status = 200, description = "The broadcast, scheduled", body = BroadcastView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/broadcasts/{id}/schedule")]
pub(super) async fn schedule(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<BroadcastId>,
    body: Body<ScheduleBody>,
) -> Result<HttpResponse> {
    let at = body.value.at;
    change(&app, &caller, (&req, &body), id.0, (Action::Schedule, Some(at))).await
}

/// Pause a broadcast.
///
/// Nothing more is accepted; messages that were accepted already (a second's worth at most) go their way.
#[utoipa::path(
    operation_id = "pause_broadcast",
    tag = "Broadcasts",
    path = "/v1/broadcasts/{id}/pause",
    params(
        ("id" = BroadcastId, Path, description = "The broadcast"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 200, description = "The broadcast, paused", body = BroadcastView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/broadcasts/{id}/pause")]
pub(super) async fn pause(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<BroadcastId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    change(&app, &caller, (&req, &body.0), id.0, (Action::Pause, None)).await
}

/// Resume a broadcast that is paused, by request or because money or a permission was missing.
#[utoipa::path(
    operation_id = "resume_broadcast",
    tag = "Broadcasts",
    path = "/v1/broadcasts/{id}/resume",
    params(
        ("id" = BroadcastId, Path, description = "The broadcast"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 200, description = "The broadcast, running", body = BroadcastView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/broadcasts/{id}/resume")]
pub(super) async fn resume(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<BroadcastId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    change(&app, &caller, (&req, &body.0), id.0, (Action::Resume, None)).await
}

/// Cancel a broadcast for good.
///
/// Contacts that wait get nothing; messages that were accepted already go their way.
#[utoipa::path(
    operation_id = "cancel_broadcast",
    tag = "Broadcasts",
    path = "/v1/broadcasts/{id}/cancel",
    params(
        ("id" = BroadcastId, Path, description = "The broadcast"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 200, description = "The broadcast, canceled", body = BroadcastView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/broadcasts/{id}/cancel")]
pub(super) async fn cancel(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<BroadcastId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    change(&app, &caller, (&req, &body.0), id.0, (Action::Cancel, None)).await
}

async fn change<T>(
    app: &Data<App>,
    caller: &Caller,
    (req, body): (&HttpRequest, &Body<T>),
    id: BroadcastId,
    (action, at): (Action, Option<Millis>),
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    let (owner, key) = (owner_of(caller), caller.key_id());
    change_once(app, caller, (req, body), move |conn, by| {
        store::load(conn, owner, id)?;
        if at.is_some_and(|at| at <= by.now || at > by.now.plus(SCHEDULE_MAX)) {
            return Err(Error::field("at", "must be in the future and within 30 days"));
        }
        let request_id = by.request_id.as_deref().unwrap_or_default();
        let row = act::act(conn, owner, id, (action, at), &By { key, request_id, now: by.now })?;
        stored(200, &BroadcastView::of(&row))
    })
    .await
}
