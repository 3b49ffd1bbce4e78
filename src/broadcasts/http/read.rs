//! Reading broadcasts: list, show, progress.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Deserialize;

use super::docs::ReadRefusals;
use super::owner_of;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::broadcasts::state::Status;
use crate::broadcasts::store::{self, Row};
use crate::broadcasts::view::{BroadcastProgress, BroadcastView};
use crate::db::Conn;
use crate::error::Result;
use crate::http::page::{self, PageParams};
use crate::http::{Id, Listing, Page, reply};
use crate::ids::BroadcastId;
use crate::messages::{batch_counts, batch_faults};

/// Which broadcasts.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct BroadcastFilter {
    /// In this status.
    status: Option<Status>,
}

/// List broadcasts, newest first.
#[utoipa::path(
    operation_id = "list_broadcasts",
    tag = "Broadcasts",
    path = "/v1/broadcasts",
    params(BroadcastFilter, PageParams),
    responses((status = 200, description = "A page of broadcasts", body = Page<BroadcastView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/broadcasts")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<BroadcastFilter>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let owner = owner_of(&caller);
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<BroadcastId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let (fetch, status) = (listing.page.fetch(), listing.filter.status);
    let rows = app.db.read(move |conn| store::list(conn, owner, status, before, fetch)).await?;
    let views: Vec<BroadcastView> = rows.iter().map(BroadcastView::of).collect();
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Show a broadcast.
#[utoipa::path(
    operation_id = "show_broadcast",
    tag = "Broadcasts",
    path = "/v1/broadcasts/{id}",
    params(("id" = BroadcastId, Path, description = "The broadcast")),
    responses((status = 200, description = "The broadcast", body = BroadcastView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/broadcasts/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, id: Id<BroadcastId>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let owner = owner_of(&caller);
    let row = app.db.read(move |conn| store::load(conn, owner, id.0)).await?;
    reply::ok(&BroadcastView::of(&row))
}

/// Show how far a broadcast is: its contacts, its messages by status, and what went wrong by error code.
#[utoipa::path(
    operation_id = "show_broadcast_progress",
    tag = "Broadcasts",
    path = "/v1/broadcasts/{id}/progress",
    params(("id" = BroadcastId, Path, description = "The broadcast")),
    responses((status = 200, description = "Its counts", body = BroadcastProgress), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/broadcasts/{id}/progress")]
pub(super) async fn progress(caller: Caller, app: Data<App>, id: Id<BroadcastId>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let owner = owner_of(&caller);
    let progress = app.db.read(move |conn| {
        let row = store::load(conn, owner, id.0)?;
        progress_of(conn, &row)
    });
    reply::ok(&progress.await?)
}

/// Contacts are counted as they are settled, messages along the index of their batch.
fn progress_of(conn: &mut Conn, row: &Row) -> Result<BroadcastProgress> {
    let messages = batch_counts(conn, row.batch_id)?;
    let mut errors: BTreeMap<String, i64> =
        row.refusals()?.into_iter().map(|(code, count)| (code, i64::from(count))).collect();
    for (code, count) in batch_faults(conn, row.batch_id)? {
        *errors.entry(code.unwrap_or_else(|| String::from("unknown"))).or_default() += count;
    }
    Ok(BroadcastProgress {
        status: row.status,
        contacts: row.contacts,
        waiting: row.waiting(),
        accepted: row.accepted,
        refused: row.refused,
        messages: messages.into_iter().map(|(status, count)| (status.to_string(), count)).collect(),
        errors,
        next_at: row.next_at,
    })
}
