//! Carriers: how they do, and taking one out of use for a while.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Look, Manage, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::app::App;
use crate::audit::{By, Change};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::{Body, OptionalBody, Query, path_part};
use crate::ids::NodeId;
use crate::messages::InFlight;
use crate::providers::Carrier;
use crate::providers::circuit::State;
use crate::routing;
use crate::routing::watch::{Act, Stand, note_act};
use crate::terms::Channel;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_carriers).service(drain_carrier).service(resume_carrier);
}

/// A carrier as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub struct CarrierView {
    /// Its name.
    #[schema(example = "sandbox")]
    name: String,
    /// The channels it carries.
    channels: Vec<Channel>,
    /// Its circuit in the process that answers: `closed` is healthy, `open` takes nothing for now, `half_open` is being
    /// tried.
    circuit: State,
    /// It takes no new hand-offs, on any node; those under way end.
    draining: bool,
    /// Hand-offs under way from the process that answers.
    in_flight: usize,
    /// How many it takes at once from one process.
    max_in_flight: usize,
    /// How the link that this node keeps with it stands; none for a carrier that is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// Every carrier.
#[derive(Debug, Serialize, ToSchema)]
pub struct CarrierList {
    /// The carriers, by name.
    data: Vec<CarrierView>,
}

/// Whether a carrier is drained.
#[derive(Debug, Serialize, ToSchema)]
pub struct DrainView {
    /// The carrier's name.
    #[schema(example = "acme")]
    carrier: String,
    /// It takes no new hand-offs.
    draining: bool,
}

/// Why a carrier is drained or put back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CarrierChange {
    /// Why, for the audit log; may stand in the query instead.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// List the carriers and how they do.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/carriers",
    responses((status = 200, description = "Every carrier", body = CarrierList), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/carriers")]
pub(super) async fn list_carriers(desk: Desk<Look>, app: Data<App>) -> Result<HttpResponse> {
    desk.show(move |conn| {
        let draining = routing::draining(conn)?;
        Ok(CarrierList { data: app.carriers.iter().map(|carrier| view(&app, carrier, &draining)).collect() })
    })
    .await
}

fn view(app: &App, carrier: &Arc<dyn Carrier>, draining: &BTreeSet<String>) -> CarrierView {
    let name = carrier.name();
    CarrierView {
        name: String::from(name),
        channels: carrier.channels().to_vec(),
        circuit: app.carriers.circuits().state(name),
        draining: draining.contains(name),
        in_flight: app.room::<InFlight>().of_carrier(name),
        max_in_flight: app.carriers.max_in_flight(name),
        link: carrier.health_detail(),
    }
}

/// Hand a carrier nothing more. What is waiting goes by another, or waits until it is resumed or its time is over;
/// hand-offs under way end. Every node obeys within a second.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/carriers/{name}/drain",
    params(
        ("name" = String, Path, description = "The carrier's name in the configuration"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    request_body = Option<CarrierChange>,
    responses((status = 200, description = "The carrier is drained", body = DrainView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/carriers/{name}/drain")]
pub(super) async fn drain_carrier(
    desk: Desk<Manage>,
    app: Data<App>,
    req: HttpRequest,
    why: Query<Why>,
    body: OptionalBody<CarrierChange>,
) -> Result<HttpResponse> {
    change_draining(desk, (&app, &req), why.0.reason, body.0, true).await
}

/// Hand a carrier messages again.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/carriers/{name}/resume",
    params(
        ("name" = String, Path, description = "The carrier's name in the configuration"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    request_body = Option<CarrierChange>,
    responses((status = 200, description = "The carrier is in use", body = DrainView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/carriers/{name}/resume")]
pub(super) async fn resume_carrier(
    desk: Desk<Manage>,
    app: Data<App>,
    req: HttpRequest,
    why: Query<Why>,
    body: OptionalBody<CarrierChange>,
) -> Result<HttpResponse> {
    change_draining(desk, (&app, &req), why.0.reason, body.0, false).await
}

async fn change_draining(
    desk: Desk<Manage>,
    (app, req): (&App, &HttpRequest),
    why: Option<String>,
    body: Body<CarrierChange>,
    wanted: bool,
) -> Result<HttpResponse> {
    let name: String = path_part(req, "name")?;
    let is_known = app.carriers.find(&name).is_some();
    let order = desk.order(&body, body.value.reason.clone().or(why))?;
    let node = app.nodes.id();
    order.run(move |conn, by| done(&set_draining(conn, (by, node), (&name, is_known), wanted)?)).await
}

/// A carrier that left the configuration can still be resumed, so that it does not come back drained.
fn set_draining(
    conn: &mut Conn,
    (by, node): (&By, NodeId),
    (name, is_known): (&str, bool),
    wanted: bool,
) -> Result<DrainView> {
    let before = DrainView { carrier: String::from(name), draining: routing::draining(conn)?.contains(name) };
    if !is_known && !before.draining {
        return Err(Error::new(Code::NotFound));
    }
    if routing::set_draining(conn, name, wanted, by.now)? {
        let (from, to) = if wanted { (Stand::InUse, Stand::Drained) } else { (Stand::Drained, Stand::InUse) };
        let (author, why) = (by.actor.to_string(), by.reason.as_deref());
        note_act(conn, &Act { route: None, carrier: name, from, to, by: author, why, node }, by.now)?;
    }
    let after = DrainView { carrier: String::from(name), draining: wanted };
    let action = if wanted { "carrier.drain" } else { "carrier.resume" };
    by.tell(conn, action, name, Change::changed(&before, &after))?;
    Ok(after)
}
