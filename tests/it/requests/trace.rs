//! From an `X-Request-Id` to everything that the request left behind.

use std::time::Duration;

use postern::error::Code;
use postern::messages;
use serde_json::{Value, json};

use super::{trace_of, write};
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::{FakeCarrier, Script};

async fn started(places: u32) -> TestApp {
    TestApp::start_with(|config| {
        config.outbound.allow = vec!["127.0.0.0/8".parse().unwrap()];
        config.request_log.max_per_second = places;
    })
    .await
}

fn words<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap_or_default()).collect()
}

#[actix_web::test]
async fn a_message_is_followed_from_its_request_to_the_last_webhook() {
    let (app, receiver) = (started(100).await, FakeCarrier::start());
    let tenant = app.tenant().await;
    tenant.live.post("/v1/webhooks", json!({"url": receiver.url("/hook")})).await.expect(201);
    receiver.next(Script::Answer(500, vec![], Vec::new()));
    let body = json!({"to": "+447911123456", "body": "Your code is 481516"});
    let sent = tenant.live.post("/v1/messages", body).await.expect(202);
    app.advance(Duration::from_secs(1));
    app.step().await;
    app.advance(Duration::from_secs(3));
    app.acme_reports(&format!("SM{:032x}", 1), "DELIVRD").await.expect(204);
    postern::webhooks::deliver_due(&app.app).await.unwrap();
    let trace = trace_of(&app, &sent).await;
    assert_eq!((&trace["request"]["route"], &trace["request"]["status"]), (&json!("/v1/messages"), &json!(202)));
    let decision = &trace["decisions"][0];
    assert_eq!((&decision["action"], &decision["message_id"]), (&json!("allow"), &sent.json["id"]));
    let limits = words(&decision["limits"], "policy");
    assert!(limits.contains(&"otp.number") && limits.contains(&"sms.plan"), "{limits:?}");
    assert!(decision["limits"].as_array().unwrap().iter().all(|limit| limit["used"].as_i64().unwrap() >= 1));
    let message = &trace["messages"][0];
    assert_eq!((&message["status"], &message["to"]), (&json!("delivered"), &json!("+447••••••456")));
    let steps = words(&message["timeline"], "kind");
    for kind in ["limit.counted", "decision", "attempt.started", "receipt", "message.delivered", "webhook.delivered"] {
        assert!(steps.contains(&kind), "no {kind} in {steps:?}");
    }
    assert_eq!(steps[0], "message.accepted", "{steps:?}");
    let looked_up = app.operator().get(&format!("/v1/admin/messages/{}", sent.text_at("/id"))).await.expect(200);
    assert_eq!(words(&looked_up.json["timeline"], "kind"), steps, "one story, whichever way it is found");
    let attempt = &message["attempts"][0];
    assert_eq!((&attempt["carrier"], &attempt["state"]), (&json!("acme"), &json!("accepted")));
    assert_eq!(attempt["provider_id"], json!(format!("SM{:032x}", 1)));
    let receipt = &message["receipts"][0];
    assert_eq!((&receipt["carrier"], &receipt["provider_id"]), (&json!("acme"), &attempt["provider_id"]));
    assert_eq!(words(&message["webhooks"], "type"), ["message.sent", "message.delivered"]);
    let first = &message["webhooks"][0]["deliveries"][0];
    assert_eq!(
        (&first["http_status"], &first["status"], &first["attempts"]),
        (&json!(500), &json!("pending"), &json!(1))
    );
    assert_eq!(message["webhooks"][1]["deliveries"][0]["status"], "delivered");
    assert_eq!((&trace["verification"], &trace["has_more_messages"]), (&json!(null), &json!(false)));
    let text = trace.to_string();
    assert!(!text.contains("7911123456") && !text.contains("481516"), "{text}");
}

#[actix_web::test]
async fn a_replayed_event_is_among_the_deliveries() {
    let (app, receiver) = (started(100).await, FakeCarrier::start());
    let tenant = app.tenant().await;
    tenant.live.post("/v1/webhooks", json!({"url": receiver.url("/hook")})).await.expect(201);
    let body = json!({"to": "+447911123456", "body": "hello", "kind": "transactional"});
    let sent = tenant.live.post("/v1/messages", body).await.expect(202);
    app.step().await;
    let event = trace_of(&app, &sent).await["messages"][0]["webhooks"][0]["id"].as_str().unwrap().to_owned();
    app.advance(Duration::from_secs(3_600));
    tenant.live.post(&format!("/v1/events/{event}/replay"), json!({})).await.expect(202);
    let trace = trace_of(&app, &sent).await;
    assert_eq!(trace["messages"][0]["webhooks"][0]["deliveries"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn a_send_without_a_line_is_found_by_what_it_made() {
    let app = started(0).await;
    let tenant = app.tenant().await;
    let body = json!({"to": "+447911123456", "body": "Your code is 481516"});
    let mut replies = Vec::new();
    for _ in 0..4 {
        replies.push(tenant.live.post("/v1/messages", body.clone()).await);
        app.advance(Duration::from_secs(1));
    }
    messages::write_refusals(&app.app).await.unwrap();
    let passed = trace_of(&app, &replies[1]).await;
    assert_eq!((&passed["request"], &passed["messages"][0]["id"]), (&json!(null), &replies[1].json["id"]));
    assert_eq!(passed["messages"].as_array().unwrap().len(), 1, "and no other's");
    assert!(passed["at"].is_string());
    let refused = trace_of(&app, &replies[3]).await;
    assert_eq!(replies[3].status, 429);
    let decision = &refused["decisions"][0];
    assert_eq!((&decision["id"], &decision["code"]), (&replies[3].json["decision"], &json!("otp.number_limit")));
    assert_eq!(refused["messages"], json!([]));
    // A request that made nothing and has no line has left nothing behind.
    let read = tenant.live.get("/v1/account").await.expect(200);
    write(&app).await;
    let path = format!("/v1/admin/requests/{}", read.header("x-request-id").unwrap());
    app.operator().get(&path).await.refused(Code::NotFound);
}

#[actix_web::test]
async fn a_verification_is_followed_with_its_checks_and_its_code_never() {
    let app = started(100).await;
    let tenant = app.tenant().await;
    let start = tenant.live.post("/v1/verifications", json!({"to": "+447911123456"})).await.expect(201);
    let id = start.text_at("/id");
    app.step().await;
    let text = app.acme.hand_offs()[0].json()["text"].as_str().unwrap().to_owned();
    let code: String = text.chars().filter(char::is_ascii_digit).take(6).collect();
    app.advance(Duration::from_secs(7));
    let check = format!("/v1/verifications/{id}/check");
    let wrong = if code == "000000" { "111111" } else { "000000" };
    tenant.live.post(&check, json!({"code": wrong})).await.expect(200);
    let right = tenant.live.post(&check, json!({"code": code})).await.expect(200);
    for reply in [&start, &right] {
        let trace = trace_of(&app, reply).await;
        let verification = &trace["verification"];
        assert_eq!((&verification["id"], &verification["status"]), (&json!(id), &json!("approved")));
        assert_eq!((&verification["checks"], &verification["to"]), (&json!(2), &json!("+447••••••456")));
        let routes = words(&verification["requests"], "route");
        let check = "/v1/verifications/{id}/check";
        assert_eq!(routes, ["/v1/verifications", check, check]);
        assert_eq!(trace["messages"][0]["verification_id"], json!(id));
        let text = trace.to_string();
        assert!(!text.contains(&code) && !text.contains("7911123456"), "{text}");
    }
}

#[actix_web::test]
async fn a_bulk_shows_twenty_and_says_that_there_are_more() {
    let app = started(100).await;
    let tenant = app.tenant().await;
    let message = |n: usize| json!({"to": format!("+4479111234{n:02}"), "body": "hello", "kind": "transactional"});
    let body = json!({"messages": (0..25).map(message).collect::<Vec<_>>()});
    let sent = tenant.live.post("/v1/messages/bulk", body).await.expect(202);
    let trace = trace_of(&app, &sent).await;
    assert_eq!(trace["messages"].as_array().unwrap().len(), 20);
    assert_eq!(trace["has_more_messages"], json!(true));
    assert_eq!(trace["messages"][0]["batch_id"], sent.json["batch_id"]);
}

#[actix_web::test]
async fn changes_are_shown_to_those_who_may_read_the_audit_log() {
    let app = started(100).await;
    let tenant = app.tenant().await;
    let path = format!("/v1/admin/orgs/{}", tenant.org);
    let changed = app.operator().patch(&path, json!({"locale": "de", "reason": "asked for"})).await.expect(200);
    let trace = trace_of(&app, &changed).await;
    assert_eq!(
        (&trace["changes"][0]["action"], &trace["changes"][0]["reason"]),
        (&json!("org.update"), &json!("asked for"))
    );
    assert_eq!(trace["request"]["target"], json!(tenant.org));
    let body = json!({"name": "Vi", "role": "viewer"});
    let viewer = app.operator().post("/v1/admin/operators", body).await.expect(201).text_at("/id");
    let token = app.operator().post(&format!("/v1/admin/operators/{viewer}/tokens"), json!({})).await.expect(201);
    let path = format!("/v1/admin/requests/{}", changed.header("x-request-id").unwrap());
    let seen = app.anonymous().with_token(&token.text_at("/secret")).get(&path).await.expect(200);
    assert_eq!((&seen.json["changes"], &seen.json["request"]["status"]), (&json!(null), &json!(200)));
}

#[actix_web::test]
async fn an_id_that_nothing_knows_is_not_found() {
    let app = started(100).await;
    for id in ["8f14e45f-ceea-467f-a0e6-4f2e2a1f0b77", "019d3a5e-7c40-7b1e-8a55-0f6b1c2d3e4f", "x", "msg_1"] {
        app.operator().get(&format!("/v1/admin/requests/{id}")).await.refused(Code::NotFound);
    }
}
