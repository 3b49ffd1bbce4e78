//! A request as operators see it.

use serde::Serialize;
use utoipa::ToSchema;

use super::store::Row;
use crate::clock::Millis;
use crate::ids::{DecisionId, KeyId, OperatorId, OrgId};
use crate::terms::Mode;

/// A request of the API.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RequestView {
    /// Its id: the `X-Request-Id` of its answer.
    #[schema(format = "uuid", example = "019d3a5e-7c40-7b1e-8a55-0f6b1c2d3e4f")]
    pub id: String,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
    /// Whose, where a key came with it.
    pub org_id: Option<OrgId>,
    /// By this key.
    pub key_id: Option<KeyId>,
    /// By this operator.
    pub operator_id: Option<OperatorId>,
    /// Live or test, as the key is.
    pub mode: Option<Mode>,
    /// Its method.
    #[schema(example = "POST")]
    pub method: String,
    /// The pattern of its route; `none` where there is no such route. Paths are not kept.
    #[schema(example = "/v1/messages/{id}/cancel")]
    pub route: String,
    /// Its status; the one meant, where a dialect answers everything with 200.
    #[schema(example = 429)]
    pub status: i32,
    /// The error's code.
    #[schema(example = "otp.number_limit")]
    pub code: Option<String>,
    /// The limit that refused it.
    #[schema(example = "otp.number")]
    pub policy: Option<String>,
    /// Whether its route has a successor.
    pub deprecated: bool,
    /// How long it took.
    #[schema(example = 4)]
    pub duration_ms: i64,
    /// The id that its client gave it; digits that could be a code or a number are hidden.
    #[schema(example = "order-42")]
    pub client_request_id: Option<String>,
    /// The network it came from: /24, or /48 of IPv6.
    #[schema(example = "203.0.113.0/24")]
    pub client_net: Option<String>,
    /// The thing it made or named.
    #[schema(example = "msg_01h455vb4pex5vsknk084sn02q")]
    pub target: Option<String>,
    /// The decision that refused it.
    pub decision_id: Option<DecisionId>,
}

impl RequestView {
    /// Shows a line.
    pub fn of(row: Row) -> RequestView {
        RequestView {
            id: row.id,
            at: row.at,
            org_id: row.org_id,
            key_id: row.key_id,
            operator_id: row.operator_id,
            mode: row.mode,
            method: row.method,
            route: row.route,
            status: row.status,
            code: row.code,
            policy: row.policy,
            deprecated: row.deprecated,
            duration_ms: row.duration_ms,
            client_request_id: row.client_id,
            client_net: row.client_net,
            target: row.target,
            decision_id: row.decision_id,
        }
    }
}
