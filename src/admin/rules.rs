//! The fraud engine's rules.

use std::collections::BTreeMap;

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get, put};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Look, Manage};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::error::Result;
use crate::fraud::engine::RuleMode;
use crate::fraud::{RuleChange, RuleId, RuleView};
use crate::http::{Body, Id};
use crate::sentinel::{self, FraudRules};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_rules).service(replace_rules).service(change_rule);
}

/// What to change of a rule, and why.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"parameters": {"hold_at": 2.5}, "reason": "two false holds on Sunday"}))]
pub(super) struct RuleOrder {
    /// Whether it acts. Where parameters change and no mode is named, a rule that acted only watches from then on.
    mode: Option<RuleMode>,
    /// Parameters to set, by their names; the others stay.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    parameters: Option<Map<String, Value>>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// A whole rule set, and why.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"rules": {"prefix.sequence": {"mode": "off"}}, "reason": "back to the built-in rules but for one"}))]
pub(super) struct RulesOrder {
    /// Rules that are to differ from the built-in ones.
    #[schema(value_type = BTreeMap<String, RuleChange>)]
    rules: BTreeMap<RuleId, RuleChange>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Show the fraud engine's rules, with who changed what of them and why.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/rules",
    responses((status = 200, description = "Every rule", body = FraudRules), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/fraud/rules")]
pub(super) async fn list_rules(desk: Desk<Look>) -> Result<HttpResponse> {
    desk.show(sentinel::show_rules).await
}

/// Put a whole rule set in place of the one that acts: what it does not name is as it was built. `{"rules": {}}` brings
/// the built-in rules back.
#[utoipa::path(
    operation_id = "replace_fraud_rules",
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/rules",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one change")),
    request_body = RulesOrder,
    responses((status = 200, description = "The rules as they are now", body = FraudRules), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/fraud/rules")]
pub(super) async fn replace_rules(desk: Desk<Manage>, body: Body<RulesOrder>) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let rules = body.value.rules;
    order.run(move |conn, by| done(&sentinel::set_rules(conn, by, &rules)?)).await
}

/// Change a rule. Acts within a second on every process. Decisions keep the version they were made by.
#[utoipa::path(
    operation_id = "change_fraud_rule",
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/rules/{id}",
    params(
        ("id" = RuleId, Path, description = "The rule", example = "prefix.hold"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = RuleOrder,
    responses((status = 200, description = "The rule as it is now", body = RuleView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/fraud/rules/{id}")]
pub(super) async fn change_rule(desk: Desk<Manage>, id: Id<RuleId>, body: Body<RuleOrder>) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let RuleOrder { mode, parameters, .. } = body.value;
    let change = RuleChange { mode, parameters };
    order.run(move |conn, by| done(&sentinel::set_rule(conn, by, id.0, &change)?)).await
}
