//! `POST /v1/messages`: what it takes, what it says, what it refuses.

use postern::error::Code;
use serde_json::{Value, json};

use super::{accepted, code_to, count, drain, message, notice_to, number, post, secs, status, timeline};
use crate::harness::app::{START, TestApp};

#[actix_web::test]
async fn an_accepted_message_shows_everything_but_its_words() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut body = code_to("+447400123456");
    body["metadata"] = json!({"user": "42"});
    body["from"] = json!("ACME");
    let reply = post(&acme.live, body).await.expect(202);
    let id = reply.text_at("/id");
    assert!(id.starts_with("msg_"), "{id}");
    assert_eq!(reply.header("location"), Some(format!("/v1/messages/{id}").as_str()));
    assert!(reply.header("x-ratelimit-remaining").is_some() && reply.header("x-request-id").is_some());
    let seen = &reply.json;
    let told = ["status", "mode", "to", "country", "channel", "kind", "encoding"].map(|name| seen[name].as_str());
    let wanted = ["queued", "live", "+447400123456", "GB", "sms", "otp", "gsm7"].map(Some);
    assert_eq!(told, wanted, "{}", reply.text);
    assert_eq!((&seen["segments"], &seen["metadata"]["user"]), (&json!(1), &json!("42")));
    assert_eq!(seen["decision"]["action"], "allow");
    assert!(seen["decision"]["id"].as_str().unwrap().starts_with("dec_"));
    assert_eq!(seen["expires_at"], START.plus(secs(600)).rfc3339());
    assert_eq!(seen["scheduled_for"], Value::Null);
    assert!(!reply.text.contains("481516"), "the code is echoed: {}", reply.text);
    app.step().await;
    let taken = app.acme.hand_offs()[0].json();
    assert_eq!((&taken["from"], &taken["text"]), (&json!("ACME"), &json!("Your code is 481516")));
    assert_eq!(timeline(&acme.live, &id).await, ["message.accepted", "message.handed_over", "message.sent"]);
}

#[actix_web::test]
async fn every_spelling_of_a_number_is_one_number() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for spelling in ["+447400123456", "+44 7400 123456", "+44 (0)7400-123456", "\u{200e}+447400123456"] {
        let reply = post(&acme.live, notice_to(spelling)).await.expect(202);
        assert_eq!(reply.text_at("/to"), "+447400123456", "{spelling}");
    }
    let national = |to: &str, country: &str| json!({"to": to, "country": country, "body": "x", "kind": "otp"});
    for (to, country) in [("07400 123456", "GB"), ("0044 7400 123456", "gb"), ("011 44 7400 123456", "US")] {
        let reply = post(&acme.live, national(to, country)).await.expect(202);
        assert_eq!((reply.text_at("/to"), reply.text_at("/country")), ("+447400123456".into(), "GB".into()));
    }
    let fourth = post(&acme.live, code_to("+44 7400 123 456")).await.refused(Code::OtpNumberLimit);
    assert_eq!(fourth.json["policy"], "otp.number");
}

/// A body with one fault, and the field that must be named for it.
fn faulty() -> Vec<(&'static str, Value)> {
    let with = |name: &str, value: Value| {
        let mut body = notice_to("+447400123456");
        body[name] = value;
        body
    };
    let mail = |name: &str, value: Value| {
        let mut body = json!({"to": "ann@example.com", "channel": "email", "body": "x"});
        body[name] = value;
        body
    };
    let many: serde_json::Map<String, Value> = (0..21).map(|n| (format!("k{n}"), json!("v"))).collect();
    vec![
        ("to", json!({"body": "x"})),
        ("to", with("to", json!(447400123456u64))),
        ("to", with("to", json!("07400 123456"))),
        ("to", with("to", json!("+4479111"))),
        ("to", with("to", json!("call me"))),
        ("to", with("to", json!("+447400123456;ext=7"))),
        ("to", with("to", json!("9".repeat(5_000)))),
        ("to", mail("to", json!("+447400123456"))),
        ("to", mail("to", json!("ann@example.com\r\nBcc: eve@example.com"))),
        ("channel", with("channel", json!("pigeon"))),
        ("kind", with("kind", json!("OTP"))),
        ("body", json!({"to": "+447400123456"})),
        ("body", with("body", json!("  "))),
        ("body", with("body", json!("x".repeat(1_531)))),
        ("body", with("body", json!("a\u{7}b"))),
        ("body", with("body", json!(["x"]))),
        ("template", with("template", json!({"name": "login"}))),
        ("template.name", json!({"to": "+447400123456", "template": {"name": "no such one"}})),
        ("template.locale", json!({"to": "+447400123456", "template": {"name": "login", "locale": "klingon!"}})),
        ("template.nmae", json!({"to": "+447400123456", "template": {"name": "login", "nmae": 1}})),
        ("subject", with("subject", json!("hello"))),
        ("subject", mail("subject", json!("a\nb"))),
        ("from", with("from", json!("TWELVE CHARS"))),
        ("from", with("from", json!("+4479"))),
        ("from", with("from", json!("é"))),
        ("country", with("country", json!("England"))),
        ("ttl", with("ttl", json!("9s"))),
        ("ttl", with("ttl", json!("8d"))),
        ("ttl", with("ttl", json!("soon"))),
        ("ttl", with("ttl", json!(600))),
        ("scheduled_for", with("scheduled_for", json!("tomorrow"))),
        ("scheduled_for", with("scheduled_for", json!(START.rfc3339()))),
        ("scheduled_for", with("scheduled_for", json!(START.plus(secs(7 * 86_400 + 1)).rfc3339()))),
        ("fallback", with("fallback", json!(["email", "whatsapp", "sms"]))),
        ("fallback[0]", with("fallback", json!(["sms"]))),
        ("fallback[0]", with("fallback", json!(["email"]))),
        ("fallback[0]", with("fallback", json!([{"channel": "email", "to": "nobody"}]))),
        ("fallback[0]", with("fallback", json!([7]))),
        ("fallback[0]", with("fallback", json!([{"channel": "email", "to": "a@example.com", "via": "x"}]))),
        ("client.ip", with("client", json!({"ip": "300.1.1.1"}))),
        ("client.device_id", with("client", json!({"device_id": ""}))),
        ("client.user_agent", with("client", json!({"user_agent": "x".repeat(501)}))),
        ("client.mac", with("client", json!({"mac": "x"}))),
        ("metadata", with("metadata", Value::Object(many))),
        ("metadata", with("metadata", json!({"": "x"}))),
        ("metadata.user", with("metadata", json!({"user": 42}))),
        ("idempotency_key", with("idempotency_key", json!("two words"))),
        ("dry_run", with("dry_run", json!("yes"))),
        ("status", with("status", json!("delivered"))),
        ("org_id", with("org_id", json!("org_01h455vb4pex5vsknk084sn02q"))),
    ]
}

#[actix_web::test]
async fn every_fault_names_its_field_and_stores_nothing() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for (field, body) in faulty() {
        let reply = post(&acme.live, body.clone()).await;
        assert_eq!(reply.status, 400, "{field}: {body}: {}", reply.text);
        let told = reply.json["field_errors"].as_object().unwrap_or_else(|| panic!("{field}: {}", reply.text));
        assert!(told.contains_key(field), "{field} is not named: {}", reply.text);
        let words = ["struct", "enum", "variant", "serde", "Option", "untagged"];
        assert!(words.iter().all(|word| !reply.text.contains(word)), "our own words show: {}", reply.text);
    }
    assert_eq!((count(&acme.live).await, drain(&app).await), (0, 0));
}

#[actix_web::test]
async fn all_faults_of_a_request_are_told_at_once() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let body = json!({"to": "x", "ttl": "y", "from": "€", "country": "Z9", "client": {"ip": "z"}});
    let reply = post(&acme.live, body).await.refused(Code::ValidationFailed);
    let told: Vec<&String> = reply.json["field_errors"].as_object().unwrap().keys().collect();
    assert_eq!(told, ["body", "client.ip", "country", "from", "to", "ttl"]);
}

#[actix_web::test]
async fn the_longest_text_goes_in_ten_parts_and_one_emoji_makes_it_ucs2() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut body = notice_to("+447400123456");
    body["body"] = json!("x".repeat(1_530));
    assert_eq!(post(&acme.live, body.clone()).await.expect(202).json["segments"], 10);
    body["body"] = json!(format!("{}🎉", "x".repeat(68)));
    let reply = post(&acme.live, body.clone()).await.expect(202);
    assert_eq!((reply.text_at("/encoding"), &reply.json["segments"]), ("ucs2".into(), &json!(1)));
    body["body"] = json!(format!("{}🎉", "x".repeat(69)));
    assert_eq!(post(&acme.live, body).await.expect(202).json["segments"], 2);
}

#[actix_web::test]
async fn a_scheduled_message_goes_when_it_is_due_and_not_before() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let due = START.plus(secs(3_600));
    let mut body = code_to("+447400123456");
    body["scheduled_for"] = json!(due.rfc3339());
    let reply = post(&acme.live, body).await.expect(202);
    assert_eq!((reply.text_at("/status"), reply.text_at("/scheduled_for")), ("scheduled".into(), due.rfc3339()));
    assert_eq!(reply.text_at("/expires_at"), due.plus(secs(600)).rfc3339(), "its life begins when it is due");
    app.advance(std::time::Duration::from_millis(3_599_999));
    assert_eq!(app.step().await, 0);
    app.advance(std::time::Duration::from_millis(1));
    assert_eq!(app.step().await, 1);
    assert_eq!(status(&acme.live, &reply.text_at("/id")).await, "sent");
}

#[actix_web::test]
async fn what_has_outlived_its_time_is_never_sent() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut body = code_to("+447400123456");
    body["ttl"] = json!("30s");
    let late = accepted(&acme.live, body.clone()).await;
    body["to"] = json!("+447400123457");
    body["ttl"] = json!("31s");
    let timely = accepted(&acme.live, body).await;
    app.advance(secs(30));
    app.step().await;
    assert_eq!(status(&acme.live, &late).await, "expired");
    assert_eq!(status(&acme.live, &timely).await, "sent");
    assert_eq!(app.acme.hand_offs().len(), 1);
    assert_eq!(timeline(&acme.live, &late).await, ["message.accepted", "message.expired"]);
}

#[actix_web::test]
async fn a_country_that_the_organization_did_not_open_is_refused_with_a_decision() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro", "countries": ["GB"]})).await;
    accepted(&acme.live, code_to("+447400123456")).await;
    let reply = post(&acme.live, code_to("+14155550123")).await.refused(Code::DestinationNotAllowed);
    let decision = reply.text_at("/decision");
    assert!(decision.starts_with("dec_"), "{decision}");
    let kept: Vec<(String, String)> = app.read(stored_decisions).await;
    assert_eq!(kept, [(decision, "destination.not_allowed".to_owned())]);
    assert_eq!(count(&acme.live).await, 1);
}

fn stored_decisions(conn: &mut postern::db::Conn) -> postern::error::Result<Vec<(String, String)>> {
    use diesel::prelude::*;
    use postern::db::schema::decisions::dsl;
    let rows: Vec<(postern::ids::DecisionId, String)> =
        postern::both!(conn, c => dsl::decisions.select((dsl::id, dsl::code)).load(c))?;
    Ok(rows.into_iter().map(|(id, code)| (id.to_string(), code)).collect())
}

#[actix_web::test]
async fn without_a_route_a_live_message_is_refused_and_a_test_one_is_not() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    app.route(&[("email", "post", 1)]).await;
    let reply = post(&acme.live, code_to(&number(1))).await.refused(Code::ProviderUnavailable);
    assert!(reply.header("retry-after").is_some(), "503 tells when to come back");
    accepted(&acme.test, code_to(&number(1))).await;
    let mut body = code_to(&number(2));
    body["fallback"] = json!([{"channel": "email", "to": "ann@example.com"}]);
    let id = accepted(&acme.live, body).await;
    drain(&app).await;
    assert_eq!(message(&acme.live, &id).await["status"], "sent");
    assert_eq!(app.post.letters()[0].to, ["ann@example.com"]);
}

#[actix_web::test]
async fn a_channel_that_is_not_built_yet_is_refused_before_anything_is_taken() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut body = code_to(&number(1));
    body["channel"] = json!("whatsapp");
    for _ in 0..4 {
        post(&acme.live, body.clone()).await.refused(Code::ChannelNotEnabled);
    }
    let mut later = code_to(&number(1));
    later["fallback"] = json!(["whatsapp"]);
    post(&acme.live, later).await.refused(Code::ChannelNotEnabled);
    for _ in 0..3 {
        accepted(&acme.live, code_to(&number(1))).await;
    }
}

#[actix_web::test]
async fn a_template_speaks_the_reader_s_language_and_its_faults_are_told() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let with = |template: Value| json!({"to": number(1), "template": template});
    let german = json!({"name": "login", "locale": "de", "params": {"code": "481516"}});
    let reply = post(&acme.live, with(german)).await.expect(202);
    assert_eq!(reply.text_at("/template"), "login");
    let english = json!({"name": "login", "params": {"code": "481516"}});
    post(&acme.live, with(english)).await.expect(202);
    drain(&app).await;
    let said: Vec<String> = app.acme.hand_offs().iter().map(|taken| taken.json()["text"].to_string()).collect();
    assert!(said.len() == 2 && said[0] != said[1] && said.iter().all(|text| text.contains("481516")), "{said:?}");
    for params in [json!({}), json!({"code": ""}), json!({"code": "481516", "colour": "red"}), json!({"code": 481516})]
    {
        let reply = post(&acme.live, with(json!({"name": "login", "params": params}))).await.expect(400);
        assert!(reply.text.contains("template.params"), "{}", reply.text);
    }
}
