//! Searching messages over all organizations, and everything that is known of one.

use std::collections::BTreeSet;

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::trace::{MessageTrace, trace};
use crate::admin::desk::{Desk, Look};
use crate::admin::docs::ReadRefusals;
use crate::app::App;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::{Id, Listing, Query};
use crate::ids::{MessageId, VerificationId};
use crate::messages::{self, FoundMessage, MessageHistogram, SearchFilter};
use crate::verifications;

/// Names of the carriers that hand-offs may have gone to.
fn carriers(app: &App) -> Vec<String> {
    let named = app.carriers.iter().map(|carrier| carrier.name().to_owned());
    named.chain([String::from(crate::config::SANDBOX)]).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Says of each message with a code whether it was verified.
fn with_verified(conn: &mut Conn, mut found: Vec<FoundMessage>) -> Result<Vec<FoundMessage>> {
    let ids: Vec<VerificationId> = found.iter().filter_map(|row| row.verification_id).collect();
    let approved = verifications::approvals(conn, &ids)?;
    for row in &mut found {
        row.verified = row.verification_id.map(|id| approved.get(&id).copied().unwrap_or(false));
    }
    Ok(found)
}

/// Search messages over all organizations, newest first, numbers masked. An id, a carrier's id and an idempotency key are
/// found along an index, however old; everything else within a stretch of time: the last 24 hours where none is named, 31
/// days at most.
#[utoipa::path(
    tag = "Admin: messages",
    path = "/v1/admin/messages",
    params(SearchFilter, PageParams),
    responses((status = 200, description = "A page of messages", body = Page<FoundMessage>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/messages")]
pub(in crate::admin) async fn search_messages(
    desk: Desk<Look>,
    app: Data<App>,
    listing: Listing<SearchFilter>,
) -> Result<HttpResponse> {
    let (wanted, carriers) = (listing.filter.read(app.clock.now())?, carriers(&app));
    let read = move |conn: &mut Conn, before: Option<MessageId>, limit| {
        let found = messages::search(conn, &wanted, &carriers, before, limit)?;
        with_verified(conn, found)
    };
    desk.list(listing.page, read, |row: &FoundMessage| row.id.to_string()).await
}

/// Count the messages of a search by status and time.
#[utoipa::path(
    tag = "Admin: messages",
    path = "/v1/admin/messages/histogram",
    params(SearchFilter),
    responses((status = 200, description = "Messages by status and time", body = MessageHistogram), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/messages/histogram")]
pub(in crate::admin) async fn count_all_messages(
    desk: Desk<Look>,
    app: Data<App>,
    filter: Query<SearchFilter>,
) -> Result<HttpResponse> {
    let (wanted, carriers) = (filter.0.read(app.clock.now())?, carriers(&app));
    desk.show(move |conn| messages::histogram(conn, &wanted, &carriers)).await
}

/// Show a message and its whole timeline: limits, decision, ledger, hand-offs, receipts, webhooks, checks.
#[utoipa::path(
    tag = "Admin: messages",
    path = "/v1/admin/messages/{id}",
    params(("id" = MessageId, Path, description = "The message")),
    responses((status = 200, description = "The message", body = MessageTrace), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/messages/{id}")]
pub(in crate::admin) async fn trace_message(
    desk: Desk<Look>,
    app: Data<App>,
    id: Id<MessageId>,
) -> Result<HttpResponse> {
    let kept = app.config.retention.idempotency;
    desk.show(move |conn| {
        let row = messages::find_message(conn, id.0)?.ok_or_else(|| Error::new(Code::NotFound))?;
        let shown = messages::shown(conn, std::slice::from_ref(&row))?;
        let shown = with_verified(conn, shown)?.pop().ok_or_else(|| Error::internal("a message without a view"))?;
        trace(conn, &row, shown, kept)
    })
    .await
}

/// Messages to the same number.
#[derive(Serialize, ToSchema)]
pub(in crate::admin) struct RelatedMessages {
    /// Newest first, at most 50.
    data: Vec<FoundMessage>,
}

/// List other messages to the same number, of any organization, within 24 hours before and after a message.
#[utoipa::path(
    tag = "Admin: messages",
    path = "/v1/admin/messages/{id}/related",
    params(("id" = MessageId, Path, description = "The message")),
    responses((status = 200, description = "The others", body = RelatedMessages), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/messages/{id}/related")]
pub(in crate::admin) async fn list_related_messages(desk: Desk<Look>, id: Id<MessageId>) -> Result<HttpResponse> {
    const SPAN: std::time::Duration = std::time::Duration::from_secs(86_400);
    desk.show(move |conn| {
        let row = messages::find_message(conn, id.0)?.ok_or_else(|| Error::new(Code::NotFound))?;
        let rows = messages::related(conn, &row, SPAN, 50)?;
        let shown = messages::shown(conn, &rows)?;
        Ok(RelatedMessages { data: with_verified(conn, shown)? })
    })
    .await
}
