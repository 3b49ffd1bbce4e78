//! Decisions: one that refused has a row of its own, one that let through is part of its message.

use std::time::Duration;

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{decisions, messages};
use crate::error::Result;
use crate::fraud::Action;
use crate::ids::{DecisionId, KeyId, MessageId, OrgId};
use crate::phone::Country;
use crate::terms::Mode;

/// A decision as it is stored.
#[derive(Debug, Clone)]
pub struct DecisionRow {
    /// Its id.
    pub id: DecisionId,
    /// Whose message.
    pub org_id: OrgId,
    /// Sent with this key.
    pub key_id: KeyId,
    /// Live or test.
    pub mode: Mode,
    /// What it did.
    pub action: Action,
    /// What the client was told, where it refused.
    pub code: Option<String>,
    /// JSON of what it saw.
    pub terms: String,
    /// The request.
    pub request_id: String,
    /// The message, where it was let through.
    pub message_id: Option<MessageId>,
    /// When.
    pub created_at: Millis,
}

#[derive(Queryable)]
struct Refused {
    id: DecisionId,
    org_id: OrgId,
    key_id: KeyId,
    mode: Mode,
    action: Action,
    code: String,
    terms: String,
    request_id: String,
    created_at: Millis,
}

impl From<Refused> for DecisionRow {
    fn from(row: Refused) -> DecisionRow {
        DecisionRow {
            id: row.id,
            org_id: row.org_id,
            key_id: row.key_id,
            mode: row.mode,
            action: row.action,
            code: Some(row.code),
            terms: row.terms,
            request_id: row.request_id,
            message_id: None,
            created_at: row.created_at,
        }
    }
}

type Passed = (MessageId, DecisionId, OrgId, KeyId, Mode, String, String, Millis);

const PASSED: (
    messages::id,
    messages::decision_id,
    messages::org_id,
    messages::key_id,
    messages::mode,
    messages::decision,
    messages::request_id,
    messages::created_at,
) = (
    messages::id,
    messages::decision_id,
    messages::org_id,
    messages::key_id,
    messages::mode,
    messages::decision,
    messages::request_id,
    messages::created_at,
);

fn passed((message_id, id, org_id, key_id, mode, terms, request_id, created_at): Passed) -> DecisionRow {
    DecisionRow {
        id,
        org_id,
        key_id,
        mode,
        action: Action::Allow,
        code: None,
        terms,
        request_id,
        message_id: Some(message_id),
        created_at,
    }
}

/// What a list of decisions is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this organization.
    pub org: Option<OrgId>,
    /// In this world.
    pub mode: Option<Mode>,
    /// In which this rule fired.
    pub rule: Option<String>,
    /// On numbers of this country.
    pub country: Option<Country>,
    /// Those that did this; those that refused where absent.
    pub action: Option<Action>,
    /// Those that told the client this.
    pub code: Option<String>,
    /// Made at or after.
    pub created_after: Option<Millis>,
    /// Made before.
    pub created_before: Option<Millis>,
}

/// What the terms of a decision hold where `rule` fired.
fn names_rule(rule: &str) -> String {
    format!("%\"rule\":\"{rule}\"%")
}

/// What the terms of a refusal hold that was about `country`: the engine's member `i`, or what a rule observed.
fn names_country(country: Country) -> [String; 2] {
    ["i", "observed"].map(|member| format!("%\"{member}\":\"{country}\"%"))
}

/// Decisions that refused, newest first, from before `before` on.
pub fn list_refused(
    conn: &mut Conn,
    wanted: &Wanted,
    before: Option<DecisionId>,
    limit: i64,
) -> Result<Vec<DecisionRow>> {
    let mut query = decisions::table.order(decisions::id.desc()).limit(limit).into_boxed();
    if let Some(after) = wanted.created_after {
        // Ids sort by time: this ends the walk along them, the column beside it says exactly.
        query = query.filter(decisions::id.ge(DecisionId::first_at(after.minus(ONE_BREATH))));
    }
    if let Some(org) = wanted.org {
        query = query.filter(decisions::org_id.eq(org));
    }
    if let Some(mode) = wanted.mode {
        query = query.filter(decisions::mode.eq(mode));
    }
    if let Some(rule) = &wanted.rule {
        query = query.filter(decisions::terms.like(names_rule(rule)));
    }
    if let Some(country) = wanted.country {
        let [engine, observed] = names_country(country);
        query = query.filter(decisions::terms.like(engine).or(decisions::terms.like(observed)));
    }
    if let Some(action) = wanted.action {
        query = query.filter(decisions::action.eq(action));
    }
    if let Some(code) = &wanted.code {
        query = query.filter(decisions::code.eq(code.clone()));
    }
    if let Some(after) = wanted.created_after {
        query = query.filter(decisions::created_at.ge(after));
    }
    if let Some(until) = wanted.created_before {
        query = query.filter(decisions::created_at.lt(until));
    }
    if let Some(before) = before {
        query = query.filter(decisions::id.lt(before));
    }
    let rows: Vec<Refused> = query.load(conn)?;
    Ok(rows.into_iter().map(DecisionRow::from).collect())
}

/// Decisions that let a message through, newest first, from before the message `before` on.
pub fn list_passed(
    conn: &mut Conn,
    wanted: &Wanted,
    before: Option<MessageId>,
    limit: i64,
) -> Result<Vec<DecisionRow>> {
    let mut query = messages::table.order(messages::id.desc()).limit(limit).select(PASSED).into_boxed();
    if let Some(org) = wanted.org {
        query = query.filter(messages::org_id.eq(org));
    }
    if let Some(mode) = wanted.mode {
        query = query.filter(messages::mode.eq(mode));
    }
    if let Some(rule) = &wanted.rule {
        query = query.filter(messages::decision.like(names_rule(rule)));
    }
    if let Some(country) = wanted.country {
        query = query.filter(messages::country.eq(country));
    }
    if let Some(after) = wanted.created_after {
        query = query.filter(messages::id.ge(MessageId::first_at(after.minus(ONE_BREATH))));
        query = query.filter(messages::created_at.ge(after));
    }
    if let Some(until) = wanted.created_before {
        query = query.filter(messages::created_at.lt(until));
    }
    if let Some(before) = before {
        query = query.filter(messages::id.lt(before));
    }
    let rows: Vec<Passed> = query.load(conn)?;
    Ok(rows.into_iter().map(passed).collect())
}

/// A decision and its message get their ids in one breath; so far apart they may be at most.
const ONE_BREATH: Duration = Duration::from_secs(2);

/// The decision `id`. One that let a message through has no index: its message's id lies near its own.
pub fn find_decision(conn: &mut Conn, id: DecisionId) -> Result<Option<DecisionRow>> {
    let refused: Option<Refused> = decisions::table.find(id).first(conn).optional()?;
    if let Some(row) = refused {
        return Ok(Some(row.into()));
    }
    let (from, to) = (id.moment().minus(ONE_BREATH), id.moment().plus(ONE_BREATH));
    let found: Option<Passed> = messages::table
        .filter(messages::id.ge(MessageId::first_at(from)))
        .filter(messages::id.lt(MessageId::first_at(to)))
        .filter(messages::decision_id.eq(id))
        .select(PASSED)
        .first(conn)
        .optional()?;
    Ok(found.map(passed))
}

/// The decision that let the message `id` through.
pub fn find_passed(conn: &mut Conn, id: MessageId) -> Result<Option<DecisionRow>> {
    let found: Option<Passed> = messages::table.find(id).select(PASSED).first(conn).optional()?;
    Ok(found.map(passed))
}
