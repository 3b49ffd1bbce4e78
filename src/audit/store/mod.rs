//! The SQL of the audit log.

pub mod checkpoints;

use diesel::prelude::*;

use crate::audit::Record;
use crate::audit::chain::{Entry, Head, Link};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{audit_head, audit_log};
use crate::error::{Error, Result};
use crate::secret::hex;

/// Which rows to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only rows before this place.
    pub before_seq: Option<i64>,
    /// Only rows about this thing.
    pub target: Option<String>,
    /// Only rows of this actor.
    pub actor: Option<String>,
    /// Only rows of this action.
    pub action: Option<String>,
    /// Only rows of this request.
    pub request_id: Option<String>,
    /// Only rows at this moment or later.
    pub since: Option<Millis>,
    /// Only rows before this moment.
    pub until: Option<Millis>,
    /// At most so many.
    pub limit: i64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
struct Row {
    seq: i64,
    at: Millis,
    actor: String,
    action: String,
    target: String,
    reason: Option<String>,
    before_state: Option<String>,
    after_state: Option<String>,
    request_id: Option<String>,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
}

/// The chain's end, held until the transaction ends: two writers cannot take the same place.
pub(super) fn take_head(conn: &mut Conn) -> Result<Head> {
    let only = audit_head::table.select((audit_head::seq, audit_head::hash));
    let found: Option<(i64, Vec<u8>)> = match conn {
        Conn::Pg(c) => only.for_update().first(c).optional()?,
        Conn::Sqlite(c) => only.first(c).optional()?,
    };
    let (seq, hash) = found.ok_or_else(|| Error::internal("the audit log has no head row"))?;
    Ok(Head { seq, hash })
}

/// The chain's end as it stands. A head that is gone counts as an empty chain's: any row then lies beyond it.
pub(super) fn find_head(conn: &mut Conn) -> Result<Head> {
    let found: Option<(i64, Vec<u8>)> =
        audit_head::table.select((audit_head::seq, audit_head::hash)).first(conn).optional()?;
    Ok(found.map(|(seq, hash)| Head { seq, hash }).unwrap_or_default())
}

/// Adds a row and moves the end behind it.
pub(super) fn insert(conn: &mut Conn, link: Link) -> Result<()> {
    let (seq, hash) = (link.entry.seq, link.hash.clone());
    diesel::insert_into(audit_log::table).values(Row::from(link)).execute(conn)?;
    diesel::update(audit_head::table).set((audit_head::seq.eq(seq), audit_head::hash.eq(hash))).execute(conn)?;
    Ok(())
}

/// Rows after `seq` in the order of the chain.
pub(super) fn page_after(conn: &mut Conn, seq: i64, limit: i64) -> Result<Vec<Link>> {
    let rows: Vec<Row> = audit_log::table
        .filter(audit_log::seq.gt(seq))
        .order(audit_log::seq.asc())
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Link::from).collect())
}

/// Lists rows, newest first.
pub fn list(conn: &mut Conn, filter: &Filter) -> Result<Vec<Record>> {
    let mut query =
        audit_log::table.select(Row::as_select()).order(audit_log::seq.desc()).limit(filter.limit).into_boxed();
    if let Some(seq) = filter.before_seq {
        query = query.filter(audit_log::seq.lt(seq));
    }
    if let Some(target) = &filter.target {
        query = query.filter(audit_log::target.eq(target));
    }
    if let Some(actor) = &filter.actor {
        query = query.filter(audit_log::actor.eq(actor));
    }
    if let Some(action) = &filter.action {
        query = query.filter(audit_log::action.eq(action));
    }
    if let Some(request) = &filter.request_id {
        query = query.filter(audit_log::request_id.eq(request));
    }
    if let Some(since) = filter.since {
        query = query.filter(audit_log::at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_log::at.lt(until));
    }
    let rows: Vec<Row> = query.load(conn)?;
    Ok(rows.into_iter().map(Record::from).collect())
}

/// How many changes of the kind `action` were made at or after `since`.
pub fn count_of(conn: &mut Conn, action: &str, since: Millis) -> Result<i64> {
    let rows = audit_log::table.filter(audit_log::action.eq(action)).filter(audit_log::at.ge(since));
    Ok(rows.count().get_result(conn)?)
}

/// The rows that the request `id` wrote, in the order of the chain.
pub fn of_request(conn: &mut Conn, id: &str, limit: i64) -> Result<Vec<Record>> {
    let rows: Vec<Row> = audit_log::table
        .filter(audit_log::request_id.eq(id))
        .order(audit_log::seq.asc())
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Record::from).collect())
}

impl From<Link> for Row {
    fn from(link: Link) -> Row {
        Row {
            seq: link.entry.seq,
            at: link.entry.at,
            actor: link.entry.actor,
            action: link.entry.action,
            target: link.entry.target,
            reason: link.entry.reason,
            before_state: link.entry.before_state,
            after_state: link.entry.after_state,
            request_id: link.entry.request_id,
            prev_hash: link.prev_hash,
            hash: link.hash,
        }
    }
}

impl From<Row> for Link {
    fn from(row: Row) -> Link {
        let entry = Entry {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            action: row.action,
            target: row.target,
            reason: row.reason,
            before_state: row.before_state,
            after_state: row.after_state,
            request_id: row.request_id,
        };
        Link { entry, prev_hash: row.prev_hash, hash: row.hash }
    }
}

impl From<Row> for Record {
    fn from(row: Row) -> Record {
        let document = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        Record {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            action: row.action,
            target: row.target,
            reason: row.reason,
            before: document(row.before_state),
            after: document(row.after_state),
            request_id: row.request_id,
            hash: hex(&row.hash),
        }
    }
}
