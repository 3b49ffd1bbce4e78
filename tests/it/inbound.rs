//! What people send to us: kept once, heeded, shown to whom it was sent.

use postern::error::Code;
use serde_json::{Value, json};

use crate::callbacks::twilio_signature;
use crate::harness::actor::Reply;
use crate::harness::app::{TWILIO_TOKEN, TestApp};
use crate::messages::{accepted, carrier_id, code_to, drain, message, notice_to, number, post, receipt, secs, status};

const FORM: &str = "application/x-www-form-urlencoded";

/// What `from` writes to our number, as the carrier `twilio` reports it.
async fn says(app: &TestApp, id: usize, from: &str, text: &str) -> Reply {
    says_to(app, id, (from, "+15005550006"), text).await
}

/// The same to a number of ours.
async fn says_to(app: &TestApp, id: usize, (from, to): (&str, &str), text: &str) -> Reply {
    let escaped = |text: &str| text.replace('+', "%2B").replace(' ', "+");
    let form = format!("MessageSid=SM{id}&From={}&To={}&Body={}", escaped(from), escaped(to), escaped(text));
    let address = format!("{}/hooks/twilio/inbound", app.app.config.public_url());
    let signature = twilio_signature(TWILIO_TOKEN, &address, &form);
    let caller = app.anonymous().with_header("X-Twilio-Signature", &signature);
    caller.send("POST", "/hooks/twilio/inbound", FORM, form.into_bytes()).await
}

#[actix_web::test]
async fn what_somebody_writes_is_kept_once_and_shown_to_whom_it_was_sent() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for _ in 0..3 {
        says(&app, 1, &number(1), "When do you open?").await.expect(200);
    }
    app.advance(secs(1));
    says(&app, 2, &number(2), "help!").await.expect(200);
    let list = acme.live.get("/v1/inbound").await.expect(200);
    let rows = list.json["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{}", list.text);
    assert_eq!((&rows[0]["body"], &rows[0]["keyword"]), (&json!("help!"), &json!("help")));
    assert_eq!((&rows[1]["from"], &rows[1]["keyword"]), (&json!(number(1)), &Value::Null));
    assert_eq!(rows[1]["to"], "+15005550006");
    let of_one = acme.live.get(&format!("/v1/inbound?from={}", number(1))).await.expect(200);
    assert_eq!(of_one.json["data"].as_array().unwrap().len(), 1);
    let path = format!("/v1/inbound/{}", rows[1]["id"].as_str().unwrap());
    assert_eq!(acme.live.get(&path).await.expect(200).text_at("/body"), "When do you open?");
    acme.test.get(&path).await.refused(Code::NotFound);
    assert_eq!(acme.test.get("/v1/inbound").await.expect(200).json["data"], json!([]));
}

#[actix_web::test]
async fn what_is_written_to_a_registered_sender_is_its_owner_s() {
    let app = TestApp::start().await;
    let (first, second) = (app.tenant().await, app.tenant().await);
    let body = json!({"org_id": second.org, "channel": "sms", "address": "+15005550007"});
    app.operator().post("/v1/admin/senders", body).await.expect(201);
    says_to(&app, 1, (&number(1), "+15005550007"), "STOP").await.expect(200);
    assert_eq!(first.live.get("/v1/inbound").await.expect(200).json["data"], json!([]));
    assert_eq!(second.live.get("/v1/inbound").await.expect(200).json["data"].as_array().unwrap().len(), 1);
    // And so is the wish for silence.
    post(&first.live, notice_to(&number(1))).await.expect(202);
    post(&second.live, notice_to(&number(1))).await.refused(Code::RecipientOptedOut);
}

/// The carrier's own originator is what everybody without a sender sends from, whoever it is registered to.
#[actix_web::test]
async fn a_stop_to_the_carrier_s_own_originator_reaches_all_who_send_from_it() {
    let app = TestApp::start().await;
    let (first, second) = (app.tenant().await, app.tenant().await);
    let body = json!({"org_id": second.org, "channel": "sms", "address": "+15005550006"});
    app.operator().post("/v1/admin/senders", body).await.expect(201);
    says(&app, 1, &number(1), "STOP").await.expect(200);
    assert_eq!(first.live.get("/v1/inbound").await.expect(200).json["data"], json!([]), "whose it is stays");
    assert_eq!(second.live.get("/v1/inbound").await.expect(200).json["data"].as_array().unwrap().len(), 1);
    for org in [&first, &second] {
        post(&org.live, notice_to(&number(1))).await.refused(Code::RecipientOptedOut);
    }
    says(&app, 2, &number(1), "START").await.expect(200);
    for org in [&first, &second] {
        post(&org.live, notice_to(&number(1))).await.expect(202);
    }
}

#[actix_web::test]
async fn what_is_kept_is_sealed() {
    let app = TestApp::start().await;
    app.tenant().await;
    says(&app, 1, &number(1), "a very private word").await.expect(200);
    let bodies: Vec<Vec<u8>> = app
        .read(|conn| {
            use diesel::prelude::*;
            use postern::db::schema::inbound_messages::dsl;
            Ok(dsl::inbound_messages.select(dsl::body).load(conn)?)
        })
        .await;
    assert_eq!(bodies.len(), 1);
    assert!(!String::from_utf8_lossy(&bodies[0]).contains("private"));
}

#[actix_web::test]
async fn stop_ends_everything_but_codes_and_start_renews_it() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let marketing = json!({"to": number(1), "body": "Sale!", "kind": "marketing"});
    for (n, (word, may)) in
        [("Stop", false), ("stop.", false), ("Start", true), ("ARRÊT", false), ("what?", false), ("START", true)]
            .into_iter()
            .enumerate()
    {
        // The carrier tells each twice.
        says(&app, n, &number(1), word).await.expect(200);
        says(&app, n, &number(1), word).await.expect(200);
        for body in [notice_to(&number(1)), marketing.clone()] {
            let reply = post(&acme.live, body).await;
            if may {
                reply.expect(202)
            } else {
                reply.refused(Code::RecipientOptedOut)
            };
        }
        post(&acme.live, notice_to(&number(2))).await.expect(202);
        app.advance(secs(600));
        post(&acme.live, code_to(&number(1))).await.expect(202);
        post(&acme.test, notice_to(&number(1))).await.expect(202);
    }
}

#[actix_web::test]
async fn a_repeat_of_an_older_stop_does_not_undo_a_start() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    says(&app, 1, &number(1), "STOP").await.expect(200);
    says(&app, 2, &number(1), "START").await.expect(200);
    says(&app, 1, &number(1), "STOP").await.expect(200);
    post(&acme.live, notice_to(&number(1))).await.expect(202);
}

#[actix_web::test]
async fn what_waits_when_somebody_stops_is_not_sent_and_costs_nothing() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let at = app.app.clock.now().plus(secs(3600)).rfc3339();
    let later = |to: String| {
        let mut body = notice_to(&to);
        body["scheduled_for"] = json!(at);
        body
    };
    let stopped = accepted(&acme.live, later(number(1))).await;
    let other = accepted(&acme.live, later(number(2))).await;
    says(&app, 1, &number(1), "stop").await.expect(200);
    app.advance(secs(3601));
    drain(&app).await;
    let shown = message(&acme.live, &stopped).await;
    assert_eq!((&shown["status"], &shown["error_code"]), (&json!("failed"), &json!("recipient.opted_out")));
    assert_eq!((status(&acme.live, &other).await, app.acme.calls()), ("sent".into(), 1));
}

#[actix_web::test]
async fn who_stops_the_texts_may_still_get_the_mail_that_follows_one() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut body = notice_to(&number(1));
    body["fallback"] = json!([{"channel": "email", "to": "ann@example.com"}]);
    let id = accepted(&acme.live, body).await;
    drain(&app).await;
    says(&app, 1, &number(1), "STOP").await.expect(200);
    receipt(&app, &carrier_id(1), "UNDELIV").await.expect(204);
    drain(&app).await;
    assert_eq!((status(&acme.live, &id).await, app.post.letters().len()), ("sent".into(), 1));
}

#[actix_web::test]
async fn a_bulk_leaves_out_who_has_opted_out_and_says_so() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    says(&app, 1, &number(1), "stop").await.expect(200);
    let messages: Vec<Value> = (0..3).map(|n| notice_to(&number(n))).collect();
    let bulk = acme.live.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
    assert_eq!((&bulk.json["accepted"], &bulk.json["rejected"]), (&json!(2), &json!(1)));
    assert_eq!(bulk.json["results"][1]["error"]["code"], "recipient.opted_out");
    let dry =
        acme.live.post("/v1/messages", json!({"to": number(1), "body": "x", "kind": "marketing", "dry_run": true}));
    assert!(dry.await.text.contains("recipient.opted_out"));
}

#[actix_web::test]
async fn who_stops_at_an_originator_that_several_share_gets_nothing_from_any() {
    let app = TestApp::start().await;
    let (one, other) = (app.tenant().await, app.tenant().await);
    says(&app, 1, &number(1), "STOP").await.expect(200);
    for tenant in [&one, &other] {
        post(&tenant.live, notice_to(&number(1))).await.refused(Code::RecipientOptedOut);
        assert_eq!(tenant.live.get("/v1/inbound").await.expect(200).json["data"], json!([]), "it is nobody's");
    }
    let unowned = app.operator().get("/v1/admin/inbound").await.expect(200);
    assert_eq!(
        (&unowned.json["data"][0]["to"], &unowned.json["data"][0]["keyword"]),
        (&json!("+15005550006"), &json!("stop"))
    );
    assert!(!unowned.text.contains(&number(1)), "{}", unowned.text);
    says(&app, 2, &number(1), "START").await.expect(200);
    post(&one.live, notice_to(&number(1))).await.expect(202);
}

#[actix_web::test]
async fn an_organization_keeps_its_own_list() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    let keyed = acme.live.with_header("Idempotency-Key", "k1");
    let body = json!({"to": "+44 7400 120001"});
    let first = keyed.post("/v1/opt-outs", body.clone()).await.expect(201);
    let again = keyed.post("/v1/opt-outs", body.clone()).await.expect(201);
    assert_eq!((first.text.as_str(), again.header("idempotent-replayed")), (again.text.as_str(), Some("true")));
    // Without a key it is the same opt-out, which is there already.
    assert_eq!(acme.live.post("/v1/opt-outs", body).await.expect(201).text_at("/id"), first.text_at("/id"));
    post(&acme.live, notice_to(&number(1))).await.refused(Code::RecipientOptedOut);
    post(&other.live, notice_to(&number(1))).await.expect(202);
    let mail = json!({"to": number(1), "channel": "email"});
    acme.live.post("/v1/opt-outs", mail).await.refused(Code::ValidationFailed);
    let list = acme.live.get("/v1/opt-outs").await.expect(200);
    assert_eq!((&list.json["data"][0]["to"], &list.json["data"][0]["source"]), (&json!(number(1)), &json!("api")));
    let path = format!("/v1/opt-outs/{}", first.text_at("/id"));
    other.live.call("DELETE", &path, None).await.refused(Code::NotFound);
    acme.live.call("DELETE", &path, None).await.expect(204);
    acme.live.call("DELETE", &path, None).await.refused(Code::NotFound);
    post(&acme.live, notice_to(&number(1))).await.expect(202);
}

#[actix_web::test]
async fn a_refusal_has_a_decision_that_says_why() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    says(&app, 1, &number(1), "stop").await.expect(200);
    let reply = post(&acme.live, notice_to(&number(1))).await.refused(Code::RecipientOptedOut);
    assert!(reply.text_at("/decision").starts_with("dec_"), "{}", reply.text);
}

#[actix_web::test]
async fn a_test_key_makes_messages_up_and_they_are_heeded_for_test_messages_alone() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    let stop = json!({"from": number(1), "to": "+15005550006", "body": "stop"});
    let made = acme.test.post("/v1/sandbox/inbound", stop.clone()).await.expect(201);
    assert_eq!((&made.json["keyword"], &made.json["from"]), (&json!("stop"), &json!(number(1))));
    post(&acme.test, notice_to(&number(1))).await.refused(Code::RecipientOptedOut);
    for caller in [&acme.live, &other.test, &other.live] {
        post(caller, notice_to(&number(1))).await.expect(202);
    }
    acme.live.post("/v1/sandbox/inbound", stop).await.refused(Code::PermissionDenied);
    let bad = json!({"from": "nobody", "to": "1", "body": "x"});
    acme.test.post("/v1/sandbox/inbound", bad).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn what_is_unsigned_or_unreadable_is_not_taken() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let form = "MessageSid=SM1&From=%2B447400120001&To=%2B15005550006&Body=STOP";
    app.anonymous().send("POST", "/hooks/twilio/inbound", FORM, form.into()).await.refused(Code::PermissionDenied);
    let address = format!("{}/hooks/twilio/inbound", app.app.config.public_url());
    for broken in ["MessageSid=SM1&Body=STOP", "From=%2B447400120001&To=1&Body=x", ""] {
        let signature = twilio_signature(TWILIO_TOKEN, &address, broken);
        let caller = app.anonymous().with_header("X-Twilio-Signature", &signature);
        caller.send("POST", "/hooks/twilio/inbound", FORM, broken.into()).await.refused(Code::MalformedRequest);
    }
    app.anonymous().get("/hooks/twilio/inbound").await.refused(Code::MethodNotAllowed);
    app.anonymous()
        .get("/hooks/meta?hub.mode=subscribe&hub.verify_token=x&hub.challenge=1")
        .await
        .refused(Code::PermissionDenied);
    post(&acme.live, notice_to(&number(1))).await.expect(202);
}

/// What people write goes after `retention.bodies`; that they wrote stays, with its keyword and times.
#[actix_web::test]
async fn what_somebody_wrote_goes_before_that_they_wrote() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    says(&app, 1, &number(1), "a very private word").await.expect(200);
    says(&app, 2, &number(2), "STOP").await.expect(200);
    app.advance(app.app.config.retention.bodies - secs(10));
    says(&app, 3, &number(3), "still new").await.expect(200);
    app.advance(secs(20));
    postern::worker::sweep(&app.app).await.unwrap();
    let list = acme.live.get("/v1/inbound").await.expect(200);
    let rows = list.json["data"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{}", list.text);
    assert_eq!((&rows[0]["body"], &rows[0]["purged_at"]), (&json!("still new"), &Value::Null));
    assert_eq!((&rows[1]["body"], &rows[1]["keyword"]), (&Value::Null, &json!("stop")));
    assert_eq!((&rows[2]["body"], &rows[2]["from"]), (&Value::Null, &json!(number(1))));
    assert!(rows[2]["purged_at"].is_string(), "{}", list.text);
    let path = format!("/v1/inbound/{}", rows[2]["id"].as_str().unwrap());
    assert_eq!(acme.live.get(&path).await.expect(200).json["body"], Value::Null);
    // A release from before this opens the rows as well.
    let keyring = app.app.keyring.clone();
    let opened: Vec<Vec<u8>> = app
        .read(move |conn| {
            use diesel::prelude::*;
            use postern::db::schema::inbound_messages::dsl;
            use postern::secret::Purpose;
            let rows: Vec<(String, Vec<u8>)> =
                dsl::inbound_messages.order(dsl::id.asc()).select((dsl::id, dsl::body)).load(conn)?;
            Ok(rows.iter().filter_map(|(id, body)| keyring.open(Purpose::Body, id.as_bytes(), body)).collect())
        })
        .await;
    assert_eq!(opened, [&b""[..], b"", b"still new"]);
    // The wish for silence outlasts its words.
    post(&acme.live, notice_to(&number(2))).await.refused(Code::RecipientOptedOut);
}
