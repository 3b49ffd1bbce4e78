//! The frame of every page: the pages' names, live or test, the theme, who is signed in.

use askama::Template;

use crate::accounts::Operator;
use crate::console::assets;
use crate::console::markup::Markup;
use crate::console::preferences::{Preferences, Theme};
use crate::signin::Session;
use crate::words::{Words, languages};

/// A page: what a handler makes.
pub(super) struct Page<'a> {
    /// Which entry of the menu it belongs to; empty for none.
    pub key: &'static str,
    /// Its heading, in the reader's language.
    pub title: &'a str,
    /// A sentence under the heading; may be empty.
    pub lead: String,
    /// What it shows, from top to bottom.
    pub body: Vec<Markup>,
}

/// An entry of the menu.
pub(super) struct Entry {
    /// Its name in code and, as `/console/{key}`, its address.
    pub key: &'static str,
    /// What it is called, in English.
    pub label: &'static str,
    /// The letter after `g` that leads there.
    pub letter: char,
}

const fn entry(key: &'static str, label: &'static str, letter: char) -> Entry {
    Entry { key, label, letter }
}

/// The menu, in its order. Each page answers one question of an operator.
pub(super) const MENU: &[Entry] = &[
    entry("now", "Now", 'n'),
    entry("messages", "Messages", 'm'),
    entry("fraud", "Fraud", 'f'),
    entry("tenants", "Tenants & keys", 't'),
    entry("channels", "Channels & carriers", 'c'),
    entry("webhooks", "Webhooks", 'w'),
    entry("activations", "Activations", 'a'),
    entry("developers", "Developers", 'd'),
    entry("system", "System & audit", 's'),
];

#[derive(Template)]
#[template(path = "console/page.html")]
pub(super) struct Layout<'a> {
    words: Words,
    page: Page<'a>,
    menu: &'static [Entry],
    operator: &'a Operator,
    csrf: &'a str,
    mode: &'static str,
    theme: Theme,
    themes: [Theme; 3],
    languages: Vec<&'static str>,
    language: Option<&'static str>,
    back: &'a str,
    did: Option<&'a str>,
    version: &'static str,
    files: &'static str,
}

impl<'a> Layout<'a> {
    /// `page` in its frame.
    pub(super) fn around(
        page: Page<'a>,
        words: Words,
        operator: &'a Operator,
        session: &'a Session,
        preferences: &Preferences,
        back: &'a str,
        did: Option<&'a str>,
    ) -> Layout<'a> {
        Layout {
            words,
            page,
            menu: MENU,
            operator,
            csrf: &session.csrf,
            mode: preferences.mode(),
            theme: preferences.theme(),
            themes: Theme::ALL,
            languages: languages().collect(),
            language: preferences.chosen_language(),
            back,
            did,
            version: env!("CARGO_PKG_VERSION"),
            files: assets::version(),
        }
    }
}
