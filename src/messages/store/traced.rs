//! What a request left behind, for those who follow it.

use diesel::prelude::*;

use super::Row;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{decisions, messages};
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
