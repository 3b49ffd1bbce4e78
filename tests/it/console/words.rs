//! Every text of the console in every language that it is told in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use postern::console::all_words;
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
    let told = r#"(?:\bsay\(|\bColumn::\w+\(|\b(?:title|label): )\s*"((?:[^"\\]|\\.)+)""#;
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
