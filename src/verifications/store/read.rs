//! Lists, figures and the purge.

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::change::Owner;
use super::row::Row;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{verification_sends as sends, verifications as dsl};
use crate::error::Result;
use crate::ids::VerificationId;
use crate::phone::Country;
use crate::terms::Channel;
use crate::verifications::state::Status;

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

/// Verifications that the request `request_id` started in a stretch of time (from, before): along their ids, which sort
/// by time.
pub fn of_request(conn: &mut Conn, request_id: &str, (from, to): (Millis, Millis)) -> Result<Vec<Row>> {
    Ok(dsl::table
        .filter(dsl::id.ge(VerificationId::first_at(from)))
        .filter(dsl::id.lt(VerificationId::first_at(to)))
        .filter(dsl::request_id.eq(request_id))
        .order(dsl::id.asc())
        .select(Row::as_select())
        .load(conn)?)
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
