//! Routes.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts;
use crate::admin::desk::{Desk, Look, Manage, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::admin::route_stats::RouteEventView;
use crate::app::App;
use crate::audit::{By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::{Body, Id, OptionalBody, Query};
use crate::ids::{NodeId, OrgId, RouteId};
use crate::money::{Currency, Micros, MoneyView};
use crate::phone::{Country, Phone};
use crate::providers::circuit::State;
use crate::routing::health::{Reason, Standing};
use crate::routing::watch::{self, Act, Stand, Watch};
use crate::routing::{self, Route};
use crate::terms::Channel;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_routes).service(replace_routes).service(pause_route).service(resume_route);
}

/// A way to a carrier. An absent member matches everything; the most particular routes that fit a message are used.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"channel": "sms", "country": "GB", "carrier": "sandbox", "priority": 1, "weight": 1}))]
pub struct NewRoute {
    /// For this channel.
    channel: Channel,
    /// To this country (ISO 3166-1 alpha-2).
    #[schema(value_type = Option<String>, example = "GB")]
    country: Option<Country>,
    /// To numbers that start so, in E.164 with the plus.
    #[schema(example = "+4474", pattern = r"^\+[0-9]{1,15}$")]
    prefix: Option<String>,
    /// For this organization only.
    org_id: Option<OrgId>,
    /// The carrier's name in the configuration.
    #[schema(example = "sandbox")]
    carrier: String,
    /// Lower goes first; 1 where absent.
    #[schema(minimum = 0, maximum = 1000)]
    priority: Option<i32>,
    /// Share among routes of one priority; 1 where absent. 0: a last resort among them, the cheapest first.
    #[schema(minimum = 0, maximum = 1000)]
    weight: Option<i32>,
    /// What the carrier charges us, each segment of an SMS or each message.
    price: Option<MoneyView>,
}

/// A route as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RouteView {
    /// Its id.
    id: RouteId,
    /// For this channel.
    channel: Channel,
    /// To this country.
    #[schema(value_type = Option<String>)]
    country: Option<Country>,
    /// To numbers that start so.
    prefix: Option<String>,
    /// For this organization only.
    org_id: Option<OrgId>,
    /// The carrier's name.
    carrier: String,
    /// Lower goes first.
    priority: i32,
    /// Share among routes of one priority. 0: a last resort among them, the cheapest first.
    weight: i32,
    /// What the carrier charges us, each segment of an SMS or each message.
    price: Option<MoneyView>,
    /// Out of use.
    paused: bool,
}

/// A route and how it does.
#[derive(Debug, Serialize, ToSchema)]
pub struct RouteReport {
    /// The route.
    #[serde(flatten)]
    route: RouteView,
    /// Its circuit, as the process that answers sees it: each one learns for itself from the hand-offs it makes.
    circuit: RouteCircuit,
    /// The circuit of its carrier, in the same process: while that is open, nothing goes by the route either.
    carrier_circuit: State,
    /// The latest change of its circuit in any process; null where it never opened.
    last_change: Option<RouteEventView>,
}

/// A route's circuit.
#[derive(Debug, Serialize, ToSchema)]
pub struct RouteCircuit {
    /// `closed` is healthy, `open` takes nothing for now, `half_open` is being tried.
    state: State,
    /// Why it opened; null while it is closed.
    reason: Option<Reason>,
    /// It takes nothing before this moment.
    #[schema(value_type = Option<String>, format = DateTime)]
    open_until: Option<Millis>,
}

/// Every route and how it does.
#[derive(Debug, Serialize, ToSchema)]
pub struct RouteReports {
    /// The routes.
    data: Vec<RouteReport>,
}

/// Every route.
#[derive(Debug, Serialize, ToSchema)]
pub struct Routes {
    /// The routes.
    data: Vec<RouteView>,
}

/// List the routes and how they do.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/routes",
    responses((status = 200, description = "Every route", body = RouteReports), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/routes")]
pub(super) async fn list_routes(desk: Desk<Look>, app: Data<App>) -> Result<HttpResponse> {
    let (watch, carriers) = (app.room::<Watch>(), app.carriers.clone());
    desk.show(move |conn| {
        let mut latest = watch::latest(conn)?;
        let report = |route: &Route| RouteReport {
            route: view(route),
            circuit: RouteCircuit::of(watch.standing(route.id)),
            carrier_circuit: carriers.circuits().state(&route.carrier),
            last_change: latest.remove(&route.id).map(RouteEventView::of),
        };
        Ok(RouteReports { data: routing::load(conn)?.iter().map(report).collect() })
    })
    .await
}

/// Put a list of routes in place of all routes. A route that stays the same way (channel, country, prefix, organization
/// and carrier) keeps its id, its history and whether it is paused.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/routes",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one change"), Why),
    request_body = Vec<NewRoute>,
    responses((status = 200, description = "The routes as they are now", body = Routes), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/routes")]
pub(super) async fn replace_routes(
    desk: Desk<Manage>,
    app: Data<App>,
    why: Query<Why>,
    body: Body<Vec<NewRoute>>,
) -> Result<HttpResponse> {
    check(&app, &body.value)?;
    let order = desk.order(&body, why.0.reason)?;
    let wanted = body.value;
    order
        .run(move |conn, by| {
            for org in wanted.iter().filter_map(|route| route.org_id) {
                accounts::load_org(conn, org).map_err(|fault| match fault.code() {
                    Code::NotFound => Error::field("org_id", "names no organization"),
                    _ => fault,
                })?;
            }
            let mut known = routing::load(conn)?;
            let before = views(&known);
            let routes: Vec<Route> = wanted.into_iter().map(|route| route.made(by, &mut known)).collect();
            routing::replace(conn, &routes, by.now)?;
            let after = views(&routes);
            by.tell(conn, "routes.replace", "routes", Change::changed(&before, &after))?;
            done(&after)
        })
        .await
}

/// Take a route out of use. What is waiting goes by another.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/routes/{id}/pause",
    params(
        ("id" = RouteId, Path, description = "The route"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    request_body = Option<RouteChange>,
    responses((status = 200, description = "The route as it is now", body = RouteView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/routes/{id}/pause")]
pub(super) async fn pause_route(
    desk: Desk<Manage>,
    app: Data<App>,
    id: Id<RouteId>,
    why: Query<Why>,
    body: OptionalBody<RouteChange>,
) -> Result<HttpResponse> {
    let reason = body.0.value.reason.clone().or(why.0.reason);
    let order = desk.order(&body.0, reason)?;
    let node = app.nodes.id();
    order.run(move |conn, by| done(&set_paused(conn, (by, node), id.0, Use::Paused)?)).await
}

/// Put a route back into use.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/routes/{id}/resume",
    params(
        ("id" = RouteId, Path, description = "The route"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    request_body = Option<RouteChange>,
    responses((status = 200, description = "The route as it is now", body = RouteView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/routes/{id}/resume")]
pub(super) async fn resume_route(
    desk: Desk<Manage>,
    app: Data<App>,
    id: Id<RouteId>,
    why: Query<Why>,
    body: OptionalBody<RouteChange>,
) -> Result<HttpResponse> {
    let reason = body.0.value.reason.clone().or(why.0.reason);
    let order = desk.order(&body.0, reason)?;
    let node = app.nodes.id();
    order.run(move |conn, by| done(&set_paused(conn, (by, node), id.0, Use::InUse)?)).await
}

/// Why a route is taken out of use or put back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteChange {
    /// Why, for the audit log; may stand in the query instead.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Paused,
    InUse,
}

fn set_paused(conn: &mut Conn, (by, node): (&By, NodeId), id: RouteId, wanted: Use) -> Result<RouteView> {
    let before = routing::find(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    let after = Route { paused: wanted == Use::Paused, ..before.clone() };
    routing::set_paused(conn, id, after.paused)?;
    let action = if after.paused { "route.pause" } else { "route.resume" };
    if before.paused != after.paused {
        note_pause(conn, (by, node), &after, after.paused)?;
    }
    by.tell(conn, action, id, Change::changed(&view(&before), &view(&after)))?;
    Ok(view(&after))
}

/// Notes in a route's history that an operator paused it or put it back into use.
pub(super) fn note_pause(conn: &mut Conn, (by, node): (&By, NodeId), route: &Route, paused: bool) -> Result<()> {
    let (from, to) = if paused { (Stand::InUse, Stand::Paused) } else { (Stand::Paused, Stand::InUse) };
    let (author, why) = (by.actor.to_string(), by.reason.as_deref());
    let act = Act { route: Some(route.id), carrier: &route.carrier, from, to, by: author, why, node };
    watch::note_act(conn, &act, by.now)
}

/// Every fault of the list at once, each under its place.
fn check(app: &App, routes: &[NewRoute]) -> Result<()> {
    let faults = routes.iter().enumerate().flat_map(|(index, route)| route.faults(app, index));
    let error = faults.fold(Error::new(Code::ValidationFailed), |error, (field, why)| error.and_field(field, why));
    if error.has_fields() { Err(error) } else { Ok(()) }
}

impl NewRoute {
    fn faults(&self, app: &App, index: usize) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, why: String| faults.push((format!("[{index}].{field}"), why));
        if self.country.is_some_and(|country| !Phone::has_plan(country)) {
            fault("country", String::from("is no country with a numbering plan; use its ISO 3166 code, e.g. GB"));
        }
        match app.carriers.find(&self.carrier) {
            None => fault(
                "carrier",
                String::from("names no carrier of the configuration; GET /v1/admin/carriers lists them"),
            ),
            Some(carrier) if !carrier.channels().contains(&self.channel) => {
                fault("carrier", format!("does not carry {}", self.channel));
            }
            Some(_) => {}
        }
        let digits = |prefix: &str| (1..=15).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_digit());
        if self.prefix.as_deref().is_some_and(|prefix| !prefix.strip_prefix('+').is_some_and(digits)) {
            fault("prefix", String::from("must be a plus and 1 to 15 digits, e.g. +4474"));
        }
        for (field, value) in [("priority", self.priority), ("weight", self.weight)] {
            if value.is_some_and(|value| !(0..=1000).contains(&value)) {
                fault(field, String::from("must be a whole number from 0 to 1000"));
            }
        }
        if self.price.is_some() && self.price().is_none() {
            fault(
                "price",
                String::from("must be an amount from 0 to 1000 with at most six places, and a currency of ISO 4217"),
            );
        }
        faults
    }

    fn price(&self) -> Option<(Micros, Currency)> {
        let MoneyView { amount, currency } = self.price.as_ref()?;
        let amount = Micros::parse(amount).filter(|amount| (0..=PRICE_MOST).contains(&amount.0))?;
        Some((amount, currency.parse().ok()?))
    }

    /// The route; one of `known` that is the same way is taken out of there and lends its id.
    fn made(self, by: &By, known: &mut Vec<Route>) -> Route {
        let new = Route {
            id: RouteId::new(by.now),
            priority: self.priority.unwrap_or(1),
            weight: self.weight.unwrap_or(1),
            price: self.price(),
            paused: false,
            channel: self.channel,
            country: self.country,
            prefix: self.prefix,
            org_id: self.org_id,
            carrier: self.carrier,
        };
        match known.iter().position(|route| route.is_same_way(&new)) {
            Some(index) => {
                let Route { id, paused, .. } = known.swap_remove(index);
                Route { id, paused, ..new }
            }
            None => new,
        }
    }
}

/// No part costs more than a thousand of anything; a slip of the point is caught here.
const PRICE_MOST: i64 = 1_000_000_000;

impl RouteCircuit {
    fn of(standing: Standing) -> RouteCircuit {
        let Standing { state, reason, open_until } = standing;
        RouteCircuit { state, reason, open_until }
    }
}

fn views(routes: &[Route]) -> Routes {
    Routes { data: routes.iter().map(view).collect() }
}

fn view(route: &Route) -> RouteView {
    RouteView {
        id: route.id,
        channel: route.channel,
        country: route.country,
        prefix: route.prefix.clone(),
        org_id: route.org_id,
        carrier: route.carrier.clone(),
        priority: route.priority,
        weight: route.weight,
        price: route.price.map(|(amount, currency)| MoneyView::new(amount, currency)),
        paused: route.paused,
    }
}
