//! Organizations: the tenants. Made, listed, shown and changed by operators.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::countries::Countries;
use crate::accounts::cycle;
use crate::accounts::guarding::Guarding;
use crate::accounts::plans::PlanName;
use crate::accounts::store;
use crate::audit::{By, Change};
use crate::clock::{Millis, Span};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::OrgId;
use crate::phone::Country;

crate::text_enum! {
    /// Whether an organization may use the platform at all.
    pub enum OrgStatus { Active = "active", Suspended = "suspended" }
}

crate::text_enum! {
    /// Where an organization's subscription stands.
    pub enum SubscriptionStatus { Active = "active", PastDue = "past_due", Canceled = "canceled" }
}

crate::text_enum! {
    /// Whether an organization's business is verified (know your business).
    pub enum KybStatus { Unverified = "unverified", Pending = "pending", Verified = "verified" }
}

crate::text_enum! {
    /// How hard the fraud guard is on an organization's traffic.
    pub enum Protection { Off = "off", Monitor = "monitor", Standard = "standard", Strict = "strict" }
}

crate::text_enum! {
    /// When a change of plan acts.
    pub enum PlanWhen {
        /// Within a second.
        Now = "now",
        /// At the beginning of the next month (UTC).
        NextCycle = "next_cycle",
    }
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// Its name.
    #[schema(example = "ACME")]
    pub name: String,
    /// Its plan.
    pub plan: PlanName,
    /// Whether it may use the platform at all.
    pub status: OrgStatus,
    /// Where its subscription stands.
    pub subscription_status: SubscriptionStatus,
    /// Whether its business is verified.
    pub kyb_status: KybStatus,
    /// Where it is at home (ISO 3166-1 alpha-2).
    #[schema(value_type = String, example = "GB")]
    pub country: Country,
    /// Where it may send to.
    pub countries: Countries,
    /// The language of its messages where a request names none (BCP 47).
    #[schema(example = "en")]
    pub locale: String,
    /// How hard the fraud guard is on its traffic.
    pub protection: Protection,
    /// Until when the fraud engine only watches it, so that it knows what is usual before it refuses anything: the first
    /// week, or until a level is chosen.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub learning_until: Option<Millis>,
    /// What it has chosen of the fraud guard beside its level.
    pub guarding: Guarding,
    /// Longest life of a code it may ask for.
    pub max_code_ttl: Span,
    /// The plan it changes to at the next cycle.
    pub next_plan: Option<PlanName>,
    /// When that is.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_plan_at: Option<Millis>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
}

/// An organization to make.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "ACME", "plan": "pro", "country": "GB", "countries": ["GB", "IE"]}))]
pub struct NewOrg {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, example = "ACME")]
    pub name: String,
    /// Its plan; `free` where absent.
    #[serde(default = "PlanName::starting")]
    pub plan: PlanName,
    /// Where it is at home (ISO 3166-1 alpha-2).
    #[schema(value_type = String, min_length = 2, max_length = 2, example = "GB")]
    pub country: Country,
    /// Where it may send to: `["*"]` or a list; its own country only where absent.
    pub countries: Option<Countries>,
    /// The language of its messages (BCP 47); `en` where absent.
    #[schema(example = "en-GB")]
    pub locale: Option<String>,
    /// Whether its business is verified; `unverified` where absent.
    pub kyb_status: Option<KybStatus>,
    /// How hard the fraud guard is on it, at once. Where absent: `standard`, after a week in which its engine only watches.
    pub protection: Option<Protection>,
    /// Longest life of a code, 1m to 24h; 10m where absent (NIST SP 800-63B-4 and OWASP ASVS 6.5.5 allow no more).
    pub max_code_ttl: Option<Span>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl NewOrg {
    /// An organization on `plan` with every default.
    pub fn named(name: impl Into<String>, plan: PlanName, country: Country) -> NewOrg {
        NewOrg {
            name: name.into(),
            plan,
            country,
            countries: None,
            locale: None,
            kyb_status: None,
            protection: None,
            max_code_ttl: None,
            reason: None,
        }
    }
}

/// What to change of an organization; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"plan": "enterprise", "reason": "signed contract 4711"}))]
pub struct OrgPatch {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// Its plan; acts within a second on every key, unless `plan_when` says otherwise. A change that was to come is
    /// forgotten.
    pub plan: Option<PlanName>,
    /// When the change of plan acts; `now` where absent.
    pub plan_when: Option<PlanWhen>,
    /// `suspended` refuses everything at once.
    pub status: Option<OrgStatus>,
    /// Where its subscription stands.
    pub subscription_status: Option<SubscriptionStatus>,
    /// Whether its business is verified.
    pub kyb_status: Option<KybStatus>,
    /// Where it is at home (ISO 3166-1 alpha-2).
    #[schema(value_type = Option<String>, min_length = 2, max_length = 2)]
    pub country: Option<Country>,
    /// Where it may send to: `["*"]` or a list.
    pub countries: Option<Countries>,
    /// The language of its messages (BCP 47).
    pub locale: Option<String>,
    /// How hard the fraud guard is on it. Naming a level ends the week in which the engine only watches.
    pub protection: Option<Protection>,
    /// What it chooses of the fraud guard beside its level, whole.
    pub guarding: Option<Guarding>,
    /// Longest life of a code, 1m to 24h.
    pub max_code_ttl: Option<Span>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// Makes an organization. Errors: `validation_failed`.
pub fn create_org(conn: &mut Conn, by: &By, new: NewOrg) -> Result<Org> {
    let org = Org {
        id: OrgId::new(by.now),
        name: String::from(new.name.trim()),
        plan: new.plan,
        status: OrgStatus::Active,
        subscription_status: SubscriptionStatus::Active,
        kyb_status: new.kyb_status.unwrap_or(KybStatus::Unverified),
        country: new.country,
        countries: new.countries.unwrap_or_else(|| Countries::Only(vec![new.country])),
        locale: new.locale.unwrap_or_else(|| String::from("en")),
        protection: new.protection.unwrap_or(Protection::Standard),
        learning_until: new.protection.is_none().then(|| by.now.plus(LEARNING)),
        guarding: Guarding::default(),
        max_code_ttl: new.max_code_ttl.unwrap_or(DEFAULT_MAX_CODE_TTL),
        next_plan: None,
        next_plan_at: None,
        created_at: by.now,
        updated_at: by.now,
    };
    check(&org)?;
    store::orgs::insert(conn, org.clone())?;
    cycle::begin(conn, &org)?;
    by.tell(conn, "org.create", org.id, Change::made(&org))?;
    Ok(org)
}

/// Changes an organization. Errors: `not_found`, `validation_failed`.
pub fn update_org(conn: &mut Conn, by: &By, id: OrgId, patch: OrgPatch) -> Result<Org> {
    if patch.plan_when.is_some() && patch.plan.is_none() {
        return Err(Error::field("plan_when", "says when a plan changes; name the plan beside it"));
    }
    let before = load_org_for_update(conn, id)?;
    let after = patched(&before, patch, by.now);
    check(&after)?;
    cycle::write(conn, &before, &after)?;
    by.tell(conn, "org.update", id, Change::changed(&before, &after))?;
    Ok(after)
}

/// The organization `id`. Errors: `not_found`.
pub fn load_org(conn: &mut Conn, id: OrgId) -> Result<Org> {
    store::orgs::find(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))
}

/// The organization, where there is exactly one.
pub fn only_org(conn: &mut Conn) -> Result<Option<OrgId>> {
    store::orgs::only(conn)
}

/// Organizations, newest first, `limit` of them after the one named `before`.
pub fn list_orgs(conn: &mut Conn, before: Option<OrgId>, limit: i64) -> Result<Vec<Org>> {
    store::orgs::list(conn, before, limit)
}

/// Source: NIST SP 800-63B-4 and OWASP ASVS 5.0, 6.5.5: a code lives ten minutes at most.
const DEFAULT_MAX_CODE_TTL: Span = Span(std::time::Duration::from_secs(600));

/// An operator may raise the maximum so far; the shortest code life the API takes is a minute.
const CODE_TTL_SPAN: std::ops::RangeInclusive<Span> =
    Span(std::time::Duration::from_secs(60))..=Span(std::time::Duration::from_secs(86_400));

/// How long the engine watches a new organization before it refuses anything.
const LEARNING: std::time::Duration = std::time::Duration::from_secs(7 * 86_400);

const NAME_MAX_CHARS: usize = 100;

/// The same, held until the transaction ends.
pub(super) fn load_org_for_update(conn: &mut Conn, id: OrgId) -> Result<Org> {
    store::orgs::find_locked(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))
}

fn patched(before: &Org, patch: OrgPatch, now: Millis) -> Org {
    let before = before.clone();
    let later = patch.plan.filter(|_| patch.plan_when == Some(PlanWhen::NextCycle));
    let at_once = patch.plan.filter(|_| later.is_none());
    let coming = if patch.plan.is_some() { (None, None) } else { (before.next_plan, before.next_plan_at) };
    let coming = later.filter(|plan| *plan != before.plan).map_or(coming, |plan| (Some(plan), Some(cycle::next(now))));
    Org {
        name: patch.name.map_or(before.name, |name| String::from(name.trim())),
        plan: at_once.unwrap_or(before.plan),
        next_plan: coming.0,
        next_plan_at: coming.1,
        status: patch.status.unwrap_or(before.status),
        subscription_status: patch.subscription_status.unwrap_or(before.subscription_status),
        kyb_status: patch.kyb_status.unwrap_or(before.kyb_status),
        country: patch.country.unwrap_or(before.country),
        countries: patch.countries.unwrap_or(before.countries),
        locale: patch.locale.unwrap_or(before.locale),
        protection: patch.protection.unwrap_or(before.protection),
        learning_until: before.learning_until.filter(|_| patch.protection.is_none()),
        guarding: patch.guarding.unwrap_or(before.guarding),
        max_code_ttl: patch.max_code_ttl.unwrap_or(before.max_code_ttl),
        updated_at: now,
        ..before
    }
}

fn check(org: &Org) -> Result<()> {
    let mut faults = Error::new(Code::ValidationFailed);
    if !is_name(&org.name, NAME_MAX_CHARS) {
        faults = faults.and_field("name", "must have 1 to 100 printable characters");
    }
    if !is_locale(&org.locale) {
        faults = faults.and_field("locale", "must be a language tag, e.g. en or pt-BR");
    }
    if !CODE_TTL_SPAN.contains(&org.max_code_ttl) {
        faults = faults.and_field("max_code_ttl", "must be between 1m and 24h");
    }
    if faults.has_fields() { Err(faults) } else { Ok(()) }
}

/// Whether `text` can be the name of something: printable, not blank, not longer than `max_chars`.
pub(super) fn is_name(text: &str, max_chars: usize) -> bool {
    let count = text.chars().count();
    (1..=max_chars).contains(&count) && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// Language and up to two subtags, as in BCP 47: `en`, `pt-BR`, `zh-Hant-TW`.
fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let alphabetic = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
    let subtag = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    (2..=3).contains(&language.len()) && alphabetic(language) && text.len() <= 20 && parts.all(subtag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_a_language_with_subtags() {
        for good in ["en", "pt-BR", "zh-Hant-TW", "fil", "es-419"] {
            assert!(is_locale(good), "{good}");
        }
        for bad in ["", "e", "english", "en_GB", "en-", "12", "en-GB-x-very-long-private"] {
            assert!(!is_locale(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_is_printable_and_not_blank() {
        assert!(is_name("ACME Ltd.", 100));
        for bad in ["", "   ", "line\nbreak", "nul\0"] {
            assert!(!is_name(bad, 100), "{bad:?}");
        }
        assert!(!is_name(&"x".repeat(101), 100));
    }

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let country: Country = "GB".parse().unwrap();
        let new = NewOrg::named("ACME", PlanName::Pro, country);
        let org = Org {
            id: OrgId::new(Millis(1)),
            name: new.name,
            plan: new.plan,
            status: OrgStatus::Active,
            subscription_status: SubscriptionStatus::Active,
            kyb_status: KybStatus::Unverified,
            country,
            countries: Countries::Every,
            locale: String::from("en"),
            protection: Protection::Standard,
            learning_until: None,
            guarding: Guarding::default(),
            max_code_ttl: DEFAULT_MAX_CODE_TTL,
            next_plan: None,
            next_plan_at: None,
            created_at: Millis(1),
            updated_at: Millis(1),
        };
        let patch = OrgPatch { status: Some(OrgStatus::Suspended), ..OrgPatch::default() };
        let after = patched(&org, patch, Millis(2));
        assert_eq!(after, Org { status: OrgStatus::Suspended, updated_at: Millis(2), ..org.clone() });
        // A plan may wait for the next month, and a plan that acts at once forgets one that waits.
        let now = Millis::parse_rfc3339("2026-12-31T23:59:59.999Z").unwrap();
        let later =
            OrgPatch { plan: Some(PlanName::Enterprise), plan_when: Some(PlanWhen::NextCycle), ..OrgPatch::default() };
        let waiting = patched(&org, later, now);
        assert_eq!((waiting.plan, waiting.next_plan), (PlanName::Pro, Some(PlanName::Enterprise)));
        assert_eq!(waiting.next_plan_at, Millis::parse_rfc3339("2027-01-01T00:00:00Z"));
        let at_once = OrgPatch { plan: Some(PlanName::Free), ..OrgPatch::default() };
        let after = patched(&waiting, at_once, now);
        assert_eq!((after.plan, after.next_plan, after.next_plan_at), (PlanName::Free, None, None));
        let other = patched(&waiting, OrgPatch::default(), now);
        assert_eq!(other.next_plan, Some(PlanName::Enterprise));
    }
}
