//! Pages that explain what spans operations: limits and their headers, and the magic numbers of test keys.

use askama::Template;

use crate::accounts::PlanName;
use crate::limits::{Policies, Policy};

#[derive(Template)]
#[template(path = "docs/limits.html")]
struct LimitsPage {
    plans: Vec<&'static str>,
    rows: Vec<PolicyRow>,
}

struct PolicyRow {
    name: &'static str,
    about: &'static str,
    allowances: Vec<String>,
}

#[derive(Template)]
#[template(path = "docs/magic_numbers.html")]
struct MagicPage;

/// The page about limits: every policy with what each plan allows at first.
///
/// # Errors
/// Where the template cannot be written.
pub fn limits_page() -> askama::Result<String> {
    let plans: Vec<&str> = PlanName::ALL.iter().map(PlanName::as_str).collect();
    let defaults: Vec<Policies> = plans.iter().map(|plan| Policies::plan_defaults(plan).unwrap_or_default()).collect();
    let rows = Policy::ALL.iter().map(|policy| PolicyRow {
        name: policy.as_str(),
        about: about(*policy),
        allowances: defaults.iter().map(|plan| plan.get(*policy).to_string()).collect(),
    });
    LimitsPage { plans, rows: rows.collect() }.render()
}

/// The page about magic numbers.
///
/// # Errors
/// Where the template cannot be written.
pub fn magic_page() -> askama::Result<String> {
    MagicPage.render()
}

const fn about(policy: Policy) -> &'static str {
    match policy {
        Policy::KeyBurstShort => "Requests of one key within a second",
        Policy::KeyBurstMedium => "Requests of one key within ten seconds",
        Policy::KeyBurstLong => "Requests of one key within a minute, sliding",
        Policy::KeyMinute => "Requests of one key in a calendar minute",
        Policy::OrgMinute => "Requests of all keys of an organization in a calendar minute",
        Policy::KeyWindow => "Requests of one key in a rolling hour",
        Policy::KeyDaily => "Requests of one key in a UTC day",
        Policy::BandSend => "Requests of one key to routes that send",
        Policy::BandRead => "Requests of one key to routes that read",
        Policy::BandManage => "Requests of one key to routes that change settings",
        Policy::BandBilling => "Requests of one key to wallet and invoices",
        Policy::SmsPlan => {
            "SMS of an organization: messages, not requests; a bulk leaves a fifth of each window to single sends"
        }
        Policy::WhatsappContacts => {
            "People that the WhatsApp numbers of a portfolio may write to first in a moving day: as many as its tier says"
        }
        Policy::OtpNumber => "Codes of an organization to one number",
        Policy::OtpNumberHour => "The same within an hour",
        Policy::OtpNumberDay => "The same within a day",
        Policy::PlatformNumber => "Codes to one number over all organizations",
        Policy::OtpIp => "Codes of an organization for one client address, where the app passes it",
        Policy::OtpDevice => "Codes of an organization for one device, where the app passes it",
        Policy::CheckNumber => "Checks of codes for one number; a right code takes the wrong ones back",
        Policy::CheckNumberDay => "The same within a day, right and wrong ones alike; nothing is taken back",
        Policy::AnonymousIp => "Unauthenticated and failed requests of one client address",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_about_limits_has_every_policy() {
        let page = limits_page().unwrap();
        assert!(Policy::ALL.iter().all(|policy| page.contains(&format!("<code>{policy}</code>"))));
        assert!(page.contains("3/5m"));
    }

    #[test]
    fn the_page_about_magic_numbers_has_all_ten() {
        let page = magic_page().unwrap();
        assert!((0..10).all(|last| page.contains(&format!("+1500555000{last}"))));
    }
}
