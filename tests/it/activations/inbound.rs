//! What comes in: to whom it goes, what code is in it, and who never sees it.

use std::time::Duration;

use postern::config::Config;
use postern::error::Code;
use postern::webhooks;
use serde_json::{Value, json};

use super::{MINUTE, act, ask, comes, expire, order, refused, service, shown, supply, text_key};
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::FakeCarrier;

fn opened(config: &mut Config) {
    config.outbound.allow = vec!["127.0.0.0/8".parse().unwrap()];
}

#[actix_web::test]
async fn two_services_share_a_number_and_each_gets_its_own_messages() {
    let app = TestApp::start().await;
    service(&app, "ot", json!({})).await;
    service(&app, "ac", json!({"senders": ["ACME"], "texts": [r"acme ref \d+, key (\w+)"]})).await;
    supply(&app, 100..101, &["ot", "ac"], json!({})).await;
    let (acme, rival) = (app.tenant().await, app.tenant().await);
    let any = order(&acme.live, "ot").await.expect(201);
    let own = order(&rival.live, "ac").await.expect(201);
    let number = own.text_at("/phone_number");
    assert_eq!(any.text_at("/phone_number"), number);
    refused(&order(&rival.live, "ot").await, Code::NotFound);
    comes(&app, 1, ("ACME", &number), "ACME ref 4711, key aB12x").await;
    comes(&app, 2, ("+447400123456", &number), "Your code is 481516").await;
    let (any, own) = (shown(&acme.live, &any.text_at("/id")).await, shown(&rival.live, &own.text_at("/id")).await);
    assert_eq!((&any["code"], &own["code"]), (&json!("481516"), &json!("aB12x")));
    assert_eq!((any["messages"].as_array().unwrap().len(), own["messages"].as_array().unwrap().len()), (1, 1));
    let theirs = format!("/v1/activations/{}", own["id"].as_str().unwrap());
    refused(&acme.live.get(&theirs).await, Code::NotFound);
    refused(&rival.test.get(&theirs).await, Code::NotFound);
}

#[actix_web::test]
async fn a_repeat_changes_nothing_and_what_nobody_waits_for_is_not_kept() {
    let app = TestApp::start().await;
    service(&app, "ot", json!({})).await;
    supply(&app, 100..101, &["ot"], json!({})).await;
    let acme = app.tenant().await;
    let made = order(&acme.live, "ot").await.expect(201);
    let (id, number) = (made.text_at("/id"), made.text_at("/phone_number"));
    comes(&app, 1, ("ACME", &number), "Welcome to ACME!").await;
    assert_eq!(shown(&acme.live, &id).await["status"], "waiting", "no code is in it");
    for _ in 0..3 {
        comes(&app, 2, ("ACME", &number), "123456 is your code").await;
    }
    // Not asked for: a code came already.
    comes(&app, 3, ("ACME", &number), "777777 is your code").await;
    act(&acme.live, &id, "retry").await.expect(200);
    comes(&app, 2, ("ACME", &number), "123456 is your code").await;
    let seen = shown(&acme.live, &id).await;
    assert_eq!((&seen["status"], &seen["code"]), (&json!("waiting_retry"), &json!("123456")));
    assert_eq!(seen["messages"].as_array().unwrap().len(), 2, "{seen}");
    // No part of anybody's inbox, and no word about consent.
    comes(&app, 4, ("+447400123456", &number), "STOP").await;
    assert_eq!(acme.live.get("/v1/inbound").await.expect(200).json["data"], json!([]));
    assert_eq!(app.operator().get("/v1/admin/inbound").await.expect(200).json["data"], json!([]));
    assert_eq!(acme.live.get("/v1/opt-outs").await.expect(200).json["data"], json!([]));
}

#[actix_web::test]
async fn a_test_key_rents_test_numbers_and_makes_its_own_messages_up() {
    let app = TestApp::start().await;
    service(&app, "ot", json!({"price": "0.50"})).await;
    supply(&app, 100..102, &["ot"], json!({"mode": "test"})).await;
    let (acme, rival) = (app.tenant().await, app.tenant().await);
    refused(&order(&acme.live, "ot").await, Code::NotFound);
    let made = order(&acme.test, "ot").await.expect(201);
    let (id, number) = (made.text_at("/id"), made.text_at("/phone_number"));
    let says = json!({"from": "+447400123456", "to": number, "body": "Your code is 481516"});
    rival.test.post("/v1/sandbox/inbound", says.clone()).await.expect(201);
    comes(&app, 1, ("ACME", &number), "Your code is 111111").await;
    assert_eq!(shown(&acme.test, &id).await["status"], "waiting");
    acme.test.post("/v1/sandbox/inbound", says).await.expect(201);
    assert_eq!(shown(&acme.test, &id).await["code"], "481516");
}

#[actix_web::test]
async fn endpoints_are_told_of_a_code_and_of_an_end_but_not_what_came() {
    let app = TestApp::start_with(opened).await;
    let receiver = FakeCarrier::start();
    service(&app, "ot", json!({})).await;
    supply(&app, 100..102, &["ot"], json!({})).await;
    let acme = app.tenant().await;
    let hook = json!({"url": receiver.url("/hook"), "events": ["activation.code_received", "activation.expired"]});
    acme.live.post("/v1/webhooks", hook).await.expect(201);
    let first = order(&acme.live, "ot").await.expect(201);
    let second = order(&acme.live, "ot").await.expect(201);
    comes(&app, 1, ("ACME", &first.text_at("/phone_number")), "123456 is your ACME code").await;
    act(&acme.live, &first.text_at("/id"), "complete").await.expect(200);
    app.advance(20 * MINUTE);
    assert_eq!(expire(&app).await, 1);
    webhooks::deliver_due(&app.app).await.unwrap();
    let told: Vec<Value> = receiver.hand_offs().iter().map(|post| post.json()).collect();
    let kinds: Vec<&str> = told.iter().filter_map(|post| post["type"].as_str()).collect();
    assert_eq!(kinds.len(), 2, "{told:?}");
    let of = |kind: &str| told.iter().find(|post| post["type"] == kind).unwrap()["data"].clone();
    let (came, ended) = (of("activation.code_received"), of("activation.expired"));
    assert_eq!((&came["id"], &came["status"], &came["messages"]), (&first.json["id"], &json!("received"), &json!(1)));
    assert_eq!((&ended["id"], &ended["status"]), (&second.json["id"], &json!("expired")));
    let text = format!("{told:?}");
    assert!(!text.contains("123456") && !text.contains("7700900") && !text.contains("ACME"), "{text}");
}

/// Codes and texts go after `retention.bodies`, once the rent has ended; that they came stays.
#[actix_web::test]
async fn what_a_rented_number_received_goes_before_that_it_did() {
    let day = Duration::from_secs(86_400);
    let app = TestApp::start_with(move |config| {
        config.retention.bodies = Duration::from_secs(3_600);
        config.numbers.life = day;
    })
    .await;
    service(&app, "ot", json!({})).await;
    supply(&app, 100..102, &["ot"], json!({})).await;
    let acme = app.tenant().await;
    let [ended, open] = [order(&acme.live, "ot").await.expect(201), order(&acme.live, "ot").await.expect(201)];
    for (n, made) in [&ended, &open].into_iter().enumerate() {
        comes(&app, n, ("ACME", &made.text_at("/phone_number")), "123456 is your code").await;
    }
    let (ended, open) = (ended.text_at("/id"), open.text_at("/id"));
    act(&acme.live, &ended, "complete").await.expect(200);
    app.advance(Duration::from_secs(3_700));
    postern::worker::sweep(&app.app).await.unwrap();
    let seen = shown(&acme.live, &ended).await;
    assert_eq!((&seen["status"], &seen["code"]), (&json!("finished"), &Value::Null));
    let message = &seen["messages"][0];
    assert_eq!((&message["from"], &message["code"], &message["text"]), (&json!("ACME"), &Value::Null, &Value::Null));
    assert!(message["purged_at"].is_string(), "{seen}");
    let seen = shown(&acme.live, &open).await;
    assert_eq!(seen["messages"][0]["text"], "123456 is your code", "its renter still needs it");
    assert_eq!((&seen["code"], &seen["messages"][0]["purged_at"]), (&json!("123456"), &Value::Null));
    // The text endpoint says of both what its clients know.
    let key = text_key(&app, &acme.org, json!({})).await;
    let full = async |seen: &Value| ask(&app, &key, &format!("action=getFullSms&id={}", seen["serial"])).await.text;
    assert_eq!(full(&seen).await, "FULL_SMS:123456 is your code");
    assert_eq!(full(&shown(&acme.live, &ended).await).await, "STATUS_CANCEL");
    let past: Value = serde_json::from_str(&ask(&app, &key, "action=getHistory").await.text).unwrap();
    let texts: Vec<&Value> = past.as_array().unwrap().iter().map(|row| &row["sms"]).collect();
    assert_eq!(texts, [&json!("123456 is your code"), &Value::Null]);
}
