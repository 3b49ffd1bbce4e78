//! The whole path, in the sandbox.

use std::time::Duration;

use postern::error::Code;
use serde_json::{Value, json};

use super::{act, draft, feed, progress, shown};
use crate::harness::app::TestApp;
use crate::messages::{drain, number};

#[actix_web::test]
async fn each_contact_gets_its_own_message_and_its_own_outcome() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let hook = json!({"url": "https://example.com/hooks", "events": ["broadcast.started", "broadcast.completed"]});
    acme.test.post("/v1/webhooks", hook).await.expect(201);
    let contacts: Vec<Value> = [0, 2, 4, 7, 8]
        .iter()
        .map(|n| json!({"to": format!("+1500555000{n}"), "params": {"name": format!("N{n}")}}))
        .collect();
    let body = json!({"name": "Spring", "body": "Hi {name} of {shop}", "params": {"shop": "ACME"}, "contacts": contacts,
        "metadata": {"run": "7"}});
    let made = acme.test.post("/v1/broadcasts", body).await.expect(201);
    let id = made.text_at("/id");
    assert_eq!((made.text_at("/status"), made.text_at("/kind")), ("draft".into(), "marketing".into()));
    assert_eq!(feed(&app).await, 0, "a draft sends nothing");

    assert_eq!(act(&acme.test, &id, "start").await["status"], "running");
    assert_eq!(feed(&app).await, 5);
    drain(&app).await;
    let told = progress(&acme.test, &id).await;
    assert_eq!(told["status"], "completed");
    assert_eq!((&told["accepted"], &told["refused"], &told["waiting"]), (&json!(4), &json!(1), &json!(0)));
    assert_eq!(told["messages"], json!({"delivered": 1, "undelivered": 1, "sent": 1, "unknown": 1}));
    assert_eq!(told["errors"]["recipient.opted_out"], 1, "{told}");

    let inbox = acme.test.get("/v1/sandbox/messages?to=%2B15005550000").await.expect(200);
    assert_eq!(inbox.text_at("/data/0/body"), "Hi N0 of ACME");
    let list = acme.test.get(&format!("/v1/messages?batch_id={}", made.text_at("/batch_id"))).await.expect(200);
    assert_eq!(list.json["data"].as_array().unwrap().len(), 4);
    assert!(list.json["data"].as_array().unwrap().iter().all(|one| one["metadata"]["run"] == "7"));
    let batch = acme.test.get(&format!("/v1/batches/{}", made.text_at("/batch_id"))).await.expect(200);
    assert_eq!(batch.json["accepted"], 4);
    let events = acme.test.get("/v1/events").await.expect(200);
    let kinds: Vec<&str> =
        events.json["data"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["broadcast.completed", "broadcast.started"]);
    assert!(!events.text.contains("+1500555"), "no contact is told");
}

#[actix_web::test]
async fn one_key_makes_one_broadcast_adds_once_and_starts_once() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let keyed = |key: &str| acme.live.with_header("Idempotency-Key", key);
    let body = json!({"body": "Hi"});
    let first = keyed("make").post("/v1/broadcasts", body.clone()).await.expect(201);
    assert_eq!(keyed("make").post("/v1/broadcasts", body).await.expect(201).text, first.text);
    let id = first.text_at("/id");
    let contacts = format!("/v1/broadcasts/{id}/contacts");
    let list = json!({"contacts": [{"to": number(1)}, {"to": number(2)}, {"to": number(1)}]});
    let added = keyed("add").post(&contacts, list.clone()).await.expect(200);
    assert_eq!((&added.json["added"], &added.json["duplicates"]), (&json!(2), &json!(1)));
    let again = keyed("add").post(&contacts, list.clone()).await.expect(200);
    assert_eq!((again.header("idempotent-replayed"), &again.text), (Some("true"), &added.text));
    keyed("add").post(&contacts, json!({"contacts": [{"to": number(3)}]})).await.refused(Code::IdempotencyMismatch);
    // Without a key it is a repeat of contacts that are there.
    let other = acme.live.post(&contacts, list.clone()).await.expect(200);
    assert_eq!(
        (&other.json["added"], &other.json["duplicates"], &other.json["contacts"]),
        (&json!(0), &json!(3), &json!(2))
    );
    assert_eq!(shown(&acme.live, &id).await["duplicates"], 4);

    let start = format!("/v1/broadcasts/{id}/start");
    keyed("start").post(&start, json!({})).await.expect(200);
    assert_eq!(feed(&app).await, 2);
    keyed("start").post(&start, json!({})).await.expect(200);
    acme.live.post(&start, json!({})).await.refused(Code::BroadcastNotEditable);
    acme.live.post(&contacts, list).await.refused(Code::BroadcastNotEditable);
    assert_eq!((feed(&app).await, drain(&app).await), (0, 2));
}

#[actix_web::test]
async fn a_scheduled_broadcast_begins_by_itself_at_its_time() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = draft(&acme.live, 0..3).await;
    let schedule = format!("/v1/broadcasts/{id}/schedule");
    let at = app.app.clock.now().plus(Duration::from_secs(3_600)).rfc3339();
    for wrong in [app.app.clock.now().rfc3339(), String::from("2126-12-01T08:00:00Z"), String::from("soon")] {
        acme.live.post(&schedule, json!({"at": wrong})).await.refused(Code::ValidationFailed);
    }
    let told = acme.live.post(&schedule, json!({"at": at})).await.expect(200);
    assert_eq!((told.text_at("/status"), told.text_at("/next_at")), ("scheduled".into(), at.clone()));
    app.advance(Duration::from_secs(3_599));
    assert_eq!(feed(&app).await, 0);
    app.advance(Duration::from_secs(1));
    assert_eq!(feed(&app).await, 3);
    let told = shown(&acme.live, &id).await;
    assert_eq!((&told["status"], &told["started_at"]), (&json!("completed"), &json!(at)));
}

#[actix_web::test]
async fn what_is_wrong_with_a_broadcast_is_told_before_it_is_made() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for (body, field) in [
        (json!({}), "body"),
        (json!({"body": "x", "template": {"name": "login"}}), "template"),
        (json!({"body": "x", "kind": "otp"}), "kind"),
        (json!({"body": "Hi {"}), "body"),
        (json!({"body": "x", "ttl": "1s"}), "ttl"),
        (json!({"body": "x", "from": "far too long a name"}), "from"),
        (json!({"body": "x", "subject": "y"}), "subject"),
        (json!({"body": "x", "name": "two\nlines"}), "name"),
        (json!({"body": "x", "contacts": [{"to": "nobody"}]}), "contacts[0].to"),
        (json!({"body": "{a}", "contacts": [{"to": number(1)}]}), "contacts[0].params.a"),
    ] {
        let reply = acme.live.post("/v1/broadcasts", body.clone()).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"][field].is_array(), "{body}: {}", reply.text);
    }
    assert_eq!(acme.live.get("/v1/broadcasts").await.expect(200).json["data"], json!([]));
    let empty = acme.live.post("/v1/broadcasts", json!({"body": "x"})).await.expect(201).text_at("/id");
    acme.live.post(&format!("/v1/broadcasts/{empty}/start"), json!({})).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn a_template_speaks_each_contact_s_language() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let contacts = json!([
        {"to": number(1), "params": {"code": "481516"}, "locale": "de"},
        {"to": number(2), "params": {"code": "234200"}},
    ]);
    let template = json!({"name": "login", "locale": "en", "params": {}});
    let body = json!({"template": template, "kind": "transactional", "contacts": contacts});
    let made = acme.live.post("/v1/broadcasts", body).await.expect(201);
    assert_eq!(made.text_at("/template"), "login");
    act(&acme.live, &made.text_at("/id"), "start").await;
    feed(&app).await;
    drain(&app).await;
    let mut said: Vec<String> = app.acme.hand_offs().iter().map(|call| call.json()["text"].to_string()).collect();
    said.sort_by_key(|text| !text.contains("481516"));
    assert!(said[0].contains("481516") && said[1].contains("234200"), "{said:?}");
    assert_ne!(said[0].replace("481516", ""), said[1].replace("234200", ""));
}
