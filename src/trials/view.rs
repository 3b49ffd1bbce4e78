//! A test message as operators see it.

use serde::Serialize;
use utoipa::ToSchema;

use super::order::TEXT;
use super::store::{self, Row};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{TemplateId, TrialId};
use crate::messages;
use crate::terms::Channel;

crate::text_enum! {
    /// Where a test message stands.
    pub enum TrialStatus {
        /// The worker takes it within a second or two.
        Waiting = "waiting",
        /// It is being handed over.
        Sending = "sending",
        /// The carrier has it.
        Accepted = "accepted",
        /// The carrier certainly does not have it.
        Refused = "refused",
        /// No clear answer came; it is not sent again.
        Unknown = "unknown",
        /// No worker took it in time.
        Expired = "expired",
    }
}

/// A delivery receipt of a test message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrialReceipt {
    /// What the carrier tells: `sent`, `delivered`, `undelivered`, `failed`, or its own word where that means nothing here.
    #[schema(example = "delivered")]
    pub status: String,
    /// Our word for the cause with the carrier's own code behind it, where there is one.
    pub error_code: Option<String>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
}

/// A test message: what was asked of the carrier, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrialView {
    /// Its id.
    pub id: TrialId,
    /// By this carrier.
    #[schema(example = "acme")]
    pub carrier: String,
    /// On this channel.
    pub channel: Channel,
    /// To whom, masked.
    #[schema(example = "+4474*****56")]
    pub to: String,
    /// What it says; none where the words are a template's.
    pub text: Option<String>,
    /// The template that is sent instead.
    pub template_id: Option<TemplateId>,
    /// Who asked for it: an operator's id.
    pub author: String,
    /// Where it stands.
    pub status: TrialStatus,
    /// The carrier's id of it.
    pub provider_id: Option<String>,
    /// Our word for what went wrong.
    #[schema(example = "provider.auth")]
    pub error_code: Option<String>,
    /// The carrier's words, redacted.
    pub detail: Option<String>,
    /// How long the carrier took to answer.
    pub took_ms: Option<u64>,
    /// What the carrier told of it afterwards, oldest first.
    pub receipts: Vec<TrialReceipt>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// When it was handed over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Millis>,
    /// When the carrier answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Millis>,
}

/// A test message with its receipts. Error: `not_found`.
pub fn find_trial(conn: &mut Conn, id: TrialId) -> Result<TrialView> {
    let row = store::find(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    show(conn, row)
}

/// The row as operators see it. Receipts of a test message are those that no hand-off of a message has claimed: taking
/// receipts knows nothing of tests, and costs nothing for them.
pub fn show(conn: &mut Conn, row: Row) -> Result<TrialView> {
    let told = match &row.provider_id {
        Some(provider_id) => messages::parked_receipts(conn, &row.carrier, provider_id)?,
        None => Vec::new(),
    };
    let at_once = row.state.clone().zip(row.ended_at);
    let at_once = at_once.map(|(status, at)| TrialReceipt { status, error_code: None, at });
    let later = told.into_iter().map(|receipt| TrialReceipt {
        // Ours have a mark before them in the table.
        status: String::from(receipt.status.trim_start_matches('=')),
        error_code: receipt.error_code,
        at: receipt.received_at,
    });
    let mut receipts: Vec<TrialReceipt> = at_once.into_iter().chain(later).collect();
    receipts.sort_by_key(|receipt| receipt.at);
    Ok(TrialView { receipts, ..TrialView::bare(row) })
}

impl TrialView {
    /// The row without its receipts.
    pub(super) fn bare(row: Row) -> TrialView {
        let took = row.started_at.zip(row.ended_at).map(|(from, to)| to.since(from));
        TrialView {
            id: row.id,
            carrier: row.carrier,
            channel: row.channel,
            to: row.recipient,
            text: row.template.is_none().then(|| String::from(TEXT)),
            template_id: row.template,
            author: row.author,
            status: row.status,
            provider_id: row.provider_id,
            error_code: row.error_code,
            detail: row.detail,
            took_ms: took.map(crate::clock::whole_ms),
            receipts: Vec::new(),
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}
