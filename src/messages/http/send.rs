//! `POST /v1/messages` and `/v1/messages/bulk`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};

use super::docs::SendRefusals;
use super::{answered, ask, one_spelling};
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::error::Result;
use crate::http::{Body, RequestId, base_url, reply};
use crate::messages::body::{BulkBody, SendBody, SingleBody};
use crate::messages::rehearsal::{BulkDryRunView, DryRunView};
use crate::messages::send::{Ask, rehearse_bulk, rehearse_send, send, send_bulk};
use crate::messages::view::{BulkView, MessageView, render_bulk, render_single};

/// Send a message.
///
/// 202 means that it is recorded on disk with its price held; it is handed over to a carrier after that. With
/// `dry_run` nothing is recorded and the answer (200) is what would be decided.
#[utoipa::path(
    operation_id = "send_message",
    tag = "Messages",
    path = "/v1/messages",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one message")),
    request_body = SingleBody,
    responses(
        (status = 202, description = "Accepted", body = MessageView),
        (status = 200, description = "A dry run's findings", body = DryRunView),
        SendRefusals,
    ),
    security(("api_key" = [])),
)]
#[post("/messages")]
pub(super) async fn create(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: RequestId,
    mut body: Body<SendBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    let (to, channel, country) = (body.value.to.clone(), body.value.channel, body.value.country.clone());
    let to = one_spelling(&mut body, to.as_deref(), channel, country.as_deref());
    let ask = Ask { to, ..ask(&req, &caller, &body, &id, render_single) };
    if body.value.dry_run == Some(true) {
        let (accept, outcome) = rehearse_send(&app, &caller, body.value, ask).await?;
        return reply::ok(&DryRunView::of(&accept, &outcome, &base_url(&req)));
    }
    let accepted = send(&app, &caller, body.value, ask).await;
    accepted.map(|accepted| answered(&req, &accepted, render_single))
}

/// Send many messages at once.
///
/// Takes one request slot whatever its size; each message passes the guards on its own. With `pacing: plan`, SMS are
/// spread over the plan's minutes and accepted as `scheduled`, four fifths of a minute each (on a plan of one message
/// every third minute), so that codes sent meanwhile find room; a message whose `ttl` ends before its turn takes what
/// the plan has left now, or is refused. A batch that could never pass is `batch.too_large_for_plan`.
#[utoipa::path(
    post,
    operation_id = "send_bulk",
    tag = "Messages",
    path = "/v1/messages/bulk",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one bulk")),
    request_body = BulkBody,
    responses(
        (status = 202, description = "Accepted, at least in part: see each result", body = BulkView),
        (status = 200, description = "A dry run's findings", body = BulkDryRunView),
        SendRefusals,
    ),
    security(("api_key" = [])),
)]
pub(super) async fn create_bulk(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: RequestId,
    body: Body<BulkBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    let ask = Ask { base: base_url(&req), ..ask(&req, &caller, &body, &id, render_bulk) };
    if body.value.dry_run == Some(true) {
        let (accept, rehearsed) = rehearse_bulk(&app, &caller, body.value, ask).await?;
        return reply::ok(&BulkDryRunView::of(&accept, &rehearsed, &base_url(&req)));
    }
    let accepted = send_bulk(&app, &caller, body.value, ask).await?;
    Ok(answered(&req, &accepted, render_bulk))
}
