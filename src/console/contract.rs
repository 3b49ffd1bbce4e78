//! What the console's tables and forms ask of the admin API, for the test that holds them against its document.

use crate::accounts::{Duty, Role};
use crate::console::cells::Column;
use crate::console::form::{Reason, Verb};
use crate::console::layout::MENU;
use crate::console::pages::{FORMS, LISTINGS, chart_words};
use crate::console::preferences::Theme;
use crate::console::told::{NEXT_STEPS, PIECES, SENTENCES};

/// A route that the console uses, and what it takes for granted of it.
#[derive(Debug)]
pub struct Uses {
    /// The table's or form's name.
    pub name: &'static str,
    /// The method, lower case.
    pub method: String,
    /// The route as the document has it; `{/id}` stands for `{id}`.
    pub api: &'static str,
    /// JSON pointers into a row of the answer (`rows` first) that are shown or linked by.
    pub shown: Vec<String>,
    /// Query parameters that are sent.
    pub asked: Vec<&'static str>,
    /// Members of the body that are sent.
    pub sent: Vec<&'static str>,
    /// The duty that its operator must have.
    pub duty: Duty,
}

/// Everything that is used.
pub fn contract() -> Vec<Uses> {
    let listings = LISTINGS.iter().map(|listing| {
        let under = format!("{}/0", listing.rows);
        let pointers = listing.columns.iter().flat_map(pointers);
        let mode = listing.takes_mode.then_some("mode");
        let paging: &[&str] = if listing.is_paged { &["limit", "cursor"] } else { &[] };
        Uses {
            name: listing.name,
            method: String::from("get"),
            api: listing.api,
            shown: pointers.map(|at| format!("{under}{at}")).collect(),
            asked: listing.filters.iter().map(|filter| filter.name).chain(mode).chain(paging.iter().copied()).collect(),
            sent: Vec::new(),
            duty: listing.duty,
        }
    });
    let forms = FORMS.iter().map(|form| {
        let members: Vec<&str> = if form.is_bare {
            Vec::new()
        } else {
            form.fields.iter().filter(|field| !form.places(field)).map(|field| field.name).collect()
        };
        let is_query = form.method == Verb::Delete;
        let reason = match form.reason {
            Reason::None => None,
            _ => Some("reason"),
        };
        let in_query = form.reason == Reason::Query || form.method == Verb::Delete;
        let (mut asked, mut sent) = if is_query { (members, Vec::new()) } else { (Vec::new(), members) };
        if in_query {
            asked.extend(reason)
        } else {
            sent.extend(reason)
        }
        Uses {
            name: form.name,
            method: form.method.method().as_str().to_ascii_lowercase(),
            api: form.api,
            shown: form.shows.iter().flat_map(pointers).collect(),
            asked,
            sent,
            duty: form.duty,
        }
    });
    listings.chain(forms).collect()
}

/// The pointers of a column: its own, its currency's, those in its link.
fn pointers(column: &Column) -> Vec<String> {
    let linked = column.link.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(at, _)| at);
    [column.at, column.currency].into_iter().chain(linked).filter(|at| !at.is_empty()).map(String::from).collect()
}

/// Every text of the tables, forms and menus, for the test that no language lacks one; those of the templates stand in
/// `say("…")` there.
pub fn all_words() -> Vec<&'static str> {
    let listings = LISTINGS.iter().flat_map(|listing| listing.words());
    let forms = FORMS.iter().flat_map(|form| form.words());
    let menus = MENU.iter().map(|entry| entry.label).chain(Role::ALL.iter().map(|role| role.as_str()));
    let told = SENTENCES.iter().chain(PIECES).chain(NEXT_STEPS).copied().chain(chart_words());
    listings.chain(forms).chain(menus).chain(Theme::ALL.map(Theme::word)).chain(told).collect()
}
