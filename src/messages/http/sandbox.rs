//! `GET /v1/sandbox/messages`: what the handset would show.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::docs::ReadRefusals;
use super::read::address_of;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::http::{Query, reply};
use crate::ids::MessageId;
use crate::providers::sandbox;
use crate::terms::Channel;

/// Whose messages to show.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct InboxFilter {
    /// To this number (E.164) or mail address.
    to: Option<String>,
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
}

/// A message as the handset would show it.
#[derive(Serialize, ToSchema)]
pub(super) struct InboxView {
    /// The number in E.164, or the mail address.
    to: String,
    /// The channel it came by.
    channel: Channel,
    /// The text: code and all with a test key, with its digits hidden with a live one.
    body: String,
    /// The subject line of a mail.
    subject: Option<String>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    received_at: Millis,
    /// The message.
    message_id: MessageId,
}

/// The inbox.
#[derive(Serialize, ToSchema)]
pub(super) struct Inbox {
    /// Messages, newest first.
    data: Vec<InboxView>,
}

/// Show what the sandbox's handsets and mailboxes have received, newest first.
///
/// With a test key: its organization's test messages. With a live key: those of its live messages that an operator
/// routes to the sandbox carrier (staging), with every run of four digits or more hidden.
#[utoipa::path(
    operation_id = "list_sandbox_messages",
    tag = "Sandbox",
    path = "/v1/sandbox/messages",
    params(InboxFilter),
    responses((status = 200, description = "What was received", body = Inbox), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/sandbox/messages")]
pub(super) async fn list_sandbox(caller: Caller, app: Data<App>, query: Query<InboxFilter>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let to = query.0.to.map(|text| address_of(&text)).transpose()?;
    let limit = query.0.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(Error::field("limit", "must be a whole number from 1 to 200"));
    }
    let (org, mode) = (caller.org_id(), caller.mode());
    let rows = app.db.read(move |conn| sandbox::inbox(conn, org, mode, to.as_deref(), limit)).await?;
    let data = rows
        .into_iter()
        .map(|row| InboxView {
            to: row.to,
            channel: row.channel,
            body: row.body,
            subject: row.subject,
            received_at: row.received_at,
            message_id: row.message_id,
        })
        .collect();
    reply::ok(&Inbox { data })
}
