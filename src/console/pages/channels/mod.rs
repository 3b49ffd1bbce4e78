//! Channels: carriers, routes, WhatsApp numbers, senders, templates, prices, and what is stopped.

mod carrier;
mod forms;

pub(super) use carrier::{TEST_RECEIPTS, TESTS};
pub(super) use forms::*;

use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde_json::{Value, json};

use crate::console::cells::{Column, rows_at};
use crate::console::desk::Desk;
use crate::console::layout::Page;
use crate::console::listing::{Filter, Listing, Place};
use crate::error::Result;

/// The carriers and how they do.
pub(in crate::console::pages) static CARRIERS: Listing = Listing {
    name: "carriers",
    title: "Carriers",
    api: "/v1/admin/carriers",
    columns: &[
        Column::text("Carrier", "/name").to("/console/channels/carriers/{/name}"),
        Column::text("Channels", "/channels"),
        Column::status("Circuit", "/circuit"),
        Column::flag("Draining", "/draining"),
        Column::status("Link", "/link"),
        Column::count("In flight", "/in_flight"),
        Column::count("At most", "/max_in_flight"),
    ],
    actions: &[&DRAIN_CARRIER, &RESUME_CARRIER],
    empty: "No carrier in the configuration. The file that this prints has an example of each kind:",
    command: "postern config print",
    is_paged: false,
    ..Listing::NEW
};

/// Which carrier takes what to where.
pub(in crate::console::pages) static ROUTES: Listing = Listing {
    name: "routes",
    title: "Routes",
    api: "/v1/admin/routes",
    columns: &[
        Column::code("Id", "/id").to("/console/channels/routes/{/id}").hidden(),
        Column::text("Channel", "/channel").to("/console/channels/routes/{/id}"),
        Column::text("Country", "/country"),
        Column::text("Prefix", "/prefix"),
        Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}"),
        Column::text("Carrier", "/carrier"),
        Column::count("Priority", "/priority"),
        Column::count("Weight", "/weight"),
        Column::money("Cost", "/price/amount", "/price/currency"),
        Column::flag("Paused", "/paused"),
        Column::status("Circuit", "/circuit/state"),
    ],
    actions: &[&PAUSE_ROUTE, &RESUME_ROUTE],
    empty: "No route: a live key is answered 503 until there is one.",
    is_paged: false,
    ..Listing::NEW
};

/// What became of hand-offs by route.
pub(in crate::console::pages) static CONVERSION: Listing = Listing {
    name: "conversion",
    title: "Conversion by route",
    api: "/v1/admin/routes/conversion",
    columns: &[
        Column::text("Carrier", "/carrier"),
        Column::count("Codes handed over", "/attempted"),
        Column::count("Accepted", "/accepted"),
        Column::count("Entered", "/converted"),
        Column::percent("Conversion", "/conversion_rate"),
    ],
    filters: &[Filter::text("channel", "Channel"), Filter::text("country", "Country")],
    is_paged: false,
    empty: "No code was handed over in this time.",
    ..Listing::NEW
};

/// How a route's circuit changed.
pub(in crate::console::pages) static ROUTE_HISTORY: Listing = Listing {
    name: "route-history",
    title: "Circuit history",
    api: "/v1/admin/routes/{id}/history",
    columns: &[
        Column::time("When", "/at"),
        Column::text("Carrier", "/carrier"),
        Column::status("From", "/from"),
        Column::status("To", "/to"),
        Column::text("Why", "/reason"),
        Column::code("Details", "/detail"),
        Column::code("Process", "/node_id").hidden(),
    ],
    empty: "Its circuit has never changed.",
    ..Listing::NEW
};

/// The originators.
pub(in crate::console::pages) static SENDERS: Listing = Listing {
    name: "senders",
    title: "Senders",
    api: "/v1/admin/senders",
    columns: &[
        Column::text("Sender", "/address"),
        Column::text("Channel", "/channel"),
        Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}"),
        Column::text("Country", "/country"),
        Column::text("Carrier", "/carrier"),
        Column::time("Made", "/created_at"),
    ],
    filters: &[Filter::text("org_id", "Organization")],
    actions: &[&REMOVE_SENDER],
    empty: "None registered: the carriers' defaults are used.",
    ..Listing::NEW
};

/// WhatsApp numbers with their tiers.
pub(in crate::console::pages) static WHATSAPP_NUMBERS: Listing = Listing {
    name: "whatsapp-numbers",
    title: "WhatsApp numbers",
    api: "/v1/admin/whatsapp/numbers",
    columns: &[
        Column::text("Number", "/phone_number"),
        Column::status("Status", "/status"),
        Column::status("Quality", "/quality"),
        Column::text("Portfolio", "/portfolio"),
        Column::count("Tier", "/tier"),
        Column::count("Reached in 24 h", "/contacts_used"),
        Column::count("Of", "/limit"),
        Column::count("Messages a second", "/throughput"),
        Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}"),
    ],
    filters: &[Filter::text("org_id", "Organization")],
    actions: &[&CHANGE_WHATSAPP_NUMBER],
    empty: "No WhatsApp number registered.",
    ..Listing::NEW
};

/// Templates of all organizations.
pub(in crate::console::pages) static TEMPLATES: Listing = Listing {
    name: "templates",
    title: "Templates",
    api: "/v1/admin/templates",
    columns: &[
        Column::text("Name", "/name"),
        Column::text("Channel", "/channel"),
        Column::text("Language", "/locale"),
        Column::text("Category", "/category"),
        Column::status("Status", "/status"),
        Column::status("Quality", "/quality"),
        Column::text("Text", "/body"),
        Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}"),
        Column::text("Why", "/reason"),
        Column::time("Changed", "/updated_at"),
    ],
    filters: &[
        Filter::choice("status", "Status", &["draft", "pending", "approved", "rejected", "paused", "disabled"]),
        Filter::text("name", "Name"),
        Filter::choice("channel", "Channel", &["sms", "whatsapp", "email"]),
        Filter::text("org_id", "Organization"),
    ],
    views: &[crate::console::listing::Saved { label: "To review", query: "status=pending" }],
    actions: &[&APPROVE_TEMPLATE, &REJECT_TEMPLATE, &TEST_TEMPLATE],
    takes_mode: true,
    empty: "No organization has a text of its own.",
    ..Listing::NEW
};

/// What is stopped.
pub(in crate::console::pages) static PAUSES: Listing = Listing {
    name: "pauses",
    title: "What is stopped",
    api: "/v1/admin/pauses",
    columns: &[
        Column::text("Scope", "/scope"),
        Column::text("Which", "/value"),
        Column::time("Since", "/created_at"),
        Column::text("Why", "/reason"),
        Column::code("By", "/author"),
    ],
    actions: &[&END_PAUSE],
    empty: "Nothing is stopped.",
    is_paged: false,
    ..Listing::NEW
};

/// What messages cost.
pub(in crate::console::pages) static PRICES: Listing = Listing {
    name: "prices",
    title: "Prices",
    api: "/v1/admin/prices",
    columns: &[
        Column::text("Channel", "/channel"),
        Column::text("Country", "/country"),
        Column::text("Prefix", "/prefix"),
        Column::text("Category", "/category"),
        Column::money("Price", "/amount", "/currency"),
        Column::time("From", "/from"),
    ],
    empty: "No price: messages cost nothing.",
    is_paged: false,
    ..Listing::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(channels).service(route_page);
    carrier::configure(routes);
}

#[get("/channels")]
async fn channels(desk: Desk) -> Result<HttpResponse> {
    let place = |prefix| Place { prefix, ..Place::default() };
    let mut body = vec![desk.table(&CARRIERS, place("carriers.")).await?];
    let (routes, answer) = desk.table_and_answer(&ROUTES, place("routes.")).await?;
    body.push(routes);
    body.extend(desk.form(&PUT_ROUTES, &[], &json!({"routes": editable(&answer.body)}))?);
    body.push(desk.table(&PAUSES, place("pauses.")).await?);
    body.extend(desk.form(&PAUSE, &[], &Value::Null)?);
    body.extend(desk.form(&RESUME, &[], &Value::Null)?);
    body.push(desk.table(&CONVERSION, place("conversion.")).await?);
    body.push(desk.table(&WHATSAPP_NUMBERS, place("whatsapp.")).await?);
    body.extend(desk.form(&NEW_WHATSAPP_NUMBER, &[], &Value::Null)?);
    body.push(desk.table(&TEMPLATES, place("templates.")).await?);
    body.push(desk.table(&SENDERS, place("senders.")).await?);
    body.extend(desk.form(&NEW_SENDER, &[], &Value::Null)?);
    body.push(desk.table(&PRICES, place("prices.")).await?);
    let lead = desk.words.say("By which ways messages go out, and how those do.").to_owned();
    desk.page(Page { key: "channels", title: desk.words.say("Channels & carriers"), lead, body })
}

/// The routes as `PUT` takes them: one a line, without what the server adds.
fn editable(answer: &Value) -> String {
    const KEPT: &[&str] = &["channel", "country", "prefix", "org_id", "carrier", "priority", "weight", "price"];
    let rows = rows_at(answer, "/data");
    let lines = rows.iter().filter_map(Value::as_object).map(|row| {
        let kept = row.iter().filter(|(name, value)| KEPT.contains(&name.as_str()) && !value.is_null());
        Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect()).to_string()
    });
    format!("[\n{}\n]", lines.collect::<Vec<_>>().join(",\n"))
}

#[get("/channels/routes/{id}")]
async fn route_page(desk: Desk, id: Path<String>) -> Result<HttpResponse> {
    let path: &[(&str, &str)] = &[("id", id.as_str())];
    let history = desk.table(&ROUTE_HISTORY, Place { path, ..Place::default() }).await?;
    desk.page(Page { key: "channels", title: &id, lead: String::new(), body: vec![history] })
}
