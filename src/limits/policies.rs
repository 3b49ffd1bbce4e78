//! Which allowance each policy has: the defaults of the plans, as data, and overrides laid over them.

use std::fmt;

use serde::de::MapAccess;
use serde::ser::SerializeMap;

use crate::limits::{Allowance, Policy, Rate};

/// Policies with their allowances. In JSON an object: `{"otp.number":"3/5m","key.daily":"unlimited"}`.
///
/// It may hold some policies only (a set of overrides); `get` answers for the others with the free plan's default, the
/// tightest there is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Policies([Option<Allowance>; COUNT]);

/// How many policies there are.
const COUNT: usize = Policy::ALL.len();

/// What a plan allows, one row a policy: free, pro, enterprise.
type Row = (Policy, [Allowance; 3]);

const fn per(limit: u32, seconds: u64) -> Allowance {
    Allowance::Rate(Rate::per_secs(limit, seconds))
}

/// One allowance on every plan.
const fn same(limit: u32, seconds: u64) -> [Allowance; 3] {
    [per(limit, seconds); 3]
}

/// Times ten on pro, times a hundred on enterprise.
const fn tenfold(limit: u32, seconds: u64) -> [Allowance; 3] {
    [per(limit, seconds), per(limit * 10, seconds), per(limit * 100, seconds)]
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// The plans' defaults.
const TABLE: [Row; COUNT] = [
    (Policy::KeyBurstShort, tenfold(5, 1)),
    (Policy::KeyBurstMedium, tenfold(30, 10)),
    (Policy::KeyBurstLong, tenfold(100, MINUTE)),
    (Policy::KeyMinute, tenfold(60, MINUTE)),
    (Policy::OrgMinute, tenfold(600, MINUTE)),
    (Policy::KeyWindow, tenfold(1_000, HOUR)),
    (Policy::KeyDaily, [per(10_000, DAY), per(100_000, DAY), Allowance::Unlimited]),
    (Policy::BandSend, tenfold(60, MINUTE)),
    (Policy::BandRead, tenfold(300, MINUTE)),
    (Policy::BandManage, tenfold(120, MINUTE)),
    (Policy::BandBilling, tenfold(30, MINUTE)),
    (Policy::SmsPlan, [per(1, MINUTE), per(60, MINUTE), per(300, MINUTE)]),
    // What a portfolio's tier allows is its own, see the WhatsApp room.
    (Policy::WhatsappContacts, [Allowance::Unlimited; 3]),
    (Policy::OtpNumber, same(3, 5 * MINUTE)),
    (Policy::OtpNumberHour, same(10, HOUR)),
    (Policy::OtpNumberDay, same(20, DAY)),
    (Policy::PlatformNumber, same(20, DAY)),
    (Policy::OtpIp, same(20, HOUR)),
    (Policy::OtpDevice, same(10, HOUR)),
    (Policy::CheckNumber, same(15, HOUR)),
    (Policy::CheckNumberDay, same(50, DAY)),
    (Policy::AnonymousIp, same(30, MINUTE)),
];

impl Policies {
    /// No policy set: an empty set of overrides.
    pub const EMPTY: Policies = Policies([None; COUNT]);

    /// The defaults of the plan `free`, `pro` or `enterprise`; `None` for another name.
    pub fn plan_defaults(plan: &str) -> Option<Policies> {
        let column = ["free", "pro", "enterprise"].iter().position(|name| *name == plan)?;
        let mut policies = Policies::EMPTY;
        for (policy, allowances) in TABLE {
            policies.set(policy, *allowances.get(column)?);
        }
        Some(policies)
    }

    /// What `policy` allows: as set here, else as on the free plan.
    pub fn get(&self, policy: Policy) -> Allowance {
        let set = self.0.get(policy as usize).copied().flatten();
        set.unwrap_or_else(|| free_default(policy))
    }

    /// What is set here for `policy`, if anything is.
    pub fn find(&self, policy: Policy) -> Option<Allowance> {
        self.0.get(policy as usize).copied().flatten()
    }

    /// Sets one policy.
    pub fn set(&mut self, policy: Policy, allowance: Allowance) {
        if let Some(slot) = self.0.get_mut(policy as usize) {
            *slot = Some(allowance);
        }
    }

    /// Lays `over` on top: what it sets wins, what it leaves open stays.
    #[must_use]
    pub fn merged(mut self, over: &Policies) -> Policies {
        for (policy, allowance) in over.iter() {
            self.set(policy, allowance);
        }
        self
    }

    /// The policies set here, in the order of `Policy::ALL`.
    pub fn iter(&self) -> impl Iterator<Item = (Policy, Allowance)> + '_ {
        Policy::ALL.iter().zip(&self.0).filter_map(|(policy, set)| Some((*policy, (*set)?)))
    }
}

fn free_default(policy: Policy) -> Allowance {
    let row = TABLE.iter().find(|(named, _)| *named == policy);
    // Every policy has a row (a test holds it); a missing one would be closed, not open.
    row.map_or(per(1, DAY), |(_, [free, ..])| *free)
}

impl Default for Policies {
    fn default() -> Self {
        Policies::EMPTY
    }
}

impl FromIterator<(Policy, Allowance)> for Policies {
    fn from_iter<I: IntoIterator<Item = (Policy, Allowance)>>(rows: I) -> Self {
        let mut policies = Policies::EMPTY;
        for (policy, allowance) in rows {
            policies.set(policy, allowance);
        }
        policies
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(policy, allowance)| (policy.as_str(), allowance.to_string()))).finish()
    }
}

impl serde::Serialize for Policies {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.iter().count()))?;
        for (policy, allowance) in self.iter() {
            map.serialize_entry(&policy, &allowance)?;
        }
        map.end()
    }
}

impl<'de> serde::Deserialize<'de> for Policies {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> serde::de::Visitor<'de> for Object {
            type Value = Policies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of policies, e.g. {\"otp.number\":\"3/5m\"}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Policies, A::Error> {
                let mut policies = Policies::EMPTY;
                while let Some((policy, allowance)) = map.next_entry::<Policy, Allowance>()? {
                    policies.set(policy, allowance);
                }
                Ok(policies)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl utoipa::PartialSchema for Policies {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .additional_properties(Some(<Allowance as utoipa::PartialSchema>::schema()))
            .examples([serde_json::json!({"otp.number": "3/5m", "key.daily": "unlimited"})])
            .build()
            .into()
    }
}

impl utoipa::ToSchema for Policies {}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(plan: &str, policy: Policy) -> String {
        Policies::plan_defaults(plan).unwrap().find(policy).unwrap().to_string()
    }

    #[test]
    fn the_table_has_one_row_for_each_policy() {
        let named: Vec<Policy> = TABLE.iter().map(|(policy, _)| *policy).collect();
        assert_eq!(named, Policy::ALL);
    }

    #[test]
    fn the_plans_are_what_the_price_list_says() {
        assert_eq!(shown("free", Policy::SmsPlan), "1/min");
        assert_eq!(shown("pro", Policy::SmsPlan), "60/min");
        assert_eq!(shown("enterprise", Policy::SmsPlan), "300/min");
        assert_eq!(shown("free", Policy::KeyDaily), "10000/day");
        assert_eq!(shown("enterprise", Policy::KeyDaily), "unlimited");
        assert_eq!(shown("pro", Policy::KeyWindow), "10000/1h");
        assert_eq!(shown("enterprise", Policy::KeyBurstShort), "500/1s");
        assert_eq!(shown("pro", Policy::BandRead), "3000/min");
        for plan in ["free", "pro", "enterprise"] {
            assert_eq!(shown(plan, Policy::OtpNumber), "3/5m");
            assert_eq!(shown(plan, Policy::PlatformNumber), "20/day");
            assert_eq!(shown(plan, Policy::CheckNumberDay), "50/day");
        }
        assert_eq!(Policies::plan_defaults("gold"), None);
    }

    #[test]
    fn an_override_wins_and_leaves_the_rest() {
        let over: Policies = serde_json::from_str(r#"{"otp.number":"5/10m"}"#).unwrap();
        let merged = Policies::plan_defaults("pro").unwrap().merged(&over);
        assert_eq!(merged.get(Policy::OtpNumber).to_string(), "5/10m");
        assert_eq!(merged.get(Policy::SmsPlan).to_string(), "60/min");
        assert_eq!(over.get(Policy::SmsPlan).to_string(), "1/min", "what is not set is as tight as on the free plan");
    }

    #[test]
    fn policies_read_back_from_json() {
        let pro = Policies::plan_defaults("pro").unwrap();
        let text = serde_json::to_string(&pro).unwrap();
        assert!(text.contains(r#""otp.number":"3/5m""#), "{text}");
        assert_eq!(serde_json::from_str::<Policies>(&text).unwrap(), pro);
        assert!(serde_json::from_str::<Policies>(r#"{"otp.nummer":"3/5m"}"#).is_err());
        assert!(serde_json::from_str::<Policies>(r#"{"otp.number":"3"}"#).is_err());
    }
}
