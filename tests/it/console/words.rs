//! Every text of the console in every language that it is told in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use postern::console::{SENTENCES, all_words};
use postern::words::{languages, translations};

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The texts that stand in `say("…")` in templates and pages, and the heads of what is no table or form: facts, charts.
fn said() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["templates/console", "src/console", "src/signin"];
    let files = folders.iter().flat_map(|folder| files_below(&root.join(folder)));
    let readable = files.filter(|file| file.extension().is_some_and(|ext| ext == "rs" || ext == "html"));
    let told =
        r#"(?:\bsay\(|\bColumn::\w+\(|\bfacts\(|\brows\(&?desk,|\bseries\(|\b(?:title|label): )\s*"((?:[^"\\]|\\.)+)""#;
    let told = regex::Regex::new(told).unwrap();
    let texts = readable.map(|file| std::fs::read_to_string(file).unwrap());
    texts.flat_map(|text| told.captures_iter(&text).map(|found| found[1].to_owned()).collect::<Vec<_>>()).collect()
}

fn wanted() -> BTreeSet<String> {
    let specs = all_words().into_iter().map(String::from);
    specs.chain(said()).collect()
}

/// What makes a translation file: `POSTERN_PRINT_WORDS=1 cargo nextest run --test it print_the_words --no-capture`.
#[test]
fn print_the_words() {
    let wanted = wanted();
    assert!(wanted.len() > 100, "the texts are found");
    if std::env::var_os("POSTERN_PRINT_WORDS").is_some() {
        wanted.iter().for_each(|words| println!("W\t{words}"));
    }
}

#[test]
fn no_language_lacks_a_text_and_none_is_left_over() {
    let wanted = wanted();
    for (language, texts) in translations() {
        let missing: Vec<_> = wanted.iter().filter(|words| !texts.contains_key(*words)).collect();
        let over: Vec<_> = texts.keys().filter(|words| !wanted.contains(*words)).collect();
        assert!(missing.is_empty() && over.is_empty(), "{language} lacks {missing:#?} and has {over:#?} for nothing");
        assert!(texts.values().all(|text| !text.trim().is_empty()), "{language} has an empty text");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/console/words");
    let count = files_below(&folder).iter().filter(|file| file.extension().is_some_and(|ext| ext == "toml")).count();
    assert_eq!(count + 1, languages().count(), "a file of the folder is not embedded");
}

/// The places of a format string, or of a sentence with numbered ones, made alike.
fn bare(text: &str) -> String {
    regex::Regex::new(r"\{[^}]*\}").unwrap().replace_all(text, "{}").into_owned()
}

#[test]
fn the_sentences_of_alerts_are_those_that_are_written() {
    let sources = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let sources = sources.iter().filter(|path| !path.ends_with("console/told.rs"));
    let written: Vec<String> = sources.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let alerts: Vec<&String> = written.iter().filter(|text| text.contains("AlertKind::")).collect();
    let formats = regex::Regex::new(r#""((?:[^"\\]|\\.)+)""#).unwrap();
    let known: BTreeSet<String> =
        alerts.iter().flat_map(|text| formats.captures_iter(text).map(|found| bare(&found[1]))).collect();
    let stale: Vec<_> = SENTENCES.iter().filter(|sentence| !known.contains(&bare(sentence))).collect();
    assert!(stale.is_empty(), "nobody writes {stale:#?}");
    // Each place that writes an alert has a sentence: two of one place are told apart above.
    let places = alerts
        .iter()
        .map(|text| text.matches("Alert::of(AlertKind::").count() + text.matches("Alert::common(AlertKind::").count());
    assert_eq!(places.sum::<usize>() + 1, SENTENCES.len(), "an alert has no sentence in console/told.rs");
}
