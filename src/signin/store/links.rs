//! Table `operator_links`.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::operator_links::dsl;
use crate::error::Result;
use crate::ids::OperatorId;

/// Adds a link; a link without an operator makes the first owner.
pub(in crate::signin) fn insert(
    conn: &mut Conn,
    mac: Vec<u8>,
    operator: Option<OperatorId>,
    (now, expires_at): (Millis, Millis),
) -> Result<()> {
    diesel::insert_into(dsl::operator_links)
        .values((
            dsl::mac.eq(mac),
            dsl::operator_id.eq(operator),
            dsl::created_at.eq(now),
            dsl::expires_at.eq(expires_at),
            dsl::used_at.eq(None::<Millis>),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whose link it is, where it can still be used: outside nothing, inside whose password it sets.
pub(in crate::signin) fn find(conn: &mut Conn, mac: &[u8], now: Millis) -> Result<Option<Option<OperatorId>>> {
    let usable = dsl::mac.eq(mac).and(dsl::used_at.is_null()).and(dsl::expires_at.gt(now));
    Ok(dsl::operator_links.filter(usable).select(dsl::operator_id).first(conn).optional()?)
}

/// Uses a link up: false where it was used or is too old.
pub(in crate::signin) fn take(conn: &mut Conn, mac: &[u8], now: Millis) -> Result<bool> {
    let usable = dsl::mac.eq(mac).and(dsl::used_at.is_null()).and(dsl::expires_at.gt(now));
    let count = diesel::update(dsl::operator_links.filter(usable)).set(dsl::used_at.eq(Some(now))).execute(conn)?;
    Ok(count == 1)
}

/// Holds the links that make a first owner until the transaction ends: of two that are used at once, the second sees
/// the owner that the first has made.
pub(in crate::signin) fn hold_first(conn: &mut Conn) -> Result<()> {
    let first = dsl::operator_links.filter(dsl::operator_id.is_null()).order(dsl::mac).select(dsl::mac);
    if let Conn::Pg(c) = conn {
        let _: Vec<Vec<u8>> = first.for_update().load(c)?;
    }
    Ok(())
}

/// Makes every link of an operator useless.
pub(in crate::signin) fn remove_of(conn: &mut Conn, operator: OperatorId) -> Result<()> {
    diesel::delete(dsl::operator_links.filter(dsl::operator_id.eq(operator))).execute(conn)?;
    Ok(())
}

/// Drops up to `limit` links that ended before `before`; how many went.
pub(in crate::signin) fn purge(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<Vec<u8>> =
        dsl::operator_links.filter(dsl::expires_at.lt(before)).select(dsl::mac).limit(limit).load(conn)?;
    Ok(diesel::delete(dsl::operator_links.filter(dsl::mac.eq_any(old))).execute(conn)?)
}
