//! How the platform does right now, and the live tail.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Deserialize;

use crate::admin::desk::{Desk, Look};
use crate::admin::docs::ReadRefusals;
use crate::app::App;
use crate::error::Result;
use crate::http::{Query, reply};
use crate::overview::{self, OverviewView, TailFilter};
use crate::terms::Mode;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(show_overview).service(follow_tail);
}

/// Of which world.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichWorld {
    /// Live where absent, or test.
    mode: Option<Mode>,
}

/// Show how the platform does: its state and why, the figures of the last hour, carriers, countries, queue, open alerts.
///
/// An answer is shared for a second by all who ask.
#[utoipa::path(
    tag = "Admin: now",
    path = "/v1/admin/overview",
    params(WhichWorld),
    responses((status = 200, description = "The overview", body = OverviewView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/overview")]
pub(super) async fn show_overview(_desk: Desk<Look>, app: Data<App>, query: Query<WhichWorld>) -> Result<HttpResponse> {
    let view = overview::overview(&app, query.0.mode.unwrap_or(Mode::Live)).await?;
    reply::ok(view.as_ref())
}

/// Follow what happens as Server-Sent Events: each event's data is a line of the activity list, numbers masked.
///
/// A comment comes every fifteen seconds, and the answer ends after ten minutes, or within seconds of what ends the token or the operator's role: ask again with the last event's id in
/// `Last-Event-ID`, and what happened meanwhile (at most five minutes) is told first. An event `gap` says that more
/// happened than is told. A client that does not keep up is cut off. A node has 32 tails; past them 503.
#[utoipa::path(
    tag = "Admin: now",
    path = "/v1/admin/tail",
    params(
        TailFilter,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "Events, one a line of the activity list", content_type = "text/event-stream", body = String),
        ReadRefusals,
    ),
    security(("operator_token" = [])),
)]
#[get("/tail")]
pub(super) async fn follow_tail(
    desk: Desk<Look>,
    app: Data<App>,
    req: HttpRequest,
    query: Query<TailFilter>,
) -> Result<HttpResponse> {
    let last = req.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    overview::tail(&app, desk.operator().clone(), query.0, last).await
}
