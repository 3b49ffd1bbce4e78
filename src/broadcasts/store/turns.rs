//! Turns of the worker: which broadcast is due, and who has it.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::row::{Row, find_locked, save};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::broadcasts as dsl;
use crate::error::Result;
use crate::ids::BroadcastId;

/// Broadcasts tried in one claim: others may be claiming the first ones.
const CLAIM_TRIES: i64 = 8;

/// Whether any broadcast is due: a look that costs next to nothing.
pub fn any_due(conn: &mut Conn, now: Millis) -> Result<bool> {
    Ok(diesel::select(exists(dsl::table.filter(dsl::next_at.le(now)))).get_result(conn)?)
}

/// Takes the broadcast that has been due longest, until `lease_until`: then it is due again by itself, should this
/// process die. The row is of the claimer's turn: whatever anybody does with it makes it another.
pub fn claim_due(conn: &mut Conn, now: Millis, lease_until: Millis) -> Result<Option<Row>> {
    let due: Vec<BroadcastId> = dsl::table
        .filter(dsl::next_at.le(now))
        .order((dsl::next_at.asc(), dsl::id.asc()))
        .select(dsl::id)
        .limit(CLAIM_TRIES)
        .load(conn)?;
    for id in due {
        let Some(row) = find_locked(conn, id)?.filter(|row| row.next_at.is_some_and(|at| at <= now)) else { continue };
        let mine = Row { next_at: Some(lease_until), ..row };
        if save(conn, &mine)? {
            return Ok(Some(Row { turn: mine.turn.saturating_add(1), ..mine }));
        }
    }
    Ok(None)
}

/// Makes a broadcast due at `at` where its turn is still `turn`: a step that failed.
pub fn put_back(conn: &mut Conn, (id, turn): (BroadcastId, i64), at: Millis) -> Result<()> {
    let target = dsl::table.filter(dsl::id.eq(id)).filter(dsl::turn.eq(turn)).filter(dsl::next_at.is_not_null());
    diesel::update(target).set(dsl::next_at.eq(at)).execute(conn)?;
    Ok(())
}
