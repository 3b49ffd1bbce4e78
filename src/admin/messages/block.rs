//! What a message gives cause for: its number is kept out, or its decision was wrong.

use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::act::load;
use crate::admin::desk::{Desk, Support};
use crate::admin::docs::ChangeRefusals;
use crate::admin::order::{done, made, said_why};
use crate::audit::Change;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::fraud::{self, ListAction, ListKind, NewListEntry};
use crate::http::{Body, Id};
use crate::ids::{DecisionId, ListId, MessageId, OrgId};
use crate::phone::mask;
use crate::recipient::Recipient;
use crate::sentinel::report_decision;

/// For how long a number is kept out, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "pumped on Sunday", "expires_at": "2027-01-01T00:00:00Z"}))]
pub struct BlockBody {
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// Until when (RFC 3339, in the future); for good where absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Millis>,
    /// For every organization, and not only for the message's own.
    #[serde(default)]
    pub everywhere: bool,
}

/// A number that is kept out.
#[derive(Debug, Serialize, ToSchema)]
pub struct BlockedRecipient {
    /// The entry of the list.
    pub id: ListId,
    /// Of this organization; of everybody where absent.
    pub org_id: Option<OrgId>,
    /// The number, masked.
    #[schema(example = "+371••••••456")]
    pub number: String,
    /// Until when; for good where absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Millis>,
}

/// Keep a message's number out: an entry of the fraud lists, for the message's organization and mode.
#[utoipa::path(
    tag = "Admin: messages",
    path = "/v1/admin/messages/{id}/block",
    params(
        ("id" = MessageId, Path, description = "The message"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one entry"),
    ),
    request_body = BlockBody,
    responses((status = 201, description = "The entry", body = BlockedRecipient), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/messages/{id}/block")]
pub(in crate::admin) async fn block_recipient(
    desk: Desk<Support>,
    id: Id<MessageId>,
    body: Body<BlockBody>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, Some(body.value.reason.clone()))?;
    let BlockBody { reason, expires_at, everywhere } = body.value;
    order
        .run(move |conn, by| {
            let row = load(conn, id.0)?;
            let to = Recipient::parse_or_user(&row.recipient, row.channel, row.country).ok();
            let phone = to.as_ref().and_then(Recipient::phone);
            let value = phone.ok_or_else(|| Error::field("id", "did not go to a phone number"))?.e164().to_owned();
            let new = NewListEntry { action: ListAction::Block, kind: ListKind::Number, value, reason, expires_at };
            let entry = fraud::add_entry(conn, by, (!everywhere).then_some((row.org_id, row.mode)), new)?;
            let shown = BlockedRecipient {
                id: entry.id,
                org_id: entry.org_id,
                number: mask(&entry.value),
                expires_at: entry.expires_at,
            };
            made(String::from("/v1/admin/fraud/lists"), &shown)
        })
        .await
}

/// What an operator found out about a decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "a customer's own staff"}))]
pub struct FalsePositiveBody {
    /// Why it was wrong, for the audit log.
    #[schema(min_length = 3, max_length = 500)]
    pub reason: String,
}

/// A decision that was reported.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportedDecision {
    /// The decision.
    pub id: DecisionId,
    /// Whose.
    pub org_id: OrgId,
    /// What it was reported as.
    #[schema(example = "false_positive")]
    pub outcome: &'static str,
}

/// Report that a decision refused, or would have refused, somebody honest. It is kept in the audit log with the rules that
/// fired, and counted; rules are changed by those who may.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/decisions/{id}/false-positive",
    params(
        ("id" = DecisionId, Path, description = "The decision"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one report"),
    ),
    request_body = FalsePositiveBody,
    responses((status = 200, description = "It is noted", body = ReportedDecision), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/decisions/{id}/false-positive")]
pub(in crate::admin) async fn report_false_positive(
    desk: Desk<Support>,
    id: Id<DecisionId>,
    body: Body<FalsePositiveBody>,
) -> Result<HttpResponse> {
    let reason = said_why(&body.value.reason)?;
    let order = desk.order(&body, Some(reason))?;
    order
        .run(move |conn, by| {
            let report = report_decision(conn, id.0)?;
            if report.reasons.is_empty() && report.code.is_none() {
                return Err(
                    Error::new(Code::ValidationFailed).and_field("id", "is a decision that no rule had a part in")
                );
            }
            let rules: Vec<&str> = report.reasons.iter().map(|reason| reason.rule.as_str()).collect();
            let told = serde_json::json!({ "outcome": "false_positive", "action": report.action, "rules": rules });
            by.tell(conn, "decision.false_positive", id.0, Change::made(&told))?;
            metrics::counter!("postern_fraud_false_positives_total").increment(1);
            done(&ReportedDecision { id: report.id, org_id: report.org_id, outcome: "false_positive" })
        })
        .await
}
