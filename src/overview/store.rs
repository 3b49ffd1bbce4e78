//! All SQL of the overview: counts over stretches of time-sorted ids. Read only.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::{attempts, messages};
use crate::error::Result;
use crate::ids::{AttemptId, DecisionId, EntryId, MessageId, OrgId, VerificationId};
use crate::messages::Status;
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::Mode;

/// Messages of one minute, country and status.
#[derive(Debug, QueryableByName)]
pub struct Sent {
    /// Minutes since the epoch.
    #[diesel(sql_type = BigInt)]
    pub minute: i64,
    /// The country; none for mail.
    #[diesel(sql_type = Nullable<Text>)]
    pub country: Option<Country>,
    /// Where they are.
    #[diesel(sql_type = Text)]
    pub status: Status,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

const SENT: &str = "SELECT created_at / 60000 AS minute, country, status, count(*) AS count FROM messages \
    WHERE id >= ? AND id < ? AND mode = ? GROUP BY 1, 2, 3";

/// Messages accepted in `span`.
pub fn sent(conn: &mut Conn, span: (Millis, Millis), mode: Mode) -> Result<Vec<Sent>> {
    let statement = fixed(SENT)
        .bind::<Text, _>(MessageId::first_at(span.0))
        .bind::<Text, _>(MessageId::first_at(span.1))
        .bind::<Text, _>(mode);
    Ok(crate::both!(conn, c => statement.load(c))?)
}

/// Refusals of one minute.
#[derive(Debug, QueryableByName)]
pub struct Refused {
    /// Minutes since the epoch.
    #[diesel(sql_type = BigInt)]
    pub minute: i64,
    /// All of them.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// Of these, by the fraud guard.
    #[diesel(sql_type = BigInt)]
    pub fraud: i64,
}

const REFUSED: &str = "SELECT created_at / 60000 AS minute, count(*) AS count, \
    sum(CASE WHEN code LIKE 'fraud.%' THEN 1 ELSE 0 END) AS fraud FROM decisions \
    WHERE id >= ? AND id < ? AND mode = ? GROUP BY 1";

/// Sends refused in `span`, by the fraud guard, a limit or the wallet.
pub fn refused(conn: &mut Conn, span: (Millis, Millis), mode: Mode) -> Result<Vec<Refused>> {
    let statement = fixed(REFUSED)
        .bind::<Text, _>(DecisionId::first_at(span.0))
        .bind::<Text, _>(DecisionId::first_at(span.1))
        .bind::<Text, _>(mode);
    Ok(crate::both!(conn, c => statement.load(c))?)
}

/// Verifications of one minute and country.
#[derive(Debug, QueryableByName)]
pub struct Verified {
    /// Minutes since the epoch.
    #[diesel(sql_type = BigInt)]
    pub minute: i64,
    /// The country; none for mail.
    #[diesel(sql_type = Nullable<Text>)]
    pub country: Option<Country>,
    /// Begun.
    #[diesel(sql_type = BigInt)]
    pub begun: i64,
    /// Of these, the code was entered.
    #[diesel(sql_type = BigInt)]
    pub verified: i64,
}

const VERIFIED: &str = "SELECT created_at / 60000 AS minute, country, count(*) AS begun, \
    sum(CASE WHEN status = 'approved' THEN 1 ELSE 0 END) AS verified FROM verifications \
    WHERE id >= ? AND id < ? AND mode = ? GROUP BY 1, 2";

/// Verifications begun in `span`.
pub fn verified(conn: &mut Conn, span: (Millis, Millis), mode: Mode) -> Result<Vec<Verified>> {
    let statement = fixed(VERIFIED)
        .bind::<Text, _>(VerificationId::first_at(span.0))
        .bind::<Text, _>(VerificationId::first_at(span.1))
        .bind::<Text, _>(mode);
    Ok(crate::both!(conn, c => statement.load(c))?)
}

/// A hand-off.
#[derive(Debug, Clone, Queryable)]
pub struct HandOff {
    /// The carrier.
    pub carrier: String,
    /// `accepted`, `refused`, `unknown`, or still under way.
    pub state: String,
    /// When it ended.
    pub finished_at: Option<Millis>,
    /// When its message was accepted.
    pub accepted_at: Millis,
    /// When its message was to go, where that was later.
    pub scheduled_for: Option<Millis>,
    /// Which try of its message.
    pub number: i32,
}

/// Up to `limit` hand-offs since `since`, the newest first.
pub fn hand_offs(conn: &mut Conn, since: Millis, mode: Mode, limit: i64) -> Result<Vec<HandOff>> {
    Ok(attempts::table
        .inner_join(messages::table.on(messages::id.eq(attempts::message_id)))
        .filter(attempts::id.ge(AttemptId::first_at(since)))
        .filter(messages::mode.eq(mode))
        .order(attempts::id.desc())
        .limit(limit)
        .select((
            attempts::carrier,
            attempts::state,
            attempts::finished_at,
            messages::created_at,
            messages::scheduled_for,
            attempts::number,
        ))
        .load(conn)?)
}

/// What is due and waits.
#[derive(Debug, QueryableByName)]
pub struct Queue {
    /// How many, at most the limit.
    #[diesel(sql_type = BigInt)]
    pub waiting: i64,
    /// Since when the first of them is due.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub oldest: Option<Millis>,
}

/// Along the index of what is due, which holds nothing else.
const QUEUE: &str = "SELECT count(*) AS waiting, min(next_at) AS oldest FROM (SELECT next_at FROM messages \
    WHERE next_at IS NOT NULL AND next_at <= ? LIMIT ?) AS due";

/// What is due at `now` and waits; counted up to `limit`.
pub fn queue(conn: &mut Conn, now: Millis, limit: i64) -> Result<Queue> {
    let statement = fixed(QUEUE).bind::<BigInt, _>(now).bind::<BigInt, _>(limit);
    let rows: Vec<Queue> = crate::both!(conn, c => statement.load(c))?;
    Ok(rows.into_iter().next().unwrap_or(Queue { waiting: 0, oldest: None }))
}

/// What was charged in one currency.
#[derive(Debug, QueryableByName)]
pub struct Charged {
    /// The currency.
    #[diesel(sql_type = Text)]
    pub currency: Currency,
    /// How much, positive.
    #[diesel(sql_type = BigInt)]
    pub micros: Micros,
}

/// `CAST`, since PostgreSQL's sum of bigints is numeric.
const CHARGED: &str = "SELECT currency, CAST(-sum(amount_micros) AS BIGINT) AS micros FROM wallet_entries \
    WHERE id >= ? AND id < ? AND mode = ? AND kind = 'settle' GROUP BY 1";

/// What customers were charged in `span`.
pub fn charged(conn: &mut Conn, span: (Millis, Millis), mode: Mode) -> Result<Vec<Charged>> {
    let statement = fixed(CHARGED)
        .bind::<Text, _>(EntryId::first_at(span.0))
        .bind::<Text, _>(EntryId::first_at(span.1))
        .bind::<Text, _>(mode);
    Ok(crate::both!(conn, c => statement.load(c))?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

const HELD: &str = "SELECT count(*) AS count FROM decisions WHERE org_id = ? AND mode = ? AND id >= ? AND terms LIKE ?";

/// An organization's refusals since `since` that name the group `group`.
pub fn refused_for(conn: &mut Conn, (org, mode): (OrgId, Mode), since: Millis, group: &str) -> Result<i64> {
    let pattern = format!("%\"{group}\"%");
    let statement = fixed(HELD)
        .bind::<Text, _>(org)
        .bind::<Text, _>(mode)
        .bind::<Text, _>(DecisionId::first_at(since))
        .bind::<Text, _>(pattern);
    let rows: Vec<Count> = crate::both!(conn, c => statement.load(c))?;
    Ok(rows.first().map_or(0, |row| row.count))
}
