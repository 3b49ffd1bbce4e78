//! A message as operators follow it: each hand-off with the carrier's own words as far as they are kept, and what carriers
//! reported. Numbers masked, texts nowhere.

use serde::Serialize;
use utoipa::ToSchema;

use super::state::Status;
use super::store::{self, Attempt, AttemptState, Event, ReceiptRow, Row};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{AttemptId, BatchId, DecisionId, KeyId, MessageId, OrgId, RouteId, VerificationId};
use crate::money::MoneyView;
use crate::phone::{Country, mask};
use crate::terms::{Channel, Kind, Mode};

/// A message and what came of it.
#[derive(Serialize, ToSchema)]
pub struct TracedMessage {
    /// Its id.
    pub id: MessageId,
    /// Whose.
    pub org_id: OrgId,
    /// Sent with this key.
    pub key_id: KeyId,
    /// Live or test.
    pub mode: Mode,
    /// Where it is.
    pub status: Status,
    /// How it travels.
    pub channel: Channel,
    /// What it is for.
    pub kind: Kind,
    /// To whom, masked.
    #[schema(example = "+141•••••123")]
    pub to: String,
    /// The number's country.
    #[schema(value_type = Option<String>, example = "US")]
    pub country: Option<Country>,
    /// SMS parts; 1 on other channels.
    #[schema(example = 1)]
    pub segments: i32,
    /// What it costs.
    pub price: MoneyView,
    /// The carrier of the latest hand-off.
    #[schema(example = "acme")]
    pub carrier: Option<String>,
    /// Why it failed, where it did.
    pub error_code: Option<String>,
    /// The decision that let it through.
    pub decision_id: DecisionId,
    /// The bulk it came in.
    pub batch_id: Option<BatchId>,
    /// The verification whose code it carries.
    pub verification_id: Option<VerificationId>,
    /// The request that brought it.
    pub request_id: String,
    /// Accepted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
    /// Its hand-offs, first to last.
    pub attempts: Vec<AttemptView>,
    /// What carriers reported, in the order it came.
    pub receipts: Vec<ReceiptView>,
}

/// A hand-off to a carrier: what is kept of it. Requests and replies themselves are not.
#[derive(Serialize, ToSchema)]
#[schema(as = TracedAttempt)]
pub struct AttemptView {
    /// Its id.
    pub id: AttemptId,
    /// First, second, …
    #[schema(example = 1)]
    pub number: i32,
    /// By this channel.
    pub channel: Channel,
    /// To this carrier.
    #[schema(example = "acme")]
    pub carrier: String,
    /// Where it is.
    pub state: AttemptState,
    /// The carrier's id of it.
    #[schema(example = "SM8f14e45fceea467fa0e64f2e2a1f0b77")]
    pub provider_id: Option<String>,
    /// Our word for what went wrong.
    pub error_code: Option<String>,
    /// The carrier's words, digits hidden.
    pub detail: Option<String>,
    /// By this route; null for test messages.
    pub route_id: Option<RouteId>,
    /// Begun.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Millis,
    /// Ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Millis>,
    /// How long it took, ms.
    #[schema(example = 84)]
    pub duration_ms: Option<i64>,
}

/// What a carrier reported of a hand-off.
#[derive(Serialize, ToSchema)]
#[schema(as = TracedReceipt)]
pub struct ReceiptView {
    /// The carrier.
    #[schema(example = "acme")]
    pub carrier: String,
    /// Its id of the hand-off.
    pub provider_id: String,
    /// Its word; with `=` before it, ours for what it means.
    #[schema(example = "=delivered")]
    pub status: String,
    /// Its error code.
    pub error_code: Option<String>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Millis,
}

/// What this room keeps of what happened to a message, each in order.
pub struct Trail {
    /// Its hand-offs.
    pub attempts: Vec<Attempt>,
    /// What became of it.
    pub events: Vec<Event>,
    /// What carriers reported.
    pub receipts: Vec<ReceiptRow>,
}

impl Trail {
    /// Reads the trail of `row`.
    pub fn of(conn: &mut Conn, row: &Row) -> Result<Trail> {
        let attempts = store::attempts_of(conn, row.id)?;
        let events = store::events_of(conn, row.id)?;
        let receipts = store::receipts_of(conn, &attempts)?;
        Ok(Trail { attempts, events, receipts })
    }
}

impl TracedMessage {
    /// The message `row` with its trail.
    pub fn of(row: &Row, trail: Trail) -> TracedMessage {
        TracedMessage {
            id: row.id,
            org_id: row.org_id,
            key_id: row.key_id,
            mode: row.mode,
            status: row.status,
            channel: row.channel,
            kind: row.kind,
            to: mask(&row.recipient),
            country: row.country,
            segments: row.segments,
            price: MoneyView::new(row.price_micros, row.currency),
            carrier: row.carrier.clone(),
            error_code: row.error_code.clone(),
            decision_id: row.decision_id,
            batch_id: row.batch_id,
            verification_id: row.verification_id,
            request_id: row.request_id.clone(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            attempts: trail.attempts.into_iter().map(AttemptView::of).collect(),
            receipts: trail.receipts.into_iter().map(ReceiptView::of).collect(),
        }
    }
}

impl AttemptView {
    fn of(attempt: Attempt) -> AttemptView {
        let took = |end: Millis| i64::try_from(end.since(attempt.started_at).as_millis()).unwrap_or(i64::MAX);
        AttemptView {
            duration_ms: attempt.finished_at.map(took),
            id: attempt.id,
            number: attempt.number,
            channel: attempt.channel,
            carrier: attempt.carrier,
            state: attempt.state,
            provider_id: attempt.provider_id,
            error_code: attempt.error_code,
            detail: attempt.detail,
            route_id: attempt.route_id,
            started_at: attempt.started_at,
            finished_at: attempt.finished_at,
        }
    }
}

impl ReceiptView {
    fn of(row: ReceiptRow) -> ReceiptView {
        ReceiptView {
            carrier: row.carrier,
            provider_id: row.provider_id,
            status: row.status,
            error_code: row.error_code,
            received_at: row.received_at,
        }
    }
}
