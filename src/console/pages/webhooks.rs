//! Webhooks: the endpoints of all organizations and how they fare, and what carriers call here.

use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde_json::Value;

use crate::console::cells::{Column, plain};
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::form::{Field, Form, Kind};
use crate::console::layout::Page;
use crate::console::listing::{Filter, Listing, Place, Saved};
use crate::error::Result;
use crate::http::query::encoded;
use crate::webhooks::EventType;

/// Every endpoint.
pub(super) static WEBHOOKS: Listing = Listing {
    name: "webhooks",
    title: "Endpoints",
    api: "/v1/admin/webhooks",
    columns: &[
        Column::text("Address", "/url").to("/console/webhooks/{/id}"),
        Column::status("State", "/state"),
        Column::percent("Taken", "/latest/success_rate"),
        Column::count("Waiting", "/backlog"),
        Column::time("Next try", "/next_at"),
        Column::time("Will be disabled", "/disables_at"),
        Column::status("Mode", "/mode"),
        Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}"),
        Column::text("Why disabled", "/disabled_reason").hidden(),
        Column::text("Events", "/events").hidden(),
        Column::time("Made", "/created_at").hidden(),
        Column::code("Id", "/id").hidden(),
    ],
    filters: &[
        Filter::text("org_id", "Organization"),
        Filter::choice("state", "State", &["well", "failing", "disabled"]),
    ],
    views: &[Saved { label: "Failing", query: "state=failing" }, Saved { label: "Disabled", query: "state=disabled" }],
    empty: "No endpoint yet. An organization makes one with its key:",
    command: "curl -s $POSTERN/v1/webhooks -H \"Authorization: Bearer $POSTERN_API_KEY\" -H 'Content-Type: application/json' -d '{\"url\": \"https://example.com/hook\"}'",
    ..Listing::NEW
};

/// What carriers call here.
pub(super) static CARRIER_CALLS: Listing = Listing {
    name: "carrier-calls",
    title: "What carriers call here",
    api: "/v1/admin/hooks",
    columns: &[
        Column::text("Carrier", "/carrier"),
        Column::time("Last received", "/last_received_at"),
        Column::count("Stored", "/taken"),
        Column::count("Bad signatures", "/bad_signatures"),
        Column::time("Last bad signature", "/last_bad_signature_at"),
        Column::count("Could not be read", "/malformed"),
        Column::count("Could not be stored", "/not_stored"),
    ],
    empty: "No carrier in the configuration reports here.",
    is_paged: false,
    ..Listing::NEW
};

/// What became of each event.
pub(super) static DELIVERIES: Listing = Listing {
    name: "deliveries",
    title: "Deliveries",
    api: "/v1/admin/webhooks/{id}/deliveries",
    columns: &[
        Column::time("When", "/created_at"),
        Column::code("Event", "/type"),
        Column::status("Status", "/status"),
        Column::count("Tries", "/attempts"),
        Column::count("Answered", "/http_status"),
        Column::text("Why not", "/error"),
        Column::duration("Took", "/duration_ms"),
        Column::time("Last try", "/attempted_at"),
        Column::time("Next try", "/next_at"),
        Column::code("Event id", "/event_id").hidden(),
    ],
    filters: &[Filter::choice("status", "Status", &["pending", "delivered", "failed", "dropped"])],
    views: &[Saved { label: "Failed", query: "status=failed" }],
    actions: &[&REPLAY_EVENT],
    empty: "Nothing was sent to it yet. Send a test below.",
    ..Listing::NEW
};

/// The words of every event type.
const EVENT_TYPES: [&str; EventType::ALL.len()] = event_types();

#[expect(clippy::indexing_slicing, reason = "at compile time, where a wrong index does not build")]
const fn event_types() -> [&'static str; EventType::ALL.len()] {
    let mut words = [""; EventType::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = EventType::ALL[at].as_str();
        at += 1;
    }
    words
}

/// Sends a test.
pub(super) static TEST_WEBHOOK: Form = Form {
    name: "test-webhook",
    title: "Send a test event",
    about: "Made up, signed like a real one, and marked by \"test\": true in its data.",
    api: "/v1/admin/webhooks/{id}/test",
    fields: &[Field::may("type", "Event", Kind::Choice(&EVENT_TYPES))],
    done: "The test is on its way: its answer stands among the deliveries in a moment.",
    ..Form::NEW
};

/// Sends one event again.
pub(super) static REPLAY_EVENT: Form = Form {
    name: "replay-event",
    title: "Send again",
    api: "/v1/admin/webhooks/{id}/replay",
    fields: &[Field::must("event_id", "Event id", Kind::Text).now("/event_id")],
    done: "The event is on its way again.",
    ..Form::NEW
};

/// Sends all that was never taken again.
pub(super) static REPLAY_FAILED: Form = Form {
    name: "replay-failed",
    title: "Send again what was never taken",
    about: "Every event since this moment whose deliveries all failed, a thousand at most at once. Each keeps its id.",
    api: "/v1/admin/webhooks/{id}/replay",
    fields: &[Field::must("failed_since", "Since", Kind::Moment).help("UTC.")],
    done: "They are on their way again.",
    ..Form::NEW
};

/// Turns an endpoint off.
pub(super) static DISABLE_WEBHOOK: Form = Form {
    name: "disable-webhook",
    title: "Disable",
    about: "It is called no more, and what waits for it is dropped. Its organization is told and can turn it on again.",
    api: "/v1/admin/webhooks/{id}/disable",
    done: "The endpoint is disabled.",
    confirm: "=disable",
    only: ("/status", &["enabled"]),
    is_danger: true,
    ..Form::NEW
};

/// Turns it on again.
pub(super) static ENABLE_WEBHOOK: Form = Form {
    name: "enable-webhook",
    title: "Enable",
    api: "/v1/admin/webhooks/{id}/enable",
    done: "The endpoint is called again.",
    only: ("/status", &["disabled"]),
    ..Form::NEW
};

/// Gives it another secret.
pub(super) static ROTATE_WEBHOOK: Form = Form {
    name: "rotate-webhook",
    title: "Give it another secret",
    about: "The secret before signs along for 24 hours, so that its organization can change over. Hand the new one to them.",
    api: "/v1/admin/webhooks/{id}/rotate",
    fields: &[Field::may("end_old", "End the secrets before at once: one has leaked", Kind::Flag)],
    shows: &[Column::code("Secret, shown once", "/secret"), Column::text("Address", "/url")],
    done: "The new secret signs. It is shown this once: keep it now.",
    is_danger: true,
    ..Form::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(webhooks).service(webhook);
}

#[get("/webhooks")]
async fn webhooks(desk: Desk) -> Result<HttpResponse> {
    let endpoints = desk.table(&WEBHOOKS, Place::default()).await?;
    let calls = desk.table(&CARRIER_CALLS, Place { prefix: "carriers.", ..Place::default() }).await?;
    let lead =
        desk.words.say("What is told to your tenants, whether they take it, and what carriers tell us.").to_owned();
    desk.page(Page { key: "webhooks", title: desk.words.say("Webhooks"), lead, body: vec![endpoints, calls] })
}

#[get("/webhooks/{id}")]
async fn webhook(desk: Desk, id: Path<String>) -> Result<HttpResponse> {
    let endpoint = desk.need(&format!("/v1/admin/webhooks/{}", encoded(&id))).await?;
    let at: &[(&str, &str)] = &[("id", id.as_str())];
    let mut body = vec![facts("", FACTS, &endpoint, desk.words, desk.now)?];
    body.extend(desk.form(&TEST_WEBHOOK, at, &Value::Null)?);
    body.extend(desk.form(&REPLAY_FAILED, at, &Value::Null)?);
    body.push(desk.table(&DELIVERIES, Place { path: at, ..Place::default() }).await?);
    body.extend(desk.form(&ROTATE_WEBHOOK, at, &Value::Null)?);
    body.extend(desk.form(&DISABLE_WEBHOOK, at, &endpoint)?);
    body.extend(desk.form(&ENABLE_WEBHOOK, at, &endpoint)?);
    let title = endpoint.pointer("/url").map(plain).unwrap_or_default();
    desk.page(Page { key: "webhooks", title: &title, lead: String::new(), body })
}

const FACTS: &[Column] = &[
    Column::code("Id", "/id"),
    Column::code("Organization", "/org_id").to("/console/tenants/{/org_id}"),
    Column::status("State", "/state"),
    Column::text("Why disabled", "/disabled_reason"),
    Column::time("Failing since", "/failing_since"),
    Column::time("Will be disabled", "/disables_at"),
    Column::percent("Taken, of the latest thousand", "/latest/success_rate"),
    Column::count("Failed, of the latest thousand", "/latest/failed"),
    Column::count("Waiting", "/backlog"),
    Column::time("Next try", "/next_at"),
    Column::status("Mode", "/mode"),
    Column::text("Events", "/events"),
    Column::text("Description", "/description"),
    Column::time("Old secret signs until", "/old_secret_until"),
    Column::time("Made", "/created_at"),
];
