//! Rust files as the rules need them: comments and literals blanked out, test code known.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// One source file.
pub struct Source {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    /// The text as it stands.
    pub text: String,
    /// The text with comments and the insides of literals turned into spaces: the same offsets, the same lines.
    pub code: String,
    tests: Vec<Range<usize>>,
}

impl Source {
    /// Reads `text` as the file at `path`.
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let in_tests = path.ends_with("/tests.rs") || path.contains("/tests/");
        let tests = if in_tests { std::iter::once(0..code.len()).collect() } else { test_items(&code) };
        Source { path: path.to_owned(), text: text.to_owned(), code, tests }
    }

    /// Whether the offset lies in an item under `#[cfg(test)]`.
    pub fn is_test(&self, offset: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&offset))
    }

    /// The line of an offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }

    /// `path:line`, as an editor opens it.
    pub fn place(&self, offset: usize) -> String {
        format!("{}:{}", self.path, self.line(offset))
    }

    /// Offsets of `word` in the code, where it does not continue another word.
    pub fn find(&self, word: &str) -> Vec<usize> {
        let starts_as_word = word.starts_with(is_word);
        self.code
            .match_indices(word)
            .map(|(at, _)| at)
            .filter(|at| !(starts_as_word && self.code[..*at].ends_with(is_word)))
            .collect()
    }
}

/// Whether a character can be part of a Rust name.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, in the order of their paths.
pub fn rust_files(folder: &str) -> Vec<Source> {
    let mut files: Vec<_> = files_below(&root().join(folder))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"))
        .map(|path| Source::new(&relative(&path), &std::fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Every file below `folder`.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The path from the root of the repository, with `/`.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")
}

/// The offset behind the bracket that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

fn test_items(code: &str) -> Vec<Range<usize>> {
    let marks = code.match_indices("#[cfg(test)]");
    marks
        .map(|(start, mark)| {
            let from = start + mark.len();
            let end = code[from..].find(['{', ';']).map_or(code.len(), |at| from + at);
            start..if code[end..].starts_with('{') { closing(code, end) } else { end }
        })
        .collect()
}

/// What the scanner is inside of.
enum Inside {
    Code,
    Line,
    Block(usize),
    Text,
    Raw(usize),
}

fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let (mut inside, mut at) = (Inside::Code, 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (next, step) = match inside {
            Inside::Code => enter(rest, at > 0 && is_word(bytes[at - 1] as char)),
            Inside::Line => (if rest[0] == b'\n' { Inside::Code } else { Inside::Line }, 1),
            Inside::Block(depth) => in_block(rest, depth),
            Inside::Text => in_text(rest),
            Inside::Raw(hashes) => in_raw(rest, hashes),
        };
        let was_code = matches!(inside, Inside::Code) && matches!(next, Inside::Code) && step == 1;
        for byte in out.iter_mut().skip(at).take(step) {
            if !was_code && *byte != b'\n' {
                *byte = b' ';
            }
        }
        (inside, at) = (next, at + step);
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// What begins here in code, and how many bytes it takes; a step of one byte that stays in code is kept.
fn enter(rest: &[u8], after_word: bool) -> (Inside, usize) {
    if rest.starts_with(b"//") {
        return (Inside::Line, 2);
    }
    if rest.starts_with(b"/*") {
        return (Inside::Block(1), 2);
    }
    if rest[0] == b'"' {
        return (Inside::Text, 1);
    }
    if let (false, Some((hashes, step))) = (after_word, raw_start(rest)) {
        return (Inside::Raw(hashes), step);
    }
    (Inside::Code, if rest[0] == b'\'' { char_literal(rest) } else { 1 })
}

fn raw_start(rest: &[u8]) -> Option<(usize, usize)> {
    let prefix = if rest.starts_with(b"br") || rest.starts_with(b"cr") { 2 } else { 1 };
    if rest[prefix - 1] != b'r' {
        return None;
    }
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    (rest.get(prefix + hashes) == Some(&b'"')).then_some((hashes, prefix + hashes + 1))
}

/// The length of a character literal, or 1 where the quote begins a lifetime.
fn char_literal(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return rest.iter().skip(3).position(|byte| *byte == b'\'').map_or(1, |at| at + 4);
    }
    let width = rest.get(1).map_or(1, |byte| byte.leading_ones().max(1) as usize);
    if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 1 }
}

fn in_block(rest: &[u8], depth: usize) -> (Inside, usize) {
    if rest.starts_with(b"/*") {
        return (Inside::Block(depth + 1), 2);
    }
    if rest.starts_with(b"*/") {
        return (if depth == 1 { Inside::Code } else { Inside::Block(depth - 1) }, 2);
    }
    (Inside::Block(depth), 1)
}

fn in_text(rest: &[u8]) -> (Inside, usize) {
    match rest[0] {
        b'\\' => (Inside::Text, 2.min(rest.len())),
        b'"' => (Inside::Code, 1),
        _ => (Inside::Text, 1),
    }
}

fn in_raw(rest: &[u8], hashes: usize) -> (Inside, usize) {
    let ends = rest[0] == b'"' && rest[1..].iter().take(hashes).filter(|byte| **byte == b'#').count() == hashes;
    if ends { (Inside::Code, 1 + hashes) } else { (Inside::Raw(hashes), 1) }
}

#[test]
fn comments_and_literals_are_blank_and_lines_stay() {
    let text =
        "let a = \"crate::b\\\"\"; // crate::c\n/* x /* y */ crate::d */ 'q' '\\'' &'a str r#\"crate::\"e\"# 'é';\nend";
    let source = Source::new("src/a.rs", text);
    assert_eq!(source.code.len(), text.len());
    assert_eq!(source.code.matches("crate").count(), 0, "{}", source.code);
    assert!(source.code.contains("&'a str"));
    assert_eq!(source.line(source.code.find("end").unwrap()), 3);
}

#[test]
fn an_item_under_cfg_test_is_test_code() {
    let source = Source::new("src/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { { } } }\nfn c() {}\n");
    let inside = |name: &str| source.is_test(source.code.find(name).unwrap());
    assert_eq!((inside("fn a"), inside("fn b"), inside("fn c")), (false, true, false));
}
