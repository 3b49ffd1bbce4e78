//! The sentences of the registry in other languages: one file each under `templates/errors/`, embedded, read once.
//! English is the registry's own text and has no file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Code;
use crate::language::accepted;

/// A language that errors are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language {
    tag: &'static str,
    beside_english: &'static str,
}

/// The sentences of one language by the codes' text.
type Sentences = BTreeMap<Box<str>, Box<str>>;

macro_rules! sources {
    ($($tag:literal),+ $(,)?) => {
        &[$((
            Language { tag: $tag, beside_english: concat!($tag, ", en") },
            include_str!(concat!("../../templates/errors/", $tag, ".toml")),
        )),+]
    };
}

/// Every language but English with its file.
const SOURCES: &[(Language, &str)] =
    sources!["ar", "de", "es", "fr", "id", "it", "ja", "ko", "nl", "pl", "pt-BR", "ru", "tr", "uk", "zh-CN",];

static SENTENCES: LazyLock<Vec<Result<Sentences, toml::de::Error>>> =
    LazyLock::new(|| SOURCES.iter().map(|(_, source)| toml::from_str(source)).collect());

impl Language {
    /// The registry's own.
    pub const ENGLISH: Language = Language { tag: "en", beside_english: "en" };

    /// Every language, English first.
    pub fn all() -> impl Iterator<Item = Language> + Clone {
        std::iter::once(Language::ENGLISH).chain(SOURCES.iter().map(|(language, _)| *language))
    }

    /// The one that an `Accept-Language` asks for most, English where it asks for none of ours.
    pub fn asked_by(header: &str) -> Language {
        let found = accepted(header, Language::all().map(|language| language.tag));
        found.and_then(|found| Language::all().nth(found)).unwrap_or(Language::ENGLISH)
    }

    /// Its tag, e.g. `pt-BR`.
    pub fn tag(self) -> &'static str {
        self.tag
    }

    /// The Content-Language of a text in it that has English beside it, e.g. `pt-BR, en`.
    pub fn beside_english(self) -> &'static str {
        self.beside_english
    }

    /// Whether it is English.
    pub fn is_english(self) -> bool {
        self == Language::ENGLISH
    }
}

impl Code {
    /// The registry's sentence in `language`. English where a file lacks it, which a test rules out.
    pub fn sentence_in(self, language: Language) -> &'static str {
        let at = SOURCES.iter().position(|(one, _)| *one == language);
        let file = at.and_then(|at| SENTENCES.get(at)).and_then(|file| file.as_ref().ok());
        file.and_then(|file| file.get(self.as_str())).map_or(self.entry().sentence, |sentence| &**sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What clients write and read as it is, in any language: headers, members, values.
    const UNTRANSLATED: &[&str] = &[
        "Retry-After",
        "Authorization: Bearer",
        "field_errors.required_scope",
        "field_errors",
        "Content-Type: application/json",
        "Allow",
        "JSON",
        "UTF-8",
        "UTC",
        "WhatsApp",
        "API",
        "https",
        "24",
    ];

    fn translated() -> impl Iterator<Item = (Language, &'static Sentences)> {
        SOURCES.iter().zip(SENTENCES.iter()).map(|((language, _), file)| {
            (*language, file.as_ref().unwrap_or_else(|fault| panic!("{}: {fault}", language.tag)))
        })
    }

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/errors");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), SOURCES.len());
        assert!(SOURCES.len() >= 12);
    }

    #[test]
    fn no_code_lacks_a_sentence_and_no_file_has_another_code() {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        for (language, file) in translated() {
            let missing: Vec<_> = codes.iter().filter(|code| !file.contains_key(**code)).collect();
            let unknown: Vec<_> = file.keys().filter(|code| !codes.contains(&&***code)).collect();
            assert!(missing.is_empty() && unknown.is_empty(), "{}: {missing:?} {unknown:?}", language.tag);
        }
    }

    #[test]
    fn a_sentence_is_a_sentence_and_was_not_left_in_english_or_copied() {
        for (language, file) in translated() {
            let mut seen = std::collections::BTreeSet::new();
            for code in Code::ALL {
                let said = code.sentence_in(language);
                assert!(said.ends_with(['.', '。', '।']) && !said.contains('\n'), "{} {code}", language.tag);
                assert!(said.trim() == said && said != code.entry().sentence, "{} {code}", language.tag);
                assert!(seen.insert(said), "{} {code} says what another code says", language.tag);
            }
            assert_eq!(file.len(), Code::ALL.len());
        }
    }

    #[test]
    fn names_stand_as_they_are_written_in_a_request() {
        for (language, _) in translated() {
            for code in Code::ALL {
                let (english, said) = (code.entry().sentence, code.sentence_in(language));
                for name in UNTRANSLATED {
                    assert_eq!(said.contains(name), english.contains(name), "{} {code}: {name}", language.tag);
                }
            }
        }
    }

    #[test]
    fn a_header_finds_its_language_or_english() {
        for (header, want) in
            [("de-AT", "de"), ("pt", "pt-BR"), ("sw, *", "en"), ("", "en"), ("en, de", "en"), ("zh-Hans-SG", "zh-CN")]
        {
            assert_eq!(Language::asked_by(header).tag(), want, "{header}");
        }
    }
}
