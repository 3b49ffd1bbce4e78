//! Limit overrides: one policy, raised or lowered for one organization or key, until a day and for a reason.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::store;
use crate::audit::{By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{KeyId, OrgId};
use crate::limits::{Allowance, Policies, Policy};

/// Whose limit is overridden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// All keys of an organization.
    Org(OrgId),
    /// One key; wins over its organization's.
    Key(KeyId),
}

impl Bearer {
    pub(super) fn scope(&self) -> &'static str {
        match self {
            Bearer::Org(_) => "org",
            Bearer::Key(_) => "key",
        }
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Bearer::Org(id) => id.as_str(),
            Bearer::Key(id) => id.as_str(),
        }
    }
}

/// A limit override.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LimitOverride {
    /// The policy.
    pub policy: Policy,
    /// What it allows instead of the plan.
    pub limit: Allowance,
    /// When the plan's own limit comes back; never where absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Millis>,
    /// Why it was given.
    #[schema(example = "launch week, ticket 4711")]
    pub reason: String,
    /// Who gave it: an operator's id, `cli` or `system`.
    pub author: String,
    /// When it was given.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// An override to set.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"limit": "1000/min", "expires_at": "2027-01-01T00:00:00Z", "reason": "launch week"}))]
pub struct NewOverride {
    /// A rate such as `1000/min`, or `unlimited`.
    pub limit: Allowance,
    /// When the plan's own limit comes back; never where absent. Must be in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Millis>,
    /// Why; goes to the audit log too. Required for the policies `otp.*` and `check.*`.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// Sets or replaces the override of `policy`. Errors: `not_found`, `validation_failed`.
pub fn set_override(
    conn: &mut Conn,
    by: &By,
    bearer: Bearer,
    policy: Policy,
    new: NewOverride,
) -> Result<LimitOverride> {
    must_exist(conn, bearer)?;
    check(bearer, policy, &new, by.now)?;
    let before = store::overrides::remove(conn, bearer, policy)?;
    let set = LimitOverride {
        policy,
        limit: new.limit,
        expires_at: new.expires_at,
        reason: new.reason.unwrap_or_default(),
        author: by.actor.to_string(),
        created_at: by.now,
    };
    store::overrides::insert(conn, bearer, set.clone())?;
    let change =
        Change { before: before.as_ref().and_then(|was| serde_json::to_value(was).ok()), ..Change::made(&set) };
    by.tell(conn, "limit.set", target(bearer, policy), change)?;
    Ok(set)
}

/// Removes the override of `policy`: the plan's own limit is back. Errors: `not_found` where there was none.
pub fn remove_override(conn: &mut Conn, by: &By, bearer: Bearer, policy: Policy) -> Result<()> {
    must_exist(conn, bearer)?;
    let before = store::overrides::remove(conn, bearer, policy)?.ok_or_else(|| Error::new(Code::NotFound))?;
    by.tell(conn, "limit.remove", target(bearer, policy), Change::removed(&before))
}

/// The overrides of an organization or a key, expired ones included. Errors: `not_found`.
pub fn list_overrides(conn: &mut Conn, bearer: Bearer) -> Result<Vec<LimitOverride>> {
    must_exist(conn, bearer)?;
    store::overrides::list(conn, bearer)
}

/// What a caller is allowed, and until when that holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resolved {
    /// Plan, then the organization's overrides, then the key's.
    pub policies: Policies,
    /// The nearest expiry of an override that is in force; then it must be resolved anew.
    pub valid_until: Option<Millis>,
}

/// Lays the overrides in force at `now` over the plan: the organization's first, the key's on top.
pub(super) fn resolve(plan: Policies, org: &[LimitOverride], key: &[LimitOverride], now: Millis) -> Resolved {
    let in_force = |given: &&LimitOverride| given.expires_at.is_none_or(|at| at > now);
    let laid: Vec<&LimitOverride> = org.iter().chain(key).filter(in_force).collect();
    let mut policies = plan;
    laid.iter().for_each(|given| policies.set(given.policy, given.limit));
    Resolved { policies, valid_until: laid.iter().filter_map(|given| given.expires_at).min() }
}

/// Policies that count what one key does; the rest are the organization's and cannot differ by key.
pub(super) fn of_a_key(policy: Policy) -> bool {
    matches!(
        policy,
        Policy::KeyBurstShort
            | Policy::KeyBurstMedium
            | Policy::KeyBurstLong
            | Policy::KeyMinute
            | Policy::KeyWindow
            | Policy::KeyDaily
            | Policy::BandSend
            | Policy::BandRead
            | Policy::BandManage
            | Policy::BandBilling
    )
}

/// Policies that no organization may have of its own: they guard numbers and addresses against everybody.
fn of_the_platform(policy: Policy) -> bool {
    matches!(policy, Policy::PlatformNumber | Policy::AnonymousIp)
}

/// Policies that guard numbers, devices and codes.
fn of_numbers(policy: Policy) -> bool {
    ["otp.", "check.", "platform."].iter().any(|family| policy.as_str().starts_with(family))
}

const REASON_MAX_CHARS: usize = 500;
/// The longest window of a guard on numbers.
const LONGEST_GUARD: std::time::Duration = std::time::Duration::from_secs(86_400);

fn check(bearer: Bearer, policy: Policy, new: &NewOverride, now: Millis) -> Result<()> {
    if policy == Policy::WhatsappContacts {
        return Err(Error::field("policy", "is what the tier of the number's portfolio says; change the tier"));
    }
    if of_the_platform(policy) {
        return Err(Error::field("policy", "guards the whole platform; change it in the plans or the configuration"));
    }
    if matches!(bearer, Bearer::Key(_)) && !of_a_key(policy) {
        return Err(Error::field("policy", "counts all keys of an organization; override it for the organization"));
    }
    if of_numbers(policy) && new.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
        return Err(Error::field("reason", "is required: this policy guards people's numbers and codes"));
    }
    if of_numbers(policy) && new.limit.rate().is_some_and(|rate| rate.window > LONGEST_GUARD) {
        return Err(Error::field("limit", "must have a window of at most a day: guards remember no longer"));
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::field("expires_at", "must be in the future"));
    }
    if new.reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_MAX_CHARS) {
        return Err(Error::field("reason", "must have at most 500 characters"));
    }
    Ok(())
}

fn must_exist(conn: &mut Conn, bearer: Bearer) -> Result<()> {
    let found = match bearer {
        Bearer::Org(id) => store::orgs::find(conn, id)?.is_some(),
        Bearer::Key(id) => store::keys::find(conn, id)?.is_some(),
    };
    if found { Ok(()) } else { Err(Error::new(Code::NotFound)) }
}

fn target(bearer: Bearer, policy: Policy) -> String {
    format!("{}/{policy}", bearer.id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(policy: Policy, limit: &str, expires_at: Option<i64>) -> LimitOverride {
        LimitOverride {
            policy,
            limit: limit.parse().unwrap(),
            expires_at: expires_at.map(Millis),
            reason: String::new(),
            author: String::from("cli"),
            created_at: Millis(0),
        }
    }

    fn shown(resolved: &Resolved, policy: Policy) -> String {
        resolved.policies.get(policy).to_string()
    }

    #[test]
    fn a_keys_override_wins_over_its_organizations_and_both_over_the_plan() {
        let plan = Policies::plan_defaults("free").unwrap();
        let org = [given(Policy::KeyMinute, "100/min", None), given(Policy::SmsPlan, "9/min", None)];
        let key = [given(Policy::KeyMinute, "200/min", None)];
        let resolved = resolve(plan, &org, &key, Millis(0));
        assert_eq!(shown(&resolved, Policy::KeyMinute), "200/min");
        assert_eq!(shown(&resolved, Policy::SmsPlan), "9/min");
        assert_eq!(shown(&resolved, Policy::OtpNumber), "3/5m");
        assert_eq!(resolved.valid_until, None);
    }

    #[test]
    fn an_override_ends_at_its_very_millisecond() {
        let plan = Policies::plan_defaults("free").unwrap();
        let org = [given(Policy::SmsPlan, "9/min", Some(1_000)), given(Policy::OtpIp, "9/min", Some(2_000))];
        let before = resolve(plan, &org, &[], Millis(999));
        assert_eq!((shown(&before, Policy::SmsPlan), before.valid_until), (String::from("9/min"), Some(Millis(1_000))));
        let after = resolve(plan, &org, &[], Millis(1_000));
        assert_eq!((shown(&after, Policy::SmsPlan), after.valid_until), (String::from("1/min"), Some(Millis(2_000))));
    }

    #[test]
    fn a_key_cannot_have_its_own_share_of_what_its_organization_counts() {
        let new = NewOverride { limit: Allowance::Unlimited, expires_at: None, reason: Some(String::from("r")) };
        let key = Bearer::Key(KeyId::new(Millis(0)));
        let org = Bearer::Org(OrgId::new(Millis(0)));
        assert!(check(key, Policy::OtpNumber, &new, Millis(0)).is_err());
        assert!(check(key, Policy::KeyDaily, &new, Millis(0)).is_ok());
        assert!(check(org, Policy::OtpNumber, &new, Millis(0)).is_ok());
        assert!(check(org, Policy::PlatformNumber, &new, Millis(0)).is_err());
        let silent = NewOverride { reason: None, ..new.clone() };
        assert!(check(org, Policy::OtpNumber, &silent, Millis(0)).is_err());
        assert!(check(org, Policy::OrgMinute, &silent, Millis(0)).is_ok());
        let past = NewOverride { expires_at: Some(Millis(5)), ..new };
        assert!(check(org, Policy::OtpNumber, &past, Millis(5)).is_err());
    }
}
