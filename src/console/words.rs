//! The console in the reader's language: the English text is the key, and a file under `templates/console/words/` has the
//! translations of one language. A text that a file lacks is shown in English.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::console::pages::{FORMS, LISTINGS};
use crate::error::Language;

/// The texts of one language by the English ones.
type Texts = BTreeMap<Box<str>, Box<str>>;

macro_rules! sources {
    ($($tag:literal),* $(,)?) => {
        &[$(($tag, include_str!(concat!("../../templates/console/words/", $tag, ".toml")))),*]
    };
}

/// Every language but English with its file.
const SOURCES: &[(&str, &str)] = sources![];

static TEXTS: LazyLock<Vec<(&str, Texts)>> =
    LazyLock::new(|| SOURCES.iter().map(|(tag, source)| (*tag, toml::from_str(source).unwrap_or_default())).collect());

/// The words of one reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    /// Their language.
    pub language: Language,
    texts: Option<&'static Texts>,
}

impl Words {
    /// The words of `language`.
    pub(super) fn of(language: Language) -> Words {
        let texts = TEXTS.iter().find(|(tag, _)| *tag == language.tag()).map(|(_, texts)| texts);
        Words { language, texts }
    }

    /// `text`, an English one, in the reader's language.
    pub(super) fn say<'a>(&self, text: &'a str) -> &'a str {
        self.texts.and_then(|texts| texts.get(text)).map_or(text, |said| &**said)
    }

    /// The tag for `<html lang>`.
    pub(super) fn tag(&self) -> &'static str {
        if self.texts.is_some() { self.language.tag() } else { "en" }
    }

    /// The writing direction for `<html dir>`.
    pub(super) fn direction(&self) -> &'static str {
        if self.tag() == "ar" { "rtl" } else { "ltr" }
    }
}

/// The languages that the console is told in, English first: what the menu offers.
pub(super) fn languages() -> impl Iterator<Item = &'static str> {
    std::iter::once("en").chain(SOURCES.iter().map(|(tag, _)| *tag))
}

/// Every text of the tables and forms, for the test that no language lacks one; those of the templates stand in
/// `say("…")` there.
pub fn all_words() -> Vec<&'static str> {
    LISTINGS.iter().flat_map(|listing| listing.words()).chain(FORMS.iter().flat_map(|form| form.words())).collect()
}

/// The translations of every language by its tag, for the same test.
pub fn translations() -> Vec<(&'static str, BTreeMap<String, String>)> {
    let owned = |texts: &Texts| texts.iter().map(|(from, to)| (from.to_string(), to.to_string())).collect();
    TEXTS.iter().map(|(tag, texts)| (*tag, owned(texts))).collect()
}
