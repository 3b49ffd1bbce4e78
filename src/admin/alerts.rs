//! What operators are told of, and that they have seen it.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Look, Support};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::alerts::{self, AlertKind, AlertState, AlertView};
use crate::app::App;
use crate::db::Conn;
use crate::error::Result;
use crate::http::page::{Page, PageParams};
use crate::http::{Id, Listing, OptionalBody};
use crate::ids::AlertId;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_alerts).service(show_alert).service(acknowledge_alert);
}

/// Which alerts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichAlerts {
    /// In this state; all that are not over where absent.
    state: Option<AlertState>,
    /// Of this kind.
    #[param(value_type = Option<String>, example = "circuit_open")]
    kind: Option<AlertKind>,
}

/// What an operator says to an alert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "the carrier works on it, ticket 4711"}))]
pub(super) struct Acknowledgement {
    /// What is known or done about it.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// List alerts, the latest opened first: those that are not over, or those in a state.
///
/// One for each kind and organization. It is over after an hour without another; what happens then opens a new one.
#[utoipa::path(
    tag = "Admin: now",
    path = "/v1/admin/alerts",
    params(WhichAlerts, PageParams),
    responses((status = 200, description = "A page of alerts", body = Page<AlertView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/alerts")]
pub(super) async fn list_alerts(
    desk: Desk<Look>,
    app: Data<App>,
    listing: Listing<WhichAlerts>,
) -> Result<HttpResponse> {
    let (WhichAlerts { state, kind }, now) = (listing.filter, app.clock.now());
    let read = move |conn: &mut Conn, before, limit| alerts::list_alerts(conn, (state, kind), (before, limit), now);
    desk.list(listing.page, read, |view: &AlertView| view.id.to_string()).await
}

/// Show an alert.
#[utoipa::path(
    tag = "Admin: now",
    path = "/v1/admin/alerts/{id}",
    params(("id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "The alert", body = AlertView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/alerts/{id}")]
pub(super) async fn show_alert(desk: Desk<Look>, app: Data<App>, id: Id<AlertId>) -> Result<HttpResponse> {
    let now = app.clock.now();
    desk.show(move |conn| alerts::find_alert(conn, id.0, now)).await
}

/// Say that you have seen an alert. It stays on the list as acknowledged; where it happens twice as often after that, it
/// escalates.
#[utoipa::path(
    tag = "Admin: now",
    path = "/v1/admin/alerts/{id}/acknowledge",
    params(
        ("id" = AlertId, Path, description = "The alert"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = Option<Acknowledgement>,
    responses((status = 200, description = "The alert as it is now", body = AlertView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/alerts/{id}/acknowledge")]
pub(super) async fn acknowledge_alert(
    desk: Desk<Support>,
    id: Id<AlertId>,
    body: OptionalBody<Acknowledgement>,
) -> Result<HttpResponse> {
    let order = desk.order(&body.0, body.0.value.reason.clone())?;
    order.run(move |conn, by| done(&alerts::acknowledge(conn, by, id.0)?)).await
}
