//! Views of tables that a reader keeps: a name for the filters and columns of an address, and the columns that a table has
//! where its address names none. A cookie of this browser, like the other preferences; no secret. What looks like a number
//! or a mail address is left out: nobody could erase it there.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::console::desk::Desk;
use crate::console::listing::query;
use crate::console::pages::LISTINGS;
use crate::error::{Code, Error, Result};
use crate::http::Raw;
use crate::http::query::pairs;

/// The cookie's name.
const COOKIE: &str = "postern_views";
/// Bytes of the cookie's value: browsers keep 4 KiB with name and attributes. The oldest view goes first.
const LARGEST: usize = 3_500;
/// Characters of a name.
const LONGEST: usize = 40;

/// A view of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct View {
    /// The table.
    t: String,
    /// Its name; empty for the table's own columns.
    n: String,
    /// Its query, without the table's prefix.
    q: String,
}

/// The views of a reader, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Views(Vec<View>);

impl Views {
    /// As the request's cookie has them; none where it cannot be read.
    pub(super) fn of(req: &HttpRequest) -> Views {
        req.cookie(COOKIE).map(|cookie| Views::read(cookie.value())).unwrap_or_default()
    }

    fn read(value: &str) -> Views {
        let bytes = URL_SAFE_NO_PAD.decode(value).unwrap_or_default();
        Views(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn value(&self) -> String {
        serde_json::to_vec(&self.0).map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).unwrap_or_default()
    }

    /// The kept views of `table`: names and queries.
    pub(super) fn of_table<'a>(&'a self, table: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = self.0.iter().filter(move |view| view.t == table && !view.n.is_empty());
        own.map(|view| (view.n.as_str(), view.q.as_str()))
    }

    /// The columns that `table` has where its address names none.
    pub(super) fn columns(&self, table: &str) -> Vec<String> {
        let kept = self.0.iter().find(|view| view.t == table && view.n.is_empty());
        let pairs = kept.and_then(|view| pairs(&view.q).ok()).unwrap_or_default();
        pairs.into_iter().filter(|(name, _)| name == "col").map(|(_, value)| value).collect()
    }

    /// The same with one more, or another in its place; the oldest go where there is no room. Empty columns are none.
    fn with(self, view: View) -> Views {
        let is_nothing = view.n.is_empty() && view.q.is_empty();
        let mut all = self.without(&view.t, &view.n);
        all.0.extend((!is_nothing).then_some(view));
        while all.value().len() > LARGEST && !all.0.is_empty() {
            all.0.remove(0);
        }
        all
    }

    fn without(mut self, table: &str, name: &str) -> Views {
        self.0.retain(|view| view.t != table || view.n != name);
        self
    }

    fn cookie(&self) -> Cookie<'static> {
        Cookie::build(COOKIE, self.value())
            .path("/console")
            .same_site(SameSite::Lax)
            .http_only(true)
            .max_age(Duration::days(365))
            .finish()
    }
}

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(keep);
}

/// Keeps a view of a table, keeps its columns, or forgets a view; then shows the page again.
#[post("/views")]
async fn keep(desk: Desk, req: HttpRequest, body: Raw) -> Result<HttpResponse> {
    let text = std::str::from_utf8(&body.0).map_err(|_| Error::new(Code::MalformedRequest))?;
    let sent = pairs(text)?;
    let value = |name: &str| sent.iter().find(|(one, _)| one == name).map(|(_, value)| value.trim());
    let table = value("table").unwrap_or_default();
    let listing = LISTINGS.iter().find(|listing| listing.name == table).ok_or_else(|| Error::new(Code::NotFound))?;
    let asked = pairs(value("query").unwrap_or_default())?;
    let is_own = |name: &str| name == "col" || listing.filters.iter().any(|filter| filter.name == name);
    let kept = asked.iter().filter(|(name, value)| is_own(name) && !is_personal(value));
    let columns_only = value("columns").is_some();
    let kept = kept.filter(|(name, _)| !columns_only || name == "col");
    let q = query(kept.map(|(name, value)| (name.as_str(), value.as_str())));
    let name: String = value("name").unwrap_or_default().chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    let views = Views::of(&req);
    let views = match (value("forget"), columns_only) {
        (Some(name), _) => views.without(table, name),
        (None, true) => views.with(View { t: table.to_owned(), n: String::new(), q }),
        (None, false) if name.is_empty() || q.is_empty() => views,
        (None, false) => views.with(View { t: table.to_owned(), n: name, q }),
    };
    let desk = desk.came_from(value("back").unwrap_or_default());
    Ok(HttpResponse::SeeOther().cookie(views.cookie()).insert_header((header::LOCATION, desk.back())).finish())
}

/// Seven digits in a row, or an at sign: a number or a mail address, or a part of one.
fn is_personal(value: &str) -> bool {
    let longest = value.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    longest >= 7 || value.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(n: &str, q: &str) -> View {
        View { t: String::from("messages"), n: n.to_owned(), q: q.to_owned() }
    }

    #[test]
    fn a_view_stays_is_replaced_and_forgotten() {
        let views = Views::default().with(view("late", "status=queued")).with(view("", "col=1&col=4"));
        let again = Views::read(&views.value());
        assert_eq!(again, views);
        assert_eq!(again.of_table("messages").collect::<Vec<_>>(), [("late", "status=queued")]);
        assert_eq!((again.columns("messages"), again.columns("orgs")), (vec!["1".into(), "4".into()], vec![]));
        let changed = again.with(view("late", "status=unknown")).with(view("", ""));
        assert_eq!(changed.of_table("messages").collect::<Vec<_>>(), [("late", "status=unknown")]);
        assert!(changed.columns("messages").is_empty());
        assert_eq!(changed.without("messages", "late"), Views::default());
        assert_eq!(Views::read("no base64 {"), Views::default());
    }

    #[test]
    fn the_oldest_go_where_there_is_no_room_and_numbers_are_not_kept() {
        let long = "x".repeat(300);
        let views = (0..20).fold(Views::default(), |views, n| views.with(view(&format!("v{n}"), &long)));
        assert!(views.value().len() <= LARGEST);
        assert_eq!(views.of_table("messages").last().map(|(name, _)| name), Some("v19"));
        assert!(is_personal("to:+447400123456") && is_personal("ann@example.com") && !is_personal("msg_01h455vb4p"));
    }
}
