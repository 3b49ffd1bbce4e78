//! One thing's members as a list of names and values.

use askama::Template;
use serde_json::Value;

use crate::clock::Millis;
use crate::console::cells::{Column, Shown};
use crate::console::markup::Markup;
use crate::error::Result;
use crate::words::Words;

#[derive(Template)]
#[template(path = "console/facts.html")]
struct View<'a> {
    title: &'a str,
    rows: Vec<(&'a str, Shown)>,
}

/// `columns` of `thing` under `title`.
///
/// # Errors
/// `internal` where it cannot be rendered.
pub(super) fn facts(title: &str, columns: &[Column], thing: &Value, words: Words, now: Millis) -> Result<Markup> {
    let rows = columns.iter().map(|column| (words.say(column.label), column.show(thing, words, now)));
    Markup::of(&View { title: words.say(title), rows: rows.collect() })
}
