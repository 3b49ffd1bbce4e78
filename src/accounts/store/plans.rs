//! Table `plans`.

use diesel::prelude::*;

use super::{from_column, to_column};
use crate::accounts::plans::{Plan, PlanName};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::plans;
use crate::error::Result;

type Row = (PlanName, String, Millis);

/// Every plan.
pub(in crate::accounts) fn list(conn: &mut Conn) -> Result<Vec<Plan>> {
    let rows: Vec<Row> = plans::table.select(plans::all_columns).load(conn)?;
    rows.into_iter().map(plan).collect()
}

/// The plan `name`.
pub(in crate::accounts) fn find(conn: &mut Conn, name: PlanName) -> Result<Option<Plan>> {
    let row: Option<Row> =
        plans::table.filter(plans::name.eq(name)).select(plans::all_columns).first(conn).optional()?;
    row.map(plan).transpose()
}

/// The same, held until the transaction ends.
pub(in crate::accounts) fn find_locked(conn: &mut Conn, name: PlanName) -> Result<Option<Plan>> {
    if let Conn::Pg(c) = conn {
        plans::table.filter(plans::name.eq(name)).select(plans::name).for_update().execute(c)?;
    }
    find(conn, name)
}

/// Adds a plan unless it is there; several processes may start at once. Says whether it was added.
pub(in crate::accounts) fn insert_missing(conn: &mut Conn, plan: Plan) -> Result<bool> {
    let text = to_column(&plan.policies)?;
    let row = (plans::name.eq(plan.name), plans::policies.eq(text), plans::updated_at.eq(plan.updated_at));
    let count = crate::both!(conn, c => {
        diesel::insert_into(plans::table).values(row).on_conflict_do_nothing().execute(c)
    })?;
    Ok(count == 1)
}

/// Writes a plan as it now is.
pub(in crate::accounts) fn update(conn: &mut Conn, plan: Plan) -> Result<()> {
    let text = to_column(&plan.policies)?;
    diesel::update(plans::table.filter(plans::name.eq(plan.name)))
        .set((plans::policies.eq(text), plans::updated_at.eq(plan.updated_at)))
        .execute(conn)?;
    Ok(())
}

fn plan((name, policies, updated_at): Row) -> Result<Plan> {
    Ok(Plan { name, policies: from_column(&policies)?, updated_at })
}
