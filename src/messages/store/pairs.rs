//! The table of pairs: how far ahead of its pace a WhatsApp number is with a recipient.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::pairs;
use crate::error::Result;
use crate::messages::pairs::{EVERY, PairKey};

/// What is known of `recipients`, with any number of ours.
pub fn load_pairs(conn: &mut Conn, recipients: &BTreeSet<Vec<u8>>) -> Result<Vec<(PairKey, Millis)>> {
    if recipients.is_empty() {
        return Ok(Vec::new());
    }
    let query = pairs::table.filter(pairs::recipient.eq_any(recipients)).select((
        pairs::carrier,
        pairs::recipient,
        pairs::due_at,
    ));
    let rows: Vec<(String, Vec<u8>, Millis)> = crate::both!(conn, c => query.load(c))?;
    Ok(rows.into_iter().map(|(carrier, recipient, due)| ((carrier, recipient), due)).collect())
}

const TAKE_ONE: &str = "INSERT INTO pairs (recipient, carrier, due_at) VALUES (?, ?, ?) \
    ON CONFLICT (recipient, carrier) DO UPDATE SET due_at = MAX(pairs.due_at, ?) + ?";

const TAKE_ALL: &str = "INSERT INTO pairs AS p (recipient, carrier, due_at) \
    SELECT n.recipient, n.carrier, ?::bigint + n.more FROM unnest(?::bytea[], ?::text[], ?::bigint[]) AS n (recipient, carrier, more) \
    ORDER BY n.recipient, n.carrier \
    ON CONFLICT (recipient, carrier) DO UPDATE SET due_at = GREATEST(p.due_at, ?::bigint) + excluded.due_at - ?::bigint";

/// Adds what was handed over: onto whatever another process has added meanwhile. In one order, so that two claims never
/// wait for each other in a ring.
pub fn take_pairs(conn: &mut Conn, taken: &BTreeMap<PairKey, u32>, now: Millis) -> Result<()> {
    let mut all: Vec<(&PairKey, i64)> =
        taken.iter().map(|(key, count)| (key, i64::from(*count) * millis(EVERY))).collect();
    all.sort_by_key(|((carrier, recipient), _)| (recipient, carrier));
    match conn {
        Conn::Sqlite(c) => {
            for ((carrier, recipient), more) in all {
                fixed(TAKE_ONE)
                    .bind::<Binary, _>(recipient.as_slice())
                    .bind::<Text, _>(carrier.as_str())
                    .bind::<BigInt, _>(now.0 + more)
                    .bind::<BigInt, _>(now)
                    .bind::<BigInt, _>(more)
                    .execute(c)?;
            }
        }
        Conn::Pg(_) if all.is_empty() => {}
        Conn::Pg(c) => {
            fixed(TAKE_ALL)
                .bind::<BigInt, _>(now)
                .bind::<Array<Binary>, _>(
                    all.iter().map(|((_, recipient), _)| recipient.as_slice()).collect::<Vec<_>>(),
                )
                .bind::<Array<Text>, _>(all.iter().map(|((carrier, _), _)| carrier.as_str()).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(all.iter().map(|(_, more)| *more).collect::<Vec<_>>())
                .bind::<BigInt, _>(now)
                .bind::<BigInt, _>(now)
                .execute(c)?;
        }
    }
    Ok(())
}

const HOLD_SQLITE: &str = "INSERT INTO pairs (recipient, carrier, due_at) VALUES (?, ?, ?) \
    ON CONFLICT (recipient, carrier) DO UPDATE SET due_at = MAX(pairs.due_at - ?, excluded.due_at)";

const HOLD_PG: &str = "INSERT INTO pairs (recipient, carrier, due_at) VALUES (?, ?, ?) \
    ON CONFLICT (recipient, carrier) DO UPDATE SET due_at = GREATEST(pairs.due_at - ?, excluded.due_at)";

/// Meta has refused one message to each of these pairs: that one takes no turn, and nothing more goes until `due` says so.
pub fn hold_pairs(conn: &mut Conn, held: &BTreeMap<PairKey, Millis>) -> Result<()> {
    let text = if conn.is_sqlite() { HOLD_SQLITE } else { HOLD_PG };
    for ((carrier, recipient), due) in held {
        crate::both!(conn, c => fixed(text)
            .bind::<Binary, _>(recipient.as_slice())
            .bind::<Text, _>(carrier.as_str())
            .bind::<BigInt, _>(*due)
            .bind::<BigInt, _>(millis(EVERY))
            .execute(c))?;
    }
    Ok(())
}

/// Drops up to `limit` pairs that are not ahead any more; how many.
pub fn purge_pairs(conn: &mut Conn, now: Millis, limit: i64) -> Result<usize> {
    let old: Vec<(Vec<u8>, String)> = pairs::table
        .filter(pairs::due_at.le(now))
        .order(pairs::due_at.asc())
        .limit(limit)
        .select((pairs::recipient, pairs::carrier))
        .load(conn)?;
    let mut gone = 0;
    for (recipient, carrier) in old {
        let row = pairs::table.find((recipient, carrier)).filter(pairs::due_at.le(now));
        gone += diesel::delete(row).execute(conn)?;
    }
    Ok(gone)
}

fn millis(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
