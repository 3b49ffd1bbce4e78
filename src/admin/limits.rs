//! Limit overrides of organizations and keys.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, delete, get, put};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{self, Bearer, LimitOverride, NewOverride};
use crate::admin::desk::{Desk, Look, Manage, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{done, gone};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::{Body, Id, Query, path_part, reply};
use crate::ids::{KeyId, OrgId};
use crate::limits::Policy;
use crate::messages::{Limits, limits_of};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(list_org_limits)
        .service(set_org_limit)
        .service(remove_org_limit)
        .service(list_key_limits)
        .service(show_key_usage)
        .service(set_key_limit)
        .service(remove_key_limit);
}

/// The overrides of an organization or a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitOverrides {
    /// By policy; those that have expired are shown and count no more.
    data: Vec<LimitOverride>,
}

/// List the overrides of an organization.
#[utoipa::path(
    tag = "Admin: plans and limits",
    path = "/v1/admin/orgs/{id}/limits",
    params(("id" = OrgId, Path, description = "The organization")),
    responses((status = 200, description = "Its overrides", body = LimitOverrides), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/orgs/{id}/limits")]
pub(super) async fn list_org_limits(desk: Desk<Look>, id: Id<OrgId>) -> Result<HttpResponse> {
    list(desk, Bearer::Org(id.0)).await
}

/// Set or replace the override of a policy for an organization.
#[utoipa::path(
    tag = "Admin: plans and limits",
    path = "/v1/admin/orgs/{id}/limits/{policy}",
    params(
        ("id" = OrgId, Path, description = "The organization"),
        ("policy" = Policy, Path, description = "The policy"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = NewOverride,
    responses((status = 200, description = "The override", body = LimitOverride), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/orgs/{id}/limits/{policy}")]
pub(super) async fn set_org_limit(
    desk: Desk<Manage>,
    id: Id<OrgId>,
    req: HttpRequest,
    body: Body<NewOverride>,
) -> Result<HttpResponse> {
    set(desk, Bearer::Org(id.0), policy_of(&req)?, body).await
}

/// Remove the override of a policy from an organization: the plan's own limit is back.
#[utoipa::path(
    tag = "Admin: plans and limits",
    path = "/v1/admin/orgs/{id}/limits/{policy}",
    params(
        ("id" = OrgId, Path, description = "The organization"),
        ("policy" = Policy, Path, description = "The policy"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    responses((status = 204, description = "Removed"), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[delete("/orgs/{id}/limits/{policy}")]
pub(super) async fn remove_org_limit(
    desk: Desk<Manage>,
    id: Id<OrgId>,
    req: HttpRequest,
    why: Query<Why>,
) -> Result<HttpResponse> {
    remove(desk, Bearer::Org(id.0), policy_of(&req)?, why.0).await
}

/// List the overrides of a key.
#[utoipa::path(
    tag = "Admin: plans and limits",
    path = "/v1/admin/keys/{id}/limits",
    params(("id" = KeyId, Path, description = "The key")),
    responses((status = 200, description = "Its overrides", body = LimitOverrides), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/keys/{id}/limits")]
pub(super) async fn list_key_limits(desk: Desk<Look>, id: Id<KeyId>) -> Result<HttpResponse> {
    list(desk, Bearer::Key(id.0)).await
}

/// Show every limit that applies to a key, as it stands now: what its own `GET /v1/limits` shows.
#[utoipa::path(
    tag = "Admin: plans and limits",
    path = "/v1/admin/keys/{id}/usage",
    params(("id" = KeyId, Path, description = "The key")),
    responses((status = 200, description = "Limits as they stand", body = Limits), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/keys/{id}/usage")]
pub(super) async fn show_key_usage(_: Desk<Look>, app: Data<App>, id: Id<KeyId>) -> Result<HttpResponse> {
    let clock = app.clock.clone();
    let of_key = move |conn: &mut _| {
        let now = crate::db::now(conn, &clock)?;
        accounts::working_caller(conn, id.0, now)
    };
    let caller = app.db.read(of_key).await.map_err(unknown)?;
    reply::ok(&limits_of(&app, &caller, None).await?)
}

/// To an operator a key that is not there is not found; that it works no more is told as it is.
fn unknown(fault: Error) -> Error {
    if fault.code() == Code::Unauthenticated { Error::new(Code::NotFound) } else { fault }
}

/// Set or replace the override of a policy for a key; it wins over its organization's.
#[utoipa::path(
    tag = "Admin: plans and limits",
    path = "/v1/admin/keys/{id}/limits/{policy}",
    params(
        ("id" = KeyId, Path, description = "The key"),
        ("policy" = Policy, Path, description = "The policy; one that counts a single key"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = NewOverride,
    responses((status = 200, description = "The override", body = LimitOverride), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/keys/{id}/limits/{policy}")]
pub(super) async fn set_key_limit(
    desk: Desk<Manage>,
    id: Id<KeyId>,
    req: HttpRequest,
    body: Body<NewOverride>,
) -> Result<HttpResponse> {
    set(desk, Bearer::Key(id.0), policy_of(&req)?, body).await
}

/// Remove the override of a policy from a key.
#[utoipa::path(
    tag = "Admin: plans and limits",
    path = "/v1/admin/keys/{id}/limits/{policy}",
    params(
        ("id" = KeyId, Path, description = "The key"),
        ("policy" = Policy, Path, description = "The policy"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    responses((status = 204, description = "Removed"), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[delete("/keys/{id}/limits/{policy}")]
pub(super) async fn remove_key_limit(
    desk: Desk<Manage>,
    id: Id<KeyId>,
    req: HttpRequest,
    why: Query<Why>,
) -> Result<HttpResponse> {
    remove(desk, Bearer::Key(id.0), policy_of(&req)?, why.0).await
}

/// The policy of the path. Error: `validation_failed` with those there are.
fn policy_of(req: &HttpRequest) -> Result<Policy> {
    path_part(req, "policy").map_err(|_| {
        let names: Vec<&str> = Policy::ALL.iter().map(|policy| policy.as_str()).collect();
        Error::field("policy", format!("is not a policy; known are {}", names.join(", ")))
    })
}

async fn list(desk: Desk<Look>, bearer: Bearer) -> Result<HttpResponse> {
    desk.show(move |conn| Ok(LimitOverrides { data: accounts::list_overrides(conn, bearer)? })).await
}

async fn set(desk: Desk<Manage>, bearer: Bearer, policy: Policy, body: Body<NewOverride>) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let new = body.value;
    order.run(move |conn, by| done(&accounts::set_override(conn, by, bearer, policy, new)?)).await
}

async fn remove(desk: Desk<Manage>, bearer: Bearer, policy: Policy, why: Why) -> Result<HttpResponse> {
    let order = desk.bare_order(why.reason)?;
    order.run(move |conn, by| accounts::remove_override(conn, by, bearer, policy).map(|()| gone())).await
}
