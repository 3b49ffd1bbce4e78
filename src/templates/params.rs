//! What a template may be filled with, checked before anything is rendered.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::otp::Otp;
use crate::secret::Secret;
use crate::text::redact;

/// The parameters of a built-in template. No Debug: it holds a code.
pub struct Params {
    code: Secret<String>,
    app: String,
    minutes: String,
}

/// What an app's own parameters may leave out.
#[derive(Debug, Clone, Copy)]
pub struct Defaults<'a> {
    /// The organization's name, for `{app}`.
    pub app: &'a str,
    /// How long the code is good for, for `{minutes}`.
    pub valid: Duration,
}

/// The names an app may bring.
const KNOWN: [&str; 3] = ["code", "app", "minutes"];

/// Longest `{app}`, characters: with it, every built-in GSM-7 text is still one SMS.
pub(super) const MAX_APP_CHARS: usize = 40;

/// Longest validity an app may state, minutes: a day.
const MAX_MINUTES: u64 = 24 * 60;

impl Params {
    /// For a code made here. The name is cleaned rather than refused: it is the organization's, set long before.
    pub fn new(code: &Otp, defaults: Defaults<'_>) -> Params {
        Params {
            code: Secret::new(code.expose().to_owned()),
            app: cleaned(defaults.app),
            minutes: whole_minutes(defaults.valid).to_string(),
        }
    }

    /// For a code that an app brings: `template.params` of `POST /v1/messages`. `code` must be there.
    ///
    /// # Errors
    /// Every fault at once, each under `template.params.<name>`.
    pub fn read(given: &BTreeMap<String, String>, defaults: Defaults<'_>) -> Result<Params> {
        let find = |name: &str| given.get(name).map(String::as_str);
        let known = given.keys().all(|name| KNOWN.contains(&name.as_str()));
        let faults = [
            ("template.params", (!known).then_some("has a name that the template lacks; it takes code, app, minutes")),
            ("template.params.code", find("code").map_or(Some(CODE_RULE), code_fault)),
            ("template.params.app", find("app").and_then(app_fault)),
            ("template.params.minutes", find("minutes").and_then(minutes_fault)),
        ]
        .into_iter()
        .filter_map(|(field, fault)| Some((field, fault?)))
        .fold(Error::new(Code::ValidationFailed), |error, (field, why)| error.and_field(field, why));
        if faults.has_fields() {
            return Err(faults);
        }
        Ok(Params {
            code: Secret::new(find("code").unwrap_or_default().to_owned()),
            app: find("app").map_or_else(|| cleaned(defaults.app), |app| app.trim().to_owned()),
            minutes: find("minutes").map_or_else(|| whole_minutes(defaults.valid).to_string(), str::to_owned),
        })
    }

    /// The code, for the last line of an SMS.
    pub(super) fn code(&self) -> &str {
        self.code.expose()
    }

    /// The app's name.
    pub(super) fn app(&self) -> &str {
        &self.app
    }

    /// Name and value of each parameter, for `fill`.
    pub(super) fn values(&self) -> [(&'static str, &str); 3] {
        [("code", self.code()), ("app", &self.app), ("minutes", &self.minutes)]
    }
}

/// Android's User Consent API reads codes of this shape, and people can type them.
const CODE_RULE: &str = "must be 4 to 10 letters (A-Z) or digits, at least one of them a digit";

pub(super) fn code_fault(code: &str) -> Option<&'static str> {
    let shaped = (4..=10).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
    (!shaped || !code.bytes().any(|b| b.is_ascii_digit())).then_some(CODE_RULE)
}

pub(super) fn app_fault(app: &str) -> Option<&'static str> {
    if app.trim().is_empty() || app.chars().count() > MAX_APP_CHARS {
        Some("must be a name of 1 to 40 characters")
    } else if app.chars().any(unprintable) {
        Some("must not hold control or direction characters")
    } else if app.contains("://") || app.to_ascii_lowercase().contains("www.") {
        Some("must not hold a link")
    } else if redact(app) != app {
        Some("must not hold four or more digits in a row; phones would take them for the code")
    } else {
        None
    }
}

pub(super) fn minutes_fault(minutes: &str) -> Option<&'static str> {
    let plain = minutes.bytes().all(|b| b.is_ascii_digit()) && !minutes.starts_with('0');
    let in_range = minutes.parse::<u64>().is_ok_and(|count| (1..=MAX_MINUTES).contains(&count));
    (!plain || !in_range).then_some("must be a whole number from 1 to 1440")
}

/// Control characters, line separators, and the marks that turn the direction of a text, which could disguise a name.
fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(super) fn cleaned(name: &str) -> String {
    let short: String = name.chars().filter(|c| !unprintable(*c)).take(MAX_APP_CHARS).collect();
    short.trim().to_owned()
}

/// Whole minutes a code is surely good for: rounded down, at least one.
pub(super) fn whole_minutes(valid: Duration) -> u64 {
    (valid.as_secs() / 60).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Defaults<'_> = Defaults { app: "ACME", valid: Duration::from_secs(600) };

    fn read(pairs: &[(&str, &str)]) -> Result<Params> {
        let given = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Params::read(&given, DEFAULTS)
    }

    fn values(params: &Params) -> Vec<&str> {
        params.values().into_iter().map(|(_, value)| value).collect()
    }

    #[test]
    fn what_is_left_out_comes_from_the_organization_and_the_ttl() {
        assert_eq!(values(&read(&[("code", "481516")]).unwrap()), ["481516", "ACME", "10"]);
        let own = read(&[("code", "A1B2"), ("app", " Shop 24 "), ("minutes", "3")]).unwrap();
        assert_eq!(values(&own), ["A1B2", "Shop 24", "3"]);
    }

    #[test]
    fn every_fault_is_reported_at_once_by_its_name() {
        let error = read(&[("code", "48 15"), ("app", "a\nb"), ("minutes", "0"), ("url", "x")]).err().expect("refused");
        let fields: Vec<&str> = error.fields().keys().map(String::as_str).collect();
        let wanted = ["template.params", "template.params.app", "template.params.code", "template.params.minutes"];
        assert_eq!(fields, wanted);
    }

    #[test]
    fn a_code_is_short_ascii_with_a_digit() {
        for bad in ["", "123", "12345678901", "abcdef", "48151\0", "48-516", "４８１５"] {
            assert!(read(&[("code", bad)]).is_err(), "{bad:?}");
        }
        assert!(read(&[]).is_err());
    }

    #[test]
    fn a_name_carries_no_link_number_or_trick() {
        let long = "x".repeat(41);
        for bad in ["", "  ", "https://evil.example", "WWW.evil.example", "call 0900 123", "a\u{202e}b", long.as_str()]
        {
            assert!(read(&[("code", "481516"), ("app", bad)]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_organizations_name_is_cleaned_and_cut() {
        let name = format!(" A\r\nB\u{202e} {}", "c".repeat(60));
        let params = Params::read(
            &BTreeMap::from([("code".to_owned(), "481516".to_owned())]),
            Defaults { app: &name, valid: Duration::from_secs(119) },
        );
        let params = params.unwrap();
        assert_eq!(params.app(), format!("AB {}", "c".repeat(36)));
        assert_eq!(values(&params)[2], "1");
    }
}
