//! Calling a message back, and saying what became of it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};

use super::docs::ChangeRefusals;
use crate::accounts::{Caller, Scope, change_once, stored};
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::http::{Body, Id, NoMembers, OptionalBody};
use crate::ids::MessageId;
use crate::messages::body::FeedbackBody;
use crate::messages::desk::cancel as cancel_row;
use crate::messages::store::{self, Row};
use crate::messages::view::MessageView;

/// Cancel a message that has not gone yet. Its price is let go.
#[utoipa::path(
    operation_id = "cancel_message",
    tag = "Messages",
    path = "/v1/messages/{id}/cancel",
    params(
        ("id" = MessageId, Path, description = "The message"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    responses((status = 200, description = "The message, canceled", body = MessageView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/messages/{id}/cancel")]
pub(super) async fn cancel(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<MessageId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    change(&app, &caller, &req, &body.0, id.0, |conn, row, now| cancel_row(conn, &row, "client", now)).await
}

/// Tell what became of a message: whether its code was used, or that it was fraud.
#[utoipa::path(
    operation_id = "give_feedback",
    tag = "Messages",
    path = "/v1/messages/{id}/feedback",
    params(
        ("id" = MessageId, Path, description = "The message"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body = FeedbackBody,
    responses((status = 200, description = "The message", body = MessageView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/messages/{id}/feedback")]
pub(super) async fn feedback(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<MessageId>,
    body: Body<FeedbackBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    let outcome = body.value.outcome;
    change(&app, &caller, &req, &body, id.0, move |conn, row, now| {
        let mut extra = row.extra()?;
        extra.feedback = Some(outcome.to_string());
        store::save_extra(conn, row.id, &extra.to_json(), now)?;
        let event = store::Event {
            id: crate::ids::EventId::new(now),
            message_id: row.id,
            kind: String::from("message.feedback"),
            detail: serde_json::json!({ "outcome": outcome }).to_string(),
            at: now,
        };
        store::insert_events(conn, &[event])
    })
    .await
}

/// Changes a message of the caller once for a key, and answers with it as it is then.
async fn change<T, F>(
    app: &Data<App>,
    caller: &Caller,
    req: &HttpRequest,
    body: &Body<T>,
    id: MessageId,
    work: F,
) -> Result<HttpResponse>
where
    F: FnOnce(&mut Conn, Row, Millis) -> Result<()> + Send + 'static,
{
    let owner = (caller.org_id(), caller.mode());
    change_once(app, caller, (req, body), move |conn, by| {
        let row = store::load_message(conn, owner, id)?;
        work(conn, row, by.now)?;
        stored(200, &MessageView::of(&store::load_message(conn, owner, id)?)?)
    })
    .await
}
