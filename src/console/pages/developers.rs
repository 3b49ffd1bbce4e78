//! Developers: where the API is, what goes wrong for whom, the log of requests, and what still calls what has a successor.

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get};
use askama::Template;

use crate::console::cells::Column;
use crate::console::desk::Desk;
use crate::console::layout::Page;
use crate::console::listing::{Filter, Listing, Place, Saved};
use crate::console::markup::Markup;
use crate::error::Result;
use crate::http::query::encoded;
use crate::words::Words;

/// The log of requests.
pub(super) static REQUESTS: Listing = Listing {
    name: "requests",
    title: "Request log",
    api: "/v1/admin/requests",
    columns: &[
        Column::time("When", "/at"),
        Column::text("Method", "/method"),
        Column::code("Route", "/route"),
        Column::count("Status", "/status"),
        Column::code("Error", "/code"),
        Column::code("Limit", "/policy"),
        Column::duration("Took", "/duration_ms"),
        Column::code("Key", "/key_id"),
        Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}").hidden(),
        Column::code("Operator", "/operator_id").hidden(),
        Column::status("Mode", "/mode").hidden(),
        Column::text("From", "/client_net").hidden(),
        Column::code("Client's own id", "/client_request_id").hidden(),
        Column::code("About", "/target").hidden(),
        Column::code("Request", "/id").to("/console/requests/{/id}"),
    ],
    filters: &[
        Filter::text("org_id", "Organization"),
        Filter::text("key_id", "Key"),
        Filter::text("operator_id", "Operator"),
        Filter::text("status", "Status"),
        Filter::text("code", "Error"),
        Filter::text("route", "Route"),
        Filter::text("since", "Since"),
        Filter::text("until", "Until"),
    ],
    views: &[
        Saved { label: "Limits refused", query: "status=429" },
        Saved { label: "Our faults", query: "code=internal" },
        Saved { label: "Without a good key", query: "status=401" },
    ],
    empty: "No request yet. Send the first one with the command above, or:",
    command: "postern dev",
    ..Listing::NEW
};

/// Errors, grouped.
pub(super) static ERRORS: Listing = Listing {
    name: "request-errors",
    title: "Errors of the last day",
    api: "/v1/admin/requests/summary",
    rows: "/by_error",
    columns: &[
        Column::code("Error", "/code").to("/docs/errors/{/code}"),
        Column::text("Method", "/method"),
        Column::code("Route", "/route"),
        Column::count("Requests", "/requests"),
        Column::time("Latest", "/last_at"),
        Column::code("Key", "/key_id").to("/console/developers?key_id={/key_id}&code={/code}"),
        Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}"),
    ],
    filters: &[Filter::text("org_id", "Organization"), Filter::text("since", "Since"), Filter::text("until", "Until")],
    empty: "No error in this time.",
    is_paged: false,
    ..Listing::NEW
};

/// Refusals by limits, grouped.
pub(super) static LIMITS_REFUSED: Listing = Listing {
    name: "limits-refused",
    title: "Limits that refused",
    api: "/v1/admin/requests/summary",
    rows: "/by_limit",
    columns: &[
        Column::code("Limit", "/policy"),
        Column::count("Requests", "/requests"),
        Column::time("Latest", "/last_at"),
        Column::code("Key", "/key_id").to("/console/developers?key_id={/key_id}&status=429"),
        Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}"),
    ],
    empty: "No limit refused anything in this time.",
    is_paged: false,
    ..Listing::NEW
};

/// Who calls what has a successor.
pub(super) static DEPRECATED: Listing = Listing {
    name: "deprecated-use",
    title: "Routes with a successor that are still called",
    api: "/v1/admin/requests/summary",
    rows: "/deprecated",
    columns: &[
        Column::code("Route", "/route"),
        Column::code("Successor", "/successor"),
        Column::count("Requests", "/requests"),
        Column::time("Latest", "/last_at"),
        Column::code("Key", "/key_id").to("/console/developers?key_id={/key_id}"),
        Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}"),
    ],
    empty: "Nobody calls one.",
    is_paged: false,
    ..Listing::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(developers).service(find_request);
}

/// A number of the sandbox and what it does.
struct Magic {
    number: &'static str,
    does: &'static str,
}

/// A program that sends and checks, in one language: its standard library only.
struct Snippet {
    name: &'static str,
    code: String,
}

/// The programs. The browser tests run them.
const SNIPPETS: &[(&str, &str)] = &[
    ("curl", include_str!("../../../templates/console/snippets/send.sh")),
    ("Python", include_str!("../../../templates/console/snippets/send.py")),
    ("JavaScript", include_str!("../../../templates/console/snippets/send.mjs")),
    ("Go", include_str!("../../../templates/console/snippets/send.go")),
];

/// The address that stands in them.
const SNIPPET_BASE: &str = "http://127.0.0.1:8080";

#[derive(Template)]
#[template(path = "console/developers.html")]
struct Start<'a> {
    words: Words,
    base: &'a str,
    snippets: Vec<Snippet>,
    magic: Vec<Magic>,
}

#[get("/developers")]
async fn developers(desk: Desk) -> Result<HttpResponse> {
    let snippet = |(name, code): &(&'static str, &str)| Snippet { name, code: code.replace(SNIPPET_BASE, desk.base()) };
    let snippets = SNIPPETS.iter().map(snippet).collect();
    let start = Markup::of(&Start { words: desk.words, base: desk.base(), snippets, magic: magic(desk.words) })?;
    let place = |prefix| Place { prefix, ..Place::default() };
    let body = vec![
        start,
        desk.table(&ERRORS, place("errors.")).await?,
        desk.table(&REQUESTS, place("")).await?,
        desk.table(&LIMITS_REFUSED, place("limits.")).await?,
        desk.table(&DEPRECATED, place("deprecated.")).await?,
    ];
    let lead = desk.words.say("How to call this server, and what goes wrong for those who do.").to_owned();
    desk.page(Page { key: "developers", title: desk.words.say("Developers"), lead, body })
}

fn magic(words: Words) -> Vec<Magic> {
    let row = |number, does| Magic { number, does };
    vec![
        row("+15005550000", words.say("queued, then delivered")),
        row("+15005550001", words.say("refused: not a valid number")),
        row("+15005550002", words.say("undelivered")),
        row("+15005550003", words.say("the carrier is down; the next channel is tried")),
        row("+15005550004", words.say("refused: opted out")),
        row("+15005550005", words.say("refused: the fraud guard")),
        row("+15005550006", words.say("refused: the number's limit, with a wait")),
        row("+15005550007", words.say("stays sent: no receipt comes")),
        row("+15005550008", words.say("unknown: the carrier's answer is lost")),
        row("+15005550009", words.say("refused: no balance")),
    ]
}

/// The form that asks for a request by its id.
#[get("/requests")]
async fn find_request(desk: Desk) -> Result<HttpResponse> {
    let wanted = desk.pairs.iter().find(|(name, _)| name == "id").map_or("", |(_, value)| value.trim());
    let to = if wanted.is_empty() {
        String::from("/console/developers#requests")
    } else {
        format!("/console/requests/{}", encoded(wanted))
    };
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish())
}
