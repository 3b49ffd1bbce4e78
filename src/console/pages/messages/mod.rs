//! Messages: found by tokens and ids, counted over time.

mod detail;
mod erasures;
mod forms;

pub(super) use erasures::*;
pub(super) use forms::*;

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get};
use serde_json::Value;

use crate::clock::Millis;
use crate::console::cells::{Column, plain, rows_at};
use crate::console::chart::{Chart, Series};
use crate::console::desk::Desk;
use crate::console::layout::Page;
use crate::console::listing::{Filter, Listing, Place, Saved, address, query};
use crate::console::markup::Markup;
use crate::error::Result;

/// Messages of every organization.
pub(in crate::console::pages) static MESSAGES: Listing = Listing {
    name: "messages",
    title: "Messages",
    api: "/v1/admin/messages",
    columns: COLUMNS,
    filters: &[
        Filter::search("q", "Search: an id, a number, or status:unknown country:MM carrier:a tenant:acme since:1h"),
        Filter::choice("status", "Status", STATUS),
        Filter::choice("channel", "Channel", &["sms", "whatsapp", "email"]),
        Filter::text("country", "Country"),
        Filter::text("carrier", "Carrier"),
        Filter::text("org_id", "Tenant"),
        Filter::text("error", "Error"),
        Filter::text("since", "Since"),
        Filter::text("until", "Until"),
    ],
    views: &[
        Saved { label: "Unknown", query: "status=unknown&since=7d" },
        Saved { label: "Failed in the last hour", query: "status=failed&since=1h" },
        Saved { label: "Undelivered today", query: "status=undelivered&since=24h" },
    ],
    actions: &[],
    empty: "No message fits. A day is looked at where nothing is said: try since:7d, or send one with",
    command: "curl -s $POSTERN/v1/messages -H \"Authorization: Bearer $POSTERN_API_KEY\" -H 'Content-Type: application/json' -d '{\"to\": \"+12025550100\", \"kind\": \"transactional\", \"body\": \"hello\"}'",
    takes_mode: true,
    ..Listing::NEW
};

/// What the guards refused: these never became messages.
pub(in crate::console::pages) static REFUSED: Listing = Listing {
    name: "refused",
    title: "Refused before they were messages",
    api: "/v1/admin/decisions",
    columns: &[
        Column::time("When", "/created_at"),
        Column::code("Tenant", "/org_id").to("/console/tenants/{/org_id}"),
        Column::text("Mode", "/mode"),
        Column::status("What", "/action"),
        Column::code("Told the request", "/code"),
        Column::code("Rule", "/reasons/0/rule"),
        Column::code("Decision", "/id"),
        Column::code("Request", "/request_id").hidden(),
    ],
    filters: &[
        Filter::text("code", "Told the request"),
        Filter::choice("action", "What", &["block", "challenge"]),
        Filter::text("since", "Since"),
    ],
    views: &[Saved { label: "Blocked by fraud", query: "code=fraud.blocked&since=24h" }],
    actions: &[&FALSE_POSITIVE_OF],
    empty: "Nothing was refused.",
    ..Listing::NEW
};

/// The others to one number.
pub(in crate::console::pages) static RELATED: Listing = Listing {
    name: "related",
    title: "To the same number within 24 hours",
    api: "/v1/admin/messages/{id}/related",
    columns: COLUMNS,
    empty: "None.",
    is_paged: false,
    ..Listing::NEW
};

const COLUMNS: &[Column] = &[
    Column::time("When", "/created_at").to("/console/messages/{/id}"),
    Column::text("Tenant", "/org_name").to("/console/tenants/{/org_id}"),
    Column::text("To", "/to").to("/console/messages/{/id}"),
    Column::text("Country", "/country"),
    Column::text("Channel", "/channel"),
    Column::text("Kind", "/kind"),
    Column::status("Status", "/status"),
    Column::text("Carrier", "/carrier"),
    Column::code("Error", "/error_code"),
    Column::duration("Hand-off", "/latency_ms"),
    Column::money("Price", "/price/amount", "/price/currency"),
    Column::flag("Verified", "/verified"),
    Column::code("Id", "/id").hidden(),
    Column::code("Request", "/request_id").hidden(),
];

const STATUS: &[&str] =
    &["scheduled", "queued", "sending", "sent", "delivered", "undelivered", "failed", "expired", "canceled", "unknown"];

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(messages);
    detail::configure(routes);
    erasures::configure(routes);
}

#[get("/messages")]
async fn messages(desk: Desk) -> Result<HttpResponse> {
    let mut body = Vec::new();
    body.extend(chart(&desk).await?);
    body.push(desk.table(&MESSAGES, Place::default()).await?);
    body.push(desk.table(&REFUSED, Place { prefix: "refused.", ..Place::default() }).await?);
    let lead = desk.words.say("Find a message by whatever somebody has in hand, and see what became of it.").to_owned();
    desk.page(Page { key: "messages", title: desk.words.say("Messages"), lead, body })
}

/// The same search over time; nothing where it is refused, which the table says.
async fn chart(desk: &Desk) -> Result<Option<Markup>> {
    let is_ours = |name: &&str| MESSAGES.filters.iter().any(|filter| filter.name == *name);
    let own = desk.pairs.iter().map(|(name, value)| (name.as_str(), value.trim()));
    let asked = query(own.filter(|(name, _)| is_ours(name)).chain([("mode", desk.mode())]));
    let answer = desk.get(&address("/v1/admin/messages/histogram", &asked)).await?;
    if answer.problem().is_some() {
        return Ok(None);
    }
    charted(&answer.body).show(desk.words).map(Some)
}

/// Which statuses a layer counts, from the bottom up.
pub(super) const LAYERS: &[(&str, &str, &[&str])] = &[
    ("Delivered", "good", &["delivered"]),
    ("Sent", "accent", &["sent"]),
    ("On the way", "neutral", &["scheduled", "queued", "sending"]),
    ("Failed", "bad", &["failed", "undelivered", "expired", "canceled"]),
    ("Unknown", "warn", &["unknown"]),
];

fn charted(answer: &Value) -> Chart {
    let bars = rows_at(answer, "/bars");
    let at = bars.iter().filter_map(|bar| Millis::parse_rfc3339(&bar.get("at").map(plain)?)).collect();
    let layer = |(label, tone, words): &(&'static str, &'static str, &[&str])| Series {
        label,
        tone,
        values: bars.iter().map(|bar| sum(bar, words)).collect(),
    };
    Chart {
        title: "Messages by status",
        is_stacked: true,
        at,
        series: LAYERS.iter().map(layer).collect(),
        link: "/console/messages?since={from}&until={to}",
    }
}

fn sum(bar: &Value, words: &[&str]) -> f64 {
    let count = |word: &&str| bar.pointer(&format!("/counts/{word}")).and_then(Value::as_f64).unwrap_or_default();
    words.iter().map(count).sum()
}
