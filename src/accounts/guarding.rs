//! What an organization has chosen of the fraud guard beside its level: countries with a mode of their own, and levels
//! of single templates and keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::org::Protection;
use crate::ids::KeyId;
use crate::phone::Country;

crate::text_enum! {
    /// How attempts to a country are treated that the organization may send to.
    pub enum CountryMode {
        /// By the level, like any other.
        Allow = "allow",
        /// The engine only watches.
        Monitor = "monitor",
        /// SMS is refused with `fraud.challenge_required`: only channels that pay no attacker are taken.
        StepUp = "step_up",
        /// Everything is refused.
        Block = "block",
    }
}

/// The choices. A template's level comes before a key's, a key's before the organization's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"countries": {"NG": "step_up"}, "templates": {"signup": "strict"}}))]
pub struct Guarding {
    /// Modes of countries (ISO 3166-1 alpha-2); `allow` where none is named.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, CountryMode>)]
    pub countries: BTreeMap<Country, CountryMode>,
    /// Levels of templates, by their name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, Protection>,
    /// Levels of keys: an app of the organization has its own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, Protection>)]
    pub keys: BTreeMap<KeyId, Protection>,
}

impl Guarding {
    /// The mode of `country`.
    pub fn country(&self, country: Country) -> CountryMode {
        self.countries.get(&country).copied().unwrap_or(CountryMode::Allow)
    }

    /// The level of an attempt by `key` with `template`, where one is chosen.
    pub fn level(&self, key: KeyId, template: Option<&str>) -> Option<Protection> {
        let of_template = template.and_then(|name| self.templates.get(name));
        of_template.or_else(|| self.keys.get(&key)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    #[test]
    fn the_narrowest_choice_counts_and_silence_leaves_the_level() {
        let key = KeyId::new(Millis(1));
        let text = format!(
            "{{\"countries\":{{\"NG\":\"step_up\"}},\"templates\":{{\"signup\":\"strict\"}},\"keys\":{{\"{key}\":\"monitor\"}}}}"
        );
        let chosen: Guarding = serde_json::from_str(&text).unwrap();
        assert_eq!(chosen.level(key, Some("signup")), Some(Protection::Strict));
        assert_eq!(chosen.level(key, Some("login")), Some(Protection::Monitor));
        assert_eq!(chosen.level(KeyId::new(Millis(2)), None), None);
        assert_eq!(chosen.country("NG".parse().unwrap()), CountryMode::StepUp);
        assert_eq!(chosen.country("GB".parse().unwrap()), CountryMode::Allow);
        assert_eq!(serde_json::to_string(&chosen).unwrap(), text);
        assert!(serde_json::from_str::<Guarding>("{\"country\":{}}").is_err());
    }
}
