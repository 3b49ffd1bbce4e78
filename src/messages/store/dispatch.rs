//! The statements that move messages: hand-offs that begin and end, each for many at once, and the timeline.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::{attempts, message_events};
use crate::error::Result;
use crate::ids::{AttemptId, EventId, MessageId, RouteId};
use crate::messages::state::{Hold, Status};
use crate::messages::store::Row;
use crate::money::{Currency, Micros};
use crate::terms::Channel;
use crate::wallet::Cost;

crate::text_enum! {
    /// Where a hand-off is.
    pub enum AttemptState {
        Started = "started",
        Accepted = "accepted",
        Refused = "refused",
        Unknown = "unknown",
    }
}

/// A hand-off to a carrier. The row is committed before the network call.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = attempts, treat_none_as_default_value = false)]
pub struct Attempt {
    /// Its id, the client reference where a carrier takes one.
    pub id: AttemptId,
    /// The message.
    pub message_id: MessageId,
    /// First, second, …
    pub number: i32,
    /// By this channel.
    pub channel: Channel,
    /// To this carrier.
    pub carrier: String,
    /// Where it is.
    pub state: AttemptState,
    /// The carrier's id.
    pub provider_id: Option<String>,
    /// Our word for what went wrong.
    pub error_code: Option<String>,
    /// The carrier's words, redacted.
    pub detail: Option<String>,
    /// Begun.
    pub started_at: Millis,
    /// Ended.
    pub finished_at: Option<Millis>,
    /// By this route; none for test messages.
    pub route_id: Option<RouteId>,
    /// What it costs us if the carrier takes it.
    pub cost_micros: Option<Micros>,
    /// Of what.
    pub cost_currency: Option<Currency>,
}

impl Attempt {
    /// What the carrier charges for it, to be posted once it has taken the message `row`.
    pub fn cost(&self, row: &Row) -> Option<Cost> {
        Some(Cost {
            owner: (row.org_id, row.mode),
            attempt_id: self.id,
            carrier: self.carrier.clone(),
            amount: self.cost_micros?,
            currency: self.cost_currency?,
            channel: self.channel,
            country: row.country,
            parts: if self.channel == Channel::Sms { row.segments } else { 1 },
        })
    }
}

/// A step of a message's timeline.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = message_events)]
pub struct Event {
    /// Its id; sorts by time.
    pub id: EventId,
    /// The message.
    pub message_id: MessageId,
    /// What happened, e.g. `message.sent`.
    pub kind: String,
    /// JSON of what is worth knowing besides.
    pub detail: String,
    /// When.
    pub at: Millis,
}

/// What changes of a message in one move.
#[derive(Clone)]
pub struct Move {
    /// Where it is now.
    pub status: Status,
    /// What became of its price.
    pub hold: Hold,
    /// When to act next.
    pub next_at: Option<Millis>,
    /// Hand-offs begun.
    pub attempts: i32,
    /// Why it failed.
    pub error_code: Option<String>,
    /// The carrier of the latest hand-off.
    pub carrier: Option<String>,
    /// Members kept beside.
    pub extra: String,
    /// What it says, or nothing more.
    pub content: Option<Vec<u8>>,
    /// When.
    pub updated_at: Millis,
}

impl Move {
    /// `row` as it is; change what moves.
    pub fn of(row: &Row, now: Millis) -> Move {
        Move {
            status: row.status,
            hold: row.hold,
            next_at: row.next_at,
            attempts: row.attempts,
            error_code: row.error_code.clone(),
            carrier: row.carrier.clone(),
            extra: row.extra.clone(),
            content: row.content.clone(),
            updated_at: now,
        }
    }
}

/// Moves messages that still stand where their rows say; which of them did. PostgreSQL gets one statement.
pub fn apply(conn: &mut Conn, moves: &[(&Row, &Move)]) -> Result<Vec<bool>> {
    match conn {
        Conn::Sqlite(c) => moves.iter().map(|(row, to)| Ok(apply_one(c, row, to)? == 1)).collect(),
        Conn::Pg(_) if moves.is_empty() => Ok(Vec::new()),
        Conn::Pg(c) => {
            let moved = apply_all(c, moves)?;
            Ok(moves.iter().map(|(row, _)| moved.contains(&row.id)).collect())
        }
    }
}

const APPLY_ONE: &str = "UPDATE messages SET status = ?, hold = ?, next_at = ?, attempts = ?, error_code = ?, \
    carrier = ?, extra = ?, content = ?, updated_at = ? WHERE id = ? AND status = ? AND attempts = ?";

fn apply_one(conn: &mut SqliteConnection, row: &Row, to: &Move) -> diesel::QueryResult<usize> {
    fixed(APPLY_ONE)
        .bind::<Text, _>(to.status)
        .bind::<Text, _>(to.hold)
        .bind::<Nullable<BigInt>, _>(to.next_at)
        .bind::<Integer, _>(to.attempts)
        .bind::<Nullable<Text>, _>(to.error_code.as_deref())
        .bind::<Nullable<Text>, _>(to.carrier.as_deref())
        .bind::<Text, _>(to.extra.as_str())
        .bind::<Nullable<Binary>, _>(to.content.as_deref())
        .bind::<BigInt, _>(to.updated_at)
        .bind::<Text, _>(row.id)
        .bind::<Text, _>(row.status)
        .bind::<Integer, _>(row.attempts)
        .execute(conn)
}

const APPLY_ALL: &str = "UPDATE messages AS m SET status = n.status, hold = n.hold, next_at = n.next_at, \
    attempts = n.attempts, error_code = n.error_code, carrier = n.carrier, extra = n.extra, content = n.content, \
    updated_at = n.updated_at FROM unnest(?::text[], ?::text[], ?::integer[], ?::text[], ?::text[], ?::bigint[], \
    ?::integer[], ?::text[], ?::text[], ?::text[], ?::bytea[], ?::bigint[]) AS n (id, was, tries, status, hold, \
    next_at, attempts, error_code, carrier, extra, content, updated_at) \
    WHERE m.id = n.id AND m.status = n.was AND m.attempts = n.tries RETURNING m.id";

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = Text)]
    id: MessageId,
}

fn apply_all(conn: &mut diesel::PgConnection, moves: &[(&Row, &Move)]) -> Result<HashSet<MessageId>> {
    fn each<'a, T>(moves: &'a [(&'a Row, &'a Move)], of: impl Fn(&'a Row, &'a Move) -> T) -> Vec<T> {
        moves.iter().map(|(row, to)| of(row, to)).collect()
    }
    let moved: Vec<Moved> = fixed(APPLY_ALL)
        .bind::<Array<Text>, _>(each(moves, |row, _| row.id))
        .bind::<Array<Text>, _>(each(moves, |row, _| row.status))
        .bind::<Array<Integer>, _>(each(moves, |row, _| row.attempts))
        .bind::<Array<Text>, _>(each(moves, |_, to| to.status))
        .bind::<Array<Text>, _>(each(moves, |_, to| to.hold))
        .bind::<Array<Nullable<BigInt>>, _>(each(moves, |_, to| to.next_at))
        .bind::<Array<Integer>, _>(each(moves, |_, to| to.attempts))
        .bind::<Array<Nullable<Text>>, _>(each(moves, |_, to| to.error_code.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(each(moves, |_, to| to.carrier.as_deref()))
        .bind::<Array<Text>, _>(each(moves, |_, to| to.extra.as_str()))
        .bind::<Array<Nullable<Binary>>, _>(each(moves, |_, to| to.content.as_deref()))
        .bind::<Array<BigInt>, _>(each(moves, |_, to| to.updated_at))
        .get_results(conn)?;
    Ok(moved.into_iter().map(|row| row.id).collect())
}

/// Stores hand-offs that begin.
pub fn insert_attempts(conn: &mut Conn, begun: &[&Attempt]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for attempt in begun {
                diesel::insert_into(attempts::table).values(*attempt).execute(c)?;
            }
        }
        Conn::Pg(_) if begun.is_empty() => {}
        Conn::Pg(c) => {
            crate::insert_many!(c, "attempts", begun, attempt => {
                id: Text = Some(attempt.id),
                message_id: Text = Some(attempt.message_id),
                number: Integer = Some(attempt.number),
                channel: Text = Some(attempt.channel),
                carrier: Text = Some(attempt.carrier.as_str()),
                state: Text = Some(attempt.state),
                provider_id: Text = attempt.provider_id.as_deref(),
                error_code: Text = attempt.error_code.as_deref(),
                detail: Text = attempt.detail.as_deref(),
                started_at: BigInt = Some(attempt.started_at),
                finished_at: BigInt = attempt.finished_at,
                route_id: Text = attempt.route_id,
                cost_micros: BigInt = attempt.cost_micros,
                cost_currency: Text = attempt.cost_currency,
            })?;
        }
    }
    Ok(())
}

const FINISH_ONE: &str = "UPDATE attempts SET state = ?, provider_id = ?, error_code = ?, detail = ?, finished_at = ? \
    WHERE id = ?";

const FINISH_ALL: &str = "UPDATE attempts AS a SET state = n.state, provider_id = n.provider_id, \
    error_code = n.error_code, detail = n.detail, finished_at = n.finished_at \
    FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[]) \
    AS n (id, state, provider_id, error_code, detail, finished_at) WHERE a.id = n.id";

/// Writes how hand-offs ended.
pub fn finish_attempts(conn: &mut Conn, ended: &[&Attempt]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for attempt in ended {
                fixed(FINISH_ONE)
                    .bind::<Text, _>(attempt.state)
                    .bind::<Nullable<Text>, _>(attempt.provider_id.as_deref())
                    .bind::<Nullable<Text>, _>(attempt.error_code.as_deref())
                    .bind::<Nullable<Text>, _>(attempt.detail.as_deref())
                    .bind::<Nullable<BigInt>, _>(attempt.finished_at)
                    .bind::<Text, _>(attempt.id)
                    .execute(c)?;
            }
        }
        Conn::Pg(_) if ended.is_empty() => {}
        Conn::Pg(c) => {
            fixed(FINISH_ALL)
                .bind::<Array<Text>, _>(ended.iter().map(|a| a.id).collect::<Vec<_>>())
                .bind::<Array<Text>, _>(ended.iter().map(|a| a.state).collect::<Vec<_>>())
                .bind::<Array<Nullable<Text>>, _>(ended.iter().map(|a| a.provider_id.as_deref()).collect::<Vec<_>>())
                .bind::<Array<Nullable<Text>>, _>(ended.iter().map(|a| a.error_code.as_deref()).collect::<Vec<_>>())
                .bind::<Array<Nullable<Text>>, _>(ended.iter().map(|a| a.detail.as_deref()).collect::<Vec<_>>())
                .bind::<Array<Nullable<BigInt>>, _>(ended.iter().map(|a| a.finished_at).collect::<Vec<_>>())
                .execute(c)?;
        }
    }
    Ok(())
}

/// A message's hand-offs, first to last.
pub fn attempts_of(conn: &mut Conn, id: MessageId) -> Result<Vec<Attempt>> {
    Ok(attempts::table
        .filter(attempts::message_id.eq(id))
        .order(attempts::number.asc())
        .select(Attempt::as_select())
        .load(conn)?)
}

/// The hand-off that a carrier's id belongs to.
pub fn find_attempt(conn: &mut Conn, carrier: &str, provider_id: &str) -> Result<Option<Attempt>> {
    Ok(attempts::table
        .filter(attempts::carrier.eq(carrier))
        .filter(attempts::provider_id.eq(provider_id))
        .select(Attempt::as_select())
        .first(conn)
        .optional()?)
}

/// The latest hand-offs that one of these ids of a carrier belongs to, newest first: a carrier that counts may come to an
/// id a second time.
pub fn find_attempts(conn: &mut Conn, carrier: &str, ids: &[&str]) -> Result<Vec<Attempt>> {
    // Put in order here: an order by id may lead PostgreSQL away from the index of the carrier's ids.
    let mut found: Vec<Attempt> = attempts::table
        .filter(attempts::carrier.eq(carrier))
        .filter(attempts::provider_id.eq_any(ids.to_vec()))
        .select(Attempt::as_select())
        .load(conn)?;
    found.sort_by_key(|attempt| std::cmp::Reverse(attempt.id));
    Ok(found)
}

/// The hand-off that our own reference names.
pub fn find_attempt_by_id(conn: &mut Conn, carrier: &str, id: AttemptId) -> Result<Option<Attempt>> {
    Ok(attempts::table
        .find(id)
        .filter(attempts::carrier.eq(carrier))
        .select(Attempt::as_select())
        .first(conn)
        .optional()?)
}

/// Adds steps to timelines.
pub fn insert_events(conn: &mut Conn, events: &[Event]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for event in events {
                diesel::insert_into(message_events::table).values(event).execute(c)?;
            }
        }
        Conn::Pg(_) if events.is_empty() => {}
        Conn::Pg(c) => {
            crate::insert_many!(c, "message_events", events, event => {
                id: Text = Some(event.id),
                message_id: Text = Some(event.message_id),
                kind: Text = Some(event.kind.as_str()),
                detail: Text = Some(event.detail.as_str()),
                at: BigInt = Some(event.at),
            })?;
        }
    }
    Ok(())
}
