//! `POST /v1/verifications`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};

use super::docs::SendRefusals;
use super::respond;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::error::Result;
use crate::http::{Body, RequestId, base_url, reply};
use crate::messages::DryRunView;
use crate::verifications::body::StartBody;
use crate::verifications::desk::Ask;
use crate::verifications::new::NewVerification;
use crate::verifications::start::{rehearse_start, start};
use crate::verifications::view::VerificationView;

/// Start a verification.
///
/// Makes a code and sends it. Where one is pending for the same destination it is joined: the same id, a new send; code
/// length, ttl, checks and resend policy stay as they were, and so do locale, template, web_origin, app_hash and client
/// unless the request names them. With `dry_run` nothing is recorded and the answer (200) is
/// what would be decided.
#[utoipa::path(
    operation_id = "start_verification",
    tag = "Verifications",
    path = "/v1/verifications",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one send")),
    request_body = StartBody,
    responses(
        (status = 201, description = "Its code is on its way", body = VerificationView),
        (status = 200, description = "A dry run's findings", body = DryRunView),
        SendRefusals,
    ),
    security(("api_key" = [])),
)]
#[post("/verifications")]
pub(super) async fn create(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: RequestId,
    body: Body<StartBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::VerificationsWrite)?;
    let ask = Ask::of(app, caller, &req, &id, &body);
    let is_rehearsal = body.value.dry_run == Some(true);
    let new = NewVerification::parse(body.value, &ask.caller)?;
    if is_rehearsal {
        let (accept, outcome) = rehearse_start(ask, new).await?;
        return reply::ok(&DryRunView::of(&accept, &outcome, &base_url(&req)));
    }
    Ok(respond(&req, start(ask, new).await?))
}
