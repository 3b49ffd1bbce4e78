//! Listeners: what happened is there until it is acknowledged, for as long as the lease holds; and events made up.

use std::time::Duration;

use postern::error::Code;
use postern::{webhooks, worker};
use serde_json::{Value, json};

use super::{deliver, endpoint, sent_message, signature, start};
use crate::harness::actor::Actor;
use crate::harness::fake_carrier::FakeCarrier;

async fn listener(caller: &Actor, body: Value) -> String {
    caller.post("/v1/listeners", body).await.expect(201).text_at("/id")
}

/// Ids and types of what a listener has not acknowledged.
async fn unheard(caller: &Actor, id: &str) -> Vec<(String, String)> {
    let heard = caller.get(&format!("/v1/listeners/{id}/events")).await.expect(200);
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    heard.json["data"].as_array().unwrap().iter().map(|one| (text(one, "id"), text(one, "type"))).collect()
}

#[actix_web::test]
async fn what_happens_is_kept_for_each_listener_until_it_says_that_it_has_it() {
    let app = start().await;
    let tenant = app.tenant().await;
    let (all, some) =
        (listener(&tenant.live, json!({})).await, listener(&tenant.live, json!({"events": ["message.failed"]})).await);
    sent_message(&app, &tenant.live).await;
    sent_message(&app, &tenant.live).await;
    let heard = unheard(&tenant.live, &all).await;
    assert_eq!(heard.iter().map(|(_, kind)| kind.as_str()).collect::<Vec<_>>(), ["message.sent", "message.sent"]);
    assert_eq!(unheard(&tenant.live, &some).await, []);
    let ack = format!("/v1/listeners/{all}/ack");
    for _ in 0..2 {
        tenant.live.post(&ack, json!({"events": [heard[0].0]})).await.expect(200);
        assert_eq!(unheard(&tenant.live, &all).await, heard[1..], "saying it twice changes nothing");
    }
    let events = tenant.live.get("/v1/events").await.expect(200);
    assert_eq!(events.json["data"].as_array().unwrap().len(), 2, "kept as what an endpoint asked for");
    let whole = tenant.live.get(&format!("/v1/listeners/{all}/events")).await.expect(200).text;
    assert!(!whole.contains("7911123456") && !whole.contains("hello there"), "{whole}");
    tenant.live.delete(&format!("/v1/listeners/{all}")).await.expect(204);
    tenant.live.get(&format!("/v1/listeners/{all}/events")).await.refused(Code::NotFound);
    tenant.live.post(&ack, json!({"events": []})).await.refused(Code::NotFound);
    sent_message(&app, &tenant.live).await;
    let events = tenant.live.get("/v1/events").await.expect(200);
    assert_eq!(events.json["data"].as_array().unwrap().len(), 2, "nobody asks any more");
}

#[actix_web::test]
async fn a_lease_is_renewed_by_an_acknowledgement_and_ends_without() {
    let app = start().await;
    let tenant = app.tenant().await;
    let id = listener(&tenant.live, json!({})).await;
    sent_message(&app, &tenant.live).await;
    let ack = format!("/v1/listeners/{id}/ack");
    for _ in 0..3 {
        app.advance(Duration::from_secs(3_599));
        let renewed = tenant.live.post(&ack, json!({"events": []})).await.expect(200);
        assert_eq!(renewed.text_at("/expires_at"), app.app.clock.now().plus(Duration::from_secs(3_600)).rfc3339());
    }
    assert_eq!(unheard(&tenant.live, &id).await.len(), 1, "nothing is lost while it holds");
    app.advance(Duration::from_secs(3_600));
    tenant.live.get(&format!("/v1/listeners/{id}/events")).await.refused(Code::NotFound);
    for _ in 0..10 {
        listener(&tenant.live, json!({})).await;
    }
    let many = tenant.live.post("/v1/listeners", json!({})).await.refused(Code::ValidationFailed);
    assert!(many.text.contains("10 listeners"), "{}", many.text);
    listener(&tenant.test, json!({})).await;
    // One that has said nothing for five minutes makes room; those that live do not.
    let busy = listener(&tenant.test, json!({})).await;
    app.advance(Duration::from_secs(299));
    tenant.live.post("/v1/listeners", json!({})).await.refused(Code::ValidationFailed);
    tenant.test.post(&format!("/v1/listeners/{busy}/ack"), json!({"events": []})).await.expect(200);
    app.advance(Duration::from_secs(1));
    for _ in 0..9 {
        listener(&tenant.test, json!({})).await;
    }
    tenant.test.get(&format!("/v1/listeners/{busy}/events")).await.expect(200);
    tenant.test.post("/v1/listeners", json!({})).await.refused(Code::ValidationFailed);
    listener(&tenant.live, json!({})).await;
    worker::sweep(&app.app).await.unwrap();
    app.advance(Duration::from_secs(3_600));
    worker::sweep(&app.app).await.unwrap();
    let left = app.write(|conn| webhooks::purge_listeners(conn, postern::clock::Millis(i64::MAX), 100)).await;
    assert_eq!(left, 0, "nothing is left of what ended");
}

#[actix_web::test]
async fn an_answer_waits_for_an_event_and_no_longer_than_the_process_lives() {
    let app = start().await;
    let tenant = app.tenant().await;
    let id = listener(&tenant.live, json!({})).await;
    let path = format!("/v1/listeners/{id}/events?wait=30");
    let (heard, _) = tokio::join!(tenant.live.attempt("GET", &path, None), sent_message(&app, &tenant.live));
    let heard = heard.unwrap().expect(200);
    assert_eq!(heard.text_at("/data/0/type"), "message.sent");
    let ack = format!("/v1/listeners/{id}/ack");
    tenant.live.post(&ack, json!({"events": [heard.text_at("/data/0/id")]})).await.expect(200);
    let (heard, ()) = tokio::join!(tenant.live.attempt("GET", &path, None), async {
        webhooks::release_listeners(&app.app);
    });
    assert_eq!(heard.unwrap().expect(200).json["data"], json!([]));
    tenant.live.get(&format!("/v1/listeners/{id}/events?wait=31")).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn an_event_is_made_up_told_like_a_real_one_and_marked() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let secret = endpoint(&tenant.test, &receiver).await.text_at("/secret");
    let id = listener(&tenant.test, json!({"events": ["message.delivered"]})).await;
    let other = listener(&tenant.live, json!({})).await;
    let body = json!({"type": "message.delivered", "data": {"metadata": {"order": "7"}}});
    let made = tenant.test.post("/v1/sandbox/events", body.clone()).await.expect(201);
    assert_eq!((&made.json["endpoints"], &made.json["listeners"]), (&json!(1), &json!(1)));
    assert_eq!(deliver(&app).await, 1);
    let post = &receiver.hand_offs()[0];
    assert_eq!(post.header("webhook-signature").unwrap(), signature(&secret, post));
    let data = &post.json()["data"];
    assert_eq!((&data["test"], &data["status"]), (&json!(true), &json!("delivered")));
    assert_eq!(data["metadata"], json!({"order": "7"}));
    assert_eq!(unheard(&tenant.test, &id).await, [(made.text_at("/id"), "message.delivered".into())]);
    assert_eq!(unheard(&tenant.live, &other).await, []);
    tenant.live.post("/v1/sandbox/events", body).await.refused(Code::PermissionDenied);
    for body in [json!({"type": "webhook.test"}), json!({"type": "message.eaten"})] {
        tenant.test.post("/v1/sandbox/events", body).await.refused(Code::ValidationFailed);
    }
}

/// What a made-up event says has the members of a real one.
#[actix_web::test]
async fn a_made_up_event_has_the_members_of_a_real_one() {
    let app = start().await;
    let tenant = app.tenant().await;
    let id = listener(&tenant.test, json!({})).await;
    let start = json!({"to": "+15005550000"});
    let verification = tenant.test.post("/v1/verifications", start).await.expect(201).text_at("/id");
    app.step().await;
    tenant.test.post(&format!("/v1/verifications/{verification}/cancel"), json!({})).await.expect(200);
    let written = json!({"from": "+447400123450", "to": "+447400123451", "body": "STOP"});
    tenant.test.post("/v1/sandbox/inbound", written).await.expect(201);
    let heard = tenant.test.get(&format!("/v1/listeners/{id}/events")).await.expect(200);
    let real = heard.json["data"].as_array().unwrap();
    assert!(real.len() >= 5, "{}", heard.text);
    let members = |data: &Value| data.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for event in real {
        let made = tenant.test.post("/v1/sandbox/events", json!({"type": event["type"]})).await.expect(201);
        let mut made = made.json["payload"]["data"].clone();
        assert_eq!(made.as_object_mut().unwrap().remove("test"), Some(json!(true)));
        assert_eq!(members(&made), members(&event["payload"]["data"]), "{}", event["type"]);
    }
}

#[actix_web::test]
async fn operators_see_the_events_of_all_as_far_as_somebody_asked_for_them() {
    let app = start().await;
    let (one, other) = (app.tenant().await, app.tenant().await);
    let since = app.app.clock.now();
    let all = format!("/v1/admin/events?since={}", since.rfc3339());
    sent_message(&app, &one.live).await;
    assert_eq!(app.operator().get(&all).await.expect(200).json["data"], json!([]), "nobody asked");
    listener(&one.live, json!({})).await;
    listener(&other.test, json!({})).await;
    let id = sent_message(&app, &one.live).await;
    app.advance(Duration::from_secs(1));
    other.test.post("/v1/sandbox/events", json!({"type": "message.failed"})).await.expect(201);
    let page = app.operator().get(&all).await.expect(200);
    let told: Vec<Value> = page.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| json!([event["org_id"], event["mode"], event["type"]]))
        .collect();
    assert_eq!(json!(told), json!([[one.org, "live", "message.sent"], [other.org, "test", "message.failed"]]));
    assert_eq!((&page.json["data"][0]["payload"]["data"]["id"], &page.json["has_more"]), (&json!(id), &json!(false)));
    assert_eq!(page.text_at("/next_since"), app.app.clock.now().minus(Duration::from_secs(3)).rfc3339());
    assert!(!page.text.contains("7911123456") && !page.text.contains("hello there"), "{}", page.text);
    one.live.get("/v1/admin/events").await.refused(Code::Unauthenticated);
    app.operator().get("/v1/admin/events?since=soon").await.refused(Code::ValidationFailed);
}
