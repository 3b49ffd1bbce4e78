//! One tenant: its limits as they stand, its keys, its money.

mod forms;

pub(super) use forms::*;

use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use askama::Template;
use serde_json::Value;

use crate::console::cells::{Column, plain, rows_at};
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::layout::Page;
use crate::console::listing::{Listing, Place};
use crate::console::markup::Markup;
use crate::error::Result;
use crate::http::query::encoded;
use crate::words::Words;

/// Its keys.
pub(in crate::console::pages) static KEYS: Listing = Listing {
    name: "keys",
    title: "Keys",
    api: "/v1/admin/orgs/{id}/keys",
    columns: &[
        Column::text("Name", "/name"),
        Column::code("Begins with", "/prefix"),
        Column::status("Mode", "/mode"),
        Column::text("Kind", "/kind"),
        Column::text("Scopes", "/scopes"),
        Column::time("Made", "/created_at"),
        Column::time("Expires", "/expires_at"),
        Column::time("Revoked", "/revoked_at"),
        Column::code("Id", "/id").hidden(),
    ],
    actions: &[&ROTATE_KEY, &REVOKE_KEY],
    empty: "No key yet: without one nothing can be sent.",
    ..Listing::NEW
};

/// Its exceptions from the plan.
pub(in crate::console::pages) static ORG_LIMITS: Listing = Listing {
    name: "limits",
    title: "Exceptions from the plan",
    api: "/v1/admin/orgs/{id}/limits",
    columns: &[
        Column::code("Policy", "/policy"),
        Column::text("Limit", "/limit"),
        Column::text("Why", "/reason"),
        Column::time("Until", "/expires_at"),
        Column::time("Made", "/created_at"),
        Column::code("By", "/author"),
    ],
    actions: &[&REMOVE_LIMIT],
    empty: "None: what the plan says holds.",
    is_paged: false,
    ..Listing::NEW
};

/// Its spend caps.
pub(in crate::console::pages) static CAPS: Listing = Listing {
    name: "caps",
    title: "Spend caps",
    api: "/v1/admin/orgs/{id}/caps",
    columns: &[
        Column::text("Of", "/scope"),
        Column::text("Which", "/value"),
        Column::text("In", "/window"),
        Column::money("Spent", "/spent/amount", "/spent/currency"),
        Column::money("Cap", "/limit/amount", "/limit/currency"),
    ],
    empty: "No cap: what the wallet holds can be spent.",
    is_paged: false,
    ..Listing::NEW
};

/// What moved its balance.
pub(in crate::console::pages) static TRANSACTIONS: Listing = Listing {
    name: "transactions",
    title: "Ledger",
    api: "/v1/admin/orgs/{id}/wallet/transactions",
    columns: &[
        Column::time("When", "/created_at"),
        Column::text("What", "/kind"),
        Column::money("Amount", "/amount/amount", "/amount/currency"),
        Column::text("Country", "/country"),
        Column::text("Channel", "/channel"),
        Column::code("Message", "/message_id").to("/console/messages/{/message_id}"),
        Column::text("Why", "/reason"),
        Column::text("Reference", "/reference"),
    ],
    filters: &[crate::console::listing::Filter::choice("kind", "What", &["settle", "adjustment", "topup", "cost"])],
    takes_mode: true,
    empty: "Nothing has moved this wallet.",
    ..Listing::NEW
};

/// Its invoices.
pub(in crate::console::pages) static INVOICES: Listing = Listing {
    name: "invoices",
    title: "Invoices",
    api: "/v1/admin/orgs/{id}/invoices",
    columns: &[
        Column::text("Number", "/number"),
        Column::text("Month", "/month"),
        Column::money("Total", "/total/amount", "/total/currency"),
        Column::money("Due", "/due/amount", "/due/currency"),
        Column::text("Due on", "/due_on"),
        Column::time("Written", "/issued_at"),
    ],
    takes_mode: true,
    empty: "No invoice yet; one is written when a month is over.",
    ..Listing::NEW
};

/// Its templates.
pub(in crate::console::pages) static TENANT_TEMPLATES: Listing = Listing {
    name: "tenant-templates",
    title: "Templates",
    api: "/v1/admin/templates",
    columns: &[
        Column::text("Name", "/name"),
        Column::text("Channel", "/channel"),
        Column::text("Language", "/locale"),
        Column::status("Status", "/status"),
        Column::time("Changed", "/updated_at"),
    ],
    takes_mode: true,
    empty: "Only the built-in texts.",
    ..Listing::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(tenant);
}

#[derive(Template)]
#[template(path = "console/gauges.html")]
struct Gauges<'a> {
    words: Words,
    keys: Vec<(String, Vec<Gauge>)>,
    title: &'a str,
}

struct Gauge {
    policy: String,
    used: u64,
    limit: u64,
    reset: String,
}

#[get("/tenants/{id}")]
async fn tenant(desk: Desk, id: Path<String>) -> Result<HttpResponse> {
    let org = desk.need(&format!("/v1/admin/orgs/{}", encoded(&id))).await?;
    let at: &[(&str, &str)] = &[("id", id.as_str())];
    let fixed: &[(&str, &str)] = &[("org_id", id.as_str())];
    let place = |prefix| Place { path: at, fixed: &[], prefix };
    let (keys_table, keys) = desk.table_and_answer(&KEYS, place("keys.")).await?;
    let mut body = vec![facts("", FACTS, &org, desk.words, desk.now)?, gauges(&desk, &keys.body).await?];
    body.extend(desk.form(&SUSPEND, at, &org)?);
    body.extend(desk.form(&UNSUSPEND, at, &org)?);
    body.extend(desk.form(&CHANGE_PLAN, at, &org)?);
    body.extend(desk.form(&CHANGE_ORG, at, &org)?);
    body.push(keys_table);
    body.extend(desk.form(&NEW_KEY, at, &Value::Null)?);
    body.push(desk.table(&ORG_LIMITS, place("limits.")).await?);
    body.extend(desk.form(&SET_LIMIT, at, &Value::Null)?);
    let wallet = desk.get(&format!("/v1/admin/orgs/{}/wallet?mode={}", encoded(&id), desk.mode())).await?;
    body.push(facts("Wallet", WALLET, &wallet.body, desk.words, desk.now)?);
    body.extend(desk.form(&TOP_UP, at, &Value::Null)?);
    body.extend(desk.form(&ADJUST, at, &Value::Null)?);
    body.push(desk.table(&CAPS, place("caps.")).await?);
    body.extend(desk.form(&SET_CAPS, at, &Value::Null)?);
    body.push(desk.table(&TRANSACTIONS, place("ledger.")).await?);
    body.push(desk.table(&INVOICES, place("invoices.")).await?);
    body.extend(desk.form(&WRITE_INVOICE, at, &Value::Null)?);
    body.push(desk.table(&TENANT_TEMPLATES, Place { path: &[], fixed, prefix: "templates." }).await?);
    let title = org.pointer("/name").map(plain).unwrap_or_default();
    desk.page(Page { key: "tenants", title: &title, lead: String::new(), body })
}

const FACTS: &[Column] = &[
    Column::code("Id", "/id"),
    Column::status("Status", "/status"),
    Column::text("Plan", "/plan"),
    Column::text("Next plan", "/next_plan"),
    Column::time("From", "/next_plan_at"),
    Column::status("Subscription", "/subscription_status"),
    Column::status("Business", "/kyb_status"),
    Column::text("Country", "/country"),
    Column::text("May send to", "/countries"),
    Column::text("Protection", "/protection"),
    Column::time("Learning until", "/learning_until"),
    Column::time("Made", "/created_at"),
];

const WALLET: &[Column] = &[
    Column::money("Balance", "/balance/amount", "/balance/currency"),
    Column::money("Held for messages on their way", "/held/amount", "/held/currency"),
    Column::money("Available", "/available/amount", "/available/currency"),
];

/// Keys whose limits are shown: the page is for a look, not for an audit.
const GAUGED: usize = 3;

/// The limits of the newest working keys among `keys`, the page of them that the table shows, as they stand.
async fn gauges(desk: &Desk, keys: &Value) -> Result<Markup> {
    let works = |key: &&Value| {
        key.get("revoked_at").is_none_or(Value::is_null) && key.get("mode").and_then(Value::as_str) == Some(desk.mode())
    };
    let mut shown = Vec::new();
    for key in rows_at(keys, "/data").iter().filter(works).take(GAUGED) {
        let id = key.get("id").map(plain).unwrap_or_default();
        let usage = desk.get(&format!("/v1/admin/keys/{}/usage", encoded(&id))).await?;
        shown.push((
            key.get("name").map(plain).unwrap_or_default(),
            rows_at(&usage.body, "/data").iter().map(gauge).collect(),
        ));
    }
    Markup::of(&Gauges { words: desk.words, keys: shown, title: desk.words.say("Limits as they stand") })
}

fn gauge(limit: &Value) -> Gauge {
    let number = |name: &str| limit.get(name).and_then(Value::as_u64).unwrap_or_default();
    Gauge {
        policy: limit.get("policy").map(plain).unwrap_or_default(),
        used: number("used"),
        limit: number("limit"),
        reset: limit.get("reset").map(plain).unwrap_or_default(),
    }
}
