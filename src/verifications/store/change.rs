//! Finding a verification, holding it, and moving it on. Finders that a customer's request reaches take the owner:
//! somebody else's row is no row.

use diesel::prelude::*;

use super::row::{Row, SendRow};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{verification_sends as sends, verifications as dsl};
use crate::error::{Code, Error, Result};
use crate::ids::{OrgId, VerificationId};
use crate::terms::Mode;
use crate::verifications::state::Status;

/// Whose rows are looked for.
pub type Owner = (OrgId, Mode);

/// Adds a verification unless one is pending for the same destination; whether it was added. On PostgreSQL this waits
/// for a twin that is being started.
pub fn insert(conn: &mut Conn, row: &Row) -> Result<bool> {
    let added = match conn {
        Conn::Pg(c) => diesel::insert_into(dsl::table).values(row).on_conflict_do_nothing().execute(c)?,
        Conn::Sqlite(c) => diesel::insert_into(dsl::table).values(row).on_conflict_do_nothing().execute(c)?,
    };
    Ok(added == 1)
}

/// Takes back a verification whose first send was refused.
pub fn delete(conn: &mut Conn, id: VerificationId) -> Result<()> {
    diesel::delete(dsl::table.find(id)).execute(conn)?;
    Ok(())
}

/// What is stored as pending for a destination, held until the transaction ends.
pub fn find_pending_locked(conn: &mut Conn, owner: Owner, mac: &[u8]) -> Result<Option<Row>> {
    let Some(found) = find_pending(conn, owner, mac)? else { return Ok(None) };
    // It may have been decided between the look and the lock.
    Ok(find_locked(conn, found.id)?.filter(|row| row.status == Status::Pending))
}

/// The same, only looked at.
pub fn find_pending(conn: &mut Conn, owner: Owner, mac: &[u8]) -> Result<Option<Row>> {
    Ok(dsl::table
        .filter(dsl::org_id.eq(owner.0))
        .filter(dsl::mode.eq(owner.1))
        .filter(dsl::recipient_mac.eq(mac))
        .filter(dsl::status.eq(Status::Pending))
        .select(Row::as_select())
        .first(conn)
        .optional()?)
}

/// A verification of `owner`, held until the transaction ends. Error: `not_found`.
pub fn load_locked(conn: &mut Conn, owner: Owner, id: VerificationId) -> Result<Row> {
    find_locked(conn, id)?.filter(|row| (row.org_id, row.mode) == owner).ok_or_else(|| Error::new(Code::NotFound))
}

/// A verification by id alone, held until the transaction ends: for the worker.
pub fn find_locked(conn: &mut Conn, id: VerificationId) -> Result<Option<Row>> {
    if let Conn::Pg(c) = conn {
        dsl::table.find(id).select(dsl::id).for_update().execute(c)?;
    }
    Ok(dsl::table.find(id).select(Row::as_select()).first(conn).optional()?)
}

/// A verification of `owner`.
pub fn find(conn: &mut Conn, owner: Owner, id: VerificationId) -> Result<Option<Row>> {
    Ok(dsl::table
        .find(id)
        .filter(dsl::org_id.eq(owner.0))
        .filter(dsl::mode.eq(owner.1))
        .select(Row::as_select())
        .first(conn)
        .optional()?)
}

/// Keeps what a send changed.
pub fn save(conn: &mut Conn, row: &Row) -> Result<()> {
    diesel::update(dsl::table.find(row.id))
        .set((
            dsl::channel.eq(row.channel),
            dsl::locale.eq(&row.locale),
            dsl::sends.eq(row.sends),
            dsl::step.eq(row.step),
            dsl::spec.eq(&row.spec),
            dsl::last_send_at.eq(row.last_send_at),
            dsl::updated_at.eq(row.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends a pending verification as `status`; whether it was pending. The one place where a verification is decided:
/// of two that would approve it, one gets `true`.
pub fn decide(conn: &mut Conn, id: VerificationId, status: Status, now: Millis) -> Result<bool> {
    let moved = diesel::update(dsl::table.find(id))
        .filter(dsl::status.eq(Status::Pending))
        .set((dsl::status.eq(status), dsl::decided_at.eq(Some(now)), dsl::updated_at.eq(now)))
        .execute(conn)?;
    Ok(moved == 1)
}

/// Counts a check against an open verification, in one statement, before anything is compared. `None`: it is not open.
pub fn count_check(conn: &mut Conn, owner: Owner, id: VerificationId, now: Millis) -> Result<Option<Row>> {
    let open = diesel::update(dsl::table.find(id))
        .filter(dsl::org_id.eq(owner.0))
        .filter(dsl::mode.eq(owner.1))
        .filter(dsl::status.eq(Status::Pending))
        .filter(dsl::checks.lt(dsl::max_checks))
        .filter(dsl::expires_at.gt(now))
        .set((dsl::checks.eq(dsl::checks + 1), dsl::updated_at.eq(now)));
    Ok(crate::both!(conn, c => open.returning(Row::as_returning()).get_result(c).optional())?)
}

/// Adds a send.
pub fn insert_send(conn: &mut Conn, row: SendRow) -> Result<()> {
    diesel::insert_into(sends::table).values(row).execute(conn)?;
    Ok(())
}

/// Notes which send's code was entered.
pub fn mark_converted(conn: &mut Conn, id: VerificationId, attempt: i32) -> Result<()> {
    diesel::update(sends::table.find((id, attempt))).set(sends::converted.eq(true)).execute(conn)?;
    Ok(())
}

/// The sends of verifications, oldest first.
pub fn sends_of(conn: &mut Conn, ids: &[VerificationId]) -> Result<Vec<SendRow>> {
    Ok(sends::table
        .filter(sends::verification_id.eq_any(ids.to_vec()))
        .order((sends::verification_id.asc(), sends::attempt.asc()))
        .select(SendRow::as_select())
        .load(conn)?)
}
