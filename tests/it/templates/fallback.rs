//! From WhatsApp to another channel: at once when it failed, after a while when it is silent, never when it arrived.

use std::time::Duration;

use postern::verifications::run_workflow_steps;
use serde_json::json;

use super::*;
use crate::messages::number;

const MAIL: &str = "ann@example.com";

/// A server whose WhatsApp works, and an organization whose code template is approved there.
async fn scene(graph: &FakeCarrier) -> (TestApp, crate::harness::app::Tenant) {
    let app = with_meta(graph).await;
    let tenant = app.tenant().await;
    approved(&app, &tenant.live, on_whatsapp("wa_code")).await;
    (app, tenant)
}

async fn started(app: &TestApp, tenant: &crate::harness::app::Tenant) -> String {
    let steps = json!([{"channel": "whatsapp", "wait": "30s"}, {"channel": "sms", "wait": "30s"}, {"channel": "email", "to": MAIL}]);
    let body = json!({"to": number(1), "workflow": steps});
    let id = tenant.live.post("/v1/verifications", body).await.expect(201).text_at("/id");
    app.step().await;
    id
}

/// What Meta says of the message it was handed last.
async fn status(app: &TestApp, status: &str) {
    let path = format!("{}/tests/fixtures/meta/webhook_status_{status}.json", env!("CARGO_MANIFEST_DIR"));
    meta_says(app, &std::fs::read_to_string(path).unwrap()).await;
}

async fn go_on(app: &TestApp) -> (usize, usize) {
    run_workflow_steps(&app.app, 100).await.unwrap();
    app.step().await;
    (app.acme.hand_offs().len(), app.post.letters().len())
}

fn code_of(graph: &FakeCarrier) -> String {
    let sent = graph.hand_offs().pop().unwrap().json();
    sent["template"]["components"][0]["parameters"][0]["text"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_refusal_falls_to_sms_at_once_with_the_same_code() {
    let graph = FakeCarrier::start();
    let (app, tenant) = scene(&graph).await;
    let error =
        std::fs::read(format!("{}/tests/fixtures/meta/send_error_131026.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    graph.next(Script::Answer(400, vec![("Content-Type", "application/json".into())], error));
    let id = started(&app, &tenant).await;
    assert_eq!(go_on(&app).await, (1, 0), "without a wait");
    let seen = tenant.live.get(&format!("/v1/verifications/{id}")).await.expect(200);
    assert_eq!((seen.text_at("/channel"), seen.json["sends"].as_array().unwrap().len()), ("sms".into(), 2));
    app.advance(Duration::from_secs(30));
    assert_eq!(go_on(&app).await, (1, 1), "from SMS it goes on by time, and once");
    app.advance(Duration::from_secs(60));
    assert_eq!(go_on(&app).await, (1, 1));
}

#[actix_web::test]
async fn a_failure_that_is_told_later_falls_then() {
    let graph = FakeCarrier::start();
    let (app, tenant) = scene(&graph).await;
    started(&app, &tenant).await;
    app.advance(Duration::from_secs(3));
    assert_eq!(go_on(&app).await, (0, 0));
    status(&app, "failed_131026").await;
    assert_eq!(go_on(&app).await, (1, 0));
    let text = app.acme.hand_offs()[0].json()["text"].as_str().unwrap().to_owned();
    assert!(text.contains(&code_of(&graph)), "the same code: {text}");
    status(&app, "failed_131026").await;
    app.advance(Duration::from_secs(27));
    assert_eq!(go_on(&app).await, (1, 0), "the first step's own time comes up and is void");
}

#[actix_web::test]
async fn silence_falls_after_the_wait_and_a_late_receipt_of_the_first_is_still_taken() {
    let graph = FakeCarrier::start();
    let (app, tenant) = scene(&graph).await;
    let id = started(&app, &tenant).await;
    status(&app, "sent_v24").await;
    app.advance(Duration::from_millis(29_999));
    assert_eq!(go_on(&app).await, (0, 0));
    app.advance(Duration::from_millis(1));
    assert_eq!(go_on(&app).await, (1, 0));
    status(&app, "delivered").await;
    let seen = tenant.live.get(&format!("/v1/verifications/{id}")).await.expect(200);
    let first = seen.text_at("/sends/0/message_id");
    assert_eq!(tenant.live.get(&format!("/v1/messages/{first}")).await.expect(200).text_at("/status"), "delivered");
    let code = code_of(&graph);
    let checked = tenant.live.post(&format!("/v1/verifications/{id}/check"), json!({ "code": code })).await.expect(200);
    assert_eq!(checked.json["valid"], json!(true));
}

#[actix_web::test]
async fn what_arrived_or_was_read_on_whatsapp_stops_the_fall() {
    for receipt in ["delivered", "read_without_delivered"] {
        let graph = FakeCarrier::start();
        let (app, tenant) = scene(&graph).await;
        let id = started(&app, &tenant).await;
        status(&app, receipt).await;
        app.advance(Duration::from_secs(30));
        assert_eq!(go_on(&app).await, (0, 0), "{receipt}: it is the person who has not entered it");
        let seen = tenant.live.get(&format!("/v1/verifications/{id}")).await.expect(200);
        assert_eq!((&seen.json["next_step_at"], &seen.json["workflow_error"]), (&json!(null), &json!(null)));
        tenant.live.post(&format!("/v1/verifications/{id}/next"), json!({})).await.expect(200);
        assert_eq!(go_on(&app).await, (1, 0), "by hand it goes on");
    }
}

async fn message(app: &TestApp, tenant: &crate::harness::app::Tenant, fallback: Value) -> String {
    let template = json!({"name": "wa_code", "params": {"code": "481516"}});
    approved(app, &tenant.live, json!({"name": "wa_code", "category": "authentication", "body": "{{code}} it is"}))
        .await;
    let body = json!({"to": number(1), "channel": "whatsapp", "template": template, "fallback": fallback});
    let id = tenant.live.post("/v1/messages", body).await.expect(202).text_at("/id");
    app.step().await;
    id
}

async fn stands(tenant: &crate::harness::app::Tenant, id: &str) -> String {
    tenant.live.get(&format!("/v1/messages/{id}")).await.expect(200).text_at("/status")
}

/// The dispatcher's next two steps: what was silent falls, and goes out.
async fn steps(app: &TestApp) -> usize {
    app.step().await;
    app.step().await;
    app.acme.hand_offs().len()
}

#[actix_web::test]
async fn a_message_falls_when_whatsapp_is_silent_for_its_wait() {
    let graph = FakeCarrier::start();
    let (app, tenant) = scene(&graph).await;
    let id = message(&app, &tenant, json!([{"channel": "sms", "wait": "20s"}])).await;
    assert_eq!(stands(&tenant, &id).await, "sent");
    status(&app, "sent_v24").await;
    app.advance(Duration::from_millis(19_999));
    assert_eq!(steps(&app).await, 0);
    app.advance(Duration::from_millis(1));
    assert_eq!((steps(&app).await, stands(&tenant, &id).await), (1, "sent".into()));
    assert_eq!(app.acme.hand_offs()[0].json()["text"], "481516 it is");
    status(&app, "delivered").await;
    assert_eq!(stands(&tenant, &id).await, "delivered", "by the first channel, late");
    app.advance(Duration::from_secs(120));
    assert_eq!(steps(&app).await, 1);
}

#[actix_web::test]
async fn a_message_that_arrived_on_whatsapp_does_not_fall() {
    let graph = FakeCarrier::start();
    let (app, tenant) = scene(&graph).await;
    let id = message(&app, &tenant, json!(["sms"])).await;
    status(&app, "delivered").await;
    app.advance(Duration::from_secs(60));
    assert_eq!((steps(&app).await, stands(&tenant, &id).await), (0, "delivered".into()));
}

#[actix_web::test]
async fn a_message_without_a_fallback_waits_for_nothing() {
    let graph = FakeCarrier::start();
    let (app, tenant) = scene(&graph).await;
    let id = message(&app, &tenant, json!([])).await;
    app.advance(Duration::from_secs(3_600));
    assert_eq!((steps(&app).await, stands(&tenant, &id).await), (0, "sent".into()));
}
