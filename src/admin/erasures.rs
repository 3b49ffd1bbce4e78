//! Erasing somebody's number or mail address, and the proof of it.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::desk::{Audit, Desk, Govern, Unfiltered};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{made, said_why};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::{Body, Id, Listing};
use crate::ids::ErasureId;
use crate::privacy::{self, ErasureView};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(order_erasure).service(list_erasures).service(show_erasure);
}

/// Whom to erase, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "+447400123456", "reason": "asked for in ticket 4711"}))]
pub struct EraseBody {
    /// The number in E.164, or the mail address.
    #[schema(example = "+447400123456", max_length = 254)]
    pub to: String,
    /// Why, for the audit log; it stays there for good, so name no number in it.
    #[schema(min_length = 3, max_length = 500)]
    pub reason: String,
}

/// Erase a number or mail address of all organizations: what holds it is removed, or keeps a keyed pseudonym so that
/// sums, the ledger and limits stay right. Done by the worker within seconds; messages to it that wait are canceled.
#[utoipa::path(
    tag = "Admin: privacy",
    path = "/v1/admin/erasures",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one erasure")),
    request_body = EraseBody,
    responses((status = 201, description = "It is ordered", body = ErasureView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/erasures")]
pub(super) async fn order_erasure(desk: Desk<Govern>, app: Data<App>, body: Body<EraseBody>) -> Result<HttpResponse> {
    let reason = said_why(&body.value.reason)?;
    let order = desk.order(&body, Some(reason.clone()))?;
    let to = body.value.to;
    order
        .run(move |conn, by| {
            let view = privacy::order_erasure(conn, by, &app.keyring, (&to, &reason))?;
            made(format!("/v1/admin/erasures/{}", view.id), &view)
        })
        .await
}

/// List erasures, newest first.
#[utoipa::path(
    tag = "Admin: privacy",
    path = "/v1/admin/erasures",
    params(PageParams),
    responses((status = 200, description = "A page of erasures", body = Page<ErasureView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/erasures")]
pub(super) async fn list_erasures(desk: Desk<Audit>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    let read = |conn: &mut _, before, limit| {
        privacy::list_erasures(conn, before, limit)?.into_iter().map(ErasureView::of).collect()
    };
    desk.list(listing.page, read, |view: &ErasureView| view.id.to_string()).await
}

/// Show an erasure: how many rows of which table, when, by whom, and what a last pass still found.
#[utoipa::path(
    tag = "Admin: privacy",
    path = "/v1/admin/erasures/{id}",
    params(("id" = ErasureId, Path, description = "The erasure")),
    responses((status = 200, description = "The proof", body = ErasureView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/erasures/{id}")]
pub(super) async fn show_erasure(desk: Desk<Audit>, id: Id<ErasureId>) -> Result<HttpResponse> {
    desk.show(move |conn| {
        let row = privacy::find_erasure(conn, id.0)?.ok_or_else(|| Error::new(Code::NotFound))?;
        ErasureView::of(row)
    })
    .await
}
