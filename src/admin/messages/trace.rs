//! A message as operators look it up, with its whole timeline.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{BatchId, KeyId};
use crate::messages::{self, BodyState, FoundMessage, Hold, Row, Trail};
use crate::requests::{Known, TraceStep, timeline, told_of};
use crate::sentinel::{DecisionReport, report_decision};
use crate::text::Encoding;

/// A message and everything that happened to it.
#[derive(Serialize, ToSchema)]
pub(in crate::admin) struct MessageTrace {
    /// The message, as a search shows it.
    #[serde(flatten)]
    message: FoundMessage,
    /// Sent with this key.
    key_id: KeyId,
    /// The bulk it came in.
    batch_id: Option<BatchId>,
    /// The originator that was asked for.
    sender: Option<String>,
    /// The template its text came from.
    template: Option<String>,
    /// SMS encoding.
    encoding: Option<Encoding>,
    /// SMS parts; 1 on other channels.
    segments: i32,
    /// What became of its price.
    hold: Hold,
    /// Whether its request had an idempotency key that is still kept.
    has_idempotency_key: bool,
    /// The client's own id of the request.
    client_request_id: Option<String>,
    /// What the app said became of it.
    feedback: Option<String>,
    /// Whether its text can be revealed.
    body_state: BodyState,
    /// Not sent before.
    #[schema(value_type = Option<String>, format = DateTime)]
    scheduled_for: Option<Millis>,
    /// Never sent after.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Millis,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
    /// What can be done with it now: `cancel`, `settle`, `resend`.
    actions: Vec<&'static str>,
    /// Why it was let through; null once the rules it was judged by are gone.
    decision: Option<DecisionReport>,
    /// What happened, first to last.
    timeline: Vec<TraceStep>,
}

/// Follows `row`. `kept`: how long idempotency keys are.
pub(super) fn trace(conn: &mut Conn, row: &Row, message: FoundMessage, kept: Duration) -> Result<MessageTrace> {
    let trail = Trail::of(conn, row)?;
    let has_idempotency_key = messages::came_with_key(conn, row, kept)?;
    let decision = report_decision(conn, row.decision_id).ok();
    let webhooks = told_of(conn, row, &trail)?;
    let known = Known { decision: decision.as_ref(), has_key: Some(has_idempotency_key), webhooks: &webhooks };
    let timeline = timeline(conn, row, &trail, &known)?;
    let (extra, body_state) = (row.extra_or_none(), BodyState::of(row));
    Ok(MessageTrace {
        message,
        key_id: row.key_id,
        batch_id: row.batch_id,
        sender: row.sender.clone(),
        template: extra.template,
        encoding: row.encoding,
        segments: row.segments,
        hold: row.hold,
        has_idempotency_key,
        client_request_id: extra.client_request_id,
        feedback: extra.feedback,
        body_state,
        scheduled_for: row.scheduled_for,
        expires_at: row.expires_at,
        updated_at: row.updated_at,
        actions: actions(row, body_state),
        decision,
        timeline,
    })
}

fn actions(row: &Row, body: BodyState) -> Vec<&'static str> {
    let can = [
        ("cancel", row.status.is_cancelable()),
        ("settle", row.status == messages::Status::Unknown),
        ("resend", body == BodyState::Kept),
    ];
    can.into_iter().filter(|(_, can)| *can).map(|(name, _)| name).collect()
}
