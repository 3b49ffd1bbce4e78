//! Table `operator_sessions`.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::operator_sessions::{self, dsl};
use crate::error::Result;
use crate::ids::{OperatorId, SessionId};

/// A session.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = operator_sessions, treat_none_as_default_value = false)]
pub(in crate::signin) struct Row {
    pub id: SessionId,
    pub operator_id: OperatorId,
    pub hash: Vec<u8>,
    pub created_at: Millis,
    pub seen_at: Millis,
    pub proved_at: Millis,
    pub address: String,
    pub agent: String,
}

/// Adds a session.
pub(in crate::signin) fn insert(conn: &mut Conn, row: Row) -> Result<()> {
    diesel::insert_into(dsl::operator_sessions).values(row).execute(conn)?;
    Ok(())
}

/// The session of a cookie, by the hash of its token.
pub(in crate::signin) fn find_by_hash(conn: &mut Conn, hash: &[u8]) -> Result<Option<Row>> {
    Ok(dsl::operator_sessions.filter(dsl::hash.eq(hash)).select(Row::as_select()).first(conn).optional()?)
}

/// The session `id`.
pub(in crate::signin) fn find(conn: &mut Conn, id: SessionId) -> Result<Option<Row>> {
    Ok(dsl::operator_sessions.filter(dsl::id.eq(id)).select(Row::as_select()).first(conn).optional()?)
}

/// Sessions newer than `created` and seen after `seen`, newest first; of one operator where one is named.
pub(in crate::signin) fn list(
    conn: &mut Conn,
    of: Option<OperatorId>,
    (created, seen): (Millis, Millis),
    (before, limit): (Option<SessionId>, i64),
) -> Result<Vec<Row>> {
    let alive = dsl::created_at.gt(created).and(dsl::seen_at.gt(seen));
    let mut query =
        dsl::operator_sessions.filter(alive).select(Row::as_select()).order(dsl::id.desc()).limit(limit).into_boxed();
    if let Some(operator) = of {
        query = query.filter(dsl::operator_id.eq(operator));
    }
    if let Some(id) = before {
        query = query.filter(dsl::id.lt(id));
    }
    Ok(query.load(conn)?)
}

/// Writes when a session was last seen; nothing where it has ended.
pub(in crate::signin) fn touch(conn: &mut Conn, id: SessionId, now: Millis) -> Result<()> {
    diesel::update(dsl::operator_sessions.filter(dsl::id.eq(id).and(dsl::seen_at.lt(now))))
        .set(dsl::seen_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Gives a session another token, its operator having just proved who they are; false where it has ended.
pub(in crate::signin) fn renew(conn: &mut Conn, id: SessionId, hash: &[u8], now: Millis) -> Result<bool> {
    let count = diesel::update(dsl::operator_sessions.filter(dsl::id.eq(id)))
        .set((dsl::hash.eq(hash), dsl::proved_at.eq(now), dsl::seen_at.eq(now)))
        .execute(conn)?;
    Ok(count == 1)
}

/// Ends a session; false where it has ended.
pub(in crate::signin) fn remove(conn: &mut Conn, id: SessionId) -> Result<bool> {
    Ok(diesel::delete(dsl::operator_sessions.filter(dsl::id.eq(id))).execute(conn)? == 1)
}

/// Ends every session of an operator but `kept`; how many.
pub(in crate::signin) fn remove_all(conn: &mut Conn, operator: OperatorId, kept: Option<SessionId>) -> Result<usize> {
    let theirs = dsl::operator_id.eq(operator);
    Ok(match kept {
        Some(kept) => diesel::delete(dsl::operator_sessions.filter(theirs.and(dsl::id.ne(kept)))).execute(conn)?,
        None => diesel::delete(dsl::operator_sessions.filter(theirs)).execute(conn)?,
    })
}

/// When an operator was last seen at the console, while any of their sessions is kept.
pub(in crate::signin) fn last_seen(conn: &mut Conn, operator: OperatorId) -> Result<Option<Millis>> {
    let newest = dsl::operator_sessions.filter(dsl::operator_id.eq(operator)).order(dsl::seen_at.desc());
    Ok(newest.select(dsl::seen_at).first(conn).optional()?)
}

/// Drops up to `limit` sessions that began before `created`; how many went.
pub(in crate::signin) fn purge(conn: &mut Conn, created: Millis, limit: i64) -> Result<usize> {
    let first = SessionId::first_at(created);
    let old: Vec<SessionId> =
        dsl::operator_sessions.filter(dsl::id.lt(first)).select(dsl::id).limit(limit).load(conn)?;
    Ok(diesel::delete(dsl::operator_sessions.filter(dsl::id.eq_any(old))).execute(conn)?)
}
