//! Events of all organizations.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde::Deserialize;

use crate::admin::desk::{Desk, Look};
use crate::admin::docs::ReadRefusals;
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::http::Query;
use crate::webhooks::{EventList, events_lately};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_events);
}

/// Since when.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsSince {
    /// At or after this moment (RFC 3339); from now on where absent.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Millis>,
}

/// Show the events of all organizations since a moment, as webhooks tell them. Oldest first, numbers masked.
///
/// Kept are those that at least one endpoint or listener subscribed to. Ask again with `next_since` to follow them;
/// `postern tail` does.
#[utoipa::path(
    operation_id = "list_all_events",
    tag = "Admin: messages",
    path = "/v1/admin/events",
    params(EventsSince),
    responses((status = 200, description = "What happened", body = EventList), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/events")]
pub(super) async fn list_events(desk: Desk<Look>, app: Data<App>, query: Query<EventsSince>) -> Result<HttpResponse> {
    let now = app.clock.now();
    let since = query.0.since.unwrap_or(now);
    desk.show(move |conn| events_lately(conn, since, now)).await
}
