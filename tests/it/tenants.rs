//! Tenant isolation: every route that takes an id, with an id of somebody else's; the answer is that of an id of nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::actor::{Actor, Reply};
use crate::harness::app::{START, Tenant, TestApp};

/// Whose words must never be seen by another.
const SECRET_NOTE: &str = "a note of another tenant's own";

/// Ids of the right form that are nobody's, by prefix.
fn nobody(prefix: &str) -> String {
    format!("{prefix}_01h455vb4pex5vsknk084sn02q")
}

/// Method and path of every operation that takes an API key, as the published document lists them.
pub fn operations() -> Vec<(String, String)> {
    let document = postern::openapi::document("/");
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let takes_key = |need: &Value| need.get("api_key").is_some();
            if operation["security"].as_array().is_some_and(|needs| needs.iter().any(takes_key)) {
                found.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    found.sort();
    found
}

/// A right body for an operation, where it needs one.
fn body(method: &str, path: &str) -> Option<Value> {
    match path.rsplit('/').next().unwrap_or_default() {
        "replay" if path.contains("webhooks") => Some(json!({"since": "2026-01-01T00:00:00Z"})),
        _ if method == "PATCH" => Some(json!({})),
        "contacts" if method == "POST" => Some(json!({"contacts": [{"to": "+447400123456"}]})),
        "schedule" => Some(json!({"at": START.plus(Duration::from_secs(60)).rfc3339()})),
        "feedback" => Some(json!({"outcome": "converted"})),
        "ack" => Some(json!({"events": []})),
        "check" => Some(json!({"code": "123456"})),
        _ => None,
    }
}

/// One of each kind of thing, by the path that shows it.
async fn belongings(app: &TestApp, tenant: &Tenant) -> BTreeMap<&'static str, String> {
    let note = json!({"note": SECRET_NOTE});
    let hook = json!({"url": "https://example.com/hooks", "description": SECRET_NOTE});
    let webhook = tenant.test.post("/v1/webhooks", hook).await.expect(201).text_at("/id");
    let body = json!({"to": "+447400123456", "body": "x", "metadata": note});
    let message = tenant.test.post("/v1/messages", body.clone()).await.expect(202).text_at("/id");
    let shown = tenant.test.get(&format!("/v1/messages/{message}")).await.expect(200);
    let decision = shown.text_at("/decision/id");
    let bulk = tenant.test.post("/v1/messages/bulk", json!({"messages": [body]})).await.expect(202);
    let start = json!({"to": "+447400123458", "metadata": {"note": SECRET_NOTE}});
    let verification = tenant.test.post("/v1/verifications", start).await.expect(201).text_at("/id");
    let opt_out = tenant.test.post("/v1/opt-outs", json!({"to": "+447400123459"})).await.expect(201).text_at("/id");
    let written = json!({"from": "+447400123450", "to": "+447400123451", "body": SECRET_NOTE});
    let inbound = tenant.test.post("/v1/sandbox/inbound", written).await.expect(201).text_at("/id");
    let entry = json!({"action": "block", "kind": "device", "value": SECRET_NOTE, "reason": SECRET_NOTE});
    let listed = tenant.test.post("/v1/fraud/lists", entry).await.expect(201).text_at("/id");
    let listener = tenant.test.post("/v1/listeners", json!({})).await.expect(201).text_at("/id");
    let text = json!({"name": "hello", "category": "utility", "body": SECRET_NOTE});
    let template = tenant.test.post("/v1/templates", text).await.expect(201).text_at("/id");
    let broadcast = json!({"name": SECRET_NOTE, "body": "x", "contacts": [{"to": "+447400123456"}]});
    let broadcast = tenant.test.post("/v1/broadcasts", broadcast).await.expect(201).text_at("/id");
    let service = json!({"name": "Any other", "cool_down": "0s"});
    app.operator().put("/v1/admin/services/ot", service).await.expect(200);
    let number = json!([{"phone_number": "+447400123460", "mode": "test"}]);
    app.operator().post("/v1/admin/numbers", number).await.expect(201);
    let activation = tenant.test.post("/v1/activations", json!({"service": "ot"})).await.expect(201).text_at("/id");
    let topup = tenant.test.post("/v1/wallet/topups", json!({"amount": "1"})).await.expect(201);
    let invoice = invoice(app, &tenant.org).await;
    app.step().await;
    let event = tenant.test.get("/v1/events").await.expect(200).text_at("/data/0/id");
    let batch = bulk.text_at("/batch_id");
    [
        ("activations", activation),
        ("messages", message),
        ("batches", batch),
        ("broadcasts", broadcast),
        ("verifications", verification),
        ("opt-outs", opt_out),
        ("inbound", inbound),
        ("fraud", listed),
        ("decisions", decision),
        ("listeners", listener),
        ("webhooks", webhook),
        ("events", event),
        ("templates", template),
        ("transactions", topup.text_at("/transaction_id")),
        ("topups", topup.text_at("/id")),
        ("invoices", invoice),
    ]
    .into()
}

/// An invoice of test money for the month before.
async fn invoice(app: &TestApp, org: &str) -> String {
    let path = format!("/v1/admin/orgs/{org}/invoices");
    app.operator().post(&path, json!({"month": "2026-02", "mode": "test"})).await.expect(200).text_at("/id")
}

/// What kind of thing the id in a path names.
fn kind_of(path: &str) -> &str {
    let parts: Vec<&str> = path.split('/').collect();
    if parts[2] == "wallet" { parts[3] } else { parts[2] }
}

fn prefix(kind: &str) -> &'static str {
    match kind {
        "activations" => "act",
        "messages" => "msg",
        "batches" => "bat",
        "broadcasts" => "brd",
        "verifications" => "vrf",
        "inbound" => "inb",
        "opt-outs" => "opt",
        "fraud" => "lst",
        "decisions" => "dec",
        "listeners" => "lsn",
        "webhooks" => "whe",
        "events" => "evt",
        "templates" => "tpl",
        "transactions" => "txn",
        "topups" => "top",
        "invoices" => "inv",
        other => panic!("{other} takes an id and has no place in this matrix yet"),
    }
}

/// What must not tell the two apart: status, and the body without its request's own id.
fn face(reply: &Reply, id: &str) -> (u16, String) {
    let request = reply.header("x-request-id").unwrap_or_default();
    (reply.status, reply.text.replace(request, "").replace(id, ""))
}

#[actix_web::test]
async fn every_id_of_another_tenant_is_answered_like_nobody_s() {
    let app = TestApp::start().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let owned = belongings(&app, &theirs).await;
    let with_ids: Vec<_> = operations().into_iter().filter(|(_, path)| path.contains("{id}")).collect();
    assert!(with_ids.len() >= 10, "{with_ids:?}");
    for (method, path) in with_ids {
        let kind = kind_of(&path);
        let (other, none) = (owned.get(kind).cloned(), nobody(prefix(kind)));
        let other = other.unwrap_or_else(|| panic!("{kind} has no example"));
        // Another organization, and the other mode of the same one.
        for caller in [&mine.test, &mine.live, &theirs.live] {
            let of_other = caller.call(&method, &path.replace("{id}", &other), body(&method, &path)).await;
            let of_nobody = caller.call(&method, &path.replace("{id}", &none), body(&method, &path)).await;
            assert_eq!(of_nobody.status, 404, "{method} {path}: {}", of_nobody.text);
            assert_eq!(face(&of_other, &other), face(&of_nobody, &none), "{method} {path}");
        }
    }
    for (n, (method, path)) in operations().into_iter().filter(|(_, path)| path.contains('{')).enumerate() {
        // Strangers of one address are soon told to wait.
        if n % 20 == 0 {
            app.advance(Duration::from_secs(60));
        }
        let other = owned.get(kind_of(&path)).map_or("nobody", String::as_str);
        let stranger = app.anonymous().call(&method, &path.replace("{id}", other), body(&method, &path)).await;
        assert_eq!(stranger.status, 401, "{method} {path}");
    }
    let own = theirs.test.get(&format!("/v1/messages/{}", owned["messages"])).await.expect(200);
    assert!(own.text.contains(SECRET_NOTE), "nothing was changed by anybody: {}", own.text);
    assert_eq!(own.text_at("/status"), "delivered");
}

#[actix_web::test]
async fn no_list_shows_another_tenant_s_rows() {
    let app = TestApp::start().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let owned = belongings(&app, &theirs).await;
    let lists: Vec<_> =
        operations().into_iter().filter(|(method, path)| method == "GET" && !path.contains('{')).collect();
    assert!(lists.len() >= 4, "{lists:?}");
    for (_, path) in lists {
        for caller in [&mine.test, &mine.live, &theirs.live] {
            let reply = caller.get(&path).await;
            let leaks = owned.values().any(|id| reply.text.contains(id)) || reply.text.contains(SECRET_NOTE);
            assert!(!leaks && reply.status == 200, "{path}: {}", reply.text);
        }
    }
    let narrowed = format!("/v1/messages?batch_id={}", owned["batches"]);
    assert_eq!(mine.test.get(&narrowed).await.expect(200).json["data"], json!([]));
}

#[actix_web::test]
async fn keys_and_checks_of_two_tenants_never_meet() {
    let app = TestApp::start().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let keyed = |actor: &Actor| actor.with_header("Idempotency-Key", "the-same-key");
    let body = json!({"to": "+447400123456", "body": "x"});
    let first = keyed(&mine.test).post("/v1/messages", body.clone()).await.expect(202).text_at("/id");
    for other in [&theirs.test, &mine.live, &theirs.live] {
        let reply = keyed(other).post("/v1/messages", body.clone()).await.expect(202);
        assert!(reply.text_at("/id") != first && reply.header("idempotent-replayed").is_none());
    }
    theirs.test.post("/v1/verifications", json!({"to": "+447400123458"})).await.expect(201);
    let check = json!({"to": "+447400123458", "code": "123456"});
    let reply = mine.test.post("/v1/verifications/check", check.clone()).await;
    let nobody = mine.test.post("/v1/verifications/check", json!({"to": "+447400123459", "code": "123456"})).await;
    assert_eq!(face(&reply, ""), face(&nobody, ""));
}
