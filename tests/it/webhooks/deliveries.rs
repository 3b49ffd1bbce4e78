//! T18 and what belongs to it: bodies, signatures, rotation, tries, replay, the log, retention.

use std::time::Duration;

use postern::worker;
use serde_json::json;

use super::{deliver, endpoint, latest, sent_message, signature, start};
use crate::harness::fake_carrier::{FakeCarrier, Script};

#[actix_web::test]
async fn a_message_is_told_signed_and_masked() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let secret = endpoint(&tenant.live, &receiver).await.text_at("/secret");
    let id = sent_message(&app, &tenant.live).await;
    assert_eq!(deliver(&app).await, 1);
    let post = &receiver.hand_offs()[0];
    assert_eq!(post.header("webhook-signature").unwrap(), signature(&secret, post));
    assert!(post.header("webhook-id").unwrap().starts_with("evt_"));
    let told = post.json();
    assert_eq!((&told["type"], &told["data"]["id"]), (&json!("message.sent"), &json!(id)));
    assert_eq!((&told["data"]["to"], &told["data"]["metadata"]), (&json!("+447••••••456"), &json!({"n": "7"})));
    let text = String::from_utf8(post.body.clone()).unwrap();
    assert!(!text.contains("7911123456") && !text.contains("hello there"), "{text}");
    assert_eq!(deliver(&app).await, 0, "told once");
}

#[actix_web::test]
async fn a_verification_is_told_and_its_code_never() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    endpoint(&tenant.live, &receiver).await;
    let id = tenant.live.post("/v1/verifications", json!({"to": "+447911123456"})).await.expect(201).text_at("/id");
    app.step().await;
    let text = app.acme.hand_offs()[0].json()["text"].as_str().unwrap().to_owned();
    let code: String = text.chars().filter(char::is_ascii_digit).take(6).collect();
    tenant.live.post(&format!("/v1/verifications/{id}/check"), json!({"code": code})).await.expect(200);
    let other = tenant.live.post("/v1/verifications", json!({"to": "+447911123457"})).await.expect(201).text_at("/id");
    tenant.live.post(&format!("/v1/verifications/{other}/cancel"), json!({})).await.expect(200);
    deliver(&app).await;
    let mut kinds = Vec::new();
    for post in receiver.hand_offs() {
        let text = String::from_utf8(post.body.clone()).unwrap();
        assert!(!text.contains(&code) && !text.contains("447911123456"), "{text}");
        kinds.push(post.json()["type"].as_str().unwrap().to_owned());
    }
    kinds.sort();
    let told = ["message.sent", "verification.approved", "verification.canceled", "verification.created"];
    kinds.dedup();
    assert_eq!(kinds, told);
}

#[actix_web::test]
async fn both_secrets_sign_for_a_day_and_the_old_one_not_after() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let made = endpoint(&tenant.live, &receiver).await;
    let (id, old) = (made.text_at("/id"), made.text_at("/secret"));
    let rotated = tenant.live.post(&format!("/v1/webhooks/{id}/rotate"), json!({})).await.expect(200);
    let new = rotated.text_at("/secret");
    assert!(old != new && new.starts_with("whsec_") && rotated.json["old_secret_until"].is_string());
    let shown = tenant.live.get(&format!("/v1/webhooks/{id}")).await.expect(200);
    assert!(!shown.text.contains("whsec_"), "a secret is shown once: {}", shown.text);
    sent_message(&app, &tenant.live).await;
    app.advance(Duration::from_secs(86_399));
    deliver(&app).await;
    let post = &receiver.hand_offs()[0];
    let both = format!("{} {}", signature(&new, post), signature(&old, post));
    assert_eq!(post.header("webhook-signature").unwrap(), both);
    app.advance(Duration::from_secs(1));
    sent_message(&app, &tenant.live).await;
    deliver(&app).await;
    let post = &receiver.hand_offs()[1];
    assert_eq!(post.header("webhook-signature").unwrap(), signature(&new, post));
}

#[actix_web::test]
async fn three_secrets_sign_at_most_and_none_ends_before_its_day_unasked() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let made = endpoint(&tenant.live, &receiver).await;
    let path = format!("/v1/webhooks/{}/rotate", made.text_at("/id"));
    let rotate = async |body: serde_json::Value| tenant.live.post(&path, body).await;
    let first = made.text_at("/secret");
    let second = rotate(json!({})).await.expect(200).text_at("/secret");
    app.advance(Duration::from_secs(3_600));
    let third = rotate(json!({})).await.expect(200).text_at("/secret");
    // What signs the next delivery, of these.
    let signs = async |count: usize, secrets: &[&String]| {
        sent_message(&app, &tenant.live).await;
        deliver(&app).await;
        let post = receiver.hand_offs().remove(count);
        let expected: Vec<String> = secrets.iter().map(|secret| signature(secret, &post)).collect();
        assert_eq!(post.header("webhook-signature").unwrap(), expected.join(" "));
    };
    signs(0, &[&third, &second, &first]).await;
    let refused = rotate(json!({})).await.refused(postern::error::Code::ValidationFailed);
    assert!(refused.json["field_errors"]["end_old"][0].as_str().unwrap().contains("must be true"), "{}", refused.text);
    signs(1, &[&third, &second, &first]).await;
    // The first has had its day, and another may come.
    app.advance(Duration::from_secs(86_400 - 3_600));
    signs(2, &[&third, &second]).await;
    let fourth = rotate(json!({"end_old": false})).await.expect(200).text_at("/secret");
    signs(3, &[&fourth, &third, &second]).await;
    let fifth = rotate(json!({"end_old": true})).await.expect(200);
    assert_eq!(fifth.json["old_secret_until"], json!(null));
    signs(4, &[&fifth.text_at("/secret")]).await;
}

#[actix_web::test]
async fn a_failure_is_tried_again_on_schedule_with_the_same_id() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let id = endpoint(&tenant.live, &receiver).await.text_at("/id");
    receiver.next(Script::Answer(500, vec![], b"a reply that nobody sees".to_vec()));
    receiver.next(Script::throttled(600));
    sent_message(&app, &tenant.live).await;
    assert_eq!(deliver(&app).await, 1);
    let log = tenant.live.get(&format!("/v1/webhooks/{id}/deliveries")).await.expect(200);
    assert!(!log.text.contains("nobody sees"), "{}", log.text);
    let failed = &log.json["data"][0];
    assert_eq!(
        (&failed["status"], &failed["http_status"], &failed["attempts"]),
        (&json!("pending"), &json!(500), &json!(1))
    );
    app.advance(Duration::from_millis(4_999));
    assert_eq!(deliver(&app).await, 0, "not before its time");
    app.advance(Duration::from_millis(502));
    assert_eq!(deliver(&app).await, 1);
    app.advance(Duration::from_secs(599));
    assert_eq!(deliver(&app).await, 0, "Retry-After is longer than the schedule");
    app.advance(Duration::from_secs(62));
    assert_eq!(deliver(&app).await, 1);
    let told = latest(&tenant.live, &id).await;
    assert_eq!((&told["status"], &told["attempts"], &told["next_at"]), (&json!("delivered"), &json!(3), &json!(null)));
    assert_eq!((receiver.calls(), told["event_id"].as_str()), (3, receiver.hand_offs()[0].header("webhook-id")));
    let shown = tenant.live.get(&format!("/v1/webhooks/{id}")).await.expect(200);
    assert_eq!(shown.json["failing_since"], json!(null), "well again");
}

#[actix_web::test]
async fn gone_and_five_days_of_failure_disable_an_endpoint_and_the_others_hear_of_it() {
    let (app, receiver, other) = (start().await, FakeCarrier::start(), FakeCarrier::start());
    let tenant = app.tenant().await;
    let id = endpoint(&tenant.live, &receiver).await.text_at("/id");
    let body = json!({"url": other.url("/ops"), "events": ["webhook.endpoint_disabled"]});
    tenant.live.post("/v1/webhooks", body).await.expect(201);
    let path = format!("/v1/webhooks/{id}");
    receiver.next(Script::Answer(410, vec![], vec![]));
    sent_message(&app, &tenant.live).await;
    deliver(&app).await;
    let shown = tenant.live.get(&path).await.expect(200);
    assert_eq!((&shown.json["status"], &shown.json["disabled_reason"]), (&json!("disabled"), &json!("gone")));
    deliver(&app).await;
    let heard = other.hand_offs()[0].json();
    assert_eq!((&heard["type"], &heard["data"]["endpoint_id"]), (&json!("webhook.endpoint_disabled"), &json!(id)));
    sent_message(&app, &tenant.live).await;
    assert_eq!(deliver(&app).await, 0, "a disabled endpoint gets nothing");
    tenant.live.patch(&path, json!({"status": "enabled"})).await.expect(200);
    receiver.always(Script::Answer(500, vec![], vec![]));
    for day in 0..6 {
        sent_message(&app, &tenant.live).await;
        deliver(&app).await;
        let status = tenant.live.get(&path).await.expect(200).text_at("/status");
        assert_eq!(status, if day < 5 { "enabled" } else { "disabled" }, "day {day}");
        app.advance(Duration::from_secs(86_400));
    }
    deliver(&app).await;
    assert_eq!(other.hand_offs()[1].json()["data"]["reason"], "failing");
    assert_eq!(deliver(&app).await, 0);
    assert_eq!(latest(&tenant.live, &id).await["status"], "dropped", "what waited is dropped");
}

#[actix_web::test]
async fn events_are_replayed_one_or_all_since_and_kept_for_their_time() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    sent_message(&app, &tenant.live).await;
    let id = endpoint(&tenant.live, &receiver).await.text_at("/id");
    let events = tenant.live.get("/v1/events").await.expect(200);
    assert_eq!(events.json["data"], json!([]), "what nobody asked for is not kept");
    sent_message(&app, &tenant.live).await;
    app.advance(Duration::from_secs(60));
    let since = app.app.clock.now();
    sent_message(&app, &tenant.live).await;
    assert_eq!(deliver(&app).await, 2);
    let events = tenant.live.get("/v1/events?type=message.sent").await.expect(200);
    let (newest, oldest) = (events.text_at("/data/0/id"), events.text_at("/data/1/id"));
    let path = format!("/v1/webhooks/{id}/replay");
    let all = tenant.live.post(&path, json!({"since": since})).await.expect(202);
    assert_eq!((&all.json["deliveries"], &all.json["next_since"]), (&json!(1), &json!(null)));
    let one = tenant.live.post(&format!("/v1/events/{oldest}/replay"), json!({})).await.expect(202);
    assert_eq!(one.json["deliveries"], 1);
    assert_eq!(deliver(&app).await, 2);
    let mut told: Vec<_> =
        receiver.hand_offs().iter().map(|post| post.header("webhook-id").unwrap().to_owned()).collect();
    told.sort();
    assert_eq!(told, [&*oldest, &*oldest, &*newest, &*newest], "a replay keeps the id");
    let shown = tenant.live.get(&format!("/v1/events/{newest}")).await.expect(200);
    assert!(receiver.hand_offs().iter().any(|post| post.json() == shown.json["payload"]), "{}", shown.text);
    app.advance(Duration::from_secs(31 * 86_400));
    worker::sweep(&app.app).await.unwrap();
    assert_eq!(tenant.live.get("/v1/events").await.expect(200).json["data"], json!([]));
    let log = tenant.live.get(&format!("/v1/webhooks/{id}/deliveries")).await.expect(200);
    assert_eq!(log.json["data"], json!([]));
}
