//! Which of the built-in languages answers a requested one.

use crate::error::{Error, Result};

use super::catalog::SOURCES;

/// A locale that has texts here: what negotiation came to, never merely what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Locale(&'static str);

/// Tags that stand for one of ours, in lower case. Source: the likely subtags of CLDR, and the languages' usage.
const STANDS_FOR: &[(&str, &str)] = &[
    ("zh", "zh-CN"),
    ("zh-hans", "zh-CN"),
    ("zh-sg", "zh-CN"),
    ("zh-hant", "zh-TW"),
    ("zh-hk", "zh-TW"),
    ("zh-mo", "zh-TW"),
    ("pt", "pt-BR"),
    ("pt-ao", "pt-PT"),
    ("pt-cv", "pt-PT"),
    ("pt-gw", "pt-PT"),
    ("pt-mz", "pt-PT"),
    ("pt-st", "pt-PT"),
    ("pt-tl", "pt-PT"),
    ("no", "nb"),
    ("nn", "nb"),
    // The code of Indonesian before ISO 639 changed it; old Java runtimes still send it.
    ("in", "id"),
];

/// The longest tag taken; RFC 5646, section 4.4.1, asks for room for 35 characters.
const MAX_TAG_CHARS: usize = 35;

impl Locale {
    /// English, the last resort of every negotiation.
    pub const ENGLISH: Locale = Locale("en");

    /// Reads a BCP 47 tag (`_` is taken for `-`, case does not matter) and finds the nearest locale with texts,
    /// dropping subtags from the end: `pt-BR` → `pt` → `en`, `zh-Hant-HK` → `zh-TW`.
    ///
    /// # Errors
    /// A text that is no language tag is a fault of `field`; a language without texts is not: it gets English.
    pub fn parse(field: &str, text: &str) -> Result<Locale> {
        if !is_tag(text) {
            return Err(Error::field(field, "must be a language tag, e.g. en, pt-BR or zh-Hans"));
        }
        Ok(nearest(&text.to_ascii_lowercase().replace('_', "-")).map_or(Locale::ENGLISH, Locale))
    }

    /// Every locale with texts.
    pub fn all() -> impl Iterator<Item = Locale> {
        SOURCES.iter().map(|(tag, _)| Locale(tag))
    }

    /// The tag, e.g. `pt-BR`.
    pub fn as_str(&self) -> &'static str {
        self.0
    }
}

impl Default for Locale {
    fn default() -> Self {
        Locale::ENGLISH
    }
}

/// The shape of RFC 5646, section 2.1, without its rare irregular tags.
fn is_tag(text: &str) -> bool {
    let mut subtags = text.split(['-', '_']);
    let language = subtags.next().unwrap_or_default();
    text.len() <= MAX_TAG_CHARS
        && (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn nearest(tag: &str) -> Option<&'static str> {
    let ours = || SOURCES.iter().map(|(ours, _)| *ours).find(|ours| ours.eq_ignore_ascii_case(tag));
    let alias = || STANDS_FOR.iter().find(|(alias, _)| *alias == tag).map(|(_, ours)| *ours);
    ours().or_else(alias).or_else(|| nearest(tag.rsplit_once('-')?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_falls_back_from_region_to_language_to_english() {
        for (asked, served) in [
            ("en", "en"),
            ("EN_us", "en"),
            ("pt-BR", "pt-BR"),
            ("pt_pt", "pt-PT"),
            ("pt", "pt-BR"),
            ("pt-US", "pt-BR"),
            ("pt-MZ", "pt-PT"),
            ("es-419", "es"),
            ("fr-CA", "fr"),
            ("de-Latn-AT-1996", "de"),
            ("zh", "zh-CN"),
            ("zh-Hans", "zh-CN"),
            ("zh-Hans-HK", "zh-CN"),
            ("zh-Hant-HK", "zh-TW"),
            ("zh-HK", "zh-TW"),
            ("no", "nb"),
            ("in", "id"),
            ("sw", "en"),
            ("tlh-Latn", "en"),
        ] {
            assert_eq!(Locale::parse("locale", asked).unwrap().as_str(), served, "{asked}");
        }
    }

    #[test]
    fn what_is_no_tag_is_a_fault_of_its_field() {
        for bad in ["", "e", "english", "en-", "-en", "en US", "en\n", "en_US.UTF-8", "12", "日本", &"en-a".repeat(12)]
        {
            let error = Locale::parse("template.locale", bad).unwrap_err();
            assert!(error.fields().contains_key("template.locale"), "{bad:?}");
        }
    }

    #[test]
    fn every_alias_leads_to_a_locale_with_texts() {
        for (alias, ours) in STANDS_FOR {
            assert!(Locale::all().any(|locale| locale.as_str() == *ours), "{alias}");
            assert!(is_tag(alias));
        }
    }
}
