//! The table of sender identities.

use diesel::prelude::*;

use super::Sender;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::senders;
use crate::error::Result;
use crate::ids::{OrgId, SenderId};
use crate::phone::Country;
use crate::terms::Channel;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = senders, treat_none_as_default_value = false)]
struct Row {
    id: SenderId,
    org_id: Option<OrgId>,
    channel: Channel,
    address: String,
    country: Option<Country>,
    carrier: Option<String>,
    created_at: Millis,
}

/// Whose an originator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The organization; `None` for one that all share.
    pub org_id: Option<OrgId>,
}

/// Whose originator `address` is on `channel`: E.164 with the plus, a short code, letters and digits, or a mail address
/// in lower case. `None` where nobody registered it. Found along an index.
pub fn owner_of(conn: &mut Conn, channel: Channel, address: &str) -> Result<Option<Owner>> {
    let found: Option<Option<OrgId>> = senders::table
        .filter(senders::channel.eq(channel))
        .filter(senders::address.eq(address))
        .select(senders::org_id)
        .order(senders::id.asc())
        .first(conn)
        .optional()?;
    Ok(found.map(|org_id| Owner { org_id }))
}

/// Every identity, oldest first.
pub fn load(conn: &mut Conn) -> Result<Vec<Sender>> {
    let rows: Vec<Row> = senders::table.order(senders::id.asc()).select(Row::as_select()).load(conn)?;
    Ok(rows.into_iter().map(sender).collect())
}

/// Up to `limit` identities that `org_id` may use, its own and the shared, or all where there is none; newest first,
/// from before `before` on.
pub fn list(conn: &mut Conn, org_id: Option<OrgId>, before: Option<SenderId>, limit: i64) -> Result<Vec<Sender>> {
    let mut query = senders::table.order(senders::id.desc()).limit(limit).select(Row::as_select()).into_boxed();
    if let Some(org_id) = org_id {
        query = query.filter(senders::org_id.eq(org_id).or(senders::org_id.is_null()));
    }
    if let Some(before) = before {
        query = query.filter(senders::id.lt(before));
    }
    let rows: Vec<Row> = query.load(conn)?;
    Ok(rows.into_iter().map(sender).collect())
}

/// One identity.
pub fn find(conn: &mut Conn, id: SenderId) -> Result<Option<Sender>> {
    let row: Option<Row> = senders::table.find(id).select(Row::as_select()).first(conn).optional()?;
    Ok(row.map(sender))
}

/// The identities of one address.
pub fn of_address(conn: &mut Conn, channel: Channel, address: &str) -> Result<Vec<Sender>> {
    let rows: Vec<Row> = senders::table
        .filter(senders::channel.eq(channel))
        .filter(senders::address.eq(address))
        .order(senders::id.asc())
        .select(Row::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(sender).collect())
}

/// Adds an identity.
pub fn insert(conn: &mut Conn, sender: &Sender) -> Result<()> {
    diesel::insert_into(senders::table).values(row(sender)).execute(conn)?;
    Ok(())
}

/// Takes an identity away; whether it was there.
pub fn delete(conn: &mut Conn, id: SenderId) -> Result<bool> {
    Ok(diesel::delete(senders::table.find(id)).execute(conn)? == 1)
}

fn sender(row: Row) -> Sender {
    Sender {
        id: row.id,
        org_id: row.org_id,
        channel: row.channel,
        address: row.address,
        country: row.country,
        carrier: row.carrier,
        created_at: row.created_at,
    }
}

fn row(sender: &Sender) -> Row {
    Row {
        id: sender.id,
        org_id: sender.org_id,
        channel: sender.channel,
        address: sender.address.clone(),
        country: sender.country,
        carrier: sender.carrier.clone(),
        created_at: sender.created_at,
    }
}
