//! Boosts: an organization whose channel reaches a higher tier has a larger share of sending requests, on the keys it has.

use crate::accounts::store;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OrgId;
use crate::limits::{Allowance, Policies, Policy, Rate};

/// Sets how many times the plan's sending requests (`band.send`) the organization has from now on; an override of that
/// policy wins over it. Whoever commits this forgets the `Directory`.
pub fn set_send_boost(conn: &mut Conn, org: OrgId, factor: i32) -> Result<()> {
    store::boosts::set(conn, org, factor.max(1))
}

/// The plan's policies with the boost in them.
pub(super) fn boosted(mut plan: Policies, factor: i32) -> Policies {
    if let Allowance::Rate(rate) = plan.get(Policy::BandSend) {
        let times = u32::try_from(factor).unwrap_or(1).max(1);
        let limit = rate.limit.saturating_mul(times);
        plan.set(Policy::BandSend, Allowance::Rate(Rate { limit, ..rate }));
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sending_requests_grow() {
        let plan = Policies::plan_defaults("pro").unwrap();
        let more = boosted(plan, 5);
        assert_eq!(more.get(Policy::BandSend).to_string(), "3000/min");
        assert_eq!(more.get(Policy::BandRead), plan.get(Policy::BandRead));
        assert_eq!(boosted(plan, 0), plan);
    }
}
