//! What plans cost a month.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::PlanName;
use crate::admin::desk::{Desk, Govern, Look};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::audit::Change;
use crate::billing::{self, FeeView, NewFee};
use crate::error::Result;
use crate::http::{Body, path_part};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_plan_fees).service(replace_plan_fees);
}

/// What a plan costs a month.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanFees {
    /// By currency and time: those that were, the one in force, the one to come.
    data: Vec<FeeView>,
}

/// What a plan shall cost.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"fees": [{"amount": "49.00", "currency": "USD"}, {"amount": "45.00", "currency": "EUR"}], "reason": "prices of 2027"}))]
pub struct FeeChange {
    /// One for each currency that wallets are in; in others the plan is free.
    #[schema(max_items = 50)]
    fees: Vec<NewFee>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Show what a plan costs a month.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/plans/{name}/fees",
    params(("name" = PlanName, Path, description = "The plan")),
    responses((status = 200, description = "Its fees", body = PlanFees), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/plans/{name}/fees")]
pub(super) async fn list_plan_fees(desk: Desk<Look>, req: HttpRequest) -> Result<HttpResponse> {
    let name: PlanName = path_part(&req, "name")?;
    desk.show(move |conn| Ok(PlanFees { data: billing::plan_fees(conn, name)? })).await
}

/// Say what a plan costs from the next month on.
///
/// The fee is on each month's invoice and is not taken from the wallet. A day (UTC) costs the fee of the plan that the
/// organization was on when the day ended, divided by the month's days; while a subscription is canceled it owes nothing.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/plans/{name}/fees",
    params(
        ("name" = PlanName, Path, description = "The plan"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = FeeChange,
    responses((status = 200, description = "Its fees as they are now", body = PlanFees), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/plans/{name}/fees")]
pub(super) async fn replace_plan_fees(
    desk: Desk<Govern>,
    req: HttpRequest,
    body: Body<FeeChange>,
) -> Result<HttpResponse> {
    let name: PlanName = path_part(&req, "name")?;
    let order = desk.order(&body, body.value.reason.clone())?;
    let fees = body.value.fees;
    order
        .run(move |conn, by| {
            let before = billing::plan_fees(conn, name)?;
            let data = billing::set_plan_fees(conn, name, &fees, by.now)?;
            by.tell(conn, "plan.fees", name, Change::changed(&before, &data))?;
            done(&PlanFees { data })
        })
        .await
}
