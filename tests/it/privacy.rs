//! Erasing a person: everywhere, with proof, and nothing that counts is lost by it.

use postern::config::DatabaseUrl;
use postern::error::Code;
use postern::privacy::{run_erasures, run_erasures_by};
use serde_json::{Value, json};

use crate::harness::Backend;
use crate::harness::actor::Reply;
use crate::harness::app::{Tenant, TestApp};
use crate::messages::{accepted, code_to, count, notice_to, number, post, secs, status};

/// The person, and somebody else.
const PERSON: &str = "+447400555777";
const MAIL: &str = "jane.roe@example.com";

async fn order(app: &TestApp, to: &str) -> Reply {
    app.operator().post("/v1/admin/erasures", json!({"to": to, "reason": "ticket 4711"})).await
}

/// Rows of a stretch: so few that every table has several.
const FEW: i64 = 2;

/// Orders an erasure and lets the worker do it: the proof.
async fn erased(app: &TestApp, to: &str) -> Value {
    let id = order(app, to).await.expect(201).text_at("/id");
    assert_eq!(run_erasures_by(&app.app, FEW).await.unwrap(), 1);
    let proof = app.operator().get(&format!("/v1/admin/erasures/{id}")).await.expect(200).json;
    assert_eq!(proof["status"], "done", "{proof}");
    assert!(proof["left_over"].as_object().unwrap().values().all(|rows| rows == 0), "{proof}");
    proof
}

/// Leaves the person in every place that has one for them.
async fn live_a_life(app: &TestApp, acme: &Tenant) {
    let note = json!({"to": PERSON, "body": "hello", "kind": "transactional", "metadata": {"phone": PERSON}});
    let keyed = acme.live.with_header("Idempotency-Key", "k1");
    accepted(&keyed, note).await;
    let fallback = json!({"to": MAIL, "channel": "email", "body": "hi", "kind": "transactional",
        "fallback": [{"channel": "sms", "to": PERSON}]});
    accepted(&acme.live, fallback).await;
    accepted(&acme.live, code_to(PERSON)).await;
    accepted(&acme.test, code_to(PERSON)).await;
    for _ in 0..12 {
        app.step().await;
    }
    let bulk = json!({"messages": [{"to": PERSON, "body": "bulk", "kind": "transactional"}]});
    acme.live.with_header("Idempotency-Key", "k2").post("/v1/messages/bulk", bulk).await.expect(202);
    let start = json!({"to": PERSON, "metadata": {"user": PERSON}});
    acme.live.with_header("Idempotency-Key", "k3").post("/v1/verifications", start).await.expect(201);
    acme.test.post("/v1/sandbox/inbound", json!({"from": PERSON, "to": number(9), "body": "hello"})).await.expect(201);
    acme.live.with_header("Idempotency-Key", "k4").post("/v1/opt-outs", json!({"to": PERSON})).await.expect(201);
    let entry = json!({"action": "allow", "kind": "number", "value": PERSON, "reason": "a friend"});
    acme.live.post("/v1/fraud/lists", entry).await.expect(201);
    let sheet = json!({"name": "news", "body": "x", "contacts": [{"to": PERSON}]});
    acme.live.post("/v1/broadcasts", sheet).await.expect(201);
    // Refused: a decision of its own.
    for _ in 0..4 {
        post(&acme.live, code_to(PERSON)).await;
    }
    postern::messages::write_refusals(&app.app).await.unwrap();
    app.step().await;
}

/// Every file of the database, as text; nothing on PostgreSQL, whose files are not ours.
async fn files(app: &TestApp) -> Vec<(String, Vec<u8>)> {
    let DatabaseUrl::Sqlite(path) = app.app.config.database_url() else { return Vec::new() };
    let read = |suffix: &str| {
        let file = format!("{}{suffix}", path.display());
        std::fs::read(&file).ok().map(|bytes| (file, bytes))
    };
    ["", "-wal"].into_iter().filter_map(read).collect()
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

#[actix_web::test]
async fn an_erased_number_is_nowhere_any_more_and_the_proof_says_where_it_was() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    live_a_life(&app, &acme).await;
    let bystander = accepted(&acme.live, notice_to(&number(1))).await;
    let before = count(&acme.live).await;
    if Backend::server().is_none() {
        assert!(files(&app).await.iter().any(|(_, bytes)| holds(bytes, &PERSON[1..])), "it never was there");
    }
    let proof = erased(&app, PERSON).await;
    for table in [
        "messages",
        "verifications",
        "opt_outs",
        "fraud_lists",
        "broadcast_contacts",
        "idempotency",
        "sandbox_inbox",
        "inbound_messages",
    ] {
        assert!(proof["erased"][table].as_i64() > Some(0), "{table}: {proof}");
    }
    assert_eq!(proof["author"].as_str().map(|who| who.starts_with("opr_")), Some(true));
    for (file, bytes) in files(&app).await {
        assert!(!holds(&bytes, &PERSON[1..]), "{file} holds the number");
        assert!(!holds(&bytes, &PERSON[3..]), "{file} holds the number's end");
    }
    // What counts is as it was.
    assert_eq!(count(&acme.live).await, before);
    assert_eq!(acme.live.get(&format!("/v1/messages/{bystander}")).await.expect(200).text_at("/to"), number(1));
    let list = acme.live.get("/v1/messages?limit=200").await.expect(200);
    let pseudonym = proof["subject"].as_str().unwrap();
    assert!(list.text.contains(pseudonym) && !list.text.contains(PERSON), "{}", list.text);
    let audit = app.operator().get("/v1/admin/audit?action=erasure.done").await.expect(200);
    assert_eq!(audit.text_at("/data/0/target"), proof["id"].as_str().unwrap());
    assert!(!audit.text.contains(PERSON));
    // Once more finds nothing to erase.
    let again = erased(&app, PERSON).await;
    assert_eq!((&again["erased"], &again["subject"]), (&json!({}), &proof["subject"]));
}

/// Of a person's number only that number goes, however it is written; what only looks like it stays.
#[actix_web::test]
async fn a_number_in_others_texts_goes_and_a_longer_one_stays() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let stays = json!({"longer": format!("{PERSON}1"), "order": "x447400555777y", "at": "1447400555777"});
    let mut notes = stays.clone();
    notes["chat"] = json!("447400555777@s.whatsapp.net");
    notes["call"] = json!("please call 00447400555777.");
    let message = json!({"to": number(1), "body": "hello", "kind": "transactional", "metadata": notes});
    let id = accepted(&acme.live, message).await;
    for n in 0..5 {
        let keyed = acme.live.with_header("Idempotency-Key", &format!("b{n}"));
        let bulk = json!({"messages": [{"to": number(10 + n), "body": "x", "kind": "transactional"}]});
        keyed.post("/v1/messages/bulk", bulk).await.expect(202);
    }
    let proof = erased(&app, PERSON).await;
    assert_eq!(proof["erased"], json!({"messages": 1}), "{proof}");
    let pseudonym = proof["subject"].as_str().unwrap();
    let metadata = acme.live.get(&format!("/v1/messages/{id}")).await.expect(200).json["metadata"].clone();
    for (name, value) in stays.as_object().unwrap() {
        assert_eq!(&metadata[name], value, "{name}");
    }
    assert_eq!(metadata["chat"], format!("{pseudonym}@s.whatsapp.net"));
    assert_eq!(metadata["call"], format!("please call {pseudonym}."));
}

/// A number that came back after its erasure, was opted out again, and is erased again.
#[actix_web::test]
async fn a_number_that_came_back_is_erased_again() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for _ in 0..2 {
        acme.live.post("/v1/opt-outs", json!({"to": PERSON})).await.expect(201);
        erased(&app, PERSON).await;
        post(&acme.live, notice_to(PERSON)).await.refused(Code::RecipientOptedOut);
    }
    let kept = acme.live.get("/v1/opt-outs").await.expect(200);
    assert_eq!(kept.json["data"].as_array().unwrap().len(), 1, "{}", kept.text);
}

/// Who looked at a number is written down once for a key; what was shown is kept nowhere.
#[actix_web::test]
async fn what_was_revealed_is_gone_with_the_person() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, notice_to(PERSON)).await;
    let operator = app.operator().with_header("Idempotency-Key", "look");
    let path = format!("/v1/admin/messages/{id}/reveal");
    let look = || operator.post(&path, json!({"reason": "ticket 4711"}));
    assert_eq!(look().await.expect(200).text_at("/to"), PERSON);
    assert_eq!(look().await.expect(200).text_at("/to"), PERSON);
    let audit = app.operator().get("/v1/admin/audit?action=message.reveal").await.expect(200);
    assert_eq!(audit.json["data"].as_array().unwrap().len(), 1);
    let proof = erased(&app, PERSON).await;
    let after = look().await.expect(200);
    assert_eq!(
        (after.text_at("/to"), &after.json["body"]),
        (proof["subject"].as_str().unwrap().to_owned(), &Value::Null)
    );
}

#[actix_web::test]
async fn limits_and_the_wish_for_silence_outlive_an_erasure() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    acme.live.post("/v1/opt-outs", json!({"to": PERSON})).await.expect(201);
    for _ in 0..3 {
        post(&acme.live, code_to(PERSON)).await.expect(202);
    }
    app.step().await;
    post(&acme.live, code_to(PERSON)).await.refused(Code::OtpNumberLimit);
    erased(&app, PERSON).await;
    post(&acme.live, code_to(PERSON)).await.refused(Code::OtpNumberLimit);
    post(&acme.live, notice_to(PERSON)).await.refused(Code::RecipientOptedOut);
    post(&acme.test, notice_to(PERSON)).await.expect(202);
}

#[actix_web::test]
async fn what_waits_is_called_back_and_a_hand_off_under_way_is_waited_for() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let later = app.app.clock.now().plus(secs(3_600)).rfc3339();
    let body = json!({"to": PERSON, "body": "later", "kind": "transactional", "scheduled_for": later});
    let waiting = accepted(&acme.live, body).await;
    let going = accepted(&acme.live, notice_to(PERSON)).await;
    postern::messages::claim(&app.app, 10).await.unwrap();
    let id = order(&app, PERSON).await.expect(201).text_at("/id");
    assert_eq!(run_erasures(&app.app).await.unwrap(), 0, "it is being handed over");
    assert_eq!(status(&acme.live, &waiting).await, "canceled");
    let path = format!("/v1/admin/erasures/{id}");
    let waits = app.operator().get(&path).await.expect(200);
    assert_eq!((waits.text_at("/status"), waits.json["error"].is_string()), ("running".to_owned(), true));
    // The process that had it is gone: its lease ends, and so does the wait.
    app.advance(secs(600));
    app.step().await;
    app.step().await;
    assert_eq!(run_erasures(&app.app).await.unwrap(), 1);
    assert_eq!(app.operator().get(&path).await.expect(200).text_at("/status"), "done");
    assert_ne!(status(&acme.live, &going).await, "sending");
}

#[actix_web::test]
async fn a_mail_address_goes_as_well_and_what_cannot_be_erased_is_refused() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    live_a_life(&app, &acme).await;
    let proof = erased(&app, "Jane.Roe@Example.com").await;
    assert_eq!(proof["erased"]["messages"], 1, "{proof}");
    let list = acme.live.get("/v1/messages?limit=200").await.expect(200);
    assert!(!list.text.contains(MAIL) && list.text.contains(PERSON), "{}", list.text);
    let sender = json!({"org_id": acme.org, "channel": "sms", "address": number(50)});
    app.operator().post("/v1/admin/senders", sender).await.expect(201);
    order(&app, &number(50)).await.refused(Code::ValidationFailed);
    order(&app, "nobody").await.refused(Code::ValidationFailed);
    let naming = json!({"to": PERSON, "reason": "for +44 7400 555777 himself"});
    let refusal = app.operator().post("/v1/admin/erasures", naming).await.refused(Code::ValidationFailed);
    assert!(refusal.json["field_errors"]["reason"].is_array(), "{}", refusal.text);
    let ids = app.operator().get("/v1/admin/erasures").await.expect(200);
    assert_eq!((ids.json["data"].as_array().unwrap().len(), ids.text.contains(MAIL)), (1, false));
}
