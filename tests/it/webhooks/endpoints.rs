//! Endpoints: made once for a key, filtered, tested, deleted; live and test apart.

use postern::error::Code;
use serde_json::{Value, json};

use super::{deliver, endpoint, latest, sent_message, start};
use crate::harness::fake_carrier::FakeCarrier;

#[actix_web::test]
async fn an_endpoint_is_made_once_for_a_key_and_its_secret_is_replayed_sealed() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let caller = app.tenant().await.live.with_header("Idempotency-Key", "make-it-once");
    let first = endpoint(&caller, &receiver).await;
    let again = endpoint(&caller, &receiver).await;
    assert_eq!((first.text, again.header("idempotent-replayed")), (again.text.clone(), Some("true")));
    assert_eq!(caller.get("/v1/webhooks").await.expect(200).json["data"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_filter_holds_and_live_and_test_never_meet() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let body = json!({"url": receiver.url("/failed"), "events": ["message.failed"]});
    let id = tenant.live.post("/v1/webhooks", body).await.expect(201).text_at("/id");
    endpoint(&tenant.test, &receiver).await;
    sent_message(&app, &tenant.live).await;
    assert_eq!(deliver(&app).await, 0);
    let path = format!("/v1/webhooks/{id}");
    tenant.live.patch(&path, json!({"events": ["message.sent"], "description": "now"})).await.expect(200);
    sent_message(&app, &tenant.live).await;
    assert_eq!(deliver(&app).await, 1);
    assert_eq!(tenant.live.delete(&path).await.status, 204);
    tenant.live.get(&path).await.refused(Code::NotFound);
    sent_message(&app, &tenant.live).await;
    assert_eq!(deliver(&app).await, 0);
}

#[actix_web::test]
async fn a_test_goes_to_one_endpoint_whatever_it_asked_for() {
    let (app, receiver, other) = (start().await, FakeCarrier::start(), FakeCarrier::start());
    let tenant = app.tenant().await;
    endpoint(&tenant.live, &other).await;
    let body = json!({"url": receiver.url("/hook"), "events": ["message.failed"]});
    let id = tenant.live.post("/v1/webhooks", body).await.expect(201).text_at("/id");
    let delivery = tenant.live.post(&format!("/v1/webhooks/{id}/test"), json!({})).await.expect(202);
    assert_eq!((delivery.text_at("/status"), deliver(&app).await), ("pending".to_owned(), 1));
    assert_eq!((receiver.hand_offs()[0].json()["type"].clone(), other.calls()), (json!("webhook.test"), 0));
    let told = latest(&tenant.live, &id).await;
    assert_eq!((&told["http_status"], &told["error"]), (&json!(201), &Value::Null));
    assert!(told["duration_ms"].is_i64());
    tenant.live.patch(&format!("/v1/webhooks/{id}"), json!({"status": "disabled"})).await.expect(200);
    tenant.live.post(&format!("/v1/webhooks/{id}/test"), json!({})).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn what_is_no_endpoint_is_refused_by_field() {
    let app = start().await;
    let caller = app.tenant().await.live;
    let url = "https://example.com/hooks";
    let wrong = [
        (json!({"url": url, "events": []}), "events"),
        (json!({"url": url, "events": ["message.sent", "no.such"]}), "events"),
        (json!({"url": url, "events": ["webhook.test"]}), "events"),
        (json!({"url": url, "description": "x".repeat(201)}), "description"),
        (json!({"url": url, "secret": "mine"}), "secret"),
    ];
    for (body, field) in wrong {
        let reply = caller.post("/v1/webhooks", body.clone()).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"].to_string().contains(field), "{body}: {}", reply.text);
    }
    for _ in 0..50 {
        caller.post("/v1/webhooks", json!({"url": url})).await.expect(201);
    }
    caller.post("/v1/webhooks", json!({"url": url})).await.refused(Code::ValidationFailed);
}
