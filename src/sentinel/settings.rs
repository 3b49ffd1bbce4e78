//! What an organization has chosen of the fraud guard, shown and changed by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::accounts::{Countries, CountryMode, Guarding, Org, OrgPatch, Protection, load_org, update_org};
use crate::alerts::{self, Alert, AlertKind};
use crate::audit::By;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{KeyId, OrgId};
use crate::phone::Country;
use crate::terms::Mode;
use crate::wallet::{CapView, cap_views};
use crate::webhooks::{self, EventType, NewEvent};

/// The fraud guard's settings of an organization.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FraudSettings {
    /// How hard the guard is.
    pub protection: Protection,
    /// Until when the engine only watches, so that it knows what is usual before it refuses anything. Choosing a level ends
    /// this.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub learning_until: Option<Millis>,
    /// Where messages may go; everything else is refused.
    pub countries: Countries,
    /// Modes of single countries; `allow` where none is named.
    #[schema(value_type = BTreeMap<String, CountryMode>)]
    pub country_modes: BTreeMap<Country, CountryMode>,
    /// Levels of templates, by their name; they come before a key's.
    pub templates: BTreeMap<String, Protection>,
    /// Levels of keys; they come before the organization's.
    #[schema(value_type = BTreeMap<String, Protection>)]
    pub keys: BTreeMap<KeyId, Protection>,
    /// What may be spent; operators set it.
    pub caps: Vec<CapView>,
    /// A question that nobody has answered yet.
    #[schema(example = "Only GB is open. Where are your users? Name their countries in countries.")]
    pub hint: Option<String>,
}

/// What to change of the fraud guard's settings; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"protection": "strict", "countries": ["GB", "IE"], "country_modes": {"IE": "step_up"}}))]
pub struct FraudSettingsPatch {
    /// How hard the guard is. Naming a level ends the week in which the engine only watches.
    pub protection: Option<Protection>,
    /// Where messages may go, whole: `["*"]` or a list (ISO 3166-1 alpha-2).
    pub countries: Option<Countries>,
    /// Modes of single countries, whole.
    #[schema(value_type = Option<BTreeMap<String, CountryMode>>)]
    pub country_modes: Option<BTreeMap<Country, CountryMode>>,
    /// Levels of templates, whole.
    pub templates: Option<BTreeMap<String, Protection>>,
    /// Levels of keys, whole.
    #[schema(value_type = Option<BTreeMap<String, Protection>>)]
    pub keys: Option<BTreeMap<KeyId, Protection>>,
}

/// The settings of `org`. Error: `not_found`.
pub fn show_settings(conn: &mut Conn, org: OrgId, now: Millis) -> Result<FraudSettings> {
    let org = load_org(conn, org)?;
    settings_of(conn, org, now)
}

fn settings_of(conn: &mut Conn, org: Org, now: Millis) -> Result<FraudSettings> {
    let hint = hint(&org);
    Ok(FraudSettings {
        protection: org.protection,
        learning_until: org.learning_until.filter(|until| now < *until),
        countries: org.countries,
        country_modes: org.guarding.countries,
        templates: org.guarding.templates,
        keys: org.guarding.keys,
        caps: cap_views(conn, org.id, now)?,
        hint,
    })
}

/// Asks where the users are, as long as only the home country is open.
fn hint(org: &Org) -> Option<String> {
    let home = org.country;
    let is_untouched = org.countries == Countries::Only(vec![home]);
    is_untouched.then(|| format!("Only {home} is open. Where are your users? Name their countries in countries."))
}

/// Most entries of one table of the settings.
const MOST: usize = 300;

/// Changes the settings of `org`. Who lowers the protection is told of by event and in the log. Errors: `not_found`,
/// `validation_failed`.
pub fn change_settings(conn: &mut Conn, by: &By, org: OrgId, patch: FraudSettingsPatch) -> Result<FraudSettings> {
    patch.check()?;
    let before = load_org(conn, org)?;
    let FraudSettingsPatch { protection, countries, country_modes, templates, keys } = patch;
    let guarding = Guarding {
        countries: country_modes.unwrap_or_else(|| before.guarding.countries.clone()),
        templates: templates.unwrap_or_else(|| before.guarding.templates.clone()),
        keys: keys.unwrap_or_else(|| before.guarding.keys.clone()),
    };
    let patch = OrgPatch { protection, countries, guarding: Some(guarding), ..OrgPatch::default() };
    let after = update_org(conn, by, org, patch)?;
    let lowered = lowered(&before, &after);
    if !lowered.is_empty() {
        tracing::warn!(org.id = %org, by = %by.actor, what = lowered.join(", "), "protection against fraud was lowered");
        let event = |mode| {
            let (what, actor) = (lowered.clone(), by.actor.to_string());
            let levels = (before.protection, after.protection);
            let data = move || json!({"what": what, "before": levels.0, "after": levels.1, "by": actor});
            NewEvent { owner: (org, mode), kind: EventType::FraudProtectionLowered, data: Box::new(data) }
        };
        webhooks::emit(conn, &[event(Mode::Live), event(Mode::Test)], by.now)?;
        let text = format!("Protection against fraud was lowered. By {}: {}.", by.actor, lowered.join(", "));
        alerts::note(conn, &[Alert::of(AlertKind::ProtectionLowered, org, text)], by.now)?;
    }
    settings_of(conn, after, by.now)
}

impl FraudSettingsPatch {
    fn check(&self) -> Result<()> {
        let mut error = Error::new(Code::ValidationFailed);
        let sizes = [
            ("country_modes", self.country_modes.as_ref().map_or(0, BTreeMap::len)),
            ("templates", self.templates.as_ref().map_or(0, BTreeMap::len)),
            ("keys", self.keys.as_ref().map_or(0, BTreeMap::len)),
        ];
        for (field, _) in sizes.iter().filter(|(_, size)| *size > MOST) {
            error = error.and_field(*field, format!("must name at most {MOST}"));
        }
        let names = self.templates.iter().flat_map(BTreeMap::keys);
        if names.into_iter().any(|name| name.is_empty() || name.chars().count() > 100) {
            error = error.and_field("templates", "must be names of templates, 1 to 100 characters");
        }
        if error.has_fields() { Err(error) } else { Ok(()) }
    }
}

/// What is less protected than before: the level, a template, a key or a country.
fn lowered(before: &Org, after: &Org) -> Vec<String> {
    let mut what = Vec::new();
    if after.protection < before.protection {
        what.push(String::from("protection"));
    }
    let level = |own: Option<&Protection>, org: &Org| own.copied().unwrap_or(org.protection);
    let (was, is) = (&before.guarding, &after.guarding);
    for name in was.templates.keys().chain(is.templates.keys()) {
        if level(is.templates.get(name), after) < level(was.templates.get(name), before) {
            what.push(format!("templates.{name}"));
        }
    }
    for key in was.keys.keys().chain(is.keys.keys()) {
        if level(is.keys.get(key), after) < level(was.keys.get(key), before) {
            what.push(format!("keys.{key}"));
        }
    }
    for country in was.countries.keys().chain(is.countries.keys()) {
        if strictness(is.country(*country)) < strictness(was.country(*country)) {
            what.push(format!("country_modes.{country}"));
        }
    }
    what.sort();
    what.dedup();
    what
}

fn strictness(mode: CountryMode) -> u8 {
    match mode {
        CountryMode::Monitor => 0,
        CountryMode::Allow => 1,
        CountryMode::StepUp => 2,
        CountryMode::Block => 3,
    }
}
