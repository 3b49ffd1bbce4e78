//! Starting, joining, sending again, canceling.

use std::time::Duration;

use postern::error::Code;
use serde_json::json;

use super::*;
use crate::harness::app::START;

#[actix_web::test]
async fn a_code_is_sent_typed_and_approved() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let made = start(&tenant.test, json!({"metadata": {"user": "42"}})).await.expect(201);
    let id = made.text_at("/id");
    assert_eq!(made.header("location"), Some(format!("/v1/verifications/{id}").as_str()));
    assert_eq!(
        (made.text_at("/status"), made.json["checks_left"].as_i64(), sends(&made)),
        ("pending".into(), Some(5), 1)
    );
    assert_eq!(made.text_at("/expires_at"), START.plus(Duration::from_secs(600)).rfc3339());
    assert_eq!(made.text_at("/next_resend_at"), START.plus(Duration::from_secs(30)).rfc3339());
    assert_eq!(made.json["metadata"], json!({"user": "42"}));
    let code = latest_code(&app, &tenant.test, NUMBER).await;
    assert!(code.len() == 6 && !made.text.contains(&code));
    let typed = format!(" {}-{} ", &code[..3], &code[3..]);
    assert_eq!(told(check(&tenant.test, &id, &typed).await), ("approved".into(), true, 4));
    let seen = show(&tenant.test, &id).await;
    assert_eq!((seen.text_at("/status"), seen.text_at("/decided_at")), ("approved".into(), START.rfc3339()));
    assert_eq!((&seen.json["sends"][0]["converted"], &seen.json["next_resend_at"]), (&json!(true), &json!(null)));
    check(&tenant.test, &id, &code).await.refused(Code::VerificationAlreadyDecided);
}

#[actix_web::test]
async fn a_second_start_joins_the_pending_one_and_the_guards_count_it() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    let joined = start(&tenant.test, json!({"code_length": 8, "ttl": "1m"})).await.expect(201);
    assert_eq!((joined.text_at("/id"), sends(&joined)), (id.clone(), 2));
    assert_eq!(
        (&joined.json["code_length"], joined.text_at("/expires_at")),
        (&json!(6), show(&tenant.test, &id).await.text_at("/expires_at"))
    );
    assert_eq!(joined.text_at("/next_resend_at"), START.plus(Duration::from_secs(60)).rfc3339());
    assert_eq!(latest_code(&app, &tenant.test, NUMBER).await, code, "the same code by default");
    start(&tenant.test, json!({})).await.expect(201);
    let refused = start(&tenant.test, json!({})).await.refused(Code::OtpNumberLimit);
    assert_eq!((refused.text_at("/policy"), refused.header("retry-after")), ("otp.number".into(), Some("300")));
    app.advance(Duration::from_secs(300));
    assert_eq!(start(&tenant.test, json!({})).await.expect(201).text_at("/id"), id);
    app.advance(Duration::from_secs(300));
    assert_ne!(start(&tenant.test, json!({})).await.expect(201).text_at("/id"), id, "the first has expired");
    assert_eq!(show(&tenant.test, &id).await.text_at("/status"), "expired");
}

#[actix_web::test]
async fn a_second_start_resets_nothing_that_it_does_not_name() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let first =
        json!({"locale": "de", "template": "login", "web_origin": "shop.example", "client": {"device_id": "d"}});
    let device = async |members: Value| {
        let mut body = json!({"to": "+447400123999", "client": {"device_id": "d"}});
        body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap());
        tenant.test.post("/v1/verifications", body).await
    };
    let text = async || {
        app.step().await;
        tenant.test.get("/v1/sandbox/messages?to=%2B447400123123").await.expect(200).text_at("/data/0/body")
    };
    start(&tenant.test, first).await.expect(201);
    let said = text().await;
    assert!(said.contains("@shop.example #"), "{said}");
    start(&tenant.test, json!({})).await.expect(201);
    assert_eq!(text().await, said, "the same language, text and origin");
    let limits = device(json!({"dry_run": true})).await.expect(200);
    let used = limits.json["limits"].as_array().unwrap().iter().find(|limit| limit["policy"] == "otp.device").cloned();
    assert_eq!(used.unwrap()["used"], 3, "the second start counted for the device as well");
    let joined = start(&tenant.test, json!({"locale": "fr"})).await.expect(201);
    let french = text().await;
    assert!(french != said && french.contains("@shop.example #"), "{french}: {}", joined.text);
}

#[actix_web::test]
async fn live_and_test_verifications_of_a_number_do_not_meet() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let test = start(&tenant.test, json!({})).await.expect(201).text_at("/id");
    let live = start(&tenant.live, json!({})).await.expect(201).text_at("/id");
    assert_ne!(test, live);
    app.step().await;
    let code = code_in(app.acme.hand_offs()[0].json()["text"].as_str().unwrap());
    check(&tenant.test, &live, &code).await.refused(Code::NotFound);
    assert_eq!(told(check(&tenant.live, &live, &code).await).0, "approved");
}

#[actix_web::test]
async fn a_wrong_request_names_its_fields_and_stores_nothing() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    for (members, field) in [
        (json!({"to": null}), "to"),
        (json!({"to": "07400123123"}), "to"),
        (json!({"channel": "email"}), "to"),
        (json!({"channel": "sms", "workflow": [{"channel": "sms"}]}), "workflow"),
        (json!({"workflow": []}), "workflow"),
        (json!({"workflow": [{"channel": "sms"}, {"channel": "email"}]}), "workflow[1].to"),
        (json!({"workflow": [{"channel": "sms", "wait": "9s"}]}), "workflow[0].wait"),
        (json!({"workflow": [{"channel": "sms", "after": "30s"}]}), "workflow[0].after"),
        (json!({"code_length": 3}), "code_length"),
        (json!({"ttl": "11m"}), "ttl"),
        (json!({"ttl": "59s"}), "ttl"),
        (json!({"max_checks": 11}), "max_checks"),
        (json!({"resend_policy": "other"}), "resend_policy"),
        (json!({"app_hash": "short"}), "app_hash"),
        (json!({"web_origin": "http://example.com"}), "web_origin"),
        (json!({"locale": "e"}), "locale"),
        (json!({"template": "welcome"}), "template"),
        (json!({"client": {"ip": "x"}}), "client.ip"),
        (json!({"code": "123456"}), "code"),
    ] {
        let reply = start(&tenant.test, members).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"].get(field).is_some(), "{field}: {}", reply.text);
    }
    start(&tenant.test, json!({"channel": "whatsapp"})).await.refused(Code::ChannelNotEnabled);
    start(&tenant.test, json!({"to": "+15005550004"})).await.refused(Code::RecipientOptedOut);
    assert_eq!(tenant.test.get("/v1/verifications").await.expect(200).json["data"], json!([]));
    start(&tenant.test, json!({})).await.expect(201);
}

#[actix_web::test]
async fn a_refused_screen_leaves_its_decision_and_no_verification() {
    let app = TestApp::start().await;
    let tenant = app.tenant_with(json!({"plan": "enterprise", "countries": ["FR"]})).await;
    let refused = start(&tenant.live, json!({})).await.refused(Code::DestinationNotAllowed);
    let id = refused.text_at("/decision");
    let kept = app.read(move |conn| Ok(decisions_named(conn, &id)?)).await;
    assert_eq!(kept, 1);
    assert_eq!(tenant.live.get("/v1/verifications").await.expect(200).json["data"], json!([]));
}

fn decisions_named(conn: &mut postern::db::Conn, id: &str) -> diesel::QueryResult<i64> {
    use diesel::prelude::*;
    use postern::db::schema::decisions;
    decisions::table.filter(decisions::id.eq(id.to_owned())).count().get_result(conn)
}

#[actix_web::test]
async fn a_dry_run_tells_all_and_takes_nothing() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    for _ in 0..5 {
        let found = start(&tenant.test, json!({"dry_run": true})).await.expect(200);
        assert_eq!((&found.json["dry_run"], found.text_at("/decision/action")), (&json!(true), "allow".into()));
    }
    assert_eq!((app.step().await, tenant.test.get("/v1/verifications").await.json["data"].clone()), (0, json!([])));
    for _ in 0..3 {
        start(&tenant.test, json!({})).await.expect(201);
    }
    let found = start(&tenant.test, json!({"dry_run": true})).await.expect(200);
    assert_eq!(found.text_at("/error/code"), "otp.number_limit");
}

#[actix_web::test]
async fn one_key_starts_once_and_resends_once() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let keyed = tenant.test.with_header("Idempotency-Key", "k-1");
    let first = start(&keyed, json!({})).await.expect(201);
    let again = start(&keyed, json!({})).await.expect(201);
    assert_eq!((&again.text, again.header("idempotent-replayed")), (&first.text, Some("true")));
    assert_eq!(again.header("location"), first.header("location"));
    start(&keyed, json!({"locale": "fr"})).await.refused(Code::IdempotencyMismatch);
    let path = format!("/v1/verifications/{}/resend", first.text_at("/id"));
    let keyed = tenant.test.with_header("Idempotency-Key", "k-2");
    let sent = keyed.post(&path, json!({})).await.expect(200);
    assert_eq!((sends(&sent), keyed.post(&path, json!({})).await.text), (2, sent.text.clone()));
    assert_eq!(app.step().await, 2);
}

#[actix_web::test]
async fn a_resend_says_the_same_code_or_one_of_its_own() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    tenant.test.post(&format!("/v1/verifications/{id}/resend"), json!({})).await.expect(200);
    assert_eq!(latest_code(&app, &tenant.test, NUMBER).await, code);
    let other = json!({"to": "+447400123124", "resend_policy": "new_code"});
    let (id, _) = started(&app, &tenant.test, other).await;
    let first = latest_code(&app, &tenant.test, "+447400123124").await;
    app.advance(Duration::from_secs(1));
    // No body at all is as good as an empty one.
    tenant.test.call("POST", &format!("/v1/verifications/{id}/resend"), None).await.expect(200);
    let second = latest_code(&app, &tenant.test, "+447400123124").await;
    assert_ne!(first, second);
    assert!(told(check(&tenant.test, &id, &first).await).1, "an older code is still good");
    let seen = show(&tenant.test, &id).await;
    let converted: Vec<_> = seen.json["sends"].as_array().unwrap().iter().map(|send| &send["converted"]).collect();
    assert_eq!(converted, [&json!(true), &json!(false)]);
}

#[actix_web::test]
async fn a_resend_gives_no_check_back_and_needs_a_pending_one() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    check(&tenant.test, &id, &wrong(&code)).await.expect(200);
    let resend = format!("/v1/verifications/{id}/resend");
    assert_eq!(tenant.test.post(&resend, json!({})).await.expect(200).json["checks_left"], json!(4));
    assert_eq!(start(&tenant.test, json!({})).await.expect(201).json["checks_left"], json!(4));
    let no_address = tenant.test.post(&resend, json!({"channel": "email"})).await.refused(Code::ValidationFailed);
    assert!(no_address.json["field_errors"].get("channel").is_some());
    let no_step = tenant.test.post(&format!("/v1/verifications/{id}/next"), json!({})).await;
    assert!(no_step.refused(Code::ValidationFailed).json["field_errors"].get("workflow").is_some());
    let cancel = format!("/v1/verifications/{id}/cancel");
    assert_eq!(tenant.test.post(&cancel, json!({})).await.expect(200).text_at("/status"), "canceled");
    tenant.test.post(&cancel, json!({})).await.refused(Code::VerificationAlreadyDecided);
    tenant.test.post(&resend, json!({})).await.refused(Code::VerificationAlreadyDecided);
    check(&tenant.test, &id, &code).await.refused(Code::VerificationAlreadyDecided);
}

#[actix_web::test]
async fn a_number_verified_before_is_free_of_the_guard_on_its_client() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let path = format!("/v1/admin/orgs/{}/limits/otp.ip", tenant.org);
    app.operator().put(&path, json!({"limit": "2/h", "reason": "test"})).await.expect(200);
    let client = json!({"client": {"ip": "203.0.113.9"}});
    let (id, code) = started(&app, &tenant.test, client.clone()).await;
    check(&tenant.test, &id, &code).await.expect(200);
    let other = json!({"to": "+447400123124", "client": {"ip": "203.0.113.9"}});
    start(&tenant.test, other).await.expect(201);
    let third = json!({"to": "+447400123125", "client": {"ip": "203.0.113.9"}});
    assert_eq!(start(&tenant.test, third).await.refused(Code::RateLimited).text_at("/policy"), "otp.ip");
    start(&tenant.test, client).await.expect(201);
}
