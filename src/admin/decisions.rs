//! Decisions with all that they saw.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get};

use crate::admin::desk::{Desk, Look};
use crate::admin::docs::ReadRefusals;
use crate::error::Result;
use crate::http::Id;
use crate::ids::DecisionId;
use crate::sentinel::{DecisionReport, report_decision};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(show_decision);
}

/// Show a decision: the attempt (its number masked), what was seen of each group, the rules that fired, and the same
/// computed again.
#[utoipa::path(
    operation_id = "report_decision",
    tag = "Admin: fraud",
    path = "/v1/admin/decisions/{id}",
    params(("id" = DecisionId, Path, description = "The decision")),
    responses((status = 200, description = "The decision", body = DecisionReport), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/decisions/{id}")]
pub(super) async fn show_decision(desk: Desk<Look>, id: Id<DecisionId>) -> Result<HttpResponse> {
    desk.show(move |conn| report_decision(conn, id.0)).await
}
