//! `/v1/fraud/lists`: an organization's own entries.

use std::collections::BTreeMap;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use serde::Deserialize;
use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::entry::{ListEntryView, NewListEntry, add_entry, remove_entry};
use super::shelf::forget_guards;
use super::store;
use crate::accounts::{Caller, Scope, change_once, stored, stored_nothing};
use crate::app::App;
use crate::audit::By;
use crate::db::Conn;
use crate::error::{Code, Result};
use crate::http::page::{self, PageParams};
use crate::http::refusals::{BODY, DOOR, OURS, refusals};
use crate::http::{Body, Id, Listing, NoMembers, OptionalBody, Page, reply};
use crate::ids::ListId;

/// Every route and shape of the room.
#[derive(OpenApi)]
#[openapi(paths(list_entries, add_list_entry, remove_list_entry))]
pub struct FraudDocs;

/// The routes under `/v1`, behind the tenants' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes.service(list_entries).service(add_list_entry).service(remove_list_entry);
}

/// A list without filters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfiltered {}

/// List your entries of numbers, prefixes, networks and devices, newest first: of a live key for live
/// messages, of a test key for test messages.
#[utoipa::path(
    tag = "Fraud",
    path = "/v1/fraud/lists",
    params(PageParams),
    responses((status = 200, description = "A page of entries", body = Page<ListEntryView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/fraud/lists")]
pub(super) async fn list_entries(caller: Caller, app: Data<App>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    caller.require(Scope::FraudRead)?;
    let Unfiltered {} = listing.filter;
    let owner = (caller.org_id(), caller.mode());
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<ListId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let fetch = listing.page.fetch();
    let rows = app.db.read(move |conn| store::list_entries(conn, Some(owner), before, fetch)).await?;
    let views: Vec<ListEntryView> = rows.into_iter().map(ListEntryView::from).collect();
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Add an entry.
///
/// Of entries on a destination the most particular counts, and a block before an allowance on the very same thing. An
/// allowed destination is let through every rule of judgement; limits, money and the choice of countries still hold.
/// What operators block for everybody stays blocked.
#[utoipa::path(
    tag = "Fraud",
    path = "/v1/fraud/lists",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one entry")),
    request_body = NewListEntry,
    responses((status = 201, description = "The entry", body = ListEntryView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/fraud/lists")]
pub(super) async fn add_list_entry(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: Body<NewListEntry>,
) -> Result<HttpResponse> {
    caller.require(Scope::FraudWrite)?;
    let (owner, new) = ((caller.org_id(), caller.mode()), body.value.clone());
    let work = move |conn: &mut Conn, by: &By| stored(201, &add_entry(conn, by, Some(owner), new)?);
    let answer = change_once(&app, &caller, (&req, &body), work).await?;
    forget_guards(&app);
    Ok(answer)
}

/// Remove an entry.
#[utoipa::path(
    tag = "Fraud",
    path = "/v1/fraud/lists/{id}",
    params(
        ("id" = ListId, Path, description = "The entry"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    responses((status = 204, description = "Removed"), ChangeRefusals),
    security(("api_key" = [])),
)]
#[delete("/fraud/lists/{id}")]
pub(super) async fn remove_list_entry(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<ListId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    caller.require(Scope::FraudWrite)?;
    let owner = (caller.org_id(), caller.mode());
    let work = move |conn: &mut Conn, by: &By| remove_entry(conn, by, Some(owner), id.0).map(|()| stored_nothing());
    let answer = change_once(&app, &caller, (&req, &body.0), work).await?;
    forget_guards(&app);
    Ok(answer)
}

/// What a route that reads may refuse with.
struct ReadRefusals;
/// What a route that changes may refuse with.
struct ChangeRefusals;

impl IntoResponses for ReadRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &[Code::ValidationFailed, Code::MalformedRequest], &OURS].concat())
    }
}

impl IntoResponses for ChangeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, &[Code::NotFound], &OURS].concat())
    }
}
