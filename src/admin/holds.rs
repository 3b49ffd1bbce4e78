//! Groups of attempts that the fraud engine holds.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, delete, get};
use serde::Deserialize;

use crate::admin::desk::{Desk, Look, Manage, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::app::App;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::{Id, Listing, Query};
use crate::ids::{HoldId, OrgId};
use crate::sentinel::{self, HoldView};
use crate::terms::Mode;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_holds).service(show_hold).service(release_hold);
}

/// Which holds.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichHolds {
    /// Those that have ended too.
    #[serde(default)]
    all: bool,
    /// Of this organization.
    org_id: Option<OrgId>,
    /// Of its live attempts where absent, or its test ones.
    mode: Option<Mode>,
}

/// List groups of attempts that the engine holds, newest first.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/holds",
    params(WhichHolds, PageParams),
    responses((status = 200, description = "A page of holds", body = Page<HoldView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/fraud/holds")]
pub(super) async fn list_holds(desk: Desk<Look>, listing: Listing<WhichHolds>) -> Result<HttpResponse> {
    let WhichHolds { all, org_id, mode } = listing.filter;
    let owner = org_id.map(|org| (org, mode.unwrap_or(Mode::Live)));
    let read = move |conn: &mut Conn, before, limit| {
        let rows = sentinel::list_holds(conn, owner, !all, before, limit)?;
        rows.iter().map(HoldView::of).collect()
    };
    desk.list(listing.page, read, |view: &HoldView| view.id.to_string()).await
}

/// Show a hold and why it was begun.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/holds/{id}",
    params(("id" = HoldId, Path, description = "The hold")),
    responses((status = 200, description = "The hold", body = HoldView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/fraud/holds/{id}")]
pub(super) async fn show_hold(desk: Desk<Look>, id: Id<HoldId>) -> Result<HttpResponse> {
    desk.show(move |conn| {
        sentinel::find_hold(conn, id.0)?.map_or_else(|| Err(Error::new(Code::NotFound)), |row| HoldView::of(&row))
    })
    .await
}

/// Release a hold: its attempts pass again at once, here, and within two seconds on every process. One that has ended
/// stays as it is.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/holds/{id}",
    params(
        ("id" = HoldId, Path, description = "The hold"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    responses((status = 200, description = "The hold as it is now", body = HoldView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[delete("/fraud/holds/{id}")]
pub(super) async fn release_hold(
    desk: Desk<Manage>,
    app: Data<App>,
    id: Id<HoldId>,
    why: Query<Why>,
) -> Result<HttpResponse> {
    let order = desk.bare_order(why.0.reason)?;
    let answer = order.run(move |conn, by| done(&sentinel::release(conn, by, id.0)?)).await?;
    sentinel::forget_hold(&app, id.0).await?;
    Ok(answer)
}
