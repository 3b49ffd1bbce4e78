//! The log of requests, its summary, and all that one request left behind.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde::Deserialize;
use uuid::Uuid;

use crate::accounts::Duty;
use crate::admin::desk::{Desk, Look};
use crate::admin::docs::ReadRefusals;
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::{Id, Listing, Query};
use crate::ids::{KeyId, OperatorId, OrgId};
use crate::requests::{self, Filter, RequestSummary, RequestTrace, RequestView, Window};

pub(super) fn configure(routes: &mut ServiceConfig) {
    // Before `/requests/{id}`, which would take its path.
    routes.service(list_requests).service(summarize_requests).service(trace_request);
}

/// Which requests.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichRequests {
    /// Of this organization.
    org_id: Option<OrgId>,
    /// By this key.
    key_id: Option<KeyId>,
    /// By this operator.
    operator_id: Option<OperatorId>,
    /// Answered with this status.
    #[param(minimum = 100, maximum = 599)]
    status: Option<u16>,
    /// Answered with this error code.
    code: Option<String>,
    /// To this route, by its pattern, e.g. `/v1/messages/{id}`.
    route: Option<String>,
    /// At or after this moment (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Millis>,
    /// Before this moment (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Millis>,
}

/// Which stretch of time, and whose.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichSummary {
    /// Of this organization.
    org_id: Option<OrgId>,
    /// At or after this moment (RFC 3339); a day before `until` where absent.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Millis>,
    /// Before this moment (RFC 3339); now where absent.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Millis>,
}

/// List requests of the API, newest first.
///
/// Each has a line within a second or two, but for those that came in greater number than the log takes in a second, and
/// most of the messages that were simply accepted: `GET /v1/admin/requests/summary` counts these. No body, path or number
/// is kept.
#[utoipa::path(
    tag = "Admin: requests",
    path = "/v1/admin/requests",
    params(WhichRequests, PageParams),
    responses((status = 200, description = "A page of requests", body = Page<RequestView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/requests")]
pub(super) async fn list_requests(desk: Desk<Look>, listing: Listing<WhichRequests>) -> Result<HttpResponse> {
    let WhichRequests { org_id, key_id, operator_id, status, code, route, since, until } = listing.filter;
    if status.is_some_and(|status| !(100..=599).contains(&status)) {
        return Err(Error::field("status", "must be an HTTP status, 100 to 599"));
    }
    let status = status.map(i32::from);
    let filter = Filter { org_id, key_id, operator_id, status, code, route, since, until };
    let read = move |conn: &mut Conn, before: Option<Uuid>, limit| {
        let rows = requests::list_requests(conn, filter, before, limit)?;
        Ok(rows.into_iter().map(RequestView::of).collect())
    };
    desk.list(listing.page, read, |view: &RequestView| view.id.clone()).await
}

/// Sum the requests of a stretch of time up: errors by code, route and key, limits that refused, and who still calls
/// routes that have a successor.
///
/// Counts are of all requests, also of those without a line in the log.
#[utoipa::path(
    tag = "Admin: requests",
    path = "/v1/admin/requests/summary",
    params(WhichSummary),
    responses((status = 200, description = "The sums", body = RequestSummary), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/requests/summary")]
pub(super) async fn summarize_requests(
    desk: Desk<Look>,
    app: Data<App>,
    query: Query<WhichSummary>,
) -> Result<HttpResponse> {
    let WhichSummary { org_id, since, until } = query.0;
    let window = Window::of(since, until, org_id, app.clock.now())?;
    desk.show(move |conn| requests::summarize(conn, window)).await
}

/// Follow a request by its `X-Request-Id`: its line, the decisions with their limits, messages with hand-offs, receipts
/// and webhooks, the verification with its checks, and the changes it made.
///
/// What it brought is found without a line in the log too. Numbers are masked, texts and codes nowhere.
#[utoipa::path(
    tag = "Admin: requests",
    path = "/v1/admin/requests/{id}",
    params(("id" = String, Path, format = "uuid", description = "The `X-Request-Id` of its answer")),
    responses((status = 200, description = "All that it left behind", body = RequestTrace), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/requests/{id}")]
pub(super) async fn trace_request(desk: Desk<Look>, app: Data<App>, id: Id<Uuid>) -> Result<HttpResponse> {
    let (with_changes, now) = (desk.may(Duty::Audit), app.clock.now());
    desk.show(move |conn| requests::trace(conn, id.0, with_changes, now)).await
}
