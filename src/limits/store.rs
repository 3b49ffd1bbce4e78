//! The limiter's windows that outlive a restart: one row, written every few seconds by the one-node default.

use diesel::prelude::*;

use super::SavedScope;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::door_windows::dsl;
use crate::error::{Error, Result};

/// The one row; the columns leave room for a row per organization, should one grow too large.
const KEY: (&str, &str) = ("*", "*");

/// Writes what [`super::Limits::snapshot`] gave.
pub fn save(conn: &mut Conn, scopes: &[SavedScope], now: Millis) -> Result<()> {
    let state = serde_json::to_vec(scopes).map_err(Error::internal)?;
    crate::both!(conn, c => diesel::insert_into(dsl::door_windows)
        .values((dsl::shard.eq(KEY.0), dsl::scope.eq(KEY.1), dsl::state.eq(&state), dsl::saved_at.eq(now)))
        .on_conflict((dsl::shard, dsl::scope))
        .do_update()
        .set((dsl::state.eq(&state), dsl::saved_at.eq(now)))
        .execute(c))?;
    Ok(())
}

/// Reads what `save` wrote; nothing where it cannot be read, as after a change of its form.
pub fn load(conn: &mut Conn) -> Result<Vec<SavedScope>> {
    let state: Option<Vec<u8>> = dsl::door_windows.find(KEY).select(dsl::state).first(conn).optional()?;
    Ok(state.and_then(|state| serde_json::from_slice(&state).ok()).unwrap_or_default())
}
