//! Table `activation_messages`.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::activation_messages as dsl;
use crate::error::Result;
use crate::ids::{ActivationId, ActivationMessageId};

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
