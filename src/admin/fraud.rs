//! What operators are told of fraud: figures, the map of prefixes, who asks most, how rules do.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde::Deserialize;

use crate::admin::desk::{Desk, Look};
use crate::admin::docs::ReadRefusals;
use crate::app::App;
use crate::clock::{Millis, parse_duration};
use crate::error::{Error, Result};
use crate::http::{Query, reply};
use crate::sentinel::{self, FraudSummary, HeatList, RuleStatsList, TopBy, TopList};
use crate::terms::Mode;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(show_fraud_summary).service(show_fraud_heat).service(list_fraud_tops).service(list_rule_stats);
}

/// Of which stretch and world.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichStretch {
    /// How far back, at most 31 days.
    #[param(example = "24h", default = "24h")]
    since: Option<String>,
    /// Live where absent, or test.
    mode: Option<Mode>,
}

/// Of which stretch and world, and counted by what.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichTop {
    /// What attempts are counted by; `number` where absent.
    by: Option<TopBy>,
    /// How far back, at most 31 days.
    #[param(example = "24h", default = "24h")]
    since: Option<String>,
    /// Live where absent, or test.
    mode: Option<Mode>,
}

/// A stretch that ends now, out of `24h`. Error: `validation_failed`.
pub(super) fn stretch(since: Option<&str>, now: Millis) -> Result<Millis> {
    let span =
        |text: &str| parse_duration(text).ok_or_else(|| Error::field("since", "must be a time of 1s to 31d, e.g. 24h"));
    sentinel::since_of(since.map(span).transpose()?, now)
}

impl WhichStretch {
    fn read(self, app: &App) -> Result<(Mode, Millis)> {
        Ok((self.mode.unwrap_or(Mode::Live), stretch(self.since.as_deref(), app.clock.now())?))
    }
}

/// Show what was blocked, what that saved, and what speaks for mistakes.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/summary",
    params(WhichStretch),
    responses((status = 200, description = "The figures", body = FraudSummary), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/fraud/summary")]
pub(super) async fn show_fraud_summary(
    _desk: Desk<Look>,
    app: Data<App>,
    query: Query<WhichStretch>,
) -> Result<HttpResponse> {
    let (mode, since) = query.0.read(&app)?;
    reply::ok(&sentinel::fraud_summary(&app, mode, since).await?)
}

/// Show countries and prefixes: codes sent and typed, what they cost, and how far that is from what is usual.
///
/// Codes sent by SMS and the engine's refusals, at most the newest 20,000 of each; read at most half a minute ago.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/heat",
    params(WhichStretch),
    responses((status = 200, description = "The map", body = HeatList), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/fraud/heat")]
pub(super) async fn show_fraud_heat(
    _desk: Desk<Look>,
    app: Data<App>,
    query: Query<WhichStretch>,
) -> Result<HttpResponse> {
    let (mode, since) = query.0.read(&app)?;
    reply::ok(&sentinel::fraud_heat(&app, mode, since).await?)
}

/// List who asked for most codes: numbers (masked), networks, devices or prefixes.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/top",
    params(WhichTop),
    responses((status = 200, description = "Those of most attempts", body = TopList), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/fraud/top")]
pub(super) async fn list_fraud_tops(_desk: Desk<Look>, app: Data<App>, query: Query<WhichTop>) -> Result<HttpResponse> {
    let WhichTop { by, since, mode } = query.0;
    let (mode, since) = WhichStretch { since, mode }.read(&app)?;
    reply::ok(&sentinel::fraud_top(&app, mode, since, by.unwrap_or(TopBy::Number)).await?)
}

/// List how rules did: how often each fired, and of what was sent all the same how much nobody typed.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/rule-stats",
    params(WhichStretch),
    responses((status = 200, description = "The rules that fired", body = RuleStatsList), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/fraud/rule-stats")]
pub(super) async fn list_rule_stats(
    _desk: Desk<Look>,
    app: Data<App>,
    query: Query<WhichStretch>,
) -> Result<HttpResponse> {
    let (mode, since) = query.0.read(&app)?;
    reply::ok(&sentinel::rule_stats(&app, mode, since).await?)
}
