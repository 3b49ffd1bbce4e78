//! Table `org_plans`: which plan an organization was on from when on.

use diesel::prelude::*;

use crate::accounts::plans::PlanName;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::org_plans;
use crate::error::Result;
use crate::ids::OrgId;

/// Notes that an organization is on `plan` from `since` on; the later of two notes of one moment counts.
pub(in crate::accounts) fn begin(conn: &mut Conn, org: OrgId, plan: Option<PlanName>, since: Millis) -> Result<()> {
    let row = (org_plans::org_id.eq(org), org_plans::since.eq(since), org_plans::plan.eq(plan));
    let query = diesel::insert_into(org_plans::table).values(row).on_conflict((org_plans::org_id, org_plans::since));
    crate::both!(conn, c => query.do_update().set(org_plans::plan.eq(plan)).execute(c))?;
    Ok(())
}

/// What was noted of an organization before `until`, in its order.
pub(in crate::accounts) fn until(
    conn: &mut Conn,
    org: OrgId,
    until: Millis,
) -> Result<Vec<(Millis, Option<PlanName>)>> {
    Ok(org_plans::table
        .filter(org_plans::org_id.eq(org))
        .filter(org_plans::since.lt(until))
        .order(org_plans::since.asc())
        .select((org_plans::since, org_plans::plan))
        .load(conn)?)
}
