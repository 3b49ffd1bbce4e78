//! Table `activation_messages`.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{activation_messages as dsl, activations};
use crate::error::Result;
use crate::ids::{ActivationId, ActivationMessageId};
use crate::secret::{Keyring, Purpose};

/// One row of `activation_messages`; code and text are sealed.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = dsl, treat_none_as_default_value = false)]
pub struct MessageRow {
    /// Its id.
    pub id: ActivationMessageId,
    /// The activation it came for.
    pub activation_id: ActivationId,
    /// Brought by this carrier.
    pub carrier: String,
    /// The carrier's id of it.
    pub provider_id: String,
    /// Who sent it.
    pub sender: String,
    /// The code in it, if one was found.
    pub code: Option<Vec<u8>>,
    /// What it says.
    pub text: Vec<u8>,
    /// When it came.
    pub received_at: Millis,
    /// Since then there is no code, and `text` is an empty one.
    pub purged_at: Option<Millis>,
}

/// Stores a message; `false` where it is a repeat.
pub fn insert_message(conn: &mut Conn, row: &MessageRow) -> Result<bool> {
    let stored = crate::both!(conn, c => diesel::insert_into(dsl::table)
        .values(row)
        .on_conflict((dsl::carrier, dsl::provider_id))
        .do_nothing()
        .execute(c))?;
    Ok(stored == 1)
}

/// The messages of these activations, oldest first.
pub fn messages_of(conn: &mut Conn, activations: &[ActivationId]) -> Result<Vec<MessageRow>> {
    let found = dsl::table.filter(dsl::activation_id.eq_any(activations));
    Ok(found.order(dsl::id.asc()).select(MessageRow::as_select()).load(conn)?)
}

/// Purges up to `limit` texts, with their codes, that came before `before` for activations that have ended: found along an
/// index that holds nothing else. The rows stay.
pub fn purge_activation_texts(
    conn: &mut Conn,
    keyring: &Keyring,
    before: Millis,
    now: Millis,
    limit: i64,
) -> Result<usize> {
    // Not the other way round: those that are open are few, and those that have ended are all the others.
    let open = activations::table.filter(activations::ended_at.is_null()).select(activations::id);
    let old: Vec<ActivationMessageId> = dsl::table
        .filter(dsl::purged_at.is_null())
        .filter(dsl::id.lt(ActivationMessageId::first_at(before)))
        .filter(dsl::activation_id.ne_all(open))
        .order(dsl::id.asc())
        .select(dsl::id)
        .limit(limit)
        .load(conn)?;
    let no_code: Option<Vec<u8>> = None;
    for id in &old {
        let nothing = keyring.seal(Purpose::Body, id.as_str().as_bytes(), b"");
        diesel::update(dsl::table.find(*id))
            .set((dsl::code.eq(&no_code), dsl::text.eq(nothing), dsl::purged_at.eq(now)))
            .execute(conn)?;
    }
    Ok(old.len())
}
