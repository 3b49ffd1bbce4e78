//! What has happened, as the tables of messages and verifications have it: what the engine learns from. Read only, and
//! along an index.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{message_events, messages, verifications};
use crate::error::Result;
use crate::ids::{DecisionId, EventId, MessageId, OrgId, VerificationId};
use crate::terms::{Channel, Kind, Mode};
use crate::verifications::Status;

/// A code that was sent by SMS.
#[derive(Debug, Clone, Queryable)]
pub struct Sent {
    /// Its message.
    pub id: MessageId,
    /// The decision's terms, JSON.
    pub decision: String,
    /// When.
    pub created_at: Millis,
}

/// Messages of every kind after `after` with their decisions, in the order of their ids.
pub fn ids_after(conn: &mut Conn, after: MessageId, limit: i64) -> Result<Vec<(MessageId, DecisionId)>> {
    Ok(messages::table
        .filter(messages::id.gt(after))
        .order(messages::id.asc())
        .limit(limit)
        .select((messages::id, messages::decision_id))
        .load(conn)?)
}

/// Those of the messages that are codes sent by SMS.
pub fn sent_among(conn: &mut Conn, ids: &[MessageId]) -> Result<Vec<Sent>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(messages::table
        .filter(messages::id.eq_any(ids))
        .filter(messages::kind.eq(Kind::Otp))
        .filter(messages::channel.eq(Channel::Sms))
        .select((messages::id, messages::decision, messages::created_at))
        .load(conn)?)
}

/// Codes sent between the two, the latest first.
pub fn sent_between(conn: &mut Conn, after: MessageId, before: MessageId, limit: i64) -> Result<Vec<Sent>> {
    Ok(messages::table
        .filter(messages::id.gt(after))
        .filter(messages::id.lt(before))
        .filter(messages::kind.eq(Kind::Otp))
        .filter(messages::channel.eq(Channel::Sms))
        .order(messages::id.desc())
        .limit(limit)
        .select((messages::id, messages::decision, messages::created_at))
        .load(conn)?)
}

/// A code that was typed.
#[derive(Debug, Clone, Queryable)]
pub struct Typed {
    /// Its verification.
    pub id: VerificationId,
    /// Whose.
    pub org_id: OrgId,
    /// In which world.
    pub mode: Mode,
    /// The number, as guards know it.
    pub recipient_mac: Vec<u8>,
    /// When.
    pub decided_at: Option<Millis>,
}

/// Codes typed after `after`, in the order of that.
pub fn typed_after(conn: &mut Conn, after: Millis, limit: i64) -> Result<Vec<Typed>> {
    Ok(verifications::table
        .filter(verifications::decided_at.gt(after))
        .filter(verifications::status.eq(Status::Approved))
        .order(verifications::decided_at.asc())
        .limit(limit)
        .select((
            verifications::id,
            verifications::org_id,
            verifications::mode,
            verifications::recipient_mac,
            verifications::decided_at,
        ))
        .load(conn)?)
}

/// What became of a code that was sent by SMS.
#[derive(Debug, Clone, Queryable)]
pub struct Outcome {
    /// The event.
    pub id: EventId,
    /// What it says.
    pub kind: String,
    /// And how.
    pub detail: String,
    /// When.
    pub at: Millis,
    /// Whose.
    pub org_id: OrgId,
    /// In which world.
    pub mode: Mode,
    /// To whom.
    pub recipient: String,
    /// For which verification.
    pub verification_id: Option<VerificationId>,
}

/// The events that tell the engine something: a code did not arrive, or the caller says what became of it.
const TELLING: [&str; 2] = ["message.undelivered", "message.feedback"];

/// Outcomes after the event `after`, in the order of their ids.
pub fn outcomes_after(conn: &mut Conn, after: EventId, limit: i64) -> Result<Vec<Outcome>> {
    Ok(message_events::table
        .inner_join(messages::table.on(messages::id.eq(message_events::message_id)))
        .filter(message_events::id.gt(after))
        .filter(message_events::kind.eq_any(TELLING))
        .filter(messages::kind.eq(Kind::Otp))
        .filter(messages::channel.eq(Channel::Sms))
        .order(message_events::id.asc())
        .limit(limit)
        .select((
            message_events::id,
            message_events::kind,
            message_events::detail,
            message_events::at,
            messages::org_id,
            messages::mode,
            messages::recipient,
            messages::verification_id,
        ))
        .load(conn)?)
}
