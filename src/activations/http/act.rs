//! What a renter does with an activation.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};

use super::docs::ActRefusals;
use crate::accounts::{Caller, Scope, change_sealed, stored};
use crate::activations::act::act;
use crate::activations::state::Event;
use crate::activations::store::Name;
use crate::activations::view::{ActivationView, view_of};
use crate::activations::{forget_catalog, must_be_on};
use crate::app::App;
use crate::error::Result;
use crate::http::{Body, Id, NoMembers, OptionalBody};
use crate::ids::ActivationId;

/// Say that you have given the number to the service.
///
/// Changes nothing; the old protocol has it.
#[utoipa::path(
    operation_id = "ready_activation",
    tag = "Activations",
    path = "/v1/activations/{id}/ready",
    params(
        ("id" = ActivationId, Path, description = "The activation"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 200, description = "The activation, waiting", body = ActivationView), ActRefusals),
    security(("api_key" = [])),
)]
#[post("/activations/{id}/ready")]
pub(super) async fn ready(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<ActivationId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    change(&app, &caller, (&req, &body.0), id.0, Event::Ready).await
}

/// Ask for another code, after one came.
///
/// Free: the price is charged once.
#[utoipa::path(
    operation_id = "retry_activation",
    tag = "Activations",
    path = "/v1/activations/{id}/retry",
    params(
        ("id" = ActivationId, Path, description = "The activation"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 200, description = "The activation, waiting again", body = ActivationView), ActRefusals),
    security(("api_key" = [])),
)]
#[post("/activations/{id}/retry")]
pub(super) async fn retry(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<ActivationId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    change(&app, &caller, (&req, &body.0), id.0, Event::Retry).await
}

/// Complete an activation.
///
/// Where no code came it is charged all the same: cancel it instead.
#[utoipa::path(
    operation_id = "complete_activation",
    tag = "Activations",
    path = "/v1/activations/{id}/complete",
    params(
        ("id" = ActivationId, Path, description = "The activation"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 200, description = "The activation, finished", body = ActivationView), ActRefusals),
    security(("api_key" = [])),
)]
#[post("/activations/{id}/complete")]
pub(super) async fn complete(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<ActivationId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    change(&app, &caller, (&req, &body.0), id.0, Event::Complete).await
}

/// Cancel an activation for which no code has come.
///
/// From `cancel_at` on; nothing is charged.
#[utoipa::path(
    operation_id = "cancel_activation",
    tag = "Activations",
    path = "/v1/activations/{id}/cancel",
    params(
        ("id" = ActivationId, Path, description = "The activation"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 200, description = "The activation, cancelled", body = ActivationView), ActRefusals),
    security(("api_key" = [])),
)]
#[post("/activations/{id}/cancel")]
pub(super) async fn cancel(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<ActivationId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    change(&app, &caller, (&req, &body.0), id.0, Event::Cancel).await
}

async fn change<T>(
    app: &Data<App>,
    caller: &Caller,
    (req, body): (&HttpRequest, &Body<T>),
    id: ActivationId,
    event: Event,
) -> Result<HttpResponse> {
    caller.require(Scope::ActivationsWrite)?;
    must_be_on(app)?;
    let (owner, keyring) = ((caller.org_id(), caller.mode()), app.keyring.clone());
    let done = change_sealed(app, caller, (req, body), move |conn, by| {
        let row = act(conn, owner, Name::Id(id), event, by.now)?;
        stored(200, &view_of(conn, &keyring, row, by.now)?)
    });
    let done = done.await?;
    forget_catalog(app);
    Ok(done)
}
