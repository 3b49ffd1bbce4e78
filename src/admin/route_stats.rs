//! What became of hand-offs, by route: the history of its circuit, and how many codes were entered.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Look, Unfiltered};
use crate::admin::docs::ReadRefusals;
use crate::app::App;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::{Id, Listing, Query};
use crate::ids::{EventId, NodeId, RouteId};
use crate::messages::country_of;
use crate::money::MoneyView;
use crate::routing;
use crate::routing::health::Reason;
use crate::routing::watch::{self, Event, Stand};
use crate::terms::Channel;
use crate::verifications::conversion::{self, ByRoute, Figures, Stretch};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(route_conversion).service(route_history);
}

/// A change of a circuit, or what an operator did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RouteEventView {
    /// Its id.
    id: EventId,
    /// The route; null where it is the whole carrier, which all its routes share.
    route_id: Option<RouteId>,
    /// The carrier.
    #[schema(example = "acme")]
    carrier: String,
    /// From.
    from: Stand,
    /// To: `closed`, `open` and `half_open` of a circuit; `paused`, `drained` and `in_use` by an operator.
    to: Stand,
    /// Why; `operator` for a pause, a drain and their ends.
    reason: Reason,
    /// The numbers behind it; of what an operator did `by` (who) and `why` (the reason given, or null).
    #[schema(value_type = Value, example = json!({"failed": 10, "of": 20, "window_s": 60}))]
    detail: serde_json::Value,
    /// The process that saw it.
    node_id: NodeId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Millis,
}

impl RouteEventView {
    pub(super) fn of(event: Event) -> RouteEventView {
        RouteEventView {
            id: event.id,
            route_id: event.route_id,
            carrier: event.carrier,
            from: event.from_state,
            to: event.to_state,
            reason: event.reason,
            detail: serde_json::from_str(&event.detail).unwrap_or_default(),
            node_id: event.node_id,
            at: event.at,
        }
    }
}

/// How a route's circuit and its carrier's own changed, as every node saw it, and who paused, drained and resumed them and
/// why; newest first.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/routes/{id}/history",
    params(("id" = RouteId, Path, description = "The route"), PageParams),
    responses((status = 200, description = "A page", body = Page<RouteEventView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/routes/{id}/history")]
pub(super) async fn route_history(
    desk: Desk<Look>,
    id: Id<RouteId>,
    listing: Listing<Unfiltered>,
) -> Result<HttpResponse> {
    let read = move |conn: &mut _, before: Option<EventId>, limit| {
        let route = routing::find(conn, id.0)?.ok_or_else(|| Error::new(Code::NotFound))?;
        let events = watch::history(conn, (route.id, &route.carrier), before, limit)?;
        Ok(events.into_iter().map(RouteEventView::of).collect())
    };
    desk.list(listing.page, read, |event: &RouteEventView| event.id.to_string()).await
}

/// Which hand-offs to count.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ConversionFilter {
    /// By this channel.
    channel: Option<Channel>,
    /// To numbers of this country (ISO 3166-1 alpha-2).
    #[param(pattern = "^[A-Za-z]{2}$")]
    country: Option<String>,
    /// Begun at or after this moment; 24 hours before `until` where absent, at most 31 days.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Millis>,
    /// Begun before this moment; now where absent.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Millis>,
}

/// What became of the hand-offs of a stretch of time, by route.
#[derive(Debug, Serialize, ToSchema)]
pub struct RouteConversions {
    /// From here.
    #[schema(value_type = String, format = DateTime)]
    since: Millis,
    /// Before this.
    #[schema(value_type = String, format = DateTime)]
    until: Millis,
    /// The routes that were used, by most hand-offs.
    data: Vec<RouteConversion>,
}

/// What became of one route's hand-offs.
#[derive(Debug, Serialize, ToSchema)]
pub struct RouteConversion {
    /// The route; null for hand-offs of before routes were noted.
    route_id: Option<RouteId>,
    /// The carrier.
    #[schema(example = "acme")]
    carrier: String,
    /// Hand-offs begun.
    hand_offs: i64,
    /// Of these, accepted by the carrier.
    accepted: i64,
    /// Of these, on the handset by the carrier's word.
    delivered: i64,
    /// Hand-offs that carried a verification's code and were not refused.
    attempted: i64,
    /// Of these, the code was entered: credited to the hand-off that brought it last.
    converted: i64,
    /// `converted` of `attempted`, 0 to 1 with four places; null where nothing was attempted.
    #[schema(example = 0.9137)]
    conversion_rate: Option<f64>,
    /// Where the true rate lies with 95 % confidence (Wilson's score interval): from.
    #[schema(example = 0.8942)]
    rate_low: Option<f64>,
    /// To.
    #[schema(example = 0.9301)]
    rate_high: Option<f64>,
    /// Half of the delivery receipts came within so many seconds.
    #[schema(example = 4)]
    median_receipt_s: Option<i64>,
    /// What the carrier charges us for what was not refused, at the route's present price; null where that is not known.
    cost: Option<MoneyView>,
    /// That for each code that was entered.
    cost_per_conversion: Option<MoneyView>,
}

/// Count what became of hand-offs, by route.
///
/// Live messages only. A verification is credited to the hand-off that brought the code which was entered: where one
/// carrier refused and another took it, to the other; where a code was sent again, to the send it came from.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/routes/conversion",
    params(ConversionFilter),
    responses((status = 200, description = "The figures", body = RouteConversions), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/routes/conversion")]
pub(super) async fn route_conversion(
    desk: Desk<Look>,
    app: Data<App>,
    query: Query<ConversionFilter>,
) -> Result<HttpResponse> {
    let ConversionFilter { channel, country, since, until } = query.0;
    let country = country.as_deref().map(country_of).transpose().map_err(|why| Error::field("country", why))?;
    let stretch = Stretch::new(since, until, app.clock.now())?;
    desk.show(move |conn| {
        let prices = routing::load(conn)?;
        let price_of = |id: RouteId| prices.iter().find(|route| route.id == id).and_then(|route| route.price);
        let found = conversion::by_route(conn, stretch, channel, country)?;
        let data = found
            .into_iter()
            .map(|one| {
                let figures = one.figures(one.route_id.and_then(price_of));
                shown(one, figures)
            })
            .collect();
        Ok(RouteConversions { since: stretch.since, until: stretch.until, data })
    })
    .await
}

fn shown(counts: ByRoute, figures: Figures) -> RouteConversion {
    RouteConversion {
        route_id: counts.route_id,
        carrier: counts.carrier,
        hand_offs: counts.hand_offs,
        accepted: counts.accepted,
        delivered: counts.delivered,
        attempted: counts.attempted,
        converted: counts.converted,
        conversion_rate: figures.rate,
        rate_low: figures.low,
        rate_high: figures.high,
        median_receipt_s: figures.median_receipt_s,
        cost: figures.cost.map(|(amount, currency)| MoneyView::new(amount, currency)),
        cost_per_conversion: figures.cost_per_conversion.map(|(amount, currency)| MoneyView::new(amount, currency)),
    }
}
