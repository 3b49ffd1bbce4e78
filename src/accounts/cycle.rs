//! The months of a subscription: a change of plan that waits for the next one, and which plan was owed when.

use crate::accounts::org::{Org, SubscriptionStatus, load_org_for_update};
use crate::accounts::plans::PlanName;
use crate::accounts::store;
use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OrgId;

/// The first moment of the next month (UTC): when a cycle begins.
pub(super) fn next(now: Millis) -> Millis {
    let today = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
    let first = today.last_of_month().and_then(|last| last.tomorrow()).and_then(|first| first.start_of_day());
    first.map_or(now, |first| Millis(first.timestamp().as_millisecond()))
}

/// Does the changes of plan that are due; how many.
pub fn apply_due_plans(conn: &mut Conn, now: Millis) -> Result<usize> {
    let by = By::local(Actor::System, now);
    let due = store::orgs::plans_due(conn, now)?;
    for id in &due {
        let before = load_org_for_update(conn, *id)?;
        let Some(plan) = before.next_plan.filter(|_| before.next_plan_at.is_some_and(|at| at <= now)) else { continue };
        let after = Org { plan, next_plan: None, next_plan_at: None, updated_at: now, ..before.clone() };
        write(conn, &before, &after)?;
        by.tell(conn, "org.plan", *id, Change::changed(&before, &after))?;
    }
    Ok(due.len())
}

/// Writes an organization as it now is, and from when on it owes another plan.
pub(super) fn write(conn: &mut Conn, before: &Org, after: &Org) -> Result<()> {
    store::orgs::update(conn, after.clone())?;
    // A change that was due with the month counts from its beginning, though it is done a little later.
    let since = before.next_plan_at.filter(|at| *at <= after.updated_at && after.next_plan_at.is_none());
    match owed(after) {
        plan if plan == owed(before) => Ok(()),
        plan => store::spans::begin(conn, after.id, plan, since.unwrap_or(after.updated_at)),
    }
}

/// Notes the plan that a new organization owes.
pub(super) fn begin(conn: &mut Conn, org: &Org) -> Result<()> {
    store::spans::begin(conn, org.id, owed(org), org.created_at)
}

/// The plan whose fee an organization owes: none while its subscription is canceled.
fn owed(org: &Org) -> Option<PlanName> {
    (org.subscription_status != SubscriptionStatus::Canceled).then_some(org.plan)
}

/// Which plan's fee an organization owed from when on, as it was noted before `until`, in its order.
pub fn plans_of(conn: &mut Conn, id: OrgId, until: Millis) -> Result<Vec<(Millis, Option<PlanName>)>> {
    store::spans::until(conn, id, until)
}
