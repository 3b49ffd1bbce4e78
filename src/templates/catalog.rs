//! The built-in texts: one file per locale under `templates/messages/`, embedded in the binary, read once.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::error::{Error, Result};

use super::Locale;

crate::text_enum! {
    /// The built-in templates: what the code is for.
    pub enum TemplateName {
        Verification = "verification",
        Login = "login",
        Signup = "signup",
        Transaction = "transaction",
    }
}

impl TemplateName {
    /// Reads a name.
    ///
    /// # Errors
    /// An unknown name is a fault of `field`, which lists the known ones.
    pub fn read(field: &str, text: &str) -> Result<TemplateName> {
        text.parse().map_err(|unknown| Error::field(field, format!("is not a template here: {unknown}")))
    }
}

/// The texts of one locale.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    /// `ltr` or `rtl`.
    pub(super) direction: String,
    /// Below the code of an email: how long it is good for, and the warning.
    pub(super) expiry: String,
    /// The last line of an email: what to do who did not ask for it.
    pub(super) ignore: String,
    verification: Wording,
    login: Wording,
    signup: Wording,
    transaction: Wording,
}

/// The texts of one template in one locale.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wording {
    /// The whole of an SMS or a WhatsApp text.
    pub(super) text: String,
    /// The subject of an email; never holds the code, since lists and lock screens show it.
    pub(super) subject: String,
    /// The line above the code of an email.
    pub(super) lead: String,
}

impl Texts {
    pub(super) fn wording(&self, name: TemplateName) -> &Wording {
        match name {
            TemplateName::Verification => &self.verification,
            TemplateName::Login => &self.login,
            TemplateName::Signup => &self.signup,
            TemplateName::Transaction => &self.transaction,
        }
    }
}

macro_rules! sources {
    ($($tag:literal),+ $(,)?) => {
        &[$(($tag, include_str!(concat!("../../templates/messages/", $tag, ".toml")))),+]
    };
}

/// Every locale with its file.
pub(super) const SOURCES: &[(&str, &str)] = sources![
    "en", "es", "fr", "de", "it", "pt-BR", "pt-PT", "nl", "pl", "tr", "ru", "uk", "ar", "hi", "id", "vi", "ja", "ko",
    "zh-CN", "zh-TW", "sv", "da", "nb", "fi",
];

static CATALOG: LazyLock<Vec<(&'static str, Result<Texts, toml::de::Error>)>> =
    LazyLock::new(|| SOURCES.iter().map(|(tag, source)| (*tag, toml::from_str(source))).collect());

/// The texts of `locale`. A file that cannot be read is an internal error; a test reads every one.
pub(super) fn texts(locale: Locale) -> Result<&'static Texts> {
    match CATALOG.iter().find(|(tag, _)| *tag == locale.as_str()) {
        Some((_, Ok(texts))) => Ok(texts),
        Some((tag, Err(fault))) => Err(Error::internal(format_args!("templates/messages/{tag}.toml: {fault}"))),
        None => Err(Error::internal(format_args!("no texts for {}", locale.as_str()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{first_non_gsm, measure};

    /// Languages whose texts can be and therefore are written without a character that GSM-7 lacks.
    const GSM: &[&str] =
        &["en", "es", "fr", "de", "it", "pt-BR", "pt-PT", "nl", "pl", "tr", "id", "sv", "da", "nb", "fi"];

    fn every_wording() -> impl Iterator<Item = (&'static str, TemplateName, &'static Wording)> {
        Locale::all().flat_map(|locale| {
            let texts = texts(locale).unwrap();
            TemplateName::ALL.iter().map(move |name| (locale.as_str(), *name, texts.wording(*name)))
        })
    }

    #[test]
    fn every_file_of_the_folder_is_embedded_and_reads() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/messages");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), SOURCES.len());
        assert!(SOURCES.len() >= 14);
        for locale in Locale::all() {
            let texts = texts(locale).unwrap();
            let right_to_left = locale.as_str() == "ar";
            assert_eq!(texts.direction, if right_to_left { "rtl" } else { "ltr" }, "{}", locale.as_str());
            assert_eq!(texts.expiry.matches("{minutes}").count(), 1);
        }
    }

    #[test]
    fn every_text_has_each_parameter_once_and_no_digit_or_link_of_its_own() {
        for (tag, name, wording) in every_wording() {
            for parameter in ["{code}", "{app}", "{minutes}"] {
                assert_eq!(wording.text.matches(parameter).count(), 1, "{tag} {name} {parameter}");
            }
            for text in [&wording.text, &wording.subject, &wording.lead] {
                let linkless = !["http", "://", "www.", ".com", "\n"].iter().any(|bad| text.contains(bad));
                assert!(linkless && !text.chars().any(char::is_numeric), "{tag} {name}: {text}");
            }
            for text in [&wording.subject, &wording.lead] {
                assert!(text.contains("{app}") && !text.contains("{code}"), "{tag} {name}: {text}");
            }
        }
    }

    #[test]
    fn texts_are_gsm7_where_the_language_allows_it() {
        for (tag, name, wording) in every_wording() {
            // The braces of a parameter are extension characters, so they do not spoil the answer.
            let culprit = first_non_gsm(&wording.text);
            assert_eq!(culprit.is_none(), GSM.contains(&tag), "{tag} {name}: {culprit:?}");
        }
    }

    #[test]
    fn every_text_is_one_sms_and_a_gsm7_one_even_with_the_longest_values() {
        let longest = "x".repeat(crate::templates::params::MAX_APP_CHARS);
        for (tag, name, wording) in every_wording() {
            let (code, app, minutes) =
                if GSM.contains(&tag) { ("4815162342", longest.as_str(), "1440") } else { ("481516", "ACME", "10") };
            let text = wording.text.replace("{code}", code).replace("{app}", app).replace("{minutes}", minutes);
            let found = measure(&text);
            assert_eq!(found.segments, 1, "{tag} {name}: {} units", found.units);
        }
    }

    #[test]
    fn no_text_was_left_in_english() {
        let english = texts(Locale::ENGLISH).unwrap();
        for (tag, name, wording) in every_wording().filter(|(tag, ..)| *tag != "en") {
            let model = english.wording(name);
            assert!(wording.text != model.text && wording.subject != model.subject, "{tag} {name}");
            assert_ne!(wording.lead, model.lead, "{tag} {name}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = TemplateName::read("template.name", "welcome").unwrap_err();
        let faults = &error.fields()["template.name"];
        assert_eq!(*faults, ["is not a template here: expected one of verification, login, signup, transaction"]);
    }
}
