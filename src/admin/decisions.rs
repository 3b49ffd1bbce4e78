//! Decisions: a list over all organizations, and each with all that it saw.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde::Deserialize;

use crate::admin::desk::{Desk, Look};
use crate::admin::docs::ReadRefusals;
use crate::admin::fraud::stretch;
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::fraud::Action;
use crate::http::page::{Page, PageParams};
use crate::http::{Id, Listing};
use crate::ids::{DecisionId, OrgId};
use crate::messages::country_of;
use crate::sentinel::{DecisionLine, DecisionReport, WhichDecisions, list_all_decisions, report_decision};
use crate::terms::Mode;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_decisions).service(show_decision);
}

/// Which decisions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionFilter {
    /// Of this organization.
    org_id: Option<OrgId>,
    /// `block` or `challenge`: those that refused so; `allow`: those of accepted messages. All that refused where absent.
    outcome: Option<Action>,
    /// In which this rule fired, acting or watching.
    #[param(example = "prefix.hold")]
    rule: Option<String>,
    /// On numbers of this country (ISO 3166-1 alpha-2).
    #[param(example = "LV")]
    country: Option<String>,
    /// Live or test; both where absent.
    mode: Option<Mode>,
    /// How far back, at most 31 days.
    #[param(example = "24h", default = "24h")]
    since: Option<String>,
}

impl DecisionFilter {
    fn read(self, app: &App) -> Result<WhichDecisions> {
        let is_name = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if self.rule.as_ref().is_some_and(|name| !is_name(name)) {
            return Err(Error::field("rule", "must be the name of a rule, e.g. prefix.hold"));
        }
        let country =
            self.country.as_deref().map(country_of).transpose().map_err(|why| Error::field("country", why))?;
        Ok(WhichDecisions {
            org_id: self.org_id,
            outcome: self.outcome,
            rule: self.rule,
            country,
            mode: self.mode,
            since: stretch(self.since.as_deref(), app.clock.now())?,
        })
    }
}

/// List decisions on sends of all organizations, newest first: refusals, or with `outcome=allow` what was let through.
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
    let which = listing.filter.read(&app)?;
    let read = move |conn: &mut Conn, before: Option<String>, limit| {
        list_all_decisions(conn, &which, before.as_deref(), limit)
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
