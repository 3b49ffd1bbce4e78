//! The table of idempotency keys.

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::{Begun, Claim, Keeping, Stored, in_flight, judge};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::idempotency::dsl;
use crate::error::{Code, Error, Result};

#[derive(Insertable)]
#[diesel(table_name = crate::db::schema::idempotency, treat_none_as_default_value = false)]
struct Row<'a> {
    owner: &'a str,
    mode: &'a str,
    key_hash: &'a [u8],
    fingerprint: &'a [u8],
    status: i16,
    body: &'a [u8],
    location: Option<&'a str>,
    created_at: Millis,
    expires_at: Millis,
}

type Found = (Vec<u8>, i16, Vec<u8>, Option<String>);

/// Claims keys, each at most once in `claims`. On PostgreSQL the unique rows are inserted now, so that a twin on
/// another connection waits for this transaction and then replays; on SQLite this connection holds the only write
/// lock, so a look is as good and `finish` inserts.
pub fn begin(conn: &mut Conn, claims: &[&Claim], keeping: Keeping) -> Result<Vec<Result<Begun>>> {
    let taken = match conn {
        Conn::Sqlite(_) => Vec::new(),
        Conn::Pg(c) => insert_running(c, claims, keeping)?,
    };
    claims
        .iter()
        .map(|claim| {
            if taken.iter().any(|(owner, mode, hash)| {
                *owner == claim.owner && mode == claim.mode.as_str() && *hash == claim.key_hash
            }) {
                return Ok(Ok(Begun::Fresh));
            }
            Ok(match find(conn, claim, keeping.now)? {
                None => Ok(Begun::Fresh),
                Some((fingerprint, stored)) => judge(claim, &fingerprint, stored),
            })
        })
        .collect()
}

fn insert_running(
    conn: &mut diesel::PgConnection,
    claims: &[&Claim],
    keeping: Keeping,
) -> Result<Vec<(String, String, Vec<u8>)>> {
    let running = Stored { status: 0, body: Vec::new(), location: None };
    let mut rows: Vec<Row<'_>> = claims.iter().map(|claim| row(claim, &running, keeping)).collect();
    rows.sort_by_key(|row| (row.owner, row.mode, row.key_hash));
    let upsert = diesel::insert_into(dsl::idempotency)
        .values(&rows)
        .on_conflict((dsl::owner, dsl::mode, dsl::key_hash))
        .do_update()
        .set((
            dsl::fingerprint.eq(excluded(dsl::fingerprint)),
            dsl::status.eq(excluded(dsl::status)),
            dsl::body.eq(excluded(dsl::body)),
            dsl::location.eq(excluded(dsl::location)),
            dsl::created_at.eq(excluded(dsl::created_at)),
            dsl::expires_at.eq(excluded(dsl::expires_at)),
        ));
    diesel::query_dsl::methods::FilterDsl::filter(upsert, dsl::expires_at.le(keeping.now))
        .returning((dsl::owner, dsl::mode, dsl::key_hash))
        .get_results(conn)
        .map_err(|fault| waited_too_long(fault.into()))
}

/// A twin that still holds the row after `lock_timeout` is the first request, still running.
fn waited_too_long(fault: Error) -> Error {
    let locked =
        fault.code() == Code::Overloaded && fault.cause_text().is_some_and(|text| text.contains("lock timeout"));
    if locked { in_flight() } else { fault }
}

/// The live row of a claim's key: its fingerprint and answer.
pub(super) fn find(conn: &mut Conn, claim: &Claim, now: Millis) -> Result<Option<(Vec<u8>, Stored)>> {
    let row: Option<Found> = dsl::idempotency
        .find((claim.owner.as_str(), claim.mode.as_str(), claim.key_hash.as_slice()))
        .filter(dsl::expires_at.gt(now))
        .select((dsl::fingerprint, dsl::status, dsl::body, dsl::location))
        .first(conn)
        .optional()?;
    Ok(row.map(|(fingerprint, status, body, location)| {
        (fingerprint, Stored { status: u16::try_from(status).unwrap_or(0), body, location })
    }))
}

/// Keeps the answers of the work that took effect.
pub fn finish(conn: &mut Conn, done: &[(&Claim, &Stored)], keeping: Keeping) -> Result<()> {
    if done.is_empty() {
        return Ok(());
    }
    let rows: Vec<Row<'_>> = done.iter().map(|(claim, stored)| row(claim, stored, keeping)).collect();
    match conn {
        Conn::Sqlite(c) => {
            for row in &rows {
                diesel::insert_into(dsl::idempotency)
                    .values(row)
                    .on_conflict((dsl::owner, dsl::mode, dsl::key_hash))
                    .do_update()
                    .set((
                        dsl::fingerprint.eq(row.fingerprint),
                        dsl::status.eq(row.status),
                        dsl::body.eq(row.body),
                        dsl::location.eq(row.location),
                        dsl::created_at.eq(row.created_at),
                        dsl::expires_at.eq(row.expires_at),
                    ))
                    .execute(c)?;
            }
        }
        Conn::Pg(c) => {
            diesel::insert_into(dsl::idempotency)
                .values(&rows)
                .on_conflict((dsl::owner, dsl::mode, dsl::key_hash))
                .do_update()
                .set((
                    dsl::status.eq(excluded(dsl::status)),
                    dsl::body.eq(excluded(dsl::body)),
                    dsl::location.eq(excluded(dsl::location)),
                ))
                .execute(c)?;
        }
    }
    Ok(())
}

/// Gives back the keys of work that was refused, so that they work once the cause is gone.
pub fn release(conn: &mut Conn, refused: &[&Claim]) -> Result<()> {
    let Conn::Pg(c) = conn else { return Ok(()) };
    for claim in refused {
        diesel::delete(dsl::idempotency.find((claim.owner.as_str(), claim.mode.as_str(), claim.key_hash.as_slice())))
            .filter(dsl::status.eq(0))
            .execute(c)?;
    }
    Ok(())
}

/// Drops up to `limit` rows whose time is over; how many went.
pub fn purge(conn: &mut Conn, now: Millis, limit: i64) -> Result<usize> {
    let old: Vec<(String, String, Vec<u8>)> = dsl::idempotency
        .filter(dsl::expires_at.le(now))
        .select((dsl::owner, dsl::mode, dsl::key_hash))
        .limit(limit)
        .load(conn)?;
    for (owner, mode, hash) in &old {
        diesel::delete(dsl::idempotency.find((owner, mode, hash))).filter(dsl::expires_at.le(now)).execute(conn)?;
    }
    Ok(old.len())
}

fn row<'a>(claim: &'a Claim, stored: &'a Stored, keeping: Keeping) -> Row<'a> {
    Row {
        owner: &claim.owner,
        mode: claim.mode.as_str(),
        key_hash: &claim.key_hash,
        fingerprint: &claim.fingerprint,
        status: i16::try_from(stored.status).unwrap_or(0),
        body: &stored.body,
        location: stored.location.as_deref(),
        created_at: keeping.now,
        expires_at: keeping.now.plus(keeping.ttl),
    }
}
