//! Who may use whom.

use super::source::{Source, closing, is_word, root};

/// The modules of `src/lib.rs`, top to bottom.
pub fn modules_in_reading_order() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let modules: Vec<_> = names.map(str::to_owned).collect();
    assert!(modules.len() > 20, "src/lib.rs has `pub mod name;` lines, one each");
    modules
}

/// Uses in `file` that point at a module below its own.
pub fn faults(file: &Source, modules: &[String]) -> Vec<String> {
    let Some(own) = modules.iter().position(|module| *module == room(&file.path)) else { return Vec::new() };
    let mut faults = Vec::new();
    for (at, used) in paths_from_the_root(file) {
        match modules.iter().position(|module| *module == used) {
            Some(below) if below > own => faults.push(format!("{} {} uses {used}", file.place(at), modules[own])),
            _ => {}
        }
    }
    faults.extend(escapes(file));
    faults
}

/// `accounts` for `src/accounts/keys/store.rs`, `clock` for `src/clock.rs`.
fn room(path: &str) -> &str {
    let inner = path.trim_start_matches("src/");
    inner.split('/').next().unwrap_or(inner).trim_end_matches(".rs")
}

/// What is named right behind `crate::`, with `crate::{a, b::c}` taken apart.
fn paths_from_the_root(file: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in file.find("crate::") {
        let from = at + "crate::".len();
        if file.code[from..].starts_with('{') {
            let group = &file.code[from + 1..closing(&file.code, from) - 1];
            found.extend(heads(group).into_iter().map(|head| (at, head)));
        } else {
            found.push((at, leading_word(&file.code[from..])));
        }
    }
    found
}

/// The first word of each member of a use group: `a, b::{c, d}` gives `a` and `b`.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut member) = (0, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(std::mem::take(&mut member)),
            _ => member.push(c),
        }
    }
    heads.push(member);
    heads.iter().map(|member| leading_word(member.trim_start())).filter(|head| !head.is_empty()).collect()
}

fn leading_word(code: &str) -> String {
    code.chars().take_while(|c| is_word(*c)).collect()
}

/// `super::` chains long enough to reach the root; they would go around the check above.
fn escapes(file: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for at in file.find("super::") {
        if file.code[..at].ends_with("super::") {
            continue;
        }
        let chain = file.code[at..].split("::").take_while(|part| *part == "super").count();
        if chain >= depth(&file.path) + inline_modules_around(file, at) {
            faults.push(format!("{} leaves its room by super; say crate::", file.place(at)));
        }
    }
    faults
}

/// How many modules deep a file is: 1 for `src/clock.rs` and `src/db/mod.rs`, 2 for `src/db/conn.rs`.
fn depth(path: &str) -> usize {
    path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod").split('/').count()
}

fn inline_modules_around(file: &Source, offset: usize) -> usize {
    let opened = file.find("mod ").into_iter().filter_map(|at| {
        let brace = at + file.code[at..].find(['{', ';'])?;
        file.code[brace..].starts_with('{').then(|| brace..closing(&file.code, brace))
    });
    opened.filter(|range| range.contains(&offset)).count()
}

#[cfg(test)]
fn faults_in(path: &str, text: &str) -> usize {
    let modules = ["clock", "db", "wallet", "messages"].map(str::to_owned);
    faults(&Source::new(path, text), &modules).len()
}

#[test]
fn up_and_inside_are_allowed_down_is_not() {
    assert_eq!(faults_in("src/wallet/mod.rs", "use crate::db::Conn; use crate::wallet::hold; crate::clock::now()"), 0);
    assert_eq!(faults_in("src/wallet/hold.rs", "use crate::messages::Message;"), 1);
    assert_eq!(faults_in("src/clock.rs", "fn a() { crate::db::read() }"), 1);
}

#[test]
fn groups_and_escapes_are_seen() {
    assert_eq!(faults_in("src/wallet/mod.rs", "use crate::{db::{Conn, messages}, messages::{self, Message}};"), 1);
    assert_eq!(faults_in("src/wallet/hold.rs", "use super::super::messages::Message;"), 1);
    assert_eq!(faults_in("src/wallet/hold.rs", "use super::store; mod tests { use super::super::store; }"), 0);
    assert_eq!(faults_in("src/clock.rs", "use super::db;"), 1);
    assert_eq!(faults_in("src/clock.rs", "// crate::db\nmod tests { use super::*; }"), 0);
}
