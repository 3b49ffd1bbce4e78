//! Changing one message: called back, sent anew, looked into.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::working_caller;
use crate::admin::desk::{Desk, Manage, Support};
use crate::admin::docs::ChangeRefusals;
use crate::admin::order::{done, made, said_why};
use crate::app::App;
use crate::audit::{By, Change};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::{Body, Id};
use crate::ids::MessageId;
use crate::messages::{self, MessageView, Queue, RevealedMessage, Row};
use crate::phone::mask;

/// Why a message is changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "asked for in ticket 4711"}))]
pub struct ReasonBody {
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// Why somebody has to know a person's number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "the carrier asks for the number of message 4711"}))]
pub struct RevealBody {
    /// Why, for the audit log; it stays there for good, so name no number in it.
    #[schema(min_length = 3, max_length = 500)]
    pub reason: String,
}

pub(super) fn load(conn: &mut Conn, id: MessageId) -> Result<Row> {
    messages::find_message(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))
}

/// A message as a change shows it to operators: its number masked.
fn shown(row: &Row) -> Result<MessageView> {
    let view = MessageView::of(row)?;
    Ok(MessageView { to: mask(&view.to), metadata: Default::default(), ..view })
}

/// Cancel a message that has not gone yet, whoever's it is. Its price is let go.
#[utoipa::path(
    tag = "Admin: messages",
    path = "/v1/admin/messages/{id}/cancel",
    params(
        ("id" = MessageId, Path, description = "The message"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = ReasonBody,
    responses((status = 200, description = "The message, canceled", body = MessageView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/messages/{id}/cancel")]
pub(in crate::admin) async fn cancel_any_message(
    desk: Desk<Support>,
    id: Id<MessageId>,
    body: Body<ReasonBody>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    order
        .run(move |conn, by| {
            let before = load(conn, id.0)?;
            messages::cancel(conn, &before, "operator", by.now)?;
            let after = load(conn, id.0)?;
            let status = |row: &Row| serde_json::json!({ "status": row.status });
            by.tell(conn, "message.cancel", id.0, Change::changed(&status(&before), &status(&after)))?;
            done(&shown(&after)?)
        })
        .await
}

/// Send what a message said once more, as a new message of the same organization and key: guarded and charged like every
/// other. A code is never sent again this way, for codes are not kept; nor is a text that was erased.
#[utoipa::path(
    tag = "Admin: messages",
    path = "/v1/admin/messages/{id}/resend",
    params(
        ("id" = MessageId, Path, description = "The message"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one message"),
    ),
    request_body = ReasonBody,
    responses((status = 201, description = "The new message", body = MessageView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/messages/{id}/resend")]
pub(in crate::admin) async fn resend_message(
    desk: Desk<Manage>,
    app: Data<App>,
    id: Id<MessageId>,
    body: Body<ReasonBody>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let now = app.clock.now();
    let (row, caller) = app
        .db
        .read(move |conn| {
            let row = load(conn, id.0)?;
            Ok((working_caller(conn, row.key_id, now), row))
        })
        .await
        .map(|(caller, row)| (row, caller))?;
    let caller = caller.map_err(|_| Error::field("id", "belongs to a key or an organization that may not send now"))?;
    let again = messages::again(&app, caller, &row, desk.request_id()).await?;
    let answer = order
        .run(move |conn, by| {
            let sent = again.record(conn)?;
            let told = serde_json::json!({ "message_id": sent.id, "status": sent.status });
            by.tell(conn, "message.resend", id.0, Change::made(&told))?;
            made(format!("/v1/admin/messages/{}", sent.id), &shown(&sent)?)
        })
        .await?;
    app.room::<Queue>().ring();
    Ok(answer)
}

/// Reveal a message's number, and its text where that is kept and carries no code. Written down in the audit log.
#[utoipa::path(
    tag = "Admin: messages",
    path = "/v1/admin/messages/{id}/reveal",
    params(
        ("id" = MessageId, Path, description = "The message"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one entry in the audit log; a repeat shows the message as it is then"),
    ),
    request_body = RevealBody,
    responses((status = 200, description = "Number and text", body = RevealedMessage), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/messages/{id}/reveal")]
pub(in crate::admin) async fn reveal_message(
    desk: Desk<Manage>,
    app: Data<App>,
    id: Id<MessageId>,
    body: Body<RevealBody>,
) -> Result<HttpResponse> {
    let reason = said_why(&body.value.reason)?;
    let order = desk.order(&body, Some(reason))?;
    // What was revealed is kept nowhere: it would outlive the person's erasure.
    let keyring = app.keyring.clone();
    let opened = move |conn: &mut Conn| messages::reveal(&load(conn, id.0)?, &keyring);
    let shown = opened.clone();
    let tell = move |conn: &mut Conn, by: &By| {
        let revealed = opened(conn)?;
        let told = serde_json::json!({ "number": mask(&revealed.to), "body": revealed.body_state });
        by.tell(conn, "message.reveal", id.0, Change::made(&told))
    };
    order.run_unkept(tell, move |conn| done(&shown(conn)?)).await
}
