//! Tables `operator_logins` and `operator_recovery`.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{operator_logins, operator_recovery};
use crate::error::Result;
use crate::ids::OperatorId;

/// How an operator signs in.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = operator_logins)]
pub(in crate::signin) struct Row {
    /// A PHC string.
    pub password: String,
    /// The second factor's secret, sealed.
    pub totp: Option<Vec<u8>>,
    /// Which devices are known: those that were known under this number.
    pub generation: i64,
}

/// How an operator signs in, if they have a password.
pub(in crate::signin) fn find(conn: &mut Conn, operator: OperatorId) -> Result<Option<Row>> {
    let query = operator_logins::table.filter(operator_logins::operator_id.eq(operator)).select(Row::as_select());
    Ok(query.first(conn).optional()?)
}

/// The same, held until the transaction ends: nobody sets another password, takes the second factor away or ends all
/// sessions between this look and what is begun upon it.
pub(in crate::signin) fn hold(conn: &mut Conn, operator: OperatorId) -> Result<Option<Row>> {
    // SQLite has one writer at a time anyway.
    let Conn::Pg(c) = conn else { return find(conn, operator) };
    let query = operator_logins::table.filter(operator_logins::operator_id.eq(operator)).select(Row::as_select());
    Ok(query.for_update().first(c).optional()?)
}

/// Forgets every device of an operator.
pub(in crate::signin) fn forget_devices(conn: &mut Conn, operator: OperatorId) -> Result<()> {
    diesel::update(operator_logins::table.filter(operator_logins::operator_id.eq(operator)))
        .set(operator_logins::generation.eq(operator_logins::generation + 1))
        .execute(conn)?;
    Ok(())
}

/// Whether anybody has a password.
pub(in crate::signin) fn any(conn: &mut Conn) -> Result<bool> {
    let first: Option<OperatorId> =
        operator_logins::table.select(operator_logins::operator_id).first(conn).optional()?;
    Ok(first.is_some())
}

/// Writes an operator's password, the first or another; the second factor stays.
pub(in crate::signin) fn put_password(conn: &mut Conn, operator: OperatorId, hash: &str, now: Millis) -> Result<()> {
    let row = (
        operator_logins::operator_id.eq(operator),
        operator_logins::password.eq(hash),
        operator_logins::password_at.eq(now),
        operator_logins::totp_step.eq(0_i64),
    );
    crate::both!(conn, c => {
        diesel::insert_into(operator_logins::table)
            .values(row)
            .on_conflict(operator_logins::operator_id)
            .do_update()
            .set((operator_logins::password.eq(hash), operator_logins::password_at.eq(now)))
            .execute(c)
    })?;
    Ok(())
}

/// Writes another password in the place of the one stored as `old`: false where that is not there any more.
pub(in crate::signin) fn replace_password(
    conn: &mut Conn,
    operator: OperatorId,
    (old, new): (&str, &str),
    now: Millis,
) -> Result<bool> {
    let unchanged = operator_logins::operator_id.eq(operator).and(operator_logins::password.eq(old));
    let count = diesel::update(operator_logins::table.filter(unchanged))
        .set((operator_logins::password.eq(new), operator_logins::password_at.eq(now)))
        .execute(conn)?;
    Ok(count == 1)
}

/// Writes or takes away the second factor; `step` is the one it was proved with.
pub(in crate::signin) fn put_totp(
    conn: &mut Conn,
    operator: OperatorId,
    sealed: Option<Vec<u8>>,
    (step, now): (i64, Millis),
) -> Result<()> {
    let at = sealed.as_ref().map(|_| now);
    diesel::update(operator_logins::table.filter(operator_logins::operator_id.eq(operator)))
        .set((operator_logins::totp.eq(sealed), operator_logins::totp_at.eq(at), operator_logins::totp_step.eq(step)))
        .execute(conn)?;
    Ok(())
}

/// Takes a step of the second factor: false where it, or a later one, was taken before.
pub(in crate::signin) fn take_step(conn: &mut Conn, operator: OperatorId, step: i64) -> Result<bool> {
    let unused = operator_logins::operator_id.eq(operator).and(operator_logins::totp_step.lt(step));
    let count =
        diesel::update(operator_logins::table.filter(unused)).set(operator_logins::totp_step.eq(step)).execute(conn)?;
    Ok(count == 1)
}

/// Replaces the recovery codes of an operator, by their MACs.
pub(in crate::signin) fn replace_recovery(conn: &mut Conn, operator: OperatorId, macs: Vec<Vec<u8>>) -> Result<()> {
    diesel::delete(operator_recovery::table.filter(operator_recovery::operator_id.eq(operator))).execute(conn)?;
    for mac in macs {
        diesel::insert_into(operator_recovery::table)
            .values((operator_recovery::operator_id.eq(operator), operator_recovery::mac.eq(mac)))
            .execute(conn)?;
    }
    Ok(())
}

/// Uses a recovery code up: false where there is none such, or it was used.
pub(in crate::signin) fn take_recovery(conn: &mut Conn, operator: OperatorId, mac: &[u8], now: Millis) -> Result<bool> {
    let unused = operator_recovery::operator_id
        .eq(operator)
        .and(operator_recovery::mac.eq(mac))
        .and(operator_recovery::used_at.is_null());
    let count = diesel::update(operator_recovery::table.filter(unused))
        .set(operator_recovery::used_at.eq(Some(now)))
        .execute(conn)?;
    Ok(count == 1)
}

/// How many recovery codes are left.
pub(in crate::signin) fn count_recovery(conn: &mut Conn, operator: OperatorId) -> Result<i64> {
    let left = operator_recovery::operator_id.eq(operator).and(operator_recovery::used_at.is_null());
    Ok(operator_recovery::table.filter(left).count().get_result(conn)?)
}
