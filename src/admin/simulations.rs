//! Recorded traffic under changed fraud rules.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Look, Manage, Unfiltered};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::fraud::stretch;
use crate::app::App;
use crate::db::Conn;
use crate::error::Result;
use crate::fraud::engine::RuleMode;
use crate::fraud::{RuleChange, RuleId};
use crate::http::page::{Page, PageParams};
use crate::http::reply::Reply;
use crate::http::{Body, Id, Listing};
use crate::ids::SimulationId;
use crate::sentinel::{self, SimulationSpec, SimulationView};
use crate::terms::Mode;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(create_simulation).service(replay_rule).service(list_simulations).service(show_simulation);
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

/// A rule in another mode, over recorded attempts.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"mode": "enforce", "since": "7d"}))]
pub(super) struct RuleReplay {
    /// The mode to try.
    mode: RuleMode,
    /// How far back, at most 31 days; `7d` where absent.
    #[schema(example = "7d")]
    since: Option<String>,
    /// Live attempts where absent, or test ones.
    world: Option<Mode>,
}

/// Run the attempts of the last days with one rule in another mode: how many it would have blocked (`added`), and how many
/// of these verified (`verified_users_lost`). A simulation like every other.
#[utoipa::path(
    operation_id = "replay_fraud_rule",
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/rules/{id}/replay",
    params(
        ("id" = RuleId, Path, description = "The rule", example = "prefix.hold"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one simulation"),
    ),
    request_body = RuleReplay,
    responses(
        (status = 202, description = "It will run", body = SimulationView, headers(("Location" = String, description = "Where it is"))),
        ChangeRefusals,
    ),
    security(("operator_token" = [])),
)]
#[post("/fraud/rules/{id}/replay")]
pub(super) async fn replay_rule(
    desk: Desk<Manage>,
    app: Data<App>,
    id: Id<RuleId>,
    body: Body<RuleReplay>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, None)?;
    let (RuleReplay { mode, since, world }, to) = (body.value, app.clock.now());
    let from = stretch(since.as_deref().or(Some("7d")), to)?;
    let changes = [(id.0, RuleChange { mode: Some(mode), parameters: None })].into();
    let spec =
        SimulationSpec { changes, from, to, org_id: None, mode: world, level: None, level_before: None, seed: None };
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
