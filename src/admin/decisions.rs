//! Decisions with all that they saw.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde::Deserialize;

use crate::admin::desk::{Desk, Look};
use crate::admin::docs::ReadRefusals;
use crate::app::App;
use crate::clock::{Millis, parse_duration};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::fraud::Action;
use crate::http::page::{Page, PageParams};
use crate::http::{Id, Listing};
use crate::ids::{DecisionId, OrgId};
use crate::sentinel::{self, DecisionReport, RefusalEntry, WantedDecisions, report_decision};
use crate::terms::Mode;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_refusals).service(show_decision);
}

/// Which refusals to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RefusalFilter {
    /// Of this organization; then of its live messages, or of those that `mode` says.
    org_id: Option<OrgId>,
    /// Live or test, of one organization.
    mode: Option<Mode>,
    /// `block` or `challenge`.
    action: Option<Action>,
    /// Those that told the request this.
    #[param(example = "fraud.blocked")]
    code: Option<String>,
    /// Made at or after this moment (RFC 3339), or so long ago (`1h`): a day where absent.
    #[param(example = "1h")]
    since: Option<String>,
}

impl RefusalFilter {
    fn read(self, now: Millis) -> Result<WantedDecisions> {
        let since = self.since.as_deref().unwrap_or("24h");
        let since = Millis::parse_rfc3339(since).or_else(|| parse_duration(since).map(|span| now.minus(span)));
        let wrong = || Error::field("since", "must be an RFC 3339 timestamp or a time such as 1h");
        if self.action == Some(Action::Allow) {
            return Err(Error::field("action", "is block or challenge: what was let through is a message"));
        }
        Ok(WantedDecisions {
            owner: self.org_id.map(|org| (org, self.mode.unwrap_or(Mode::Live))),
            action: self.action,
            code: self.code,
            created_after: Some(since.ok_or_else(wrong)?),
            created_before: None,
        })
    }
}

/// List what was refused over all organizations, newest first: of the last 24 hours where nothing is said.
#[utoipa::path(
    operation_id = "list_all_refusals",
    tag = "Admin: fraud",
    path = "/v1/admin/decisions",
    params(RefusalFilter, PageParams),
    responses((status = 200, description = "A page of refusals", body = Page<RefusalEntry>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/decisions")]
pub(super) async fn list_refusals(
    desk: Desk<Look>,
    app: Data<App>,
    listing: Listing<RefusalFilter>,
) -> Result<HttpResponse> {
    let wanted = listing.filter.read(app.clock.now())?;
    let read = move |conn: &mut Conn, before, limit| sentinel::list_refusals(conn, &wanted, before, limit);
    desk.list(listing.page, read, |row: &RefusalEntry| row.entry.id.to_string()).await
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
