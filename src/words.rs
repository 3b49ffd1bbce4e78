//! The console's texts in the reader's language: the English text is the key, and a file under `templates/console/words/`
//! has the translations of one language. A text that a file lacks is shown in English, which a test rules out.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::error::Language;

/// The texts of one language by the English ones.
type Texts = BTreeMap<Box<str>, Box<str>>;

macro_rules! sources {
    ($($tag:literal),* $(,)?) => {
        &[$(($tag, include_str!(concat!("../templates/console/words/", $tag, ".toml")))),*]
    };
}

/// Every language but English with its file.
const SOURCES: &[(&str, &str)] =
    sources!["ar", "de", "es", "fr", "id", "it", "ja", "ko", "nl", "pl", "pt-BR", "ru", "tr", "uk", "zh-CN"];

static TEXTS: LazyLock<Vec<(&str, Texts)>> =
    LazyLock::new(|| SOURCES.iter().map(|(tag, source)| (*tag, toml::from_str(source).unwrap_or_default())).collect());

/// The words of one reader.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Their language.
    pub language: Language,
    texts: Option<&'static Texts>,
}

impl Words {
    /// The words of `language`.
    pub fn of(language: Language) -> Words {
        let texts = TEXTS.iter().find(|(tag, _)| *tag == language.tag()).map(|(_, texts)| texts);
        Words { language, texts }
    }

    /// `text`, an English one, in the reader's language.
    pub fn say<'a>(&self, text: &'a str) -> &'a str {
        self.texts.and_then(|texts| texts.get(text)).map_or(text, |said| &**said)
    }

    /// The tag for `<html lang>`.
    pub fn tag(&self) -> &'static str {
        if self.texts.is_some() { self.language.tag() } else { "en" }
    }

    /// The writing direction for `<html dir>`.
    pub fn direction(&self) -> &'static str {
        if self.tag() == "ar" { "rtl" } else { "ltr" }
    }
}

/// The languages that the console is told in, English first: what its menu offers.
pub fn languages() -> impl Iterator<Item = &'static str> {
    std::iter::once("en").chain(SOURCES.iter().map(|(tag, _)| *tag))
}

/// The translations of every language by its tag, for the same test.
pub fn translations() -> Vec<(&'static str, BTreeMap<String, String>)> {
    let owned = |texts: &Texts| texts.iter().map(|(from, to)| (from.to_string(), to.to_string())).collect();
    TEXTS.iter().map(|(tag, texts)| (*tag, owned(texts))).collect()
}
