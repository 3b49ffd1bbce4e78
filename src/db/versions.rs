//! How often something that processes keep in memory has been changed: who knows the number need not read it anew.

use diesel::prelude::*;

use super::Conn;
use super::schema::versions;
use crate::error::Result;

/// How often `name` has been changed.
pub fn version_of(conn: &mut Conn, name: &str) -> Result<i64> {
    Ok(versions::table.find(name).select(versions::version).first(conn).optional()?.unwrap_or(0))
}

/// Counts a change of `name`, in the transaction of the change; its row is held until that ends.
pub fn count_change(conn: &mut Conn, name: &str) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(versions::table)
        .values((versions::name.eq(name), versions::version.eq(1)))
        .on_conflict(versions::name)
        .do_update()
        .set(versions::version.eq(versions::version + 1))
        .execute(c))?;
    Ok(())
}
