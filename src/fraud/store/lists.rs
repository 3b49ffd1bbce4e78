//! Lists: what is let through or kept out by hand.

use diesel::prelude::*;

use super::LISTS;
use crate::clock::Millis;
use crate::db::schema::fraud_lists;
use crate::db::{Conn, count_change};
use crate::error::{Code, Error, Result};
use crate::fraud::lists::{ListAction, ListEntry, ListKind, ListOwner};
use crate::ids::{ListId, OrgId};
use crate::terms::Mode;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = fraud_lists, treat_none_as_default_value = false)]
struct Row {
    id: ListId,
    org_id: Option<OrgId>,
    mode: Option<Mode>,
    action: ListAction,
    kind: ListKind,
    value: String,
    reason: String,
    author: String,
    expires_at: Option<Millis>,
    created_at: Millis,
}

/// Every entry that has not ended by `now`.
pub fn all_entries(conn: &mut Conn, now: Millis) -> Result<Vec<ListEntry>> {
    let rows: Vec<Row> = fraud_lists::table
        .filter(fraud_lists::expires_at.is_null().or(fraud_lists::expires_at.gt(now)))
        .select(Row::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(entry).collect())
}

/// Entries of `owner` (none: the platform's), newest first, from before `before` on.
pub fn list_entries(conn: &mut Conn, owner: ListOwner, before: Option<ListId>, limit: i64) -> Result<Vec<ListEntry>> {
    let mut query = fraud_lists::table.order(fraud_lists::id.desc()).limit(limit).select(Row::as_select()).into_boxed();
    query = match owner {
        Some((org, mode)) => query.filter(fraud_lists::org_id.eq(org)).filter(fraud_lists::mode.eq(mode)),
        None => query.filter(fraud_lists::org_id.is_null()),
    };
    if let Some(before) = before {
        query = query.filter(fraud_lists::id.lt(before));
    }
    let rows: Vec<Row> = query.load(conn)?;
    Ok(rows.into_iter().map(entry).collect())
}

/// How many entries `owner` has.
pub fn count_entries(conn: &mut Conn, owner: ListOwner) -> Result<i64> {
    let count = fraud_lists::table.count();
    Ok(match owner {
        Some((org, mode)) => {
            count.filter(fraud_lists::org_id.eq(org)).filter(fraud_lists::mode.eq(mode)).get_result(conn)?
        }
        None => count.filter(fraud_lists::org_id.is_null()).get_result(conn)?,
    })
}

/// One entry of `owner`. Error: `not_found`.
pub fn load_entry(conn: &mut Conn, owner: ListOwner, id: ListId) -> Result<ListEntry> {
    let row: Option<Row> = fraud_lists::table.find(id).select(Row::as_select()).first(conn).optional()?;
    row.map(entry).filter(|entry| entry.owner == owner).ok_or_else(|| Error::new(Code::NotFound))
}

/// Adds an entry.
pub fn insert_entry(conn: &mut Conn, new: &ListEntry) -> Result<()> {
    let row = Row {
        id: new.id,
        org_id: new.owner.map(|(org, _)| org),
        mode: new.owner.map(|(_, mode)| mode),
        action: new.action,
        kind: new.kind,
        value: new.value.clone(),
        reason: new.reason.clone(),
        author: new.author.clone(),
        expires_at: new.expires_at,
        created_at: new.created_at,
    };
    crate::both!(conn, c => diesel::insert_into(fraud_lists::table).values(row).execute(c))?;
    count_change(conn, LISTS)
}

/// Removes an entry.
pub fn delete_entry(conn: &mut Conn, id: ListId) -> Result<()> {
    diesel::delete(fraud_lists::table.find(id)).execute(conn)?;
    count_change(conn, LISTS)
}

/// Counts a change of the lists that was made elsewhere: every process reads them anew.
pub fn lists_changed(conn: &mut Conn) -> Result<()> {
    count_change(conn, LISTS)
}

/// Drops up to `limit` entries that ended before `before`.
pub fn purge_entries(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<ListId> = fraud_lists::table
        .filter(fraud_lists::expires_at.lt(before))
        .select(fraud_lists::id)
        .limit(limit)
        .load(conn)?;
    for id in &old {
        diesel::delete(fraud_lists::table.find(*id)).execute(conn)?;
    }
    Ok(old.len())
}

fn entry(row: Row) -> ListEntry {
    ListEntry {
        id: row.id,
        owner: row.org_id.zip(row.mode),
        action: row.action,
        kind: row.kind,
        value: row.value,
        reason: row.reason,
        author: row.author,
        expires_at: row.expires_at,
        created_at: row.created_at,
    }
}
