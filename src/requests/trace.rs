//! All that one request left behind, found by its id.
//!
//! The id holds the request's moment (UUIDv7). What it made lies near that moment in tables whose ids sort by time, so
//! that a send is found without a line of its own and without an index that every accept would have to pay for.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::store;
use super::story::{Known, TraceStep, timeline, told_of};
use super::view::RequestView;
use crate::audit;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::request_id::moment_of;
use crate::ids::{DecisionId, MessageId, VerificationId};
use crate::messages::{self, Row as MessageRow, TracedMessage, Trail};
use crate::sentinel::{self, DecisionReport};
use crate::verifications::{self, TracedVerification};
use crate::webhooks::{self, TracedEvent};

/// A request and all that it left behind.
#[derive(Serialize, ToSchema)]
pub struct RequestTrace {
    /// The request's id.
    #[schema(format = "uuid", example = "019d3a5e-7c40-7b1e-8a55-0f6b1c2d3e4f")]
    pub request_id: String,
    /// When it came, as its id says.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Millis>,
    /// Its line in the log; null where it got none (see `unlisted` of the summary) or the log has forgotten it.
    pub request: Option<RequestView>,
    /// The decisions on its messages, with the limits as they were counted there.
    pub decisions: Vec<DecisionReport>,
    /// The messages that it brought, or named, or whose code it is about; twenty at most.
    pub messages: Vec<RequestMessage>,
    /// Whether there are more of them.
    pub has_more_messages: bool,
    /// The verification that it is about.
    pub verification: Option<RequestVerification>,
    /// The changes that it made, as the audit log tells them; null for a role that may not read it.
    pub changes: Option<Vec<audit::Record>>,
}

/// A message, its timeline, and what webhooks told of it.
#[derive(Serialize, ToSchema)]
pub struct RequestMessage {
    /// The message.
    #[serde(flatten)]
    pub message: TracedMessage,
    /// What happened, first to last, as `GET /v1/admin/messages/{id}` tells it.
    pub timeline: Vec<TraceStep>,
    /// What was told of it, oldest first.
    pub webhooks: Vec<TracedEvent>,
}

/// A verification, what webhooks told of it, and the requests about it.
#[derive(Serialize, ToSchema)]
pub struct RequestVerification {
    /// The verification.
    #[serde(flatten)]
    pub verification: TracedVerification,
    /// What was told of it, oldest first.
    pub webhooks: Vec<TracedEvent>,
    /// The requests that named it, checks among them, oldest first; those by the number alone are only counted (`checks`).
    pub requests: Vec<RequestView>,
}

/// Most messages of a trace.
const MESSAGES_MAX: usize = 20;
/// Most rows of other kinds.
const ROWS_MAX: i64 = 100;

/// How much earlier than its request a thing may seem to be made: hosts differ.
const BEFORE: Duration = Duration::from_secs(1);
/// How much later it usually is at most.
const SOON: Duration = Duration::from_secs(2);
/// How much later it can be: a body that arrives slowly, a database that is busy.
const LATE: Duration = Duration::from_secs(40);

/// Follows the request `id` at `now`; `with_changes` for those who may read the audit log. Error: `not_found` where
/// nothing knows it.
pub fn trace(conn: &mut Conn, id: Uuid, with_changes: bool, now: Millis) -> Result<RequestTrace> {
    let text = id.to_string();
    let line = store::find(conn, &id)?.map(RequestView::of);
    let at = line.as_ref().map(|line| line.at).or_else(|| moment_of(&id));
    let mut found = Found::default();
    for between in windows(at, line.as_ref()) {
        found.look(conn, &text, between, now)?;
        if !found.is_empty() {
            break;
        }
    }
    found.follow(conn, line.as_ref(), now)?;
    let changes = audit::of_request(conn, &text, ROWS_MAX)?;
    if line.is_none() && found.is_empty() && changes.is_empty() {
        return Err(Error::new(Code::NotFound));
    }
    let decisions = found.decisions(conn)?;
    let verification = found.verification.map(|one| with_requests(conn, one)).transpose()?;
    let has_more_messages = found.messages.len() > MESSAGES_MAX;
    let shown = found.messages.iter().take(MESSAGES_MAX).map(|row| with_timeline(conn, row, &decisions));
    let messages = shown.collect::<Result<Vec<_>>>()?;
    let changes = with_changes.then_some(changes);
    Ok(RequestTrace {
        request_id: text,
        at,
        request: line,
        decisions,
        messages,
        has_more_messages,
        verification,
        changes,
    })
}

/// The stretches of time to look in, one after the other until something is found.
fn windows(at: Option<Millis>, line: Option<&RequestView>) -> Vec<(Millis, Millis)> {
    let Some(at) = at else { return Vec::new() };
    let until = |most: Duration| (at.minus(BEFORE), at.plus(most));
    match line {
        Some(line) => vec![until(SOON + Duration::from_millis(u64::try_from(line.duration_ms).unwrap_or(0)))],
        None => vec![until(SOON), until(LATE)],
    }
}

/// What was found of a request.
#[derive(Default)]
struct Found {
    messages: Vec<MessageRow>,
    refusals: BTreeSet<DecisionId>,
    verification: Option<TracedVerification>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.refusals.is_empty() && self.verification.is_none()
    }

    /// What bears the request's id and was made in this stretch of time.
    fn look(&mut self, conn: &mut Conn, id: &str, between: (Millis, Millis), now: Millis) -> Result<()> {
        let most = i64::try_from(MESSAGES_MAX).unwrap_or(i64::MAX).saturating_add(1);
        self.messages = messages::messages_of_request(conn, id, between, most)?;
        self.refusals.extend(messages::refusals_of_request(conn, id, between, ROWS_MAX)?);
        self.verification = verifications::started_by(conn, id, between, now)?;
        Ok(())
    }

    /// What these and the request's line lead to.
    fn follow(&mut self, conn: &mut Conn, line: Option<&RequestView>, now: Millis) -> Result<()> {
        self.refusals.extend(line.and_then(|line| line.decision_id));
        let target = line.and_then(|line| line.target.as_deref());
        if let Some(id) = target.and_then(|text| text.parse::<MessageId>().ok()) {
            self.add(messages::find_message(conn, id)?);
        }
        if self.verification.is_none() {
            let named = target.and_then(|text| text.parse::<VerificationId>().ok());
            let carried = self.messages.iter().find_map(|row| row.verification_id);
            self.verification = match named.or(carried) {
                Some(id) => verifications::trace_verification(conn, id, now)?,
                None => None,
            };
        }
        let sends: Vec<MessageId> =
            self.verification.iter().flat_map(|one| one.sends.iter().map(|send| send.message_id)).collect();
        for id in sends {
            self.add(messages::find_message(conn, id)?);
        }
        Ok(())
    }

    fn add(&mut self, row: Option<MessageRow>) {
        let known = |row: &MessageRow| self.messages.iter().any(|known| known.id == row.id);
        if let Some(row) = row.filter(|row| !known(row)) {
            self.messages.push(row);
        }
    }

    /// The decisions: those that refused, then those that let the messages through.
    fn decisions(&self, conn: &mut Conn) -> Result<Vec<DecisionReport>> {
        let refused = self.refusals.iter().map(|id| sentinel::report_decision(conn, *id));
        let mut reports = refused.filter_map(found).collect::<Result<Vec<_>>>()?;
        let passed = self.messages.iter().take(MESSAGES_MAX).map(|row| sentinel::report_passed(conn, row.id));
        reports.extend(passed.filter_map(found).collect::<Result<Vec<_>>>()?);
        Ok(reports)
    }
}

/// A refusal that is noted in memory is not written yet; a decision may have been purged.
fn found(report: Result<DecisionReport>) -> Option<Result<DecisionReport>> {
    match report {
        Err(fault) if fault.code() == Code::NotFound => None,
        other => Some(other),
    }
}

fn with_timeline(conn: &mut Conn, row: &MessageRow, decisions: &[DecisionReport]) -> Result<RequestMessage> {
    let trail = Trail::of(conn, row)?;
    let webhooks = told_of(conn, row, &trail)?;
    let decision = decisions.iter().find(|decision| decision.id == row.decision_id);
    let timeline = timeline(conn, row, &trail, &Known { decision, has_key: None, webhooks: &webhooks })?;
    Ok(RequestMessage { message: TracedMessage::of(row, trail), timeline, webhooks })
}

fn with_requests(conn: &mut Conn, one: TracedVerification) -> Result<RequestVerification> {
    let moments: Vec<Millis> = std::iter::once(one.created_at).chain(one.decided_at).collect();
    let webhooks = webhooks::trace_events(conn, (one.org_id, one.mode), one.id.as_str(), &moments)?;
    let requests = store::about(conn, one.id.as_str(), ROWS_MAX)?.into_iter().map(RequestView::of).collect();
    Ok(RequestVerification { verification: one, webhooks, requests })
}
