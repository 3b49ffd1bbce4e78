//! Plans.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, get, put};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{self, Plan, PlanChange, PlanName};
use crate::admin::desk::{Desk, Govern, Look};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::error::Result;
use crate::http::{Body, path_part};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_plans).service(update_plan);
}

/// Every plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plans {
    /// The plans, from the smallest to the largest.
    data: Vec<Plan>,
}

/// List the plans.
#[utoipa::path(
    tag = "Admin: plans and limits",
    path = "/v1/admin/plans",
    responses((status = 200, description = "Every plan", body = Plans), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/plans")]
pub(super) async fn list_plans(desk: Desk<Look>) -> Result<HttpResponse> {
    desk.show(|conn| Ok(Plans { data: accounts::list_plans(conn)? })).await
}

/// Change what a plan allows, for all its organizations, within a second. Policies that are not named stay.
#[utoipa::path(
    tag = "Admin: plans and limits",
    path = "/v1/admin/plans/{name}",
    params(
        ("name" = PlanName, Path, description = "The plan"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = PlanChange,
    responses((status = 200, description = "The plan as it is now", body = Plan), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/plans/{name}")]
pub(super) async fn update_plan(desk: Desk<Govern>, req: HttpRequest, body: Body<PlanChange>) -> Result<HttpResponse> {
    let name: PlanName = path_part(&req, "name")?;
    let order = desk.order(&body, body.value.reason.clone())?;
    let policies = body.value.policies;
    order.run(move |conn, by| done(&accounts::update_plan(conn, by, name, policies)?)).await
}
