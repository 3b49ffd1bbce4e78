//! The table of nodes.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::config::Role;
use crate::db::Conn;
use crate::db::schema::nodes;
use crate::error::Result;
use crate::ids::NodeId;

/// A process, as it last said.
#[derive(Insertable)]
#[diesel(table_name = nodes)]
struct Row {
    id: NodeId,
    role: Role,
    started_at: Millis,
    seen_at: Millis,
}

/// A process that shares the database, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Node)]
pub struct NodeView {
    /// Its id.
    pub id: NodeId,
    /// `all`, `api` (serves only) or `worker` (delivers only).
    #[schema(value_type = String, example = "all")]
    pub role: Role,
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Millis,
    /// When it last said that it lives; every two seconds.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Millis,
}

/// How many processes there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crowd {
    pub(super) serving: u32,
    pub(super) working: u32,
}

/// Makes those who want to be alone wait for each other until the end of the transaction.
pub(super) fn take_turns(conn: &mut Conn) -> Result<()> {
    // Any number that nothing else on the same database locks: "nodes" in ASCII. SQLite has one writer anyway.
    if let Conn::Pg(c) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(474182018419)").execute(c)?;
    }
    Ok(())
}

/// Another process that serves requests and was heard since `since`.
pub(super) fn other_that_serves(conn: &mut Conn, me: NodeId, since: Millis) -> Result<Option<NodeId>> {
    let others = nodes::table.filter(nodes::id.ne(me)).filter(nodes::seen_at.gt(since));
    Ok(others.filter(nodes::role.ne(Role::Worker)).select(nodes::id).first(conn).optional()?)
}

/// Writes that this process lives, forgets those long gone, and counts.
pub(super) fn beat(conn: &mut Conn, (id, role): (NodeId, Role), now: Millis) -> Result<Crowd> {
    let row = Row { id, role, started_at: now, seen_at: now };
    crate::both!(conn, c => diesel::insert_into(nodes::table)
        .values(&row)
        .on_conflict(nodes::id)
        .do_update()
        .set((nodes::role.eq(role), nodes::seen_at.eq(now)))
        .execute(c))?;
    diesel::delete(nodes::table.filter(nodes::seen_at.lt(now.minus(super::KEPT)))).execute(conn)?;
    let seen: Vec<Role> =
        nodes::table.filter(nodes::seen_at.gt(now.minus(super::COUNTED))).select(nodes::role).load(conn)?;
    let count = |without: Role| {
        let counted = seen.iter().filter(|role| **role != without).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    };
    Ok(Crowd { serving: count(Role::Worker), working: count(Role::Api) })
}

/// Every process that was seen lately, by age.
pub fn list(conn: &mut Conn) -> Result<Vec<NodeView>> {
    let rows = nodes::table.order(nodes::started_at.asc());
    let rows: Vec<(NodeId, Role, Millis, Millis)> =
        rows.select((nodes::id, nodes::role, nodes::started_at, nodes::seen_at)).load(conn)?;
    let view = |(id, role, started_at, seen_at)| NodeView { id, role, started_at, seen_at };
    Ok(rows.into_iter().map(view).collect())
}

/// Takes a process off.
pub(super) fn leave(conn: &mut Conn, id: NodeId) -> Result<()> {
    diesel::delete(nodes::table.find(id)).execute(conn)?;
    Ok(())
}
