//! What has happened lately, a line each: acceptances, moves, refusals. For people who watch (`postern tail`).

use serde::Serialize;
use utoipa::ToSchema;

use super::store::{self, Event, Refusal, Row, Since, Terms};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::http::follow::next_since;
use crate::ids::{MessageId, OrgId, VerificationId};
use crate::phone::mask;
use crate::terms::{Channel, Kind, Mode};

/// Most lines of each sort in one answer: more than one bulk.
const LINES_MAX: usize = 2_000;

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivityView {
    /// Its own id: what an overlapping answer repeats is known again by it.
    #[schema(example = "msg_01h455vb4pex5vsknk084sn02q")]
    pub id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
    /// What: `message.accepted`, `message.` and a status, or `decision.` and what it did.
    #[schema(example = "message.delivered")]
    pub what: String,
    /// Whose; told to operators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
    /// Live or test.
    pub mode: Mode,
    /// The message, where there is one.
    pub message_id: Option<MessageId>,
    /// The verification whose code it carries.
    pub verification_id: Option<VerificationId>,
    /// How it travels.
    pub channel: Option<Channel>,
    /// What it is for.
    pub kind: Option<Kind>,
    /// To whom, masked.
    #[schema(example = "+141•••••123")]
    pub to: Option<String>,
    /// Who did it: the worker, a receipt, the client.
    #[schema(example = "receipt")]
    pub by: Option<String>,
    /// Why it failed or was refused.
    pub error_code: Option<String>,
    /// The rules that fired.
    pub reasons: Vec<String>,
}

/// What happened since a moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivityList {
    /// Oldest first.
    pub data: Vec<ActivityView>,
    /// Ask again with this `since`. It reaches back a little: leave out the ids that you have.
    #[schema(value_type = String, format = DateTime)]
    pub next_since: Millis,
    /// More is there already.
    pub has_more: bool,
}

/// What happened since, as far as one answer goes.
pub fn activity(conn: &mut Conn, since: &Since, now: Millis) -> Result<ActivityList> {
    let limit = i64::try_from(LINES_MAX).unwrap_or(i64::MAX);
    let sorts = [
        store::accepted_since(conn, since, limit)?.iter().map(accepted).collect::<Vec<_>>(),
        store::moves_since(conn, since, limit)?.iter().map(moved).collect(),
        store::refusals_since(conn, since, limit)?.iter().map(refused).collect(),
    ];
    // Where a sort was cut, the others are not followed further than it.
    let cut = sorts.iter().filter(|lines| lines.len() >= LINES_MAX).filter_map(|lines| Some(lines.last()?.at)).min();
    let mut data: Vec<ActivityView> = sorts.into_iter().flatten().collect();
    data.retain(|line| cut.is_none_or(|cut| line.at <= cut));
    data.sort_by_key(|line| line.at);
    let (next_since, has_more) = next_since(since.at, cut, now);
    Ok(ActivityList { data, next_since, has_more })
}

impl ActivityList {
    /// Without the organizations, which a key knows.
    pub fn of_one(mut self) -> ActivityList {
        self.data.iter_mut().for_each(|line| line.org_id = None);
        self
    }
}

fn accepted(row: &Row) -> ActivityView {
    let reasons = row.terms().map(|terms| rules(&terms)).unwrap_or_default();
    let what = String::from("message.accepted");
    ActivityView { id: row.id.to_string(), at: row.created_at, what, reasons, ..of_message(row) }
}

fn moved((event, row): &(Event, Row)) -> ActivityView {
    let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap_or_default();
    let text = |name: &str| detail.get(name).and_then(serde_json::Value::as_str).map(String::from);
    ActivityView {
        id: event.id.to_string(),
        at: event.at,
        what: event.kind.clone(),
        by: text("by"),
        error_code: text("error_code"),
        ..of_message(row)
    }
}

fn of_message(row: &Row) -> ActivityView {
    ActivityView {
        id: String::new(),
        at: row.created_at,
        what: String::new(),
        org_id: Some(row.org_id),
        mode: row.mode,
        message_id: Some(row.id),
        verification_id: row.verification_id,
        channel: Some(row.channel),
        kind: Some(row.kind),
        to: Some(mask(&row.recipient)),
        by: None,
        error_code: None,
        reasons: Vec::new(),
    }
}

fn refused(row: &Refusal) -> ActivityView {
    let terms: Terms = serde_json::from_str(&row.terms).unwrap_or_default();
    ActivityView {
        id: row.id.to_string(),
        at: row.created_at,
        what: format!("decision.{}", row.action),
        org_id: Some(row.org_id),
        mode: row.mode,
        message_id: None,
        verification_id: None,
        channel: None,
        kind: None,
        to: None,
        by: None,
        error_code: Some(row.code.clone()),
        reasons: rules(&terms),
    }
}

fn rules(terms: &Terms) -> Vec<String> {
    terms.reasons.iter().map(|reason| reason.rule.clone()).collect()
}
