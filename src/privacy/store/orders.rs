//! The orders, and what an erasure asks besides its walk.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::super::subject::Subject;
use super::super::view::ErasureStatus;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{activation_numbers, erasures, messages, senders, whatsapp_numbers, whatsapp_people};
use crate::error::Result;
use crate::ids::{ErasureId, MessageId};
use crate::messages::{Row as MessageRow, Status};

/// An erasure as it is stored.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = erasures, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Row {
    /// Its id.
    pub id: ErasureId,
    /// Where it is.
    pub status: ErasureStatus,
    /// The pseudonym.
    pub subject: String,
    /// The address, sealed, until it is done.
    pub address: Option<Vec<u8>>,
    /// Who asked for it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The request.
    pub request_id: Option<String>,
    /// JSON: rows by table.
    pub erased: String,
    /// JSON: rows that the last pass found.
    pub left_over: String,
    /// Why it waits.
    pub error: Option<String>,
    /// When the worker looks again.
    pub next_at: Option<Millis>,
    /// Ordered.
    pub created_at: Millis,
    /// First pass.
    pub started_at: Option<Millis>,
    /// Proved.
    pub finished_at: Option<Millis>,
}

/// Stores an order.
pub(in crate::privacy) fn insert(conn: &mut Conn, row: &Row) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(erasures::table).values(row).execute(c))?;
    Ok(())
}

/// Writes an erasure as it is now.
pub(in crate::privacy) fn save(conn: &mut Conn, row: &Row) -> Result<()> {
    crate::both!(conn, c => diesel::update(erasures::table.find(row.id)).set(row).execute(c))?;
    Ok(())
}

/// An erasure by its id.
pub fn find_erasure(conn: &mut Conn, id: ErasureId) -> Result<Option<Row>> {
    Ok(erasures::table.find(id).select(Row::as_select()).first(conn).optional()?)
}

/// Erasures, newest first, from before `before` on.
pub fn list_erasures(conn: &mut Conn, before: Option<ErasureId>, limit: i64) -> Result<Vec<Row>> {
    let mut query = erasures::table.order(erasures::id.desc()).limit(limit).select(Row::as_select()).into_boxed();
    if let Some(before) = before {
        query = query.filter(erasures::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// The erasure that is due first, if one is.
pub(in crate::privacy) fn due(conn: &mut Conn, now: Millis) -> Result<Option<Row>> {
    Ok(erasures::table
        .filter(erasures::next_at.le(now))
        .order(erasures::next_at.asc())
        .select(Row::as_select())
        .first(conn)
        .optional()?)
}

/// Takes an erasure until `lease`; `false` where another process was first.
pub(in crate::privacy) fn claim(conn: &mut Conn, row: &Row, lease: Millis) -> Result<bool> {
    let free = erasures::table.find(row.id).filter(erasures::next_at.eq(row.next_at));
    Ok(diesel::update(free).set(erasures::next_at.eq(Some(lease))).execute(conn)? == 1)
}

/// The user ids under which WhatsApp shows a number's owner.
pub(in crate::privacy) fn user_ids(conn: &mut Conn, phone: &str) -> Result<Vec<String>> {
    let found = whatsapp_people::table.filter(whatsapp_people::phone.eq(String::from(phone)));
    Ok(found.select(whatsapp_people::user_id).distinct().load(conn)?)
}

/// Whether an address is one that the platform itself sends from or receives at.
pub(in crate::privacy) fn is_own(conn: &mut Conn, address: &str) -> Result<bool> {
    let address = String::from(address);
    let sent: i64 = senders::table.filter(senders::address.eq(address.clone())).count().get_result(conn)?;
    let chat: i64 =
        whatsapp_numbers::table.filter(whatsapp_numbers::phone.eq(address.clone())).count().get_result(conn)?;
    let rented: i64 =
        activation_numbers::table.filter(activation_numbers::phone.eq(address)).count().get_result(conn)?;
    Ok(sent + chat + rented > 0)
}

/// Messages to an address, or that may fall back to it, with which something is left to do.
pub(in crate::privacy) fn open_messages(conn: &mut Conn, subject: &Subject) -> Result<Vec<MessageRow>> {
    let within = format!("%\"{}\"%", subject.address.replace(['%', '_'], "_"));
    let ids: Vec<MessageId> = messages::table
        .filter(messages::next_at.is_not_null())
        .filter(messages::status.eq_any([Status::Scheduled, Status::Queued, Status::Sending, Status::Sent]))
        .filter(messages::recipient.eq(subject.address.clone()).or(messages::extra.like(within)))
        .select(messages::id)
        .load(conn)?;
    Ok(messages::table.filter(messages::id.eq_any(ids)).select(MessageRow::as_select()).load(conn)?)
}

/// Copies SQLite's log back into the database and empties it: until then the log holds pages as they were before. Where
/// readers are in the way it is left to the next try; nothing else depends on it.
pub(in crate::privacy) fn empty_log(conn: &mut Conn) -> Result<()> {
    if let Conn::Sqlite(c) = conn {
        c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    Ok(())
}

/// Rows by table, as JSON.
pub(in crate::privacy) fn to_json(counts: &BTreeMap<String, i64>) -> String {
    serde_json::to_string(counts).unwrap_or_else(|_| String::from("{}"))
}
