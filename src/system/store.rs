//! The SQL of the table of backups.

use diesel::prelude::*;

use super::backups::{Backup, BackupStatus};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::backups;
use crate::error::Result;
use crate::ids::BackupId;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = backups, treat_none_as_default_value = false)]
struct Row {
    id: BackupId,
    file: String,
    status: BackupStatus,
    author: String,
    bytes: Option<i64>,
    head: Option<String>,
    fault: Option<String>,
    created_at: Millis,
    ended_at: Option<Millis>,
}

/// Writes a backup down.
pub(super) fn insert(conn: &mut Conn, backup: &Backup) -> Result<()> {
    let Backup { id, file, status, author, bytes, head, fault, created_at, ended_at } = backup.clone();
    let row = Row { id, file, status, author, bytes, head, fault, created_at, ended_at };
    diesel::insert_into(backups::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes down how it ended.
pub(super) fn finish(conn: &mut Conn, ended: &Backup) -> Result<()> {
    diesel::update(backups::table.find(ended.id))
        .set((
            backups::status.eq(ended.status),
            backups::bytes.eq(ended.bytes),
            backups::head.eq(&ended.head),
            backups::fault.eq(&ended.fault),
            backups::ended_at.eq(ended.ended_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// The backup of this id.
pub(super) fn find(conn: &mut Conn, id: BackupId) -> Result<Option<Backup>> {
    let found: Option<Row> = backups::table.find(id).select(Row::as_select()).first(conn).optional()?;
    Ok(found.map(Backup::from))
}

/// The newest that was made.
pub(super) fn last_made(conn: &mut Conn) -> Result<Option<Backup>> {
    let made = backups::table.filter(backups::status.eq(BackupStatus::Made)).order(backups::id.desc());
    let found: Option<Row> = made.select(Row::as_select()).first(conn).optional()?;
    Ok(found.map(Backup::from))
}

/// Lists backups, newest first, from behind `before`.
pub fn list_backups(conn: &mut Conn, before: Option<BackupId>, limit: i64) -> Result<Vec<Backup>> {
    let mut query = backups::table.select(Row::as_select()).order(backups::id.desc()).limit(limit).into_boxed();
    if let Some(before) = before {
        query = query.filter(backups::id.lt(before));
    }
    let rows: Vec<Row> = query.load(conn)?;
    Ok(rows.into_iter().map(Backup::from).collect())
}

impl From<Row> for Backup {
    fn from(row: Row) -> Backup {
        let Row { id, file, status, author, bytes, head, fault, created_at, ended_at } = row;
        Backup { id, file, status, author, bytes, head, fault, created_at, ended_at }
    }
}
