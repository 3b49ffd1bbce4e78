//! All SQL of the verifications room. Finders that a customer's request reaches take the owner: somebody else's row is
//! no row.

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::row::{Row, SendRow};
use super::state::Status;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{verification_sends as sends, verifications as dsl};
use crate::error::{Code, Error, Result};
use crate::ids::{OrgId, VerificationId};
use crate::phone::Country;
use crate::terms::{Channel, Mode};

/// Whose rows are looked for.
pub type Owner = (OrgId, Mode);

/// What a list is narrowed to.
#[derive(Default, Clone)]
pub struct Filter {
    /// In this status, as it is at `now`.
    pub status: Option<Status>,
    /// To this address.
    pub to: Option<String>,
    /// Last sent by this channel.
    pub channel: Option<Channel>,
    /// Started at or after.
    pub created_after: Option<Millis>,
    /// Started before.
    pub created_before: Option<Millis>,
}

/// What a summary counts.
#[derive(Clone)]
pub struct Scope {
    /// Whose.
    pub owner: Owner,
    /// Started in this time: from, before.
    pub between: (Millis, Millis),
    /// Numbers of this country.
    pub country: Option<Country>,
    /// Addresses that start so; `+` and digits only.
    pub prefix: Option<String>,
    /// With a code sent by this channel.
    pub channel: Option<Channel>,
}

/// What a summary found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Verifications started.
    pub started: i64,
    /// Of these, approved.
    pub approved: i64,
    /// Of these, neither approved nor ended.
    pub open: i64,
    /// Codes sent.
    pub sent: i64,
}

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

/// Verifications of `owner` as they are at `now`, newest first, from before `before` on.
pub fn list(
    conn: &mut Conn,
    owner: Owner,
    filter: Filter,
    before: Option<VerificationId>,
    (now, limit): (Millis, i64),
) -> Result<Vec<Row>> {
    let mut query = dsl::table
        .filter(dsl::org_id.eq(owner.0))
        .filter(dsl::mode.eq(owner.1))
        .order(dsl::id.desc())
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    // Time and checks end a verification before anybody writes it down.
    let stored_open = dsl::status.eq(Status::Pending);
    let used_up = dsl::checks.ge(dsl::max_checks);
    query = match filter.status {
        None => query,
        Some(Status::Pending) => {
            query.filter(stored_open.and(dsl::expires_at.gt(now)).and(dsl::checks.lt(dsl::max_checks)))
        }
        Some(Status::MaxChecks) => query.filter(dsl::status.eq(Status::MaxChecks).or(stored_open.and(used_up))),
        Some(Status::Expired) => query.filter(
            dsl::status
                .eq(Status::Expired)
                .or(stored_open.and(dsl::expires_at.le(now)).and(dsl::checks.lt(dsl::max_checks))),
        ),
        Some(status) => query.filter(dsl::status.eq(status)),
    };
    if let Some(to) = filter.to {
        query = query.filter(dsl::recipient.eq(to));
    }
    if let Some(channel) = filter.channel {
        query = query.filter(dsl::channel.eq(channel));
    }
    if let Some(after) = filter.created_after {
        query = query.filter(dsl::created_at.ge(after));
    }
    if let Some(created_before) = filter.created_before {
        query = query.filter(dsl::created_at.lt(created_before));
    }
    if let Some(before) = before {
        query = query.filter(dsl::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Counts for a summary at `now`.
pub fn count(conn: &mut Conn, scope: &Scope, now: Millis) -> Result<Counts> {
    let channels = || scope.channel.map_or_else(|| Channel::ALL.to_vec(), |channel| vec![channel]);
    // Ids sort by time, so a stretch of time is a stretch of the owner's index.
    let between = (VerificationId::first_at(scope.between.0), VerificationId::first_at(scope.between.1));
    let pattern = format!("{}%", scope.prefix.as_deref().unwrap_or_default());
    let of_any_country = scope.country.is_none().into_sql::<Bool>();
    let in_scope = || {
        dsl::org_id
            .eq(scope.owner.0)
            .and(dsl::mode.eq(scope.owner.1))
            .and(dsl::id.ge(between.0))
            .and(dsl::id.lt(between.1))
            .and(dsl::recipient.like(&pattern))
            .and(dsl::country.eq(scope.country).assume_not_null().or(of_any_country))
    };
    let sent_by = || sends::table.filter(sends::verification_id.eq(dsl::id)).filter(sends::channel.eq_any(channels()));
    let started = || dsl::table.filter(in_scope()).filter(exists(sent_by()));
    let approved =
        started().filter(dsl::status.eq(Status::Approved)).filter(exists(sent_by().filter(sends::converted.eq(true))));
    let open = started()
        .filter(dsl::status.eq(Status::Pending))
        .filter(dsl::expires_at.gt(now))
        .filter(dsl::checks.lt(dsl::max_checks));
    let sent = sends::table
        .inner_join(dsl::table.on(dsl::id.eq(sends::verification_id)))
        .filter(in_scope())
        .filter(sends::channel.eq_any(channels()));
    Ok(Counts {
        started: started().select(count_star()).first(conn)?,
        approved: approved.select(count_star()).first(conn)?,
        open: open.select(count_star()).first(conn)?,
        sent: sent.select(count_star()).first(conn)?,
    })
}

/// Drops up to `limit` verifications that ended before `before`, and their sends; how many.
pub fn purge(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<VerificationId> = dsl::table
        .filter(dsl::id.lt(VerificationId::first_at(before)))
        .filter(dsl::expires_at.lt(before))
        .select(dsl::id)
        .order(dsl::id.asc())
        .limit(limit)
        .load(conn)?;
    diesel::delete(sends::table.filter(sends::verification_id.eq_any(old.clone()))).execute(conn)?;
    diesel::delete(dsl::table.filter(dsl::id.eq_any(old.clone()))).execute(conn)?;
    Ok(old.len())
}
