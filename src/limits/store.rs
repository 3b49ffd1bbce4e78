//! The limiter's windows that outlive a restart: a row for each node, written every few seconds.

use std::time::Duration;

use diesel::prelude::*;

use super::SavedScope;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::door_windows::dsl;
use crate::error::{Error, Result};

/// The row of the only node there is.
pub const ALONE: &str = "*";

/// The column of a row's shard: all of them in one row, with room for a row per organization, should one grow too large.
const EVERY_SHARD: &str = "*";

/// How long the row of a node that is gone is kept. Whoever starts meanwhile reads it and writes what it says into a row of
/// its own.
const KEPT: Duration = Duration::from_secs(3600);

/// Writes what a node knows ([`super::Door::snapshot`]) into its own row, and drops rows of nodes long gone.
pub fn save(conn: &mut Conn, node: &str, scopes: &[SavedScope], now: Millis) -> Result<()> {
    let state = serde_json::to_vec(scopes).map_err(Error::internal)?;
    crate::both!(conn, c => diesel::insert_into(dsl::door_windows)
        .values((dsl::shard.eq(EVERY_SHARD), dsl::scope.eq(node), dsl::state.eq(&state), dsl::saved_at.eq(now)))
        .on_conflict((dsl::shard, dsl::scope))
        .do_update()
        .set((dsl::state.eq(&state), dsl::saved_at.eq(now)))
        .execute(c))?;
    diesel::delete(dsl::door_windows.filter(dsl::saved_at.lt(now.minus(KEPT)))).execute(conn)?;
    Ok(())
}

/// Reads what every node's `save` wrote; nothing of a row that cannot be read, as after a change of its form.
pub fn load(conn: &mut Conn) -> Result<Vec<SavedScope>> {
    let states: Vec<Vec<u8>> = dsl::door_windows.filter(dsl::shard.eq(EVERY_SHARD)).select(dsl::state).load(conn)?;
    Ok(states.iter().filter_map(|state| serde_json::from_slice::<Vec<SavedScope>>(state).ok()).flatten().collect())
}
