//! Decisions: a list over all organizations, and each with all that it saw.

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
use crate::messages::country_of;
use crate::sentinel::{self, DecisionLine, DecisionReport, WantedDecisions, report_decision};
use crate::terms::Mode;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_decisions).service(show_decision);
}

/// Which decisions to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionFilter {
    /// Of this organization.
    org_id: Option<OrgId>,
    /// Live or test; both where absent.
    mode: Option<Mode>,
    /// `block` or `challenge`: those that refused so; `allow`: those of accepted messages. All that refused where absent.
    action: Option<Action>,
    /// Those that told the request this; never with `allow`.
    #[param(example = "fraud.blocked")]
    code: Option<String>,
    /// In which this rule fired, acting or watching.
    #[param(example = "prefix.hold")]
    rule: Option<String>,
    /// On numbers of this country (ISO 3166-1 alpha-2).
    #[param(example = "LV")]
    country: Option<String>,
    /// Made at or after this moment (RFC 3339), or so long ago (`1h`): a day where absent.
    #[param(example = "1h")]
    since: Option<String>,
}

impl DecisionFilter {
    fn read(self, now: Millis) -> Result<WantedDecisions> {
        let since = self.since.as_deref().unwrap_or("24h");
        let since = Millis::parse_rfc3339(since).or_else(|| parse_duration(since).map(|span| now.minus(span)));
        let wrong = || Error::field("since", "must be an RFC 3339 timestamp or a time such as 1h");
        if self.action == Some(Action::Allow) && self.code.is_some() {
            return Err(Error::field("code", "has no decision that let a message through"));
        }
        let is_name = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if self.rule.as_ref().is_some_and(|name| !is_name(name)) {
            return Err(Error::field("rule", "must be the name of a rule, e.g. prefix.hold"));
        }
        let country = self.country.as_deref().map(country_of).transpose();
        Ok(WantedDecisions {
            org: self.org_id,
            mode: self.mode,
            action: self.action,
            code: self.code,
            rule: self.rule,
            country: country.map_err(|why| Error::field("country", why))?,
            created_after: Some(since.ok_or_else(wrong)?),
            created_before: None,
        })
    }
}

/// List decisions over all organizations, newest first: what was refused in the last 24 hours where nothing is said, or
/// with `action=allow` what was let through.
#[utoipa::path(
    operation_id = "list_all_decisions",
    tag = "Admin: fraud",
    path = "/v1/admin/decisions",
    params(DecisionFilter, PageParams),
    responses((status = 200, description = "A page of decisions", body = Page<DecisionLine>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/decisions")]
pub(super) async fn list_decisions(
    desk: Desk<Look>,
    app: Data<App>,
    listing: Listing<DecisionFilter>,
) -> Result<HttpResponse> {
    let wanted = listing.filter.read(app.clock.now())?;
    let read = move |conn: &mut Conn, before: Option<String>, limit| {
        sentinel::list_all_decisions(conn, &wanted, before.as_deref(), limit)
    };
    desk.list(listing.page, read, DecisionLine::position).await
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
