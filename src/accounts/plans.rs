//! Plans: what each allows, as data that operators change.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::store;
use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::limits::{Allowance, Policies, Policy};

crate::text_enum! {
    /// A plan by name.
    pub enum PlanName { Free = "free", Pro = "pro", Enterprise = "enterprise" }
}

impl PlanName {
    /// The plan of an organization that was given none.
    pub fn starting() -> PlanName {
        PlanName::Free
    }
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Plan {
    /// Its name.
    pub name: PlanName,
    /// What it allows, policy by policy.
    pub policies: Policies,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
}

/// What a plan shall allow from now on; policies it does not name stay as they are.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"policies": {"sms.plan": "120/min"}, "reason": "spring offer"}))]
pub struct PlanChange {
    /// Policies to change, in the notation `3/5m`, `60/min`, `10000/day`, `unlimited`.
    pub policies: Policies,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// Writes the default plans where there are none yet. Called at every start.
pub fn seed(conn: &mut Conn, now: Millis) -> Result<()> {
    let known = store::plans::list(conn)?;
    let by = By::local(Actor::System, now);
    for name in PlanName::ALL.iter().filter(|name| known.iter().all(|plan| plan.name != **name)) {
        let policies = Policies::plan_defaults(name.as_str()).unwrap_or_default();
        let plan = Plan { name: *name, policies, updated_at: now };
        if store::plans::insert_missing(conn, plan.clone())? {
            by.tell(conn, "plan.create", name, Change::made(&plan))?;
        }
    }
    Ok(())
}

/// Every plan, from the smallest to the largest.
pub fn list_plans(conn: &mut Conn) -> Result<Vec<Plan>> {
    let mut plans = store::plans::list(conn)?;
    plans.sort_by_key(|plan| plan.name);
    Ok(plans)
}

/// Changes what a plan allows, for all its organizations, within a second. Errors: `not_found`.
pub fn update_plan(conn: &mut Conn, by: &By, name: PlanName, policies: Policies) -> Result<Plan> {
    if policies.find(Policy::WhatsappContacts).is_some_and(|set| set != Allowance::Unlimited) {
        return Err(Error::field("policies", "cannot set whatsapp.contacts: the tier of a number's portfolio does"));
    }
    let before = store::plans::find_locked(conn, name)?.ok_or_else(|| Error::new(Code::NotFound))?;
    let after = Plan { policies: before.policies.merged(&policies), updated_at: by.now, ..before };
    store::plans::update(conn, after.clone())?;
    by.tell(conn, "plan.update", name, Change::changed(&before, &after))?;
    Ok(after)
}
