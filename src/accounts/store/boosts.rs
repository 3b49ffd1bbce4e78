//! Table `send_boosts`.

use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::send_boosts as boosts;
use crate::error::Result;
use crate::ids::OrgId;

/// The factor of an organization, 1 where none is set.
pub(in crate::accounts) fn find(conn: &mut Conn, org: OrgId) -> Result<i32> {
    let found: Option<i32> = boosts::table.find(org).select(boosts::factor).first(conn).optional()?;
    Ok(found.unwrap_or(1))
}

/// Sets it.
pub(in crate::accounts) fn set(conn: &mut Conn, org: OrgId, factor: i32) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(boosts::table)
        .values((boosts::org_id.eq(org), boosts::factor.eq(factor)))
        .on_conflict(boosts::org_id)
        .do_update()
        .set(boosts::factor.eq(factor))
        .execute(c))?;
    Ok(())
}
