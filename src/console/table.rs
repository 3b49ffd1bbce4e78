//! A listing and an answer of its route, made into a table with its filters, exports and the curl that does the same.

use askama::Template;
use serde_json::Value;

use crate::console::api::Answer;
use crate::console::cells::{Column, Shown, plain, rows_at};
use crate::console::desk::Desk;
use crate::console::listing::{FilterKind, Listing, Place, address, query, route};
use crate::console::markup::Markup;
use crate::error::Result;
use crate::words::Words;

/// Rows of a page of a table.
const ROWS: &str = "25";

/// What a table's address says of it.
pub(super) struct Chosen {
    /// Every parameter of the page, decoded, in order.
    pairs: Vec<(String, String)>,
    prefix: String,
}

impl Chosen {
    /// As `pairs` have it for the table of that prefix.
    pub(super) fn of(pairs: &[(String, String)], prefix: &str) -> Chosen {
        Chosen { pairs: pairs.to_vec(), prefix: prefix.to_owned() }
    }

    fn own(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The value of the table's parameter `name`; empty where it has none.
    pub(super) fn value(&self, name: &str) -> &str {
        let own = self.own(name);
        self.pairs.iter().find(|(one, _)| *one == own).map_or("", |(_, value)| value.trim())
    }

    /// All values of `name`.
    fn values(&self, name: &str) -> Vec<&str> {
        let own = self.own(name);
        self.pairs.iter().filter(|(one, _)| *one == own).map(|(_, value)| value.as_str()).collect()
    }

    /// The parameters of other tables on the page.
    fn others(&self) -> Vec<(&str, &str)> {
        let all = self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        match self.prefix.as_str() {
            "" => all.filter(|(name, _)| name.contains('.')).collect(),
            prefix => all.filter(|(name, _)| !name.starts_with(prefix)).collect(),
        }
    }
}

struct FilterView<'a> {
    id: String,
    name: String,
    label: &'a str,
    value: String,
    is_search: bool,
    options: Vec<(&'static str, bool)>,
}

struct Head<'a> {
    label: &'a str,
    class: &'static str,
}

struct Row {
    cells: Vec<Shown>,
    actions: Vec<Markup>,
}

#[derive(Template)]
#[template(path = "console/table.html")]
struct View<'a> {
    words: Words,
    listing: &'a Listing,
    title: &'a str,
    empty: &'a str,
    page: &'a str,
    problem: Option<String>,
    filters: Vec<FilterView<'a>>,
    is_filtered: bool,
    kept: Vec<(&'a str, &'a str)>,
    views: Vec<(&'a str, String)>,
    own_views: Vec<&'a str>,
    own_query: String,
    csrf: &'a str,
    back: &'a str,
    choices: Vec<(usize, &'a str, bool)>,
    columns_name: String,
    heads: Vec<Head<'a>>,
    rows: Vec<Row>,
    has_actions: bool,
    next: Option<String>,
    first: Option<String>,
    csv: String,
    json: String,
    curl: String,
}

/// The parameters that `listing` sends to its route, but for paging.
pub(super) fn asked(listing: &Listing, place: &Place<'_>, chosen: &Chosen, mode: &str) -> Vec<(String, String)> {
    let fixed = place.fixed.iter().map(|(name, value)| (String::from(*name), String::from(*value)));
    let filters = listing.filters.iter().map(|filter| (filter.name.to_owned(), chosen.value(filter.name).to_owned()));
    let mode = listing.takes_mode.then(|| (String::from("mode"), mode.to_owned()));
    fixed.chain(filters).chain(mode).filter(|(_, value)| !value.is_empty()).collect()
}

fn joined(pairs: &[(String, String)]) -> String {
    query(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

impl Desk {
    /// The table of `listing` at `place`, as the page's address wants it.
    ///
    /// # Errors
    /// `internal` where it cannot be rendered; a refusal of the route is told in the table's place.
    pub(super) async fn table(&self, listing: &Listing, place: Place<'_>) -> Result<Markup> {
        Ok(self.table_and_answer(listing, place).await?.0)
    }

    /// The same beside what the route answered, for a page that shows more of it.
    ///
    /// # Errors
    /// See [`Desk::table`].
    pub(super) async fn table_and_answer(&self, listing: &Listing, place: Place<'_>) -> Result<(Markup, Answer)> {
        let chosen = Chosen::of(&self.pairs, place.prefix);
        let filters = asked(listing, &place, &chosen, self.mode());
        let mut paged = filters.clone();
        if listing.is_paged {
            paged.push((String::from("limit"), String::from(ROWS)));
            paged.push((String::from("cursor"), chosen.value("cursor").to_owned()));
        }
        let path = route(listing.api, place.path.iter().copied());
        let answer = self.get(&address(&path, &joined(&paged))).await?;
        let curl = address(&path, &joined(&filters));
        Ok((self.table_of(listing, &place, &chosen, &answer, curl)?, answer))
    }

    fn table_of(
        &self,
        listing: &Listing,
        place: &Place<'_>,
        chosen: &Chosen,
        answer: &Answer,
        curl: String,
    ) -> Result<Markup> {
        let words = self.words;
        let kept_columns = self.views().columns(listing.name);
        let asked_columns = chosen.values("col");
        let wanted: Vec<&str> = match asked_columns.is_empty() {
            true => kept_columns.iter().map(String::as_str).collect(),
            false => asked_columns,
        };
        let shown = shown_columns(listing, &wanted);
        let rows = rows_at(&answer.body, listing.rows);
        let rows = rows.iter().enumerate();
        let rows: Vec<Row> = rows.map(|(at, row)| self.row(listing, &shown, place, at, row)).collect::<Result<_>>()?;
        let own = listing.filters.iter().map(|filter| (filter.name, chosen.value(filter.name)));
        let columns = chosen.values("col").into_iter().map(|index| ("col", index));
        let kept: Vec<(String, &str)> = own.chain(columns).map(|(name, value)| (chosen.own(name), value)).collect();
        let kept: Vec<(&str, &str)> =
            kept.iter().map(|(name, value)| (name.as_str(), *value)).chain(chosen.others()).collect();
        let cursor = answer.body.get("next_cursor").map(plain).filter(|cursor| !cursor.is_empty());
        let cursor_name = chosen.own("cursor");
        let next = cursor.map(|cursor| {
            address(self.path(), &query(kept.iter().copied().chain([(cursor_name.as_str(), cursor.as_str())])))
        });
        let first = (!chosen.value("cursor").is_empty()).then(|| address(self.path(), &query(kept.iter().copied())));
        let exported = self.export_query(listing, place, chosen);
        let export = |form: &str| address(&format!("/console/export/{}.{form}", listing.name), &exported);
        Markup::of(&View {
            words,
            listing,
            title: words.say(listing.title),
            empty: words.say(listing.empty),
            page: self.path(),
            problem: answer.problem(),
            filters: filter_views(listing, chosen, words),
            is_filtered: listing.filters.iter().any(|filter| !chosen.value(filter.name).is_empty()),
            kept: chosen.others(),
            views: self.views_of(listing, chosen),
            own_views: self.views().of_table(listing.name).map(|(name, _)| name).collect(),
            own_query: own_query(listing, chosen),
            csrf: self.csrf(),
            back: self.back(),
            choices: listing
                .columns
                .iter()
                .enumerate()
                .map(|(at, column)| (at, words.say(column.label), shown.iter().any(|one| std::ptr::eq(*one, column))))
                .collect(),
            columns_name: chosen.own("col"),
            heads: shown
                .iter()
                .map(|column| Head { label: words.say(column.label), class: head_class(column) })
                .collect(),
            has_actions: rows.iter().any(|row| !row.actions.is_empty()),
            rows,
            next,
            first,
            csv: export("csv"),
            json: export("json"),
            curl: self.curl(&curl),
        })
    }

    fn row(&self, listing: &Listing, shown: &[&Column], place: &Place<'_>, at: usize, row: &Value) -> Result<Row> {
        let cells = shown.iter().map(|column| column.show(row, self.words, self.now)).collect();
        let actions =
            listing.actions.iter().map(|form| self.row_form(form, place.path, &format!("{}{at}", listing.name), row));
        Ok(Row { cells, actions: actions.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect() })
    }

    /// What many want, then what the reader keeps.
    fn views_of<'a>(&'a self, listing: &'a Listing, chosen: &Chosen) -> Vec<(&'a str, String)> {
        let common = listing.views.iter().map(|view| (self.words.say(view.label), view.query));
        let own = self.views().of_table(listing.name);
        common.chain(own).map(|(label, query)| (label, self.saved(query, chosen))).collect()
    }

    fn saved(&self, saved: &str, chosen: &Chosen) -> String {
        let own = saved.split('&').map(|pair| format!("{}{pair}", chosen.prefix)).collect::<Vec<_>>().join("&");
        let others = query(chosen.others());
        address(self.path(), if others.is_empty() { own } else { format!("{own}&{others}") }.as_str())
    }

    fn export_query(&self, listing: &Listing, place: &Place<'_>, chosen: &Chosen) -> String {
        let path = place.path.iter().map(|(name, value)| (format!("p.{name}"), String::from(*value)));
        let pairs: Vec<_> = path.chain(asked(listing, place, chosen, self.mode())).collect();
        joined(&pairs)
    }
}

/// The table's own filters and columns as a query without its prefix: what a view keeps.
fn own_query(listing: &Listing, chosen: &Chosen) -> String {
    let filters = listing.filters.iter().map(|filter| (filter.name, chosen.value(filter.name)));
    query(filters.chain(chosen.values("col").into_iter().map(|index| ("col", index))))
}

fn head_class(column: &Column) -> &'static str {
    use crate::console::cells::Cell;
    match column.cell {
        Cell::Count | Cell::Money | Cell::Percent | Cell::Duration => "number",
        _ => "",
    }
}

/// The columns that are chosen, or those that are shown without a choice.
fn shown_columns<'a>(listing: &'a Listing, chosen: &[&str]) -> Vec<&'a Column> {
    let is_chosen = |at: usize| chosen.iter().any(|one| one.parse() == Ok(at));
    let all = listing.columns.iter().enumerate();
    all.filter(|(at, column)| if chosen.is_empty() { !column.hidden } else { is_chosen(*at) })
        .map(|(_, column)| column)
        .collect()
}

fn filter_views<'a>(listing: &Listing, chosen: &Chosen, words: Words) -> Vec<FilterView<'a>> {
    let view = |filter: &crate::console::listing::Filter| {
        let value = chosen.value(filter.name).to_owned();
        let options = match filter.kind {
            FilterKind::Choice(options) => options.iter().map(|option| (*option, *option == value)).collect(),
            FilterKind::Text | FilterKind::Search => Vec::new(),
        };
        FilterView {
            id: format!("{}-{}", listing.name, filter.name),
            name: chosen.own(filter.name),
            label: words.say(filter.label),
            is_search: matches!(filter.kind, FilterKind::Search),
            value,
            options,
        }
    };
    listing.filters.iter().map(view).collect()
}

/// The sheet of `rows`: heads and cells of every column.
pub(super) fn sheet(listing: &Listing, rows: &[Value], words: Words) -> (Vec<String>, Vec<Vec<String>>) {
    let heads = listing.columns.iter().map(|column| words.say(column.label).to_owned()).collect();
    let cells = |row: &Value| listing.columns.iter().map(|column| column.bare(row)).collect();
    (heads, rows.iter().map(cells).collect())
}
