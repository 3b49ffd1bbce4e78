//! Words that have a place, and words that have none.

use super::source::Source;

/// Pieces of diesel's language that read or write rows; types of columns are not among them.
const SQL: &[&str] = &[
    "diesel::insert_into",
    "diesel::update",
    "diesel::delete",
    "diesel::select",
    "diesel::sql_query",
    "diesel::prelude",
    "diesel::dsl",
    "diesel::connection",
    "diesel::query_dsl",
    "ExpressionMethods",
    "QueryDsl",
    "OptionalExtension",
    "schema::",
];

/// What may stand in a test only.
const BANNED: &[&str] =
    &["todo!", "unimplemented!", "dbg!", "panic!", "#[allow(", "#![allow(", ".unwrap()", ".expect("];

/// Uses of SQL outside `src/db` and the stores of the rooms.
pub fn sql_outside_stores(file: &Source) -> Vec<String> {
    let is_store =
        file.path.ends_with("/store.rs") || file.path.contains("/store/") || file.path.starts_with("src/db/");
    if is_store { Vec::new() } else { outside_tests(file, SQL) }
}

/// Uses of words that no finished code has.
pub fn banned(file: &Source) -> Vec<String> {
    outside_tests(file, BANNED)
}

/// Waits for the clock of the wall. The harness may: its carriers are slow on purpose, and it waits for states.
pub fn sleeping(file: &Source) -> Vec<String> {
    if file.path.contains("/harness/") {
        return Vec::new();
    }
    file.find("sleep(").into_iter().map(|at| format!("{} sleeps", file.place(at))).collect()
}

fn outside_tests(file: &Source, words: &[&str]) -> Vec<String> {
    let hits = words.iter().flat_map(|word| file.find(word).into_iter().map(move |at| (at, *word)));
    let hits = hits.filter(|(at, _)| !file.code[..*at].ends_with("openapi::"));
    hits.filter(|(at, _)| !file.is_test(*at) && !is_expected(file, *at))
        .map(|(at, word)| format!("{} {word}", file.place(at)))
        .collect()
}

/// Start-up code may say `#[expect(clippy::…, reason = "…")]` on the statement or on the function around it.
fn is_expected(file: &Source, offset: usize) -> bool {
    let before = file.code[..offset].lines().rev().take(70);
    let mut here = before.take_while(|line| !matches!(*line, "}" | "    }"));
    here.any(|line| line.contains("#[expect(clippy::"))
}

#[test]
fn words_count_in_code_only() {
    let text = "// todo!()\nfn a() { x.unwrap(); y.unwrap_or(1); let s = \"dbg!\"; }\n#[cfg(test)]\nmod t { fn b() { z.unwrap() } }\n";
    assert_eq!(banned(&Source::new("src/a.rs", text)), ["src/a.rs:2 .unwrap()"]);
}

#[test]
fn a_store_may_speak_sql_and_a_door_may_not() {
    let text = "use diesel::prelude::*;";
    assert_eq!(sql_outside_stores(&Source::new("src/wallet/store.rs", text)), Vec::<String>::new());
    assert_eq!(sql_outside_stores(&Source::new("src/wallet/mod.rs", text)).len(), 1);
    assert_eq!(sql_outside_stores(&Source::new("src/ids.rs", "use diesel::sql_types::Text;")).len(), 0);
}
