//! Which of the built-in languages answers a requested one.

use crate::error::{Error, Result};
use crate::language::{is_tag, nearest_of};

use super::catalog::SOURCES;

/// A locale that has texts here: what negotiation came to, never merely what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Locale(&'static str);

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
        let tags = SOURCES.iter().map(|(tag, _)| *tag);
        Ok(nearest_of(text, tags.clone()).and_then(|found| tags.clone().nth(found)).map_or(Locale::ENGLISH, Locale))
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

/// The same in the usual writing: `pt_br` is `pt-BR`, `zh-hant-hk` is `zh-Hant-HK` (RFC 5646, section 2.1.1). Error: as
/// for [`Locale::parse`].
pub fn written(field: &str, text: &str) -> Result<String> {
    if !is_tag(text) {
        return Err(Error::field(field, "must be a language tag, e.g. en, pt-BR or zh-Hans"));
    }
    let usual = |(index, tag): (usize, &str)| match (index, tag.len()) {
        (1.., 2) => tag.to_ascii_uppercase(),
        (1.., 4) if tag.bytes().all(|b| b.is_ascii_alphabetic()) => {
            let (first, rest) = tag.split_at(1);
            format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
        }
        _ => tag.to_ascii_lowercase(),
    };
    Ok(text.split(['-', '_']).enumerate().map(usual).collect::<Vec<_>>().join("-"))
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
    fn a_tag_is_written_the_usual_way() {
        for (text, usual) in [("PT_br", "pt-BR"), ("zh-hant-hk", "zh-Hant-HK"), ("ES-419", "es-419"), ("en", "en")] {
            assert_eq!(written("locale", text).unwrap(), usual);
        }
        assert!(written("locale", "en US").is_err());
    }

    #[test]
    fn every_alias_leads_to_a_locale_with_texts() {
        for (alias, ours) in crate::language::STANDS_FOR {
            assert!(Locale::all().any(|locale| locale.as_str() == *ours), "{alias}");
            assert!(is_tag(alias));
        }
    }
}
