//! Contacts: added, taken in turn, settled many at once, listed, dropped.

use diesel::dsl::min;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, SmallInt, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::{broadcast_contacts as dsl, messages};
use crate::error::Result;
use crate::ids::{BroadcastId, MessageId};

/// One row of `broadcast_contacts`.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = dsl, treat_none_as_default_value = false)]
pub struct Contact {
    /// Of this broadcast.
    pub broadcast_id: BroadcastId,
    /// In the order they were added, from 1.
    pub row_no: i32,
    /// E.164 or mail address, in full.
    pub recipient: String,
    /// Its own parameters and language, sealed.
    pub own: Option<Vec<u8>>,
    /// Waits until then; none once it was accepted or refused.
    pub due_at: Option<Millis>,
    /// How often no carrier was there for it.
    pub tries: i16,
    /// Its message.
    pub message_id: Option<MessageId>,
    /// Why it was refused.
    pub error_code: Option<String>,
}

/// What becomes of a contact in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactMove {
    /// Which.
    pub row_no: i32,
    /// Waits until then, or waits no more.
    pub due_at: Option<Millis>,
    /// How often no carrier was there for it.
    pub tries: i16,
    /// Its message.
    pub message_id: Option<MessageId>,
    /// Why it was refused.
    pub error_code: Option<String>,
}

impl ContactMove {
    /// `contact` as it is; change what moves.
    pub fn of(contact: &Contact) -> ContactMove {
        ContactMove {
            row_no: contact.row_no,
            due_at: contact.due_at,
            tries: contact.tries,
            message_id: contact.message_id,
            error_code: contact.error_code.clone(),
        }
    }
}

const INSERT: &str = "INSERT INTO broadcast_contacts (broadcast_id, row_no, recipient, own, due_at, tries) \
    SELECT ?, row_no, recipient, own, 0, 0 FROM unnest(?::integer[], ?::text[], ?::bytea[]) AS new (row_no, recipient, own) \
    ON CONFLICT DO NOTHING";

/// Adds contacts but those that are there already; how many were new.
pub fn insert_contacts(conn: &mut Conn, id: BroadcastId, rows: &[Contact]) -> Result<usize> {
    match conn {
        Conn::Sqlite(c) => {
            let mut new = 0;
            for row in rows {
                new += diesel::insert_into(dsl::table).values(row).on_conflict_do_nothing().execute(c)?;
            }
            Ok(new)
        }
        Conn::Pg(_) if rows.is_empty() => Ok(0),
        Conn::Pg(c) => Ok(fixed(INSERT)
            .bind::<Text, _>(id)
            .bind::<Array<Integer>, _>(rows.iter().map(|row| row.row_no).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(rows.iter().map(|row| row.recipient.as_str()).collect::<Vec<_>>())
            .bind::<Array<Nullable<Binary>>, _>(rows.iter().map(|row| row.own.as_deref()).collect::<Vec<_>>())
            .execute(c)?),
    }
}

/// Up to `limit` contacts whose turn it is: those that have waited longest, in the order they were added.
pub fn due_contacts(conn: &mut Conn, id: BroadcastId, now: Millis, limit: i64) -> Result<Vec<Contact>> {
    Ok(dsl::table
        .filter(dsl::broadcast_id.eq(id))
        .filter(dsl::due_at.le(now))
        .order((dsl::due_at.asc(), dsl::row_no.asc()))
        .limit(limit)
        .select(Contact::as_select())
        .load(conn)?)
}

/// When the next contact's turn comes; none where nobody waits.
pub fn next_due(conn: &mut Conn, id: BroadcastId) -> Result<Option<Millis>> {
    let waiting = dsl::table.filter(dsl::broadcast_id.eq(id)).filter(dsl::due_at.is_not_null());
    Ok(waiting.select(min(dsl::due_at)).get_result::<Option<Millis>>(conn)?)
}

const SETTLE_SQLITE: &str = "UPDATE broadcast_contacts SET due_at = ?, tries = ?, message_id = ?, error_code = ?, \
    own = CASE WHEN ? IS NULL THEN NULL ELSE own END WHERE broadcast_id = ? AND row_no = ?";

const SETTLE_PG: &str = "UPDATE broadcast_contacts AS kept SET due_at = moved.due_at, tries = moved.tries, \
    message_id = moved.message_id, error_code = moved.error_code, \
    own = CASE WHEN moved.due_at IS NULL THEN NULL ELSE kept.own END \
    FROM unnest(?::integer[], ?::bigint[], ?::smallint[], ?::text[], ?::text[]) \
    AS moved (row_no, due_at, tries, message_id, error_code) \
    WHERE kept.broadcast_id = ? AND kept.row_no = moved.row_no";

/// Writes what became of contacts; who waits no more loses what was its own.
pub fn settle_contacts(conn: &mut Conn, id: BroadcastId, moves: &[ContactMove]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for done in moves {
                fixed(SETTLE_SQLITE)
                    .bind::<Nullable<BigInt>, _>(done.due_at)
                    .bind::<SmallInt, _>(done.tries)
                    .bind::<Nullable<Text>, _>(done.message_id)
                    .bind::<Nullable<Text>, _>(done.error_code.as_deref())
                    .bind::<Nullable<BigInt>, _>(done.due_at)
                    .bind::<Text, _>(id)
                    .bind::<Integer, _>(done.row_no)
                    .execute(c)?;
            }
        }
        Conn::Pg(_) if moves.is_empty() => {}
        Conn::Pg(c) => {
            fixed(SETTLE_PG)
                .bind::<Array<Integer>, _>(moves.iter().map(|done| done.row_no).collect::<Vec<_>>())
                .bind::<Array<Nullable<BigInt>>, _>(moves.iter().map(|done| done.due_at).collect::<Vec<_>>())
                .bind::<Array<SmallInt>, _>(moves.iter().map(|done| done.tries).collect::<Vec<_>>())
                .bind::<Array<Nullable<Text>>, _>(moves.iter().map(|done| done.message_id).collect::<Vec<_>>())
                .bind::<Array<Nullable<Text>>, _>(
                    moves.iter().map(|done| done.error_code.as_deref()).collect::<Vec<_>>(),
                )
                .bind::<Text, _>(id)
                .execute(c)?;
        }
    }
    Ok(())
}

/// A message as a contact's result shows it: its id, its status, what went wrong.
pub type Fate = (MessageId, String, Option<String>);

/// Contacts behind row `after`, in the order they were added, each with what became of its message so far.
pub fn list_contacts(conn: &mut Conn, id: BroadcastId, after: i32, limit: i64) -> Result<Vec<(Contact, Option<Fate>)>> {
    let contacts: Vec<Contact> = dsl::table
        .filter(dsl::broadcast_id.eq(id))
        .filter(dsl::row_no.gt(after))
        .order(dsl::row_no.asc())
        .limit(limit)
        .select(Contact::as_select())
        .load(conn)?;
    let ids: Vec<MessageId> = contacts.iter().filter_map(|contact| contact.message_id).collect();
    let fates: Vec<Fate> = messages::table
        .filter(messages::id.eq_any(ids))
        .select((messages::id, messages::status, messages::error_code))
        .load(conn)?;
    let mut fates: std::collections::HashMap<MessageId, Fate> = fates.into_iter().map(|fate| (fate.0, fate)).collect();
    let with_fate = |contact: Contact| {
        let fate = contact.message_id.and_then(|message| fates.remove(&message));
        (contact, fate)
    };
    Ok(contacts.into_iter().map(with_fate).collect())
}
