//! Showing verifications.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use super::docs::ReadRefusals;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::page::{PageParams, Scope as PageScope};
use crate::http::{Id, Listing, Page, Query, reply};
use crate::ids::VerificationId;
use crate::verifications::body::{ListFilter, SummaryFilter};
use crate::verifications::read::{self, filter_of};
use crate::verifications::summary::{scope_of, summarize};
use crate::verifications::view::{SummaryView, VerificationView};

/// Show a verification.
#[utoipa::path(
    operation_id = "show_verification",
    tag = "Verifications",
    path = "/v1/verifications/{id}",
    params(("id" = VerificationId, Path, description = "The verification")),
    responses((status = 200, description = "The verification", body = VerificationView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/verifications/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, id: Id<VerificationId>) -> Result<HttpResponse> {
    caller.require(Scope::VerificationsRead)?;
    let (owner, clock) = ((caller.org_id(), caller.mode()), app.clock.clone());
    reply::ok(&app.db.read(move |conn| read::show(conn, owner, id.0, &clock)).await?)
}

/// List verifications, newest first.
#[utoipa::path(
    operation_id = "list_verifications",
    tag = "Verifications",
    path = "/v1/verifications",
    params(ListFilter, PageParams),
    responses((status = 200, description = "A page of verifications", body = Page<VerificationView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/verifications")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<ListFilter>) -> Result<HttpResponse> {
    caller.require(Scope::VerificationsRead)?;
    let owner = (caller.org_id(), caller.mode());
    // Cursors of test and live lists differ, as the lists do.
    let whose = format!("{}/{}", owner.0, owner.1);
    let position = listing.page.position(&app.keyring, &whose)?;
    let before = position.map(|text| text.parse().map_err(|_| Error::internal("a cursor of ours without sense")));
    let (before, filter) = (before.transpose()?, filter_of(listing.filter)?);
    let span = (app.clock.now(), listing.page.fetch());
    let rows = app.db.read(move |conn| read::list(conn, owner, filter, before, span)).await?;
    let scope = PageScope { keyring: &app.keyring, owner: &whose };
    reply::ok(&listing.page.page(rows, scope, |row: &VerificationView| row.id.to_string()))
}

/// Summarize how verifications came out.
///
/// Counts verifications by when they were started. The rate is `approved` of those that have ended; those that are
/// still pending are left out of it. A code that was sent twice and entered once counts as two `sent`, one `approved`.
#[utoipa::path(
    operation_id = "summarize_verifications",
    tag = "Verifications",
    path = "/v1/verifications/summary",
    params(SummaryFilter),
    responses((status = 200, description = "The figures", body = SummaryView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/verifications/summary")]
pub(super) async fn summary(caller: Caller, app: Data<App>, query: Query<SummaryFilter>) -> Result<HttpResponse> {
    caller.require(Scope::VerificationsRead)?;
    let now = app.clock.now();
    let scope = scope_of((caller.org_id(), caller.mode()), query.0, now)?;
    reply::ok(&app.db.read(move |conn| summarize(conn, &scope, now)).await?)
}
