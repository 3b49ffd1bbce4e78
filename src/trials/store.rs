//! All SQL of the room.

use diesel::prelude::*;

use super::view::TrialStatus;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::carrier_tests;
use crate::error::Result;
use crate::ids::{TemplateId, TrialId};
use crate::terms::Channel;

/// One row of `carrier_tests`. No Debug: it holds an address.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = carrier_tests, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Row {
    /// Its id.
    pub id: TrialId,
    /// By this carrier.
    pub carrier: String,
    /// On this channel.
    pub channel: Channel,
    /// To whom, masked.
    pub recipient: String,
    /// The address, sealed, until a worker has it in hand.
    pub address: Option<Vec<u8>>,
    /// The template that is sent instead of our text.
    pub template: Option<TemplateId>,
    /// Who asked for it.
    pub author: String,
    /// Where it stands.
    pub status: TrialStatus,
    /// The carrier's id of it.
    pub provider_id: Option<String>,
    /// Our word for what went wrong.
    pub error_code: Option<String>,
    /// The carrier's words, redacted.
    pub detail: Option<String>,
    /// A final state that the carrier told at once.
    pub state: Option<String>,
    /// Asked for.
    pub created_at: Millis,
    /// Handed over.
    pub started_at: Option<Millis>,
    /// Answered.
    pub ended_at: Option<Millis>,
}

/// Adds one.
pub(super) fn insert(conn: &mut Conn, row: &Row) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(carrier_tests::table).values(row).execute(c))?;
    Ok(())
}

/// Writes one as it is now, if it still stands as `was`; whether it did.
pub(super) fn save(conn: &mut Conn, row: &Row, was: TrialStatus) -> Result<bool> {
    let standing = carrier_tests::table.filter(carrier_tests::id.eq(row.id)).filter(carrier_tests::status.eq(was));
    Ok(crate::both!(conn, c => diesel::update(standing).set(row).execute(c))? == 1)
}

/// One by its id.
pub(super) fn find(conn: &mut Conn, id: TrialId) -> Result<Option<Row>> {
    Ok(carrier_tests::table.find(id).select(Row::as_select()).first(conn).optional()?)
}

/// When `author` asked for theirs since `since`, the latest first.
pub(super) fn asked_since(conn: &mut Conn, author: &str, since: Millis) -> Result<Vec<Millis>> {
    let theirs = carrier_tests::table.filter(carrier_tests::author.eq(String::from(author)));
    let recent = theirs.filter(carrier_tests::created_at.gt(since)).order(carrier_tests::created_at.desc());
    Ok(recent.select(carrier_tests::created_at).load(conn)?)
}

/// Test messages, newest first, from before `before` on; only those by `carrier` where it is given.
pub fn list_trials(conn: &mut Conn, carrier: Option<&str>, before: Option<TrialId>, limit: i64) -> Result<Vec<Row>> {
    let mut query =
        carrier_tests::table.select(Row::as_select()).order(carrier_tests::id.desc()).limit(limit).into_boxed();
    if let Some(before) = before {
        query = query.filter(carrier_tests::id.lt(before));
    }
    if let Some(carrier) = carrier {
        query = query.filter(carrier_tests::carrier.eq(String::from(carrier)));
    }
    Ok(query.load(conn)?)
}

/// Removes those asked for before `before`; how many.
pub fn purge_trials(conn: &mut Conn, before: Millis) -> Result<usize> {
    let old = carrier_tests::table.filter(carrier_tests::id.lt(TrialId::first_at(before)));
    Ok(diesel::delete(old).execute(conn)?)
}
