//! Organizations.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get, patch, post};

use crate::accounts::{self, NewOrg, Org, OrgPatch};
use crate::admin::desk::{Desk, Look, Manage, Unfiltered};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{done, made};
use crate::error::Result;
use crate::http::page::{Page, PageParams};
use crate::http::{Body, Id, Listing};
use crate::ids::OrgId;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(create_org).service(list_orgs).service(show_org).service(update_org);
}

/// Make an organization.
#[utoipa::path(
    tag = "Admin: organizations",
    path = "/v1/admin/orgs",
    request_body = NewOrg,
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one organization")),
    responses(
        (status = 201, description = "Made", body = Org, headers(("Location" = String, description = "Where it is"))),
        ChangeRefusals,
    ),
    security(("operator_token" = [])),
)]
#[post("/orgs")]
pub(super) async fn create_org(desk: Desk<Manage>, body: Body<NewOrg>) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let new = body.value;
    order
        .run(move |conn, by| {
            let org = accounts::create_org(conn, by, new)?;
            made(format!("/v1/admin/orgs/{}", org.id), &org)
        })
        .await
}

/// List organizations, newest first.
#[utoipa::path(
    tag = "Admin: organizations",
    path = "/v1/admin/orgs",
    params(PageParams),
    responses(
        (status = 200, description = "A page", body = Page<Org>),
        ReadRefusals,
    ),
    security(("operator_token" = [])),
)]
#[get("/orgs")]
pub(super) async fn list_orgs(desk: Desk<Look>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    desk.list(listing.page, accounts::list_orgs, |org: &Org| org.id.to_string()).await
}

/// Show an organization.
#[utoipa::path(
    tag = "Admin: organizations",
    path = "/v1/admin/orgs/{id}",
    params(("id" = OrgId, Path, description = "The organization")),
    responses(
        (status = 200, description = "The organization", body = Org),
        ReadRefusals,
    ),
    security(("operator_token" = [])),
)]
#[get("/orgs/{id}")]
pub(super) async fn show_org(desk: Desk<Look>, id: Id<OrgId>) -> Result<HttpResponse> {
    desk.show(move |conn| accounts::load_org(conn, id.0)).await
}

/// Change an organization; what is absent stays. Acts within a second.
#[utoipa::path(
    tag = "Admin: organizations",
    path = "/v1/admin/orgs/{id}",
    params(
        ("id" = OrgId, Path, description = "The organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = OrgPatch,
    responses(
        (status = 200, description = "The organization as it is now", body = Org),
        ChangeRefusals,
    ),
    security(("operator_token" = [])),
)]
#[patch("/orgs/{id}")]
pub(super) async fn update_org(desk: Desk<Manage>, id: Id<OrgId>, body: Body<OrgPatch>) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let patch = body.value;
    order.run(move |conn, by| done(&accounts::update_org(conn, by, id.0, patch)?)).await
}
