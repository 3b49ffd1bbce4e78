//! What is over: first what contacts were to be told, later contacts and broadcasts.

use diesel::prelude::*;

use crate::broadcasts::state::Status;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{broadcast_contacts as dsl, broadcasts};
use crate::error::Result;
use crate::ids::BroadcastId;

/// When the turn of contacts comes whose broadcast was called off, once they have nothing of their own any more.
const NEVER: Millis = Millis(i64::MAX);

/// Purges what a broadcast that ended before `before` told its contacts: up to `limit` of those that still waited when it
/// was called off lose what was their own, then it loses its text. The rows stay. How many rows changed.
pub fn purge_broadcast_texts(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let nothing: Vec<u8> = Vec::new();
    let old: Option<BroadcastId> = broadcasts::table
        .filter(broadcasts::ended_at.lt(before))
        .filter(broadcasts::said.ne(&nothing))
        .order(broadcasts::id.asc())
        .select(broadcasts::id)
        .first(conn)
        .optional()?;
    let Some(id) = old else { return Ok(0) };
    // The others lost theirs when they were settled. Whoever is done leaves this stretch of the index.
    let rows: Vec<i32> = dsl::table
        .filter(dsl::broadcast_id.eq(id))
        .filter(dsl::due_at.lt(NEVER))
        .order((dsl::due_at.asc(), dsl::row_no.asc()))
        .select(dsl::row_no)
        .limit(limit)
        .load(conn)?;
    if rows.is_empty() {
        return Ok(diesel::update(broadcasts::table.find(id)).set(broadcasts::said.eq(nothing)).execute(conn)?);
    }
    let none: Option<Vec<u8>> = None;
    for row in &rows {
        diesel::update(dsl::table.find((id, *row))).set((dsl::own.eq(&none), dsl::due_at.eq(NEVER))).execute(conn)?;
    }
    Ok(rows.len())
}

/// Drops up to `limit` contacts of broadcasts that ended, or drafts that nobody touched, before `before`; then the
/// broadcasts that have none left. How many rows went.
pub fn purge_broadcasts(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let ended = broadcasts::ended_at.lt(before);
    let left_alone = broadcasts::status.eq(Status::Draft).and(broadcasts::updated_at.lt(before));
    let old: Vec<BroadcastId> = broadcasts::table
        .filter(ended.assume_not_null().or(left_alone))
        .order(broadcasts::id.asc())
        .select(broadcasts::id)
        .limit(1)
        .load(conn)?;
    let mut gone = 0;
    for id in old {
        let rows: Vec<i32> = dsl::table
            .filter(dsl::broadcast_id.eq(id))
            .order(dsl::row_no.asc())
            .select(dsl::row_no)
            .limit(limit)
            .load(conn)?;
        if let Some(last) = rows.last() {
            let first = dsl::table.filter(dsl::broadcast_id.eq(id)).filter(dsl::row_no.le(*last));
            gone += crate::both!(conn, c => diesel::delete(first).execute(c))?;
        } else {
            gone += diesel::delete(broadcasts::table.find(id)).execute(conn)?;
        }
    }
    Ok(gone)
}
