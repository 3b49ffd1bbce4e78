//! What is listed by hand: numbers, prefixes, networks, devices; for everybody and for one organization.

use postern::error::Code;
use serde_json::{Value, json};

use crate::harness::actor::Actor;
use crate::harness::app::TestApp;
use crate::harness::wait::meanwhile;
use crate::messages::{code_to, notice_to, number, post, secs};

fn entry(action: &str, kind: &str, value: &str) -> Value {
    json!({"action": action, "kind": kind, "value": value, "reason": "seen on Sunday"})
}

async fn add(caller: &Actor, path: &str, body: Value) -> String {
    caller.post(path, body).await.expect(201).text_at("/id")
}

const OWN: &str = "/v1/fraud/lists";
const EVERYBODY: &str = "/v1/admin/fraud/lists";

#[actix_web::test]
async fn each_kind_keeps_out_and_says_which_entry_did() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let with = |to: &str, client: Value| json!({"to": to, "body": "Your code is 481516", "client": client});
    let cases = [
        ("number", number(1), with(&number(1), json!({})), with(&number(2), json!({}))),
        ("prefix", String::from("+447400129"), with(&number(9001), json!({})), with(&number(3), json!({}))),
        (
            "ip",
            String::from("203.0.113.0/24"),
            with(&number(4), json!({"ip": "203.0.113.77"})),
            with(&number(4), json!({"ip": "203.0.114.77"})),
        ),
        (
            "device",
            String::from("d-1"),
            with(&number(5), json!({"device_id": "d-1"})),
            with(&number(5), json!({"device_id": "d-2"})),
        ),
    ];
    for (kind, value, kept_out, let_through) in cases {
        let id = add(&acme.live, OWN, entry("block", kind, &value)).await;
        let reply = post(&acme.live, kept_out.clone()).await.refused(Code::FraudBlocked);
        let mut dry = kept_out.clone();
        dry["dry_run"] = json!(true);
        let dry = post(&acme.live, dry).await;
        assert!(dry.text.contains("list.block") && dry.text.contains(&id), "{kind}: {}", dry.text);
        assert!(reply.text_at("/decision").starts_with("dec_"), "{}", reply.text);
        post(&acme.live, let_through).await.expect(202);
        acme.live.call("DELETE", &format!("{OWN}/{id}"), None).await.expect(204);
        post(&acme.live, kept_out).await.expect(202);
        app.advance(secs(600));
    }
}

#[actix_web::test]
async fn an_entry_is_its_own_organization_s_and_the_operators_are_everybody_s() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    let id = add(&acme.live, OWN, entry("block", "number", &number(1))).await;
    post(&acme.live, notice_to(&number(1))).await.refused(Code::FraudBlocked);
    post(&acme.test, notice_to(&number(1))).await.expect(202);
    post(&other.live, notice_to(&number(1))).await.expect(202);
    other.live.call("DELETE", &format!("{OWN}/{id}"), None).await.refused(Code::NotFound);
    let id = add(&app.operator(), EVERYBODY, entry("block", "prefix", "+44740012")).await;
    add(&acme.live, OWN, entry("allow", "number", &number(2))).await;
    for caller in [&acme.live, &other.live] {
        post(caller, notice_to(&number(2))).await.refused(Code::FraudBlocked);
    }
    acme.live.call("DELETE", &format!("{OWN}/{id}"), None).await.refused(Code::NotFound);
    app.operator().call("DELETE", &format!("{EVERYBODY}/{id}"), None).await.expect(204);
    post(&acme.live, notice_to(&number(2))).await.expect(202);
    let own = acme.live.get(OWN).await.expect(200);
    assert_eq!(own.json["data"].as_array().unwrap().len(), 2);
    let seen = app.operator().get(&format!("{EVERYBODY}?org_id={}", acme.org)).await.expect(200);
    assert_eq!(seen.json["data"], own.json["data"]);
}

#[actix_web::test]
async fn an_allowed_destination_is_let_through_judgement_and_not_through_limits_or_countries() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "enterprise", "countries": ["GB"]})).await;
    let premium = "+449098790000";
    post(&acme.live, notice_to(premium)).await.refused(Code::FraudBlocked);
    add(&acme.live, OWN, entry("allow", "number", premium)).await;
    post(&acme.live, notice_to(premium)).await.expect(202);
    add(&acme.live, OWN, entry("allow", "number", "+33612345678")).await;
    post(&acme.live, notice_to("+33612345678")).await.refused(Code::DestinationNotAllowed);
    add(&acme.live, OWN, entry("allow", "number", &number(1))).await;
    for _ in 0..3 {
        post(&acme.live, code_to(&number(1))).await.expect(202);
    }
    post(&acme.live, code_to(&number(1))).await.refused(Code::OtpNumberLimit);
}

#[actix_web::test]
async fn an_entry_ends_and_another_process_knows_of_a_new_one_within_a_second() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let other = app.another().await;
    let there = acme.live.at(&other.base);
    post(&there, notice_to(&number(1))).await.expect(202);
    let mut body = entry("block", "number", &number(1));
    body["expires_at"] = json!(app.app.clock.now().plus(secs(3_600)).rfc3339());
    add(&acme.live, OWN, body).await;
    post(&acme.live, notice_to(&number(1))).await.refused(Code::FraudBlocked);
    let known = meanwhile("the other process's knowledge", || async {
        let reply = post(&there, notice_to(&number(1))).await;
        (reply.status == 403).then_some(reply)
    });
    known.await.refused(Code::FraudBlocked);
    app.advance(secs(3_600));
    for caller in [&acme.live, &there] {
        post(caller, notice_to(&number(1))).await.expect(202);
    }
}

#[actix_web::test]
async fn faults_are_told_and_the_log_knows_who_without_the_number() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for (kind, value) in [("number", "12"), ("prefix", "4474"), ("prefix", "+"), ("ip", "203.0.113"), ("device", " ")] {
        let reply = acme.live.post(OWN, entry("block", kind, value)).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"]["value"].is_array(), "{kind} {value}: {}", reply.text);
    }
    let mut body = entry("block", "number", &number(1));
    (body["reason"], body["expires_at"]) = (json!(" "), json!("2020-01-01T00:00:00Z"));
    let reply = acme.live.post(OWN, body).await.refused(Code::ValidationFailed);
    assert!(reply.json["field_errors"]["reason"].is_array() && reply.json["field_errors"]["expires_at"].is_array());
    let made = acme.live.post(OWN, entry("block", "number", &number(1))).await.expect(201);
    assert_eq!(made.json["value"], number(1));
    let log = app.operator().get("/v1/admin/audit").await.expect(200);
    let row = log.json["data"].as_array().unwrap().iter().find(|row| row["action"] == "list.add").unwrap().clone();
    assert!(row["actor"].as_str().unwrap().starts_with("key_"), "{row}");
    assert!(!log.text.contains(&number(1)), "{row}");
    assert_eq!(app.operator().get("/v1/admin/audit/verify").await.expect(200).json["whole"], true);
}
