//! All SQL of the room: the orders, and the statements that walk the places.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::places::{Place, Subject, assignments, condition};
use super::view::ErasureStatus;
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
pub(super) fn insert(conn: &mut Conn, row: &Row) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(erasures::table).values(row).execute(c))?;
    Ok(())
}

/// Writes an erasure as it is now.
pub(super) fn save(conn: &mut Conn, row: &Row) -> Result<()> {
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
pub(super) fn due(conn: &mut Conn, now: Millis) -> Result<Option<Row>> {
    Ok(erasures::table
        .filter(erasures::next_at.le(now))
        .order(erasures::next_at.asc())
        .select(Row::as_select())
        .first(conn)
        .optional()?)
}

/// Takes an erasure until `lease`; `false` where another process was first.
pub(super) fn claim(conn: &mut Conn, row: &Row, lease: Millis) -> Result<bool> {
    let free = erasures::table.find(row.id).filter(erasures::next_at.eq(row.next_at));
    Ok(diesel::update(free).set(erasures::next_at.eq(Some(lease))).execute(conn)? == 1)
}

/// The user ids under which WhatsApp shows a number's owner.
pub(super) fn user_ids(conn: &mut Conn, phone: &str) -> Result<Vec<String>> {
    let found = whatsapp_people::table.filter(whatsapp_people::phone.eq(String::from(phone)));
    Ok(found.select(whatsapp_people::user_id).distinct().load(conn)?)
}

/// Whether an address is one that the platform itself sends from or receives at.
pub(super) fn is_own(conn: &mut Conn, address: &str) -> Result<bool> {
    let address = String::from(address);
    let sent: i64 = senders::table.filter(senders::address.eq(address.clone())).count().get_result(conn)?;
    let chat: i64 =
        whatsapp_numbers::table.filter(whatsapp_numbers::phone.eq(address.clone())).count().get_result(conn)?;
    let rented: i64 =
        activation_numbers::table.filter(activation_numbers::phone.eq(address)).count().get_result(conn)?;
    Ok(sent + chat + rented > 0)
}

/// Messages to an address, or that may fall back to it, with which something is left to do.
pub(super) fn open_messages(conn: &mut Conn, subject: &Subject) -> Result<Vec<MessageRow>> {
    let within = format!("%\"{}\"%", subject.address.replace(['%', '_'], "_"));
    let ids: Vec<MessageId> = messages::table
        .filter(messages::next_at.is_not_null())
        .filter(messages::status.eq_any([Status::Scheduled, Status::Queued, Status::Sending, Status::Sent]))
        .filter(messages::recipient.eq(subject.address.clone()).or(messages::extra.like(within)))
        .select(messages::id)
        .load(conn)?;
    Ok(messages::table.filter(messages::id.eq_any(ids)).select(MessageRow::as_select()).load(conn)?)
}

#[derive(QueryableByName)]
struct Bound {
    #[diesel(sql_type = Nullable<Text>)]
    id: Option<String>,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Runs a statement with these texts bound, in the database's own way of marking places.
macro_rules! bound {
    ($conn:expr, $text:expr, $values:expr, $run:ident) => {
        match $conn {
            Conn::Sqlite(c) => {
                let mut query = diesel::sql_query($text).into_boxed::<diesel::sqlite::Sqlite>();
                for value in $values {
                    query = query.bind::<Text, _>(value);
                }
                query.$run(c)
            }
            Conn::Pg(c) => {
                let mut query = diesel::sql_query(numbered(&$text)).into_boxed::<diesel::pg::Pg>();
                for value in $values {
                    query = query.bind::<Text, _>(value);
                }
                query.$run(c)
            }
        }
    };
}

/// PostgreSQL's marks: `$1`, `$2`, …
fn numbered(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (index, part) in text.split('?').enumerate() {
        if index > 0 {
            out.push_str(&format!("${index}::text"));
        }
        out.push_str(part);
    }
    out
}

/// A stretch of a place: behind `after`, up to and with `to`; all of it where neither is given.
#[derive(Debug, Clone, Default)]
pub(super) struct Stretch {
    pub after: Option<String>,
    pub to: Option<String>,
}

/// Where a stretch of `rows` rows behind `after` ends; `None` where fewer are left.
pub(super) fn stretch_end(conn: &mut Conn, place: &Place, after: Option<&str>, rows: i64) -> Result<Option<String>> {
    let Some(key) = place.walk else { return Ok(None) };
    let table = place.table;
    let text = format!("SELECT {key} AS id FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT 1 OFFSET {rows}");
    let values = [String::from(after.unwrap_or_default())];
    let found: QueryResult<Vec<Bound>> = bound!(conn, text, values, load);
    Ok(found?.pop().and_then(|bound| bound.id))
}

/// How many rows of a stretch hold the address.
pub(super) fn count(conn: &mut Conn, place: &Place, subject: &Subject, stretch: &Stretch) -> Result<i64> {
    let (condition, values) = bounded(conn, place, subject, stretch);
    let text = format!("SELECT COUNT(*) AS n FROM {} WHERE {condition}", place.table);
    let found: QueryResult<Counted> = bound!(conn, text, values, get_result);
    Ok(found?.n)
}

/// Erases the address from a stretch; how many rows that were.
pub(super) fn erase(conn: &mut Conn, place: &Place, subject: &Subject, stretch: &Stretch) -> Result<i64> {
    let (condition, filters) = bounded(conn, place, subject, stretch);
    let (text, values) = match assignments(place, subject, conn.is_sqlite()) {
        Some((set, mut values)) => {
            values.extend(filters);
            (format!("UPDATE {} SET {set} WHERE {condition}", place.table), values)
        }
        None => (format!("DELETE FROM {} WHERE {condition}", place.table), filters),
    };
    // The bytes themselves are to go, pages that become free with them.
    secure_delete(conn, "ON")?;
    let done: QueryResult<usize> = bound!(&mut *conn, text, values, execute);
    secure_delete(conn, "FAST")?;
    Ok(i64::try_from(done?).unwrap_or(i64::MAX))
}

fn bounded(conn: &Conn, place: &Place, subject: &Subject, stretch: &Stretch) -> (String, Vec<String>) {
    let (mut condition, mut values) = condition(place, subject, conn.is_sqlite());
    if let (Some(key), Some(after)) = (place.walk, &stretch.after) {
        condition = format!("{condition} AND {key} > ?");
        values.push(after.clone());
    }
    if let (Some(key), Some(to)) = (place.walk, &stretch.to) {
        condition = format!("{condition} AND {key} <= ?");
        values.push(to.clone());
    }
    (condition, values)
}

fn secure_delete(conn: &mut Conn, how: &str) -> Result<()> {
    if let Conn::Sqlite(c) = conn {
        c.batch_execute(&format!("PRAGMA secure_delete = {how}"))?;
    }
    Ok(())
}

/// Copies SQLite's log back into the database and empties it: until then the log holds pages as they were before. Where
/// readers are in the way it is left to the next try; nothing else depends on it.
pub(super) fn empty_log(conn: &mut Conn) -> Result<()> {
    if let Conn::Sqlite(c) = conn {
        c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    Ok(())
}

/// Rows by table, as JSON.
pub(super) fn to_json(counts: &BTreeMap<String, i64>) -> String {
    serde_json::to_string(counts).unwrap_or_else(|_| String::from("{}"))
}
