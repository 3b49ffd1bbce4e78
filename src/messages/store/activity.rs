//! What has happened lately, over all messages of an owner or of everybody: three looks along time-sorted ids.

use diesel::prelude::*;

use super::{Event, Row};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{decisions, message_events, messages};
use crate::error::Result;
use crate::fraud::Action;
use crate::ids::{DecisionId, EventId, MessageId, OrgId};
use crate::terms::{Channel, Mode};

/// Whose activity, since when, and what it is narrowed to.
#[derive(Debug, Clone)]
pub struct Since {
    /// At or after.
    pub at: Millis,
    /// Of one organization.
    pub org: Option<OrgId>,
    /// Live or test.
    pub mode: Option<Mode>,
    /// By this channel.
    pub channel: Option<Channel>,
    /// To this address, in full.
    pub to: Option<String>,
}

impl Since {
    /// Everything since `at`, of everybody.
    pub fn everything(at: Millis) -> Since {
        Since { at, org: None, mode: None, channel: None, to: None }
    }
}

/// A refusal, short.
#[derive(Queryable)]
pub struct Refusal {
    /// Its id.
    pub id: DecisionId,
    /// Whose message.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// What it did.
    pub action: Action,
    /// What the client was told.
    pub code: String,
    /// JSON of what it saw.
    pub terms: String,
    /// When.
    pub created_at: Millis,
}

/// A query over messages, whatever it selects, with what is asked of them.
macro_rules! of_messages {
    ($query:expr, $since:expr) => {{
        let mut query = $query;
        if let Some(org) = $since.org {
            query = query.filter(messages::org_id.eq(org));
        }
        if let Some(mode) = $since.mode {
            query = query.filter(messages::mode.eq(mode));
        }
        if let Some(channel) = $since.channel {
            query = query.filter(messages::channel.eq(channel));
        }
        if let Some(to) = &$since.to {
            query = query.filter(messages::recipient.eq(to.clone()));
        }
        query
    }};
}

/// Messages accepted since, oldest first.
pub fn accepted_since(conn: &mut Conn, since: &Since, limit: i64) -> Result<Vec<Row>> {
    let query = messages::table
        .filter(messages::id.ge(MessageId::first_at(since.at)))
        .order(messages::id.asc())
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    Ok(of_messages!(query, since).load(conn)?)
}

/// Moves of messages since, with their messages, oldest first.
pub fn moves_since(conn: &mut Conn, since: &Since, limit: i64) -> Result<Vec<(Event, Row)>> {
    let query = message_events::table
        .inner_join(messages::table.on(message_events::message_id.eq(messages::id)))
        .filter(message_events::id.ge(EventId::first_at(since.at)))
        .order(message_events::id.asc())
        .limit(limit)
        .select((Event::as_select(), Row::as_select()))
        .into_boxed();
    Ok(of_messages!(query, since).load(conn)?)
}

/// Refusals since, oldest first. They know neither channel nor address: none where one is asked for.
pub fn refusals_since(conn: &mut Conn, since: &Since, limit: i64) -> Result<Vec<Refusal>> {
    if since.channel.is_some() || since.to.is_some() {
        return Ok(Vec::new());
    }
    let mut query = decisions::table
        .filter(decisions::id.ge(DecisionId::first_at(since.at)))
        .order(decisions::id.asc())
        .limit(limit)
        .select((
            decisions::id,
            decisions::org_id,
            decisions::mode,
            decisions::action,
            decisions::code,
            decisions::terms,
            decisions::created_at,
        ))
        .into_boxed();
    if let Some(org) = since.org {
        query = query.filter(decisions::org_id.eq(org));
    }
    if let Some(mode) = since.mode {
        query = query.filter(decisions::mode.eq(mode));
    }
    Ok(query.load(conn)?)
}
