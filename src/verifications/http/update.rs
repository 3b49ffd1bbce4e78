//! Checking a code, sending again, going on, canceling.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};

use super::docs::{CheckRefusals, ResendRefusals};
use super::respond;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{Body, Id, OptionalBody, RequestId};
use crate::ids::VerificationId;
use crate::messages::country_of;
use crate::verifications::body::{BareBody, CheckBody, CheckToBody, ResendBody};
use crate::verifications::check::{Target, check as check_code};
use crate::verifications::desk::Ask;
use crate::verifications::read::recipient_of;
use crate::verifications::resend::{cancel as cancel_one, next as next_step, resend as send_again};
use crate::verifications::view::{CheckView, VerificationView};

/// Check a code.
///
/// Each check counts, right or wrong; the right code on the last one allowed passes. A verification that has expired
/// or is out of checks answers 200 and says so; one that was approved or canceled answers 409.
#[utoipa::path(
    operation_id = "check_verification",
    tag = "Verifications",
    path = "/v1/verifications/{id}/check",
    params(
        ("id" = VerificationId, Path, description = "The verification"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one check"),
    ),
    request_body = CheckBody,
    responses((status = 200, description = "What became of it", body = CheckView), CheckRefusals),
    security(("api_key" = [])),
)]
#[post("/verifications/{id}/check")]
pub(super) async fn check(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<VerificationId>,
    request_id: RequestId,
    body: Body<CheckBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::VerificationsWrite)?;
    let ask = Ask::of(app, caller, &req, &request_id, &body);
    Ok(respond(&req, check_code(ask, Target::Id(id.0), &body.value.code).await?))
}

/// Check a code by its destination.
///
/// Finds the verification that is pending for `to`; 404 where there is none, as after it was approved.
#[utoipa::path(
    post,
    operation_id = "check_destination",
    tag = "Verifications",
    path = "/v1/verifications/check",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one check")),
    request_body = CheckToBody,
    responses((status = 200, description = "What became of it", body = CheckView), CheckRefusals),
    security(("api_key" = [])),
)]
pub(super) async fn check_to(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    request_id: RequestId,
    body: Body<CheckToBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::VerificationsWrite)?;
    let country = body.value.country.as_deref().map(country_of).transpose();
    let to = recipient_of("to", &body.value.to, country.map_err(|why| Error::field("country", why))?)?;
    let ask = Ask::of(app, caller, &req, &request_id, &body);
    Ok(respond(&req, check_code(ask, Target::To(to), &body.value.code).await?))
}

/// Send the code again.
///
/// Under `same_code` the same code, under `new_code` one of its own beside those sent before. The checks that are used
/// up stay used up, the expiry stays where it is, and the guards count the send.
#[utoipa::path(
    operation_id = "resend_verification",
    tag = "Verifications",
    path = "/v1/verifications/{id}/resend",
    params(
        ("id" = VerificationId, Path, description = "The verification"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one send"),
    ),
    request_body = Option<ResendBody>,
    responses((status = 200, description = "The verification", body = VerificationView), ResendRefusals),
    security(("api_key" = [])),
)]
#[post("/verifications/{id}/resend")]
pub(super) async fn resend(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<VerificationId>,
    request_id: RequestId,
    body: OptionalBody<ResendBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::VerificationsWrite)?;
    let ask = Ask::of(app, caller, &req, &request_id, &body.0);
    Ok(respond(&req, send_again(ask, id.0, body.0.value.channel).await?))
}

/// Do the workflow's next step now.
#[utoipa::path(
    operation_id = "next_step",
    tag = "Verifications",
    path = "/v1/verifications/{id}/next",
    params(
        ("id" = VerificationId, Path, description = "The verification"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one step"),
    ),
    request_body = Option<BareBody>,
    responses((status = 200, description = "The verification", body = VerificationView), ResendRefusals),
    security(("api_key" = [])),
)]
#[post("/verifications/{id}/next")]
pub(super) async fn next(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<VerificationId>,
    request_id: RequestId,
    body: OptionalBody<BareBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::VerificationsWrite)?;
    let ask = Ask::of(app, caller, &req, &request_id, &body.0);
    Ok(respond(&req, next_step(ask, id.0).await?))
}

/// Cancel a pending verification. No code is good for it any more.
#[utoipa::path(
    operation_id = "cancel_verification",
    tag = "Verifications",
    path = "/v1/verifications/{id}/cancel",
    params(
        ("id" = VerificationId, Path, description = "The verification"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = Option<BareBody>,
    responses((status = 200, description = "The verification, canceled", body = VerificationView), CheckRefusals),
    security(("api_key" = [])),
)]
#[post("/verifications/{id}/cancel")]
pub(super) async fn cancel(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<VerificationId>,
    request_id: RequestId,
    body: OptionalBody<BareBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::VerificationsWrite)?;
    let ask = Ask::of(app, caller, &req, &request_id, &body.0);
    Ok(respond(&req, cancel_one(ask, id.0).await?))
}
