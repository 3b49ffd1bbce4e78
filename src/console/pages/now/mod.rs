//! Now: how the platform does, in one sentence and four figures, and what an operator may have to do about it.

mod causes;
mod tail;

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get};
use askama::Template;
use serde_json::Value;

use crate::accounts::Duty;
use crate::clock::Millis;
use crate::console::cells::{Column, plain, rows_at, span_text};
use crate::console::chart::{Chart, Series};
use crate::console::desk::Desk;
use crate::console::form::Form;
use crate::console::layout::Page;
use crate::console::listing::{Filter, Listing, Place, Saved};
use crate::console::markup::Markup;
use crate::console::pages::channels::{DRAIN_CARRIER, PAUSE, PAUSES, RESUME_CARRIER};
use crate::error::Result;
use crate::words::Words;

/// What operators are told of.
pub(super) static ALERTS: Listing = Listing {
    name: "alerts",
    title: "Alerts",
    api: "/v1/admin/alerts",
    columns: &[
        Column::status("State", "/state"),
        Column::code("What", "/kind"),
        Column::told("Cause", "/cause"),
        Column::told("Next step", "/next_step"),
        Column::count("Times", "/count"),
        Column::time("First", "/first_seen_at"),
        Column::time("Latest", "/last_seen_at"),
        Column::code("Tenant", "/org_id").to("/console/tenants/{/org_id}"),
        Column::code("Acknowledged by", "/acknowledged_by").hidden(),
        Column::text("What was said", "/acknowledged_reason").hidden(),
        Column::code("Id", "/id").hidden(),
    ],
    filters: &[
        Filter::choice("state", "State", &["new", "escalating", "ongoing", "acknowledged", "over"]),
        Filter::choice(
            "kind",
            "What",
            &["fraud_hold", "spend_cap", "circuit_open", "endpoint_disabled", "pause", "protection_lowered"],
        ),
    ],
    views: &[Saved { label: "Over", query: "state=over" }],
    actions: &[&ACKNOWLEDGE],
    empty: "Nothing to look at.",
    ..Listing::NEW
};

/// Says that it was seen.
pub(super) static ACKNOWLEDGE: Form = Form {
    name: "acknowledge-alert",
    title: "Acknowledge",
    about: "It stays on the list; where it doubles after this, it asks again.",
    api: "/v1/admin/alerts/{/id}/acknowledge",
    only: ("/state", &["new", "escalating", "ongoing"]),
    done: "Acknowledged.",
    duty: Duty::Support,
    ..Form::NEW
};

/// How each carrier does.
pub(super) static CARRIERS_NOW: Listing = Listing {
    name: "carriers-now",
    title: "Carriers",
    api: "/v1/admin/overview",
    rows: "/carriers",
    columns: &[
        Column::text("Carrier", "/name").to("/console/channels/carriers/{/name}"),
        Column::text("Channels", "/channels"),
        Column::status("Circuit", "/circuit"),
        Column::time("Since", "/since"),
        Column::percent("Success", "/success"),
        Column::duration("Hand-off p95", "/p95_ms"),
        Column::count("Hand-offs in 15 min", "/hand_offs"),
        Column::flag("Drained", "/draining"),
    ],
    actions: &[&DRAIN_CARRIER, &RESUME_CARRIER],
    empty: "No carrier is configured.",
    command: "postern config init",
    takes_mode: true,
    is_paged: false,
    ..Listing::NEW
};

/// Where most messages go.
pub(super) static COUNTRIES_NOW: Listing = Listing {
    name: "countries-now",
    title: "Countries of the last hour",
    api: "/v1/admin/overview",
    rows: "/countries",
    columns: &[
        Column::text("Country", "/country").to("/console/messages?country={/country}&since=1h"),
        Column::count("Messages", "/messages"),
        Column::count("Delivered", "/delivered"),
        Column::count("Verifications", "/begun"),
        Column::count("Verified", "/verified"),
        Column::percent("Conversion", "/conversion"),
    ],
    empty: "Nothing was sent in the last hour.",
    command: "curl -s $POSTERN/v1/messages -H \"Authorization: Bearer $POSTERN_API_KEY\" -H 'Content-Type: application/json' -d '{\"to\": \"+12025550100\", \"kind\": \"transactional\", \"body\": \"hello\"}'",
    takes_mode: true,
    is_paged: false,
    ..Listing::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(root).service(now);
    tail::configure(routes);
}

/// The first page.
#[get("")]
async fn root(_desk: Desk) -> Result<HttpResponse> {
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, "/console/now")).finish())
}

struct CauseView<'a> {
    text: String,
    href: &'static str,
    label: &'a str,
}

struct TileView<'a> {
    label: &'a str,
    value: String,
    beside: String,
}

#[derive(Template)]
#[template(path = "console/now/state.html")]
struct StateView<'a> {
    words: Words,
    tone: &'static str,
    word: &'a str,
    causes: Vec<CauseView<'a>>,
    tiles: Vec<TileView<'a>>,
}

#[get("/now")]
async fn now(desk: Desk) -> Result<HttpResponse> {
    let path = format!("/v1/admin/overview?mode={}", desk.mode());
    let seen = desk.need(&path).await?;
    let place = |prefix| Place { prefix, ..Place::default() };
    let mut body = vec![state(&desk, &seen)?, strip(&seen).show(desk.words)?];
    body.push(desk.table(&ALERTS, place("alerts.")).await?);
    body.push(desk.table(&CARRIERS_NOW, place("carriers.")).await?);
    body.push(desk.table(&COUNTRIES_NOW, place("countries.")).await?);
    body.push(desk.table(&PAUSES, place("pauses.")).await?);
    body.extend(desk.form(&PAUSE, &[], &Value::Null)?);
    body.push(tail::section(&desk)?);
    let lead = desk.words.say("What is going on, and what to do about it.").to_owned();
    desk.page(Page { key: "now", title: desk.words.say("Now"), lead, body })
}

fn state(desk: &Desk, seen: &Value) -> Result<Markup> {
    let words = desk.words;
    let text = |at: &str| seen.pointer(at).map(plain).unwrap_or_default();
    let (tone, word) = match text("/standing/state").as_str() {
        "normal" => ("good", words.say("Sending normally")),
        "attack" => ("bad", words.say("Pumping suspected")),
        "paused" => ("warn", words.say("Sending is stopped")),
        "failing" => ("bad", words.say("Messages fail")),
        _ => ("warn", words.say("Something is wrong, and messages go out")),
    };
    let causes = seen.pointer("/standing/causes").and_then(Value::as_array).into_iter().flatten();
    Markup::of(&StateView {
        words,
        tone,
        word,
        causes: causes.map(|cause| cause_view(cause, words, desk.now)).collect(),
        tiles: tiles(seen, words),
    })
}

/// A cause, and the page where something can be done about it.
fn cause_view(cause: &Value, words: Words, at: Millis) -> CauseView<'static> {
    let text = |name: &str| cause.get(name).map(plain).unwrap_or_default();
    let (href, label) = match text("kind").as_str() {
        "pumping" => ("/console/fraud#fraud-holds", words.say("See the hold")),
        "carrier_failing" => ("/console/channels", words.say("See the carrier")),
        "paused" => ("/console/now#pauses", words.say("See what is stopped")),
        "queue_old" => ("/console/messages?status=queued", words.say("See what waits")),
        "messages_failing" => ("/console/messages?status=failed&since=1h", words.say("See what failed")),
        _ => ("/console/system", words.say("See the system")),
    };
    CauseView { text: causes::sentence(cause, words, at), href, label }
}

fn tiles(seen: &Value, words: Words) -> Vec<TileView<'static>> {
    let at = |at: &str| seen.pointer(at).filter(|value| !value.is_null());
    let text = |pointer: &str| at(pointer).map(plain).unwrap_or_default();
    let percent = |pointer: &str| at(pointer).and_then(Value::as_f64).map(|share| format!("{:.1} %", share * 100.0));
    let none = || String::from("–");
    let money = |list: &str| {
        let sums = at(list).and_then(Value::as_array).into_iter().flatten();
        let part = |one: &Value, name: &str| one.get(name).map(plain).unwrap_or_default();
        let sum = |one: &Value| format!("{} {}", part(one, "amount"), part(one, "currency"));
        sums.map(sum).collect::<Vec<_>>().join(", ")
    };
    let spent = Some(money("/tiles/spent_today")).filter(|sum| !sum.is_empty());
    let caps = Some(money("/tiles/caps/limit")).filter(|sum| !sum.is_empty());
    let fullest = percent("/tiles/caps/fullest/share");
    let oldest = at("/queue/oldest_s").and_then(Value::as_u64).map(|seconds| span_text(seconds * 1_000));
    let p95 = at("/tiles/hand_off_p95_ms").and_then(Value::as_u64).map(span_text);
    let tile = |label, value, beside: Vec<String>| TileView { label, value, beside: beside.join(" · ") };
    let beside = |label: &str, value: Option<String>| value.map(|value| format!("{label} {value}"));
    vec![
        tile(words.say("Accepted in the last minute"), text("/tiles/accepted_per_minute"), Vec::new()),
        tile(
            words.say("Hand-off, 19 of 20 within"),
            p95.unwrap_or_else(none),
            vec![format!("{} {}", text("/queue/waiting"), words.say("waiting"))]
                .into_iter()
                .chain(oldest.map(|oldest| format!("{} {oldest}", words.say("the oldest for"))))
                .collect(),
        ),
        tile(
            words.say("Verified of codes begun, last hour"),
            percent("/tiles/conversion/rate").unwrap_or_else(none),
            beside(words.say("a week ago"), percent("/tiles/conversion/rate_week_before")).into_iter().collect(),
        ),
        tile(
            words.say("Charged today"),
            spent.unwrap_or_else(none),
            beside(words.say("daily caps"), caps)
                .into_iter()
                .chain(beside(words.say("the fullest at"), fullest))
                .collect(),
        ),
    ]
}

fn strip(seen: &Value) -> Chart {
    let minutes = rows_at(seen, "/minutes");
    let at = |minute: &Value| minute.get("at").and_then(Value::as_str).and_then(Millis::parse_rfc3339);
    let series = |label, tone, name: &str| Series {
        label,
        tone,
        values: minutes.iter().map(|minute| minute.get(name).and_then(Value::as_f64).unwrap_or_default()).collect(),
    };
    Chart {
        title: "The last hour, by minute",
        is_stacked: true,
        at: minutes.iter().filter_map(at).collect(),
        series: vec![
            series("Delivered", "good", "delivered"),
            series("Sent", "accent", "sent"),
            series("Waiting", "neutral", "waiting"),
            series("Unknown", "warn", "unknown"),
            series("Failed", "bad", "failed"),
            series("Blocked", "quiet", "blocked"),
        ],
        link: "/console/messages?since={from}&until={to}",
    }
}
