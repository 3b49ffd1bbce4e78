//! Decisions of all organizations, a line each, as operators look through them.

use serde::Serialize;
use utoipa::ToSchema;

use super::decisions::terms_of;
use super::store::{self, DecisionRow, Wanted};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::fraud::{Action, Reason};
use crate::ids::{DecisionId, KeyId, MessageId, OrgId};
use crate::money::Micros;
use crate::phone::{Country, mask};
use crate::terms::Mode;

/// A decision, as a line of operators' lists.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DecisionLine {
    /// Its id.
    pub id: DecisionId,
    /// Whose message.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// What it did.
    pub action: Action,
    /// What the request was told, where it was refused.
    #[schema(example = "fraud.blocked")]
    pub code: Option<String>,
    /// The rules that fired, by name; those that only watched are in `watched`.
    #[schema(example = json!(["prefix.hold"]))]
    pub rules: Vec<String>,
    /// The rules that fired and only watched.
    pub watched: Vec<String>,
    /// Every rule that fired, whole.
    pub reasons: Vec<Reason>,
    /// The number, masked; null where the engine was not asked.
    #[schema(example = "+371••••••456")]
    pub to: Option<String>,
    /// The number's country; null where the engine was not asked.
    #[schema(value_type = Option<String>, example = "LV")]
    pub country: Option<Country>,
    /// What the message would have cost, decimal, in the wallet's currency.
    #[schema(example = "0.07")]
    pub price: Option<String>,
    /// The engine's score, log-odds.
    #[schema(example = 3.21)]
    pub score: Option<f64>,
    /// The message, where it was let through.
    pub message_id: Option<MessageId>,
    /// The key that asked.
    pub key_id: KeyId,
    /// The request that asked.
    pub request_id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// Decisions of everybody, newest first, from before the position `before` on: a decision's id, or for `allow` a message's.
pub fn list_all_decisions(
    conn: &mut Conn,
    wanted: &Wanted,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<DecisionLine>> {
    let rows = match wanted.action {
        Some(Action::Allow) => store::list_passed(conn, wanted, before.and_then(|text| text.parse().ok()), limit)?,
        _ => store::list_refused(conn, wanted, before.and_then(|text| text.parse().ok()), limit)?,
    };
    rows.iter().map(DecisionLine::of).collect()
}

impl DecisionLine {
    fn of(row: &DecisionRow) -> Result<DecisionLine> {
        let terms = terms_of(row)?;
        let named = |acts: bool| {
            let of_it = terms.reasons.iter().filter(move |reason: &&Reason| (reason.mode == "enforce") == acts);
            of_it.map(|reason| reason.rule.clone()).collect()
        };
        let features = terms.engine.as_ref().map(|kept| kept.features());
        Ok(DecisionLine {
            id: row.id,
            org_id: row.org_id,
            mode: row.mode,
            action: row.action,
            code: row.code.clone(),
            rules: named(true),
            watched: named(false),
            reasons: terms.reasons.clone(),
            to: features.as_ref().map(|features| mask(&format!("+{}", features.digits))),
            country: features.as_ref().map(|features| features.country),
            price: features.as_ref().map(|features| Micros(features.price.0).to_string()),
            score: terms.engine.as_ref().and_then(|kept| kept.score).map(|milli| f64::from(milli) / 1_000.0),
            message_id: row.message_id,
            key_id: row.key_id,
            request_id: row.request_id.clone(),
            created_at: row.created_at,
        })
    }

    /// Its place in the list: messages are walked by their own ids.
    pub fn position(&self) -> String {
        self.message_id.map_or_else(|| self.id.to_string(), |id| id.to_string())
    }
}
