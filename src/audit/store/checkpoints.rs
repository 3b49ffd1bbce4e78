//! The SQL of checkpoints.

use diesel::prelude::*;

use crate::audit::checkpoint::Checkpoint;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::audit_checkpoints;
use crate::error::Result;
use crate::ids::{CheckpointId, NodeId};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_checkpoints, treat_none_as_default_value = false)]
struct Row {
    id: CheckpointId,
    period: Option<Millis>,
    seq: i64,
    hash: String,
    at: Millis,
    node: NodeId,
    signer: String,
    signature: String,
}

/// Keeps a checkpoint, and answers whether it is kept: of one period there is only the first.
pub fn keep(conn: &mut Conn, checkpoint: &Checkpoint, period: Option<Millis>) -> Result<bool> {
    let Checkpoint { id, seq, hash, at, node, key, signature } = checkpoint.clone();
    let row = Row { id, period, seq, hash, at, node, signer: key, signature };
    let kept = crate::both!(conn, c => diesel::insert_into(audit_checkpoints::table)
        .values(row)
        .on_conflict(audit_checkpoints::period)
        .do_nothing()
        .execute(c))?;
    Ok(kept > 0)
}

/// Whether there is one of this period.
pub fn has_period(conn: &mut Conn, period: Millis) -> Result<bool> {
    let found: Option<i64> = audit_checkpoints::table
        .filter(audit_checkpoints::period.eq(period))
        .select(audit_checkpoints::seq)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Lists checkpoints, newest first, from behind `before`.
pub fn list(conn: &mut Conn, before: Option<CheckpointId>, limit: i64) -> Result<Vec<Checkpoint>> {
    let mut query =
        audit_checkpoints::table.select(Row::as_select()).order(audit_checkpoints::id.desc()).limit(limit).into_boxed();
    if let Some(before) = before {
        query = query.filter(audit_checkpoints::id.lt(before));
    }
    let rows: Vec<Row> = query.load(conn)?;
    Ok(rows.into_iter().map(Checkpoint::from).collect())
}

/// Every checkpoint: one an hour, so that a year has nine thousand.
pub fn all(conn: &mut Conn) -> Result<Vec<Checkpoint>> {
    let rows: Vec<Row> = audit_checkpoints::table.select(Row::as_select()).load(conn)?;
    Ok(rows.into_iter().map(Checkpoint::from).collect())
}

/// The first checkpoint that vouches for the row at `seq`.
pub fn covering(conn: &mut Conn, seq: i64) -> Result<Option<Checkpoint>> {
    let rows = audit_checkpoints::table.filter(audit_checkpoints::seq.ge(seq));
    let first = rows.order((audit_checkpoints::seq.asc(), audit_checkpoints::id.asc())).select(Row::as_select());
    let found: Option<Row> = first.first(conn).optional()?;
    Ok(found.map(Checkpoint::from))
}

/// The checkpoint that vouches for most rows.
pub fn latest(conn: &mut Conn) -> Result<Option<Checkpoint>> {
    let last = audit_checkpoints::table.order((audit_checkpoints::seq.desc(), audit_checkpoints::id.desc()));
    let found: Option<Row> = last.select(Row::as_select()).first(conn).optional()?;
    Ok(found.map(Checkpoint::from))
}

impl From<Row> for Checkpoint {
    fn from(row: Row) -> Checkpoint {
        let Row { id, period: _, seq, hash, at, node, signer, signature } = row;
        Checkpoint { id, seq, hash, at, node, key: signer, signature }
    }
}
