//! The statements of a claim: whose messages are due, which come first, when the next one is.

use diesel::dsl::{exists, select};
use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::messages;
use crate::error::Result;
use crate::ids::OrgId;
use crate::messages::store::Row;

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

/// The moment of the earliest message that waits, for the dispatcher's sleep: found by hopping from organization to
/// organization along the index, whatever the backlog.
pub fn next_due(conn: &mut Conn, lanes: &[i16]) -> Result<Option<Millis>> {
    let mut earliest: Option<Millis> = None;
    for lane in lanes {
        let mut last = None;
        while let Some(org) = org_after(conn, *lane, last)? {
            let first: Option<Option<Millis>> = messages::table
                .filter(messages::lane.eq(lane))
                .filter(messages::org_id.eq(org))
                .filter(messages::next_at.is_not_null())
                .order(messages::next_at.asc())
                .select(messages::next_at)
                .first(conn)
                .optional()?;
            earliest = earliest.into_iter().chain(first.flatten()).min();
            last = Some(org);
        }
    }
    Ok(earliest)
}
