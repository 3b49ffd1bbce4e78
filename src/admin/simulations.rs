//! Recorded traffic under changed fraud rules.

use actix_web::http::StatusCode;
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get, post};

use crate::admin::desk::{Desk, Look, Manage, Unfiltered};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::db::Conn;
use crate::error::Result;
use crate::http::page::{Page, PageParams};
use crate::http::reply::Reply;
use crate::http::{Body, Id, Listing};
use crate::ids::SimulationId;
use crate::sentinel::{self, SimulationSpec, SimulationView};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(create_simulation).service(list_simulations).service(show_simulation);
}

/// Run recorded attempts through changed rules: which blocks they add and remove, what they save, whom they lose.
///
/// Runs beside the traffic, one at a time. The same attempts, rules and seed give the same report and hash.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/simulations",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one simulation")),
    request_body = SimulationSpec,
    responses(
        (status = 202, description = "It will run", body = SimulationView, headers(("Location" = String, description = "Where it is"))),
        ChangeRefusals,
    ),
    security(("operator_token" = [])),
)]
#[post("/fraud/simulations")]
pub(super) async fn create_simulation(desk: Desk<Manage>, body: Body<SimulationSpec>) -> Result<HttpResponse> {
    let order = desk.order(&body, None)?;
    let spec = body.value;
    order
        .run(move |conn, by| {
            let view = sentinel::order_simulation(conn, &by.actor.to_string(), &spec, by.now)?;
            Ok(Reply::json(StatusCode::ACCEPTED, &view)?.at(format!("/v1/admin/fraud/simulations/{}", view.id)))
        })
        .await
}

/// List simulations, newest first.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/simulations",
    params(PageParams),
    responses((status = 200, description = "A page of simulations", body = Page<SimulationView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/fraud/simulations")]
pub(super) async fn list_simulations(desk: Desk<Look>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    let read = |conn: &mut Conn, before, limit| sentinel::list_simulations(conn, before, limit);
    desk.list(listing.page, read, |view: &SimulationView| view.id.to_string()).await
}

/// Show a simulation and, once it is done, its report.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/simulations/{id}",
    params(("id" = SimulationId, Path, description = "The simulation")),
    responses((status = 200, description = "The simulation", body = SimulationView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/fraud/simulations/{id}")]
pub(super) async fn show_simulation(desk: Desk<Look>, id: Id<SimulationId>) -> Result<HttpResponse> {
    desk.show(move |conn| sentinel::find_simulation(conn, id.0)).await
}
