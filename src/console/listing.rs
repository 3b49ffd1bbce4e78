//! A table as data: which list of the admin API it shows, by which columns, filtered how.

use crate::accounts::Duty;
use crate::console::cells::Column;
use crate::console::form::Form;
use crate::http::query::encoded;

/// A filter of a list: a query parameter of its route.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    /// The parameter.
    pub name: &'static str,
    /// What it is called, in English.
    pub label: &'static str,
    /// What can be given.
    pub kind: FilterKind,
}

/// What a filter takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum FilterKind {
    /// Any text.
    Text,
    /// A wide text: the search box of the page, reached by `/`.
    Search,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Filter {
    /// Takes any text.
    pub(super) const fn text(name: &'static str, label: &'static str) -> Filter {
        Filter { name, label, kind: FilterKind::Text }
    }

    /// The search box of a page.
    pub(super) const fn search(name: &'static str, label: &'static str) -> Filter {
        Filter { name, label, kind: FilterKind::Search }
    }

    /// Takes one of `words`.
    pub(super) const fn choice(name: &'static str, label: &'static str, words: &'static [&'static str]) -> Filter {
        Filter { name, label, kind: FilterKind::Choice(words) }
    }
}

/// A view that many want: a name and the query that gives it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Saved {
    /// Its name, in English.
    pub label: &'static str,
    /// Its query, without the table's prefix, e.g. `status=unknown`.
    pub query: &'static str,
}

/// A table. Start from [`Listing::NEW`].
#[derive(Debug)]
pub(super) struct Listing {
    /// Its name in addresses: unique, lower case, dashes.
    pub name: &'static str,
    /// Its heading, in English.
    pub title: &'static str,
    /// The route, e.g. `/v1/admin/orgs/{id}/keys`.
    pub api: &'static str,
    /// JSON pointer of the rows in the answer.
    pub rows: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// Its filters.
    pub filters: &'static [Filter],
    /// Views that many want.
    pub views: &'static [Saved],
    /// What can be done to a row; `{/pointer}` in their places stands for a value of the row.
    pub actions: &'static [&'static Form],
    /// What is said where there are no rows, in English.
    pub empty: &'static str,
    /// The command that makes the first one, if there is one.
    pub command: &'static str,
    /// Whether the route takes `mode` (live or test), as the switch of the page stands.
    pub takes_mode: bool,
    /// Whether the route pages by cursor.
    pub is_paged: bool,
    /// The role it takes.
    pub duty: Duty,
}

impl Listing {
    /// A paged table that everybody may see, to be filled in.
    pub(super) const NEW: Listing = Listing {
        name: "",
        title: "",
        api: "",
        rows: "/data",
        columns: &[],
        filters: &[],
        views: &[],
        actions: &[],
        empty: "Nothing here yet.",
        command: "",
        takes_mode: false,
        is_paged: true,
        duty: Duty::Look,
    };

    /// Its texts, for the translations.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        let columns = self.columns.iter().map(|column| column.label);
        let filters = self.filters.iter().map(|filter| filter.label);
        let views = self.views.iter().map(|view| view.label);
        [self.title, self.empty].into_iter().chain(columns).chain(filters).chain(views).filter(|text| !text.is_empty())
    }
}

/// Where a table stands: the values of its route's path, parameters that are not for the reader to choose, and what its
/// own parameters begin with in the page's address (empty for the page's main table).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place<'a> {
    /// Values of `{name}` in the route.
    pub path: &'a [(&'a str, &'a str)],
    /// Fixed parameters.
    pub fixed: &'a [(&'a str, &'a str)],
    /// Prefix of the table's parameters in the page's address, e.g. `keys.`.
    pub prefix: &'a str,
}

/// `route` with its `{name}` parts filled from `path`, encoded.
pub(super) fn route<'a>(route: &str, path: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    path.into_iter()
        .fold(route.to_owned(), |route, (name, value)| route.replace(&format!("{{{name}}}"), &encoded(value)))
}

/// A query string of `pairs`, encoded; empty ones are left out.
pub(super) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&")
}

/// `path` with `query` behind it, if there is one.
pub(super) fn address(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_filled_and_a_query_leaves_out_what_is_empty() {
        assert_eq!(route("/v1/admin/orgs/{id}/keys", [("id", "a/b")]), "/v1/admin/orgs/a%2Fb/keys");
        assert_eq!(query([("a", "1 2"), ("b", ""), ("c", "&")]), "a=1%202&c=%26");
        assert_eq!(address("/x", ""), "/x");
    }
}
