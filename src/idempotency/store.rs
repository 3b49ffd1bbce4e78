//! The table of idempotency keys.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, SmallInt, Text};
use diesel::upsert::excluded;

use super::{Begun, Claim, Keeping, Opening, Stored, in_flight, judge};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
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

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Text)]
    mode: String,
    #[diesel(sql_type = Binary)]
    key_hash: Vec<u8>,
}

type Found = (Vec<u8>, i16, Vec<u8>, Option<String>);

/// Claims keys, each at most once in `openings`. On PostgreSQL the unique rows are inserted now, so that a twin on
/// another connection waits for this transaction and then replays; on SQLite this connection holds the only write
/// lock, so a look is as good and `finish` inserts.
pub fn begin(conn: &mut Conn, openings: &[Opening<'_>], keeping: Keeping) -> Result<Vec<Result<Begun>>> {
    let taken = match conn {
        Conn::Sqlite(_) => Vec::new(),
        Conn::Pg(c) => insert_now(c, openings, keeping)?,
    };
    let is_taken = |claim: &Claim| {
        taken
            .iter()
            .any(|row| row.key_hash == claim.key_hash && row.owner == claim.owner && row.mode == claim.mode.as_str())
    };
    openings
        .iter()
        .map(|Opening { claim, .. }| {
            if is_taken(claim) {
                return Ok(Ok(Begun::Fresh));
            }
            Ok(match find(conn, claim, keeping.now)? {
                None => Ok(Begun::Fresh),
                Some((fingerprint, stored)) => judge(claim, &fingerprint, stored),
            })
        })
        .collect()
}

/// One statement of constant text for all: an array a column. A row whose time is over counts as none.
const INSERT_NOW: &str = "INSERT INTO idempotency AS kept \
    (owner, mode, key_hash, fingerprint, status, location, body, created_at, expires_at) \
    SELECT owner, mode, key_hash, fingerprint, status, location, ''::bytea, ?, ? \
    FROM unnest(?::text[], ?::text[], ?::bytea[], ?::bytea[], ?::smallint[], ?::text[]) \
    AS new (owner, mode, key_hash, fingerprint, status, location) \
    ON CONFLICT (owner, mode, key_hash) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status, \
    location = excluded.location, body = excluded.body, created_at = excluded.created_at, \
    expires_at = excluded.expires_at WHERE kept.expires_at <= excluded.created_at \
    RETURNING owner, mode, key_hash";

fn insert_now(conn: &mut diesel::PgConnection, openings: &[Opening<'_>], keeping: Keeping) -> Result<Vec<Taken>> {
    let running = Stored { status: 0, body: Vec::new(), location: None };
    let answers: Vec<Stored> =
        openings.iter().map(|opening| opening.place.map_or_else(|| running.clone(), Stored::shown_at)).collect();
    let mut rows: Vec<Row<'_>> =
        openings.iter().zip(&answers).map(|(opening, answer)| row(opening.claim, answer, keeping)).collect();
    rows.sort_by_key(|row| (row.owner, row.mode, row.key_hash));
    fixed(INSERT_NOW)
        .bind::<BigInt, _>(keeping.now)
        .bind::<BigInt, _>(keeping.now.plus(keeping.ttl))
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.owner).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.mode).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(rows.iter().map(|row| row.key_hash).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(rows.iter().map(|row| row.fingerprint).collect::<Vec<_>>())
        .bind::<Array<SmallInt>, _>(rows.iter().map(|row| row.status).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.location).collect::<Vec<_>>())
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
    let query = dsl::idempotency
        .find((claim.owner.as_str(), claim.mode.as_str(), claim.key_hash.as_slice()))
        .filter(dsl::expires_at.gt(now))
        .select((dsl::fingerprint, dsl::status, dsl::body, dsl::location));
    // On the connection inside: the enum would write the text and collect the values once more at each run.
    let row: Option<Found> = crate::both!(conn, c => query.first(c)).optional()?;
    Ok(row.map(|(fingerprint, status, body, location)| {
        (fingerprint, Stored { status: u16::try_from(status).unwrap_or(0), body, location })
    }))
}

/// Keeps the answers of the work that took effect.
pub fn finish(conn: &mut Conn, done: &[(Opening<'_>, Option<&Stored>)], keeping: Keeping) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            done.iter().try_for_each(|(opening, stored)| match (opening.place, stored) {
                (Some(place), _) => put(c, &row(opening.claim, &Stored::shown_at(place), keeping)),
                (None, Some(stored)) => put(c, &row(opening.claim, stored, keeping)),
                (None, None) => Err(Error::internal("an answer that is neither kept nor shown")),
            })?;
        }
        Conn::Pg(c) => {
            let rows: Vec<Row<'_>> = done
                .iter()
                .filter(|(opening, _)| opening.place.is_none())
                .filter_map(|(opening, stored)| Some(row(opening.claim, (*stored)?, keeping)))
                .collect();
            write_answers(c, &rows)?;
        }
    }
    Ok(())
}

/// A row whose time is over is replaced whole. (Not an upsert: diesel keeps this statement prepared.)
fn put(conn: &mut SqliteConnection, row: &Row<'_>) -> Result<()> {
    diesel::replace_into(dsl::idempotency).values(row).execute(conn)?;
    Ok(())
}

fn write_answers(conn: &mut diesel::PgConnection, rows: &[Row<'_>]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    diesel::insert_into(dsl::idempotency)
        .values(rows)
        .on_conflict((dsl::owner, dsl::mode, dsl::key_hash))
        .do_update()
        .set((
            dsl::status.eq(excluded(dsl::status)),
            dsl::body.eq(excluded(dsl::body)),
            dsl::location.eq(excluded(dsl::location)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Gives back keys that `begin` called fresh and whose work was refused, so that they work once the cause is gone.
pub fn release(conn: &mut Conn, refused: &[&Claim]) -> Result<()> {
    let Conn::Pg(c) = conn else { return Ok(()) };
    for claim in refused {
        diesel::delete(dsl::idempotency.find((claim.owner.as_str(), claim.mode.as_str(), claim.key_hash.as_slice())))
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
