//! The statements of dispatch: claim under a lease, write what became of a hand-off, apply receipts.

use diesel::dsl::{exists, select};
use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{attempts, message_events, messages, receipts};
use crate::error::Result;
use crate::ids::{AttemptId, EventId, MessageId, OrgId};
use crate::messages::state::{Hold, Status};
use crate::messages::store::Row;
use crate::terms::Channel;

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

/// Where a round over the organizations begins, and how many it looks for.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// The one that was served last; the round begins after it and ends with it.
    pub after: Option<OrgId>,
    /// How many at most.
    pub limit: usize,
}

/// Organizations that have something due in `lane`, found by hopping along the index from one to the next: the cost
/// grows with their number, not with the backlog.
pub fn orgs_due(conn: &mut Conn, lane: i16, now: Millis, turn: Turn) -> Result<Vec<OrgId>> {
    let mut found: Vec<OrgId> = Vec::new();
    let mut last = turn.after;
    let mut wrapped = turn.after.is_none();
    while found.len() < turn.limit {
        let next = org_after(conn, lane, last)?.filter(|org| !wrapped || turn.after.is_none_or(|end| *org <= end));
        let Some(org) = next else {
            if wrapped {
                break;
            }
            (wrapped, last) = (true, None);
            continue;
        };
        let due = messages::table
            .filter(messages::lane.eq(lane))
            .filter(messages::org_id.eq(org))
            .filter(messages::next_at.le(now));
        if select(exists(due)).get_result::<bool>(conn)? {
            found.push(org);
        }
        last = Some(org);
    }
    Ok(found)
}

/// The first organization behind `last` that has anything waiting in `lane`.
fn org_after(conn: &mut Conn, lane: i16, last: Option<OrgId>) -> Result<Option<OrgId>> {
    let mut query = messages::table
        .filter(messages::lane.eq(lane))
        .filter(messages::next_at.is_not_null())
        .select(messages::org_id)
        .order(messages::org_id.asc())
        .limit(1)
        .into_boxed();
    if let Some(last) = last {
        query = query.filter(messages::org_id.gt(last));
    }
    Ok(query.first::<OrgId>(conn).optional()?)
}

/// Which of the due come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest code is the one somebody waits for.
    NewestFirst,
    /// Bulk goes as it came.
    OldestFirst,
}

/// Messages of `org` in `lane` that are due, up to `limit`. On PostgreSQL rows that another node holds are passed over.
pub fn due(conn: &mut Conn, lane: i16, org: OrgId, order: Order, now: Millis, limit: i64) -> Result<Vec<Row>> {
    let base = || {
        messages::table
            .filter(messages::lane.eq(lane))
            .filter(messages::org_id.eq(org))
            .filter(messages::next_at.le(now))
            .limit(limit)
    };
    Ok(match (conn, order) {
        (Conn::Pg(c), Order::NewestFirst) => {
            base().order(messages::next_at.desc()).select(Row::as_select()).for_update().skip_locked().load(c)?
        }
        (Conn::Pg(c), Order::OldestFirst) => {
            base().order(messages::next_at.asc()).select(Row::as_select()).for_update().skip_locked().load(c)?
        }
        (Conn::Sqlite(c), Order::NewestFirst) => {
            base().order(messages::next_at.desc()).select(Row::as_select()).load(c)?
        }
        (Conn::Sqlite(c), Order::OldestFirst) => {
            base().order(messages::next_at.asc()).select(Row::as_select()).load(c)?
        }
    })
}

/// The moment of the earliest message that waits, for the dispatcher's sleep.
pub fn next_due(conn: &mut Conn) -> Result<Option<Millis>> {
    Ok(messages::table
        .filter(messages::next_at.is_not_null())
        .select(diesel::dsl::min(messages::next_at))
        .first::<Option<Millis>>(conn)?)
}

/// What changes of a message in one move.
#[derive(AsChangeset)]
#[diesel(table_name = messages)]
pub struct Move {
    /// Where it is now.
    pub status: Status,
    /// What became of its price.
    pub hold: Hold,
    /// When to act next.
    #[diesel(treat_none_as_null = true)]
    pub next_at: Option<Millis>,
    /// Hand-offs begun.
    pub attempts: i32,
    /// Why it failed.
    #[diesel(treat_none_as_null = true)]
    pub error_code: Option<String>,
    /// The carrier of the latest hand-off.
    #[diesel(treat_none_as_null = true)]
    pub carrier: Option<String>,
    /// Members kept beside.
    pub extra: String,
    /// What it says, or nothing more.
    #[diesel(treat_none_as_null = true)]
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

/// Moves a message that still stands where `row` says; `false` where somebody moved it first.
pub fn apply(conn: &mut Conn, row: &Row, to: &Move) -> Result<bool> {
    let still = messages::table
        .find(row.id)
        .filter(messages::status.eq(row.status))
        .filter(messages::attempts.eq(row.attempts));
    Ok(crate::both!(conn, c => diesel::update(still).set(to).execute(c))? == 1)
}

/// Stores a hand-off that begins.
pub fn insert_attempt(conn: &mut Conn, attempt: &Attempt) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(attempts::table).values(attempt).execute(c))?;
    Ok(())
}

/// Writes how a hand-off ended.
pub fn finish_attempt(conn: &mut Conn, attempt: &Attempt) -> Result<()> {
    diesel::update(attempts::table.find(attempt.id))
        .set((
            attempts::state.eq(attempt.state),
            attempts::provider_id.eq(attempt.provider_id.as_deref()),
            attempts::error_code.eq(attempt.error_code.as_deref()),
            attempts::detail.eq(attempt.detail.as_deref()),
            attempts::finished_at.eq(attempt.finished_at),
        ))
        .execute(conn)?;
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

/// The hand-off that our own reference names.
pub fn find_attempt_by_id(conn: &mut Conn, carrier: &str, id: AttemptId) -> Result<Option<Attempt>> {
    Ok(attempts::table
        .find(id)
        .filter(attempts::carrier.eq(carrier))
        .select(Attempt::as_select())
        .first(conn)
        .optional()?)
}

/// Adds a step to a timeline.
pub fn insert_event(conn: &mut Conn, event: &Event) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(message_events::table).values(event).execute(c))?;
    Ok(())
}

/// A receipt as it came: stored before it is believed to have come.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = receipts, treat_none_as_default_value = false)]
pub struct ReceiptRow {
    /// From this carrier.
    pub carrier: String,
    /// About this hand-off, by the carrier's id.
    pub provider_id: String,
    /// The carrier's word.
    pub status: String,
    /// The message, once it is known.
    pub message_id: Option<MessageId>,
    /// The carrier's error code.
    pub error_code: Option<String>,
    /// When.
    pub received_at: Millis,
}

/// Makes the two who write about one hand-off of a carrier, its answer and its receipt, follow each other: without it
/// neither would see the other's row on PostgreSQL, and a receipt would stay parked. SQLite has one writer anyway.
pub fn hold_hand_off(conn: &mut Conn, carrier: &str, provider_id: &str) -> Result<()> {
    if let Conn::Pg(c) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))")
            .bind::<diesel::sql_types::Text, _>(carrier)
            .bind::<diesel::sql_types::Text, _>(provider_id)
            .execute(c)?;
    }
    Ok(())
}

/// Stores a receipt; `false` where it is a repeat.
pub fn insert_receipt(conn: &mut Conn, row: &ReceiptRow) -> Result<bool> {
    let stored = crate::both!(conn, c => diesel::insert_into(receipts::table)
        .values(row)
        .on_conflict((receipts::carrier, receipts::provider_id, receipts::status))
        .do_nothing()
        .execute(c))?;
    Ok(stored == 1)
}

/// Receipts about a hand-off that came before its id was known.
pub fn parked_receipts(conn: &mut Conn, carrier: &str, provider_id: &str) -> Result<Vec<ReceiptRow>> {
    Ok(receipts::table
        .filter(receipts::carrier.eq(carrier))
        .filter(receipts::provider_id.eq(provider_id))
        .filter(receipts::message_id.is_null())
        .select(ReceiptRow::as_select())
        .load(conn)?)
}

/// Notes whose receipts these were.
pub fn claim_receipts(conn: &mut Conn, carrier: &str, provider_id: &str, id: MessageId) -> Result<()> {
    diesel::update(receipts::table)
        .filter(receipts::carrier.eq(carrier))
        .filter(receipts::provider_id.eq(provider_id))
        .set(receipts::message_id.eq(id))
        .execute(conn)?;
    Ok(())
}
