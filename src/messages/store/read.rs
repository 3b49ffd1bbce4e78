//! Finders. Every one that a customer's request reaches takes the owner: somebody else's row is no row.

use diesel::prelude::*;

use super::batches::{BatchRow, batch_counts};
use super::dispatch::Event;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{attempts, batches, decisions, message_events, messages, receipts};
use crate::error::{Code, Error, Result};
use crate::ids::{BatchId, DecisionId, MessageId, OrgId};
use crate::messages::state::{Hold, Status};
use crate::messages::store::Row;
use crate::terms::{Channel, Mode};

/// The owner of what is looked for.
pub type Owner = (OrgId, Mode);

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this status.
    pub status: Option<Status>,
    /// By this channel.
    pub channel: Option<Channel>,
    /// To this address, in full.
    pub to: Option<String>,
    /// Accepted at or after.
    pub created_after: Option<Millis>,
    /// Accepted before.
    pub created_before: Option<Millis>,
    /// Of this bulk.
    pub batch_id: Option<BatchId>,
}

/// One message of `owner`. Error: `not_found`.
pub fn load_message(conn: &mut Conn, owner: Owner, id: MessageId) -> Result<Row> {
    find_message(conn, id)?
        .filter(|row| row.org_id == owner.0 && row.mode == owner.1)
        .ok_or_else(|| Error::new(Code::NotFound))
}

/// A message by id alone: for the worker and operators.
pub fn find_message(conn: &mut Conn, id: MessageId) -> Result<Option<Row>> {
    let found = messages::table.find(id);
    Ok(crate::both!(conn, c => found.select(Row::as_select()).first(c)).optional()?)
}

/// Messages of `owner`, newest first, from before `before` on.
pub fn list_messages(
    conn: &mut Conn,
    owner: Owner,
    filter: &Filter,
    before: Option<MessageId>,
    limit: i64,
) -> Result<Vec<Row>> {
    let mut query = messages::table
        .filter(messages::org_id.eq(owner.0))
        .filter(messages::mode.eq(owner.1))
        .order(messages::id.desc())
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(messages::status.eq(status));
    }
    if let Some(channel) = filter.channel {
        query = query.filter(messages::channel.eq(channel));
    }
    if let Some(to) = &filter.to {
        query = query.filter(messages::recipient.eq(to.clone()));
    }
    if let Some(after) = filter.created_after {
        query = query.filter(messages::created_at.ge(after));
    }
    if let Some(created_before) = filter.created_before {
        query = query.filter(messages::created_at.lt(created_before));
    }
    if let Some(batch) = filter.batch_id {
        query = query.filter(messages::batch_id.eq(batch));
    }
    if let Some(before) = before {
        query = query.filter(messages::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// A message's timeline, first to last.
pub fn events_of(conn: &mut Conn, id: MessageId) -> Result<Vec<Event>> {
    Ok(message_events::table
        .filter(message_events::message_id.eq(id))
        .order(message_events::id.asc())
        .select(Event::as_select())
        .load(conn)?)
}

/// A bulk of `owner` and its messages by status. Error: `not_found`.
pub fn load_batch(conn: &mut Conn, owner: Owner, id: BatchId) -> Result<(BatchRow, Vec<(Status, i64)>)> {
    let row: Option<BatchRow> = batches::table.find(id).select(BatchRow::as_select()).first(conn).optional()?;
    let row =
        row.filter(|row| row.org_id == owner.0 && row.mode == owner.1).ok_or_else(|| Error::new(Code::NotFound))?;
    Ok((row, batch_counts(conn, id)?))
}

/// Keeps what the app said became of a message.
pub fn save_extra(conn: &mut Conn, id: MessageId, extra: &str, now: Millis) -> Result<()> {
    diesel::update(messages::table.find(id))
        .set((messages::extra.eq(extra), messages::updated_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Drops up to `limit` messages accepted before `before` with which nothing is left to do, and what hangs on them.
pub fn purge_messages(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    // Ids sort by time: the smallest possible id of that moment bounds the scan of the primary key.
    let bound = MessageId::first_at(before);
    let old: Vec<MessageId> = messages::table
        .filter(messages::id.lt(bound))
        .filter(messages::next_at.is_null())
        // What still holds money is kept until somebody knows its fate: the wallet's holds are those of its messages.
        .filter(messages::hold.ne_all([Hold::Held, Hold::ForDelivery]))
        .select(messages::id)
        .order(messages::id.asc())
        .limit(limit)
        .load(conn)?;
    crate::both!(conn, c => {
        diesel::delete(attempts::table.filter(attempts::message_id.eq_any(&old))).execute(c)?;
        diesel::delete(message_events::table.filter(message_events::message_id.eq_any(&old))).execute(c)?;
        diesel::delete(messages::table.filter(messages::id.eq_any(&old))).execute(c)?;
    });
    let receipts = purge_receipts(conn, before, limit)?;
    diesel::delete(batches::table.filter(batches::id.lt(BatchId::first_at(before)))).execute(conn)?;
    Ok(old.len().max(receipts))
}

fn purge_receipts(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<(String, String, String)> = receipts::table
        .filter(receipts::received_at.lt(before))
        .order(receipts::received_at.asc())
        .select((receipts::carrier, receipts::provider_id, receipts::status))
        .limit(limit)
        .load(conn)?;
    for (carrier, id, status) in &old {
        diesel::delete(receipts::table.find((carrier, id, status))).execute(conn)?;
    }
    Ok(old.len())
}

/// Empties up to `limit` texts of messages accepted before `before` with which nothing is left to do: found along an index
/// that holds nothing else.
pub fn purge_bodies(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<MessageId> = messages::table
        .filter(messages::content.is_not_null())
        .filter(messages::next_at.is_null())
        .filter(messages::id.lt(MessageId::first_at(before)))
        .order(messages::id.asc())
        .select(messages::id)
        .limit(limit)
        .load(conn)?;
    let none: Option<Vec<u8>> = None;
    crate::both!(conn, c => {
        diesel::update(messages::table.filter(messages::id.eq_any(&old))).set(messages::content.eq(none)).execute(c)?
    });
    Ok(old.len())
}

/// Drops decisions made before `before`.
pub fn purge_decisions(conn: &mut Conn, before: Millis) -> Result<usize> {
    Ok(diesel::delete(decisions::table.filter(decisions::id.lt(DecisionId::first_at(before)))).execute(conn)?)
}

/// Messages that are charged at delivery, were handed over before `before`, and of which no word came.
pub fn unproven(conn: &mut Conn, before: Millis, limit: i64) -> Result<Vec<Row>> {
    Ok(messages::table
        .filter(messages::hold.eq(Hold::ForDelivery))
        .filter(messages::updated_at.lt(before))
        .filter(messages::status.eq(Status::Sent))
        .order(messages::updated_at.asc())
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?)
}
