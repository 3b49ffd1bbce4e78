//! Endpoints of all organizations as operators see and mend them, and what carriers call here.

use std::time::Duration;

use postern::error::Code;
use serde_json::{Value, json};

use super::{deliver, endpoint, latest, sent_message, signature, start};
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::{FakeCarrier, Script};

async fn shown(app: &TestApp, id: &str) -> Value {
    app.operator().get(&format!("/v1/admin/webhooks/{id}")).await.expect(200).json
}

async fn actions(app: &TestApp, id: &str) -> Vec<Value> {
    let reply = app.operator().get(&format!("/v1/admin/audit?target={id}")).await.expect(200);
    reply.json["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn endpoints_of_all_are_listed_with_how_they_fare() {
    let (app, good, bad) = (start().await, FakeCarrier::start(), FakeCarrier::start());
    let (one, other) = (app.tenant().await, app.tenant().await);
    let well = endpoint(&one.live, &good).await.text_at("/id");
    let failing = endpoint(&other.live, &bad).await.text_at("/id");
    bad.always(Script::Answer(500, vec![], Vec::new()));
    sent_message(&app, &one.live).await;
    sent_message(&app, &other.live).await;
    deliver(&app).await;
    let since = app.app.clock.now();
    let fares = shown(&app, &well).await;
    assert_eq!((&fares["state"], &fares["org_id"]), (&json!("well"), &json!(one.org)));
    assert_eq!((&fares["latest"]["delivered"], &fares["latest"]["success_rate"]), (&json!(1), &json!(1.0)));
    assert_eq!((&fares["backlog"], &fares["disables_at"]), (&json!(0), &json!(null)));
    let fares = shown(&app, &failing).await;
    assert_eq!((&fares["state"], &fares["backlog"]), (&json!("failing"), &json!(1)));
    assert_eq!(fares["disables_at"], json!(since.plus(Duration::from_secs(5 * 86_400)).rfc3339()));
    assert!(fares["next_at"].is_string() && fares["latest"]["success_rate"].is_null(), "{fares}");
    assert!(!fares.to_string().contains("whsec_"), "a secret is shown to nobody: {fares}");
    let ids = async |query: &str| {
        let page = app.operator().get(&format!("/v1/admin/webhooks?{query}")).await.expect(200);
        let rows = page.json["data"].as_array().unwrap().iter();
        rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, [failing.clone(), well.clone()]);
    assert_eq!(ids(&format!("org_id={}", one.org)).await, std::slice::from_ref(&well));
    assert_eq!(ids("state=failing").await, std::slice::from_ref(&failing));
    assert_eq!(ids("state=disabled").await, Vec::<String>::new());
    let first = app.operator().get("/v1/admin/webhooks?limit=1").await.expect(200);
    assert_eq!(ids(&format!("limit=1&cursor={}", first.text_at("/next_cursor"))).await, [well]);
}

#[actix_web::test]
async fn the_log_of_an_endpoint_says_what_was_answered_and_when_it_is_tried_again() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let id = endpoint(&tenant.live, &receiver).await.text_at("/id");
    receiver.next(Script::Answer(503, vec![], Vec::new()));
    sent_message(&app, &tenant.live).await;
    deliver(&app).await;
    let log = async |query: &str| {
        app.operator().get(&format!("/v1/admin/webhooks/{id}/deliveries?{query}")).await.expect(200).json
    };
    let row = log("").await["data"][0].clone();
    assert_eq!((&row["type"], &row["http_status"]), (&json!("message.sent"), &json!(503)));
    assert!(row["next_at"].is_string() && row["duration_ms"].is_i64(), "{row}");
    assert_eq!(log("status=failed").await["data"], json!([]));
    let nobody = "/v1/admin/webhooks/whe_01h455vb4pex5vsknk084sn02q";
    app.operator().get(nobody).await.refused(Code::NotFound);
    app.operator().get(&format!("{nobody}/deliveries")).await.refused(Code::NotFound);
    app.operator().post(&format!("{nobody}/test"), json!({})).await.refused(Code::NotFound);
}

#[actix_web::test]
async fn a_test_is_of_any_type_marked_and_told_to_the_audit_log() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let made = tenant.live.post("/v1/webhooks", json!({"url": receiver.url("/"), "events": ["message.failed"]})).await;
    let id = made.expect(201).text_at("/id");
    let path = format!("/v1/admin/webhooks/{id}/test");
    app.operator().post(&path, json!({})).await.expect(202);
    let body = json!({"type": "verification.approved", "reason": "ticket 4711"});
    let keyed = app.operator().with_header("Idempotency-Key", "k");
    let first = keyed.post(&path, body.clone()).await.expect(202);
    assert_eq!(keyed.post(&path, body).await.expect(202).text, first.text, "one key, one test");
    deliver(&app).await;
    let told: Vec<_> = receiver.hand_offs().iter().map(|post| post.json()).collect();
    let mut types: Vec<_> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["verification.approved", "webhook.test"]);
    let approved = told.iter().find(|event| event["type"] == "verification.approved").unwrap();
    assert_eq!((&approved["data"]["test"], &approved["data"]["status"]), (&json!(true), &json!("approved")));
    let rows = actions(&app, &id).await;
    assert_eq!((&rows[0]["action"], &rows[0]["reason"]), (&json!("webhook.test"), &json!("ticket 4711")));
    assert_eq!(rows.len(), 2);
}

#[actix_web::test]
async fn one_event_or_all_that_were_never_taken_are_sent_again() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let id = endpoint(&tenant.live, &receiver).await.text_at("/id");
    let path = format!("/v1/admin/webhooks/{id}");
    let since = app.app.clock.now().rfc3339();
    sent_message(&app, &tenant.live).await;
    deliver(&app).await;
    let taken = latest(&tenant.live, &id).await["event_id"].clone();
    // Two are dropped: the endpoint is off while they happen to be on their way.
    sent_message(&app, &tenant.live).await;
    sent_message(&app, &tenant.live).await;
    app.operator().post(&format!("{path}/disable"), json!({})).await.expect(200);
    deliver(&app).await;
    let again = format!("{path}/replay");
    let all = json!({"failed_since": since});
    app.operator().post(&again, all.clone()).await.refused(Code::ValidationFailed);
    app.operator().post(&format!("{path}/enable"), json!({})).await.expect(200);
    let done = app.operator().post(&again, all.clone()).await.expect(202);
    assert_eq!((&done.json["deliveries"], &done.json["next_since"]), (&json!(2), &json!(null)));
    deliver(&app).await;
    assert_eq!(receiver.hand_offs().len(), 3);
    assert_eq!(app.operator().post(&again, all).await.expect(202).json["deliveries"], 0, "each was taken by now");
    app.operator().post(&again, json!({"event_id": taken})).await.expect(202);
    deliver(&app).await;
    let ids: Vec<_> = receiver.hand_offs().iter().map(|post| post.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!((ids.len(), &ids[0]), (4, &ids[3]), "it keeps its id");
    let foreign = endpoint(&app.tenant().await.live, &receiver).await.text_at("/id");
    let foreign = format!("/v1/admin/webhooks/{foreign}/replay");
    app.operator().post(&foreign, json!({"event_id": taken})).await.refused(Code::NotFound);
    for bad in [json!({}), json!({"event_id": taken, "failed_since": since})] {
        app.operator().post(&again, bad).await.refused(Code::ValidationFailed);
    }
}

#[actix_web::test]
async fn an_endpoint_is_turned_off_and_on_and_its_organization_is_told() {
    let (app, receiver, other) = (start().await, FakeCarrier::start(), FakeCarrier::start());
    let tenant = app.tenant().await;
    let id = endpoint(&tenant.live, &receiver).await.text_at("/id");
    endpoint(&tenant.live, &other).await;
    let path = format!("/v1/admin/webhooks/{id}");
    let off = app.operator().post(&format!("{path}/disable"), json!({"reason": "it leaks"})).await.expect(200);
    assert_eq!((&off.json["state"], &off.json["disabled_reason"]), (&json!("disabled"), &json!("by_operator")));
    deliver(&app).await;
    let told = other.hand_offs()[0].json();
    assert_eq!((&told["type"], &told["data"]["reason"]), (&json!("webhook.endpoint_disabled"), &json!("by_operator")));
    assert_eq!(receiver.hand_offs().len(), 0);
    let on = app.operator().post(&format!("{path}/enable"), json!({})).await.expect(200);
    assert_eq!((&on.json["state"], &on.json["disabled_reason"]), (&json!("well"), &json!(null)));
    let rows = actions(&app, &id).await;
    let words: Vec<_> = rows.iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(words, ["webhook.enable", "webhook.disable"]);
    assert_eq!((&rows[1]["before"]["status"], &rows[1]["after"]["status"]), (&json!("enabled"), &json!("disabled")));
    assert_eq!(rows[1]["reason"], "it leaks");
}

#[actix_web::test]
async fn another_secret_signs_beside_the_one_before_and_is_shown_once() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let made = endpoint(&tenant.live, &receiver).await;
    let (id, old) = (made.text_at("/id"), made.text_at("/secret"));
    let rotated = app.operator().post(&format!("/v1/admin/webhooks/{id}/rotate"), json!({})).await.expect(200);
    let new = rotated.text_at("/secret");
    sent_message(&app, &tenant.live).await;
    deliver(&app).await;
    let post = &receiver.hand_offs()[0];
    let both = format!("{} {}", signature(&new, post), signature(&old, post));
    assert_eq!(post.header("webhook-signature").unwrap(), both);
    let rows = serde_json::to_string(&actions(&app, &id).await).unwrap();
    assert!(rows.contains("webhook.rotate") && !rows.contains("whsec_"), "{rows}");
}

#[actix_web::test]
async fn what_carriers_call_here_is_counted_with_bad_signatures() {
    let app = start().await;
    let acme = async || {
        let list = app.operator().get("/v1/admin/hooks").await.expect(200).json["data"].clone();
        list.as_array().unwrap().iter().find(|one| one["carrier"] == "acme").unwrap().clone()
    };
    let before = acme().await;
    assert_eq!((&before["taken"], &before["last_received_at"]), (&json!(0), &json!(null)));
    app.acme_reports("SM1", "DELIVRD").await.expect(204);
    let received = app.app.clock.now().rfc3339();
    app.advance(Duration::from_secs(9));
    let forged = app.anonymous().with_header("X-Signature", "00");
    forged.send("POST", "/hooks/acme/status", "application/json", b"{}".to_vec()).await.expect(403);
    let after = acme().await;
    assert_eq!((&after["taken"], &after["bad_signatures"]), (&json!(1), &json!(1)));
    assert_eq!(after["last_received_at"], json!(received));
    assert_eq!(after["last_bad_signature_at"], json!(app.app.clock.now().rfc3339()));
}
