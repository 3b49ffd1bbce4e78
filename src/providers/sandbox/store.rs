//! The sandbox inbox's rows.

use diesel::prelude::*;

use crate::both;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::sandbox_inbox;
use crate::error::Result;
use crate::ids::{AttemptId, MessageId, OrgId};
use crate::terms::{Channel, Mode};

/// A message as it reached the sandbox's handset.
#[derive(Insertable)]
#[diesel(table_name = sandbox_inbox)]
pub struct Arrival {
    pub id: AttemptId,
    pub org_id: OrgId,
    pub mode: Mode,
    pub message_id: MessageId,
    pub channel: Channel,
    pub recipient: String,
    pub sender: Option<String>,
    pub subject: Option<String>,
    pub body: String,
    pub received_at: Millis,
}

/// What the handset shows of one message.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, serde::Serialize, utoipa::ToSchema)]
pub struct Shown {
    /// The recipient, E.164 or a mail address.
    pub to: String,
    /// How it came.
    pub channel: Channel,
    /// The text, code and all.
    pub body: String,
    /// Mail only.
    pub subject: Option<String>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Millis,
    /// Which message it was.
    pub message_id: MessageId,
}

/// Adds what arrived.
pub fn insert(conn: &mut Conn, arrival: &Arrival) -> Result<()> {
    both!(conn, c => diesel::insert_into(sandbox_inbox::table).values(arrival).execute(c))?;
    Ok(())
}

/// What the handsets of an organization show in one mode, newest first, at most `limit`; only those of `to` where it
/// is given.
pub fn inbox(conn: &mut Conn, org: OrgId, mode: Mode, to: Option<&str>, limit: i64) -> Result<Vec<Shown>> {
    use sandbox_inbox::dsl;
    let columns = (dsl::recipient, dsl::channel, dsl::body, dsl::subject, dsl::received_at, dsl::message_id);
    let all = dsl::sandbox_inbox.filter(dsl::org_id.eq(org)).filter(dsl::mode.eq(mode));
    let newest = all.select(columns).order(dsl::id.desc()).limit(limit);
    Ok(match to {
        Some(to) => both!(conn, c => newest.filter(dsl::recipient.eq(to)).load(c))?,
        None => both!(conn, c => newest.load(c))?,
    })
}

/// Removes what arrived before `before`: the inbox holds codes in the clear. Answers how many.
pub fn purge(conn: &mut Conn, before: Millis) -> Result<usize> {
    use sandbox_inbox::dsl;
    Ok(both!(conn, c => diesel::delete(dsl::sandbox_inbox.filter(dsl::received_at.lt(before))).execute(c))?)
}
