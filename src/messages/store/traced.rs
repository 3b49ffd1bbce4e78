//! What a request left behind, and what came of a message, for those who follow one.

use diesel::prelude::*;

use super::{Attempt, ReceiptRow, Row};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{decisions, messages, receipts};
use crate::error::Result;
use crate::ids::{DecisionId, MessageId};

/// The messages that the request `id` brought, accepted in a stretch of time (from, before), oldest first. It goes along
/// their ids, which sort by time: an index on the request would cost every accept.
pub fn messages_of_request(conn: &mut Conn, id: &str, (from, to): (Millis, Millis), limit: i64) -> Result<Vec<Row>> {
    Ok(messages::table
        .filter(messages::id.ge(MessageId::first_at(from)))
        .filter(messages::id.lt(MessageId::first_at(to)))
        .filter(messages::request_id.eq(id))
        .order(messages::id.asc())
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?)
}

/// The decisions that refused messages of the request `id`, made in a stretch of time (from, before), oldest first.
pub fn refusals_of_request(
    conn: &mut Conn,
    id: &str,
    (from, to): (Millis, Millis),
    limit: i64,
) -> Result<Vec<DecisionId>> {
    Ok(decisions::table
        .filter(decisions::id.ge(DecisionId::first_at(from)))
        .filter(decisions::id.lt(DecisionId::first_at(to)))
        .filter(decisions::request_id.eq(id))
        .order(decisions::id.asc())
        .limit(limit)
        .select(decisions::id)
        .load(conn)?)
}

/// What a carrier reported of a hand-off, in the order it came: along the primary key.
pub fn receipts_of(conn: &mut Conn, attempt: &Attempt) -> Result<Vec<ReceiptRow>> {
    let Some(provider_id) = &attempt.provider_id else { return Ok(Vec::new()) };
    Ok(receipts::table
        .filter(receipts::carrier.eq(&attempt.carrier))
        .filter(receipts::provider_id.eq(provider_id))
        .order(receipts::received_at.asc())
        .select(ReceiptRow::as_select())
        .load(conn)?)
}
