//! A line each: what it says, what it never says, which there are, and how they end.

use std::time::Duration;

use diesel::prelude::*;
use postern::config::Switch;
use postern::db::Conn;
use postern::error::Code;
use postern::worker;
use serde_json::{Value, json};

use super::{lines, write};
use crate::harness::app::{START, TestApp};

fn line_of<'a>(lines: &'a [Value], reply: &crate::harness::actor::Reply) -> &'a Value {
    let id = reply.header("x-request-id");
    lines.iter().find(|line| line["id"].as_str() == id).unwrap_or_else(|| panic!("no line: {}", reply.text))
}

#[actix_web::test]
async fn a_line_says_who_asked_what_and_how_it_was_answered() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let caller = tenant.live.with_header("X-Client-Request-Id", "order-42");
    let sent = caller.post("/v1/messages", json!({"to": "+447911123456", "body": "x"})).await.expect(202);
    let id = sent.text_at("/id");
    let shown = caller.get(&format!("/v1/messages/{id}?")).await.expect(200);
    let found = lines(&app, &format!("org_id={}", tenant.org)).await;
    let account = caller.get("/v1/account").await.expect(200);
    let line = line_of(&found, &shown);
    for (name, value) in [
        ("at", json!(START.rfc3339())),
        ("org_id", json!(tenant.org)),
        ("key_id", account.json["key"]["id"].clone()),
        ("operator_id", json!(null)),
        ("mode", json!("live")),
        ("method", json!("GET")),
        ("route", json!("/v1/messages/{id}")),
        ("status", json!(200)),
        ("code", json!(null)),
        ("policy", json!(null)),
        ("deprecated", json!(false)),
        ("client_request_id", json!("order-42")),
        ("client_net", json!("127.0.0.0/24")),
        ("target", json!(id)),
    ] {
        assert_eq!(line[name], value, "{name}: {line}");
    }
    assert!(line["duration_ms"].as_i64().unwrap() >= 0);
    assert_eq!(line_of(&found, &sent)["target"], json!(id), "what it made, by its Location");
    let by_operator = lines(&app, "route=/v1/admin/orgs").await;
    assert!(by_operator[0]["operator_id"].as_str().unwrap().starts_with("opr_"), "{by_operator:?}");
    assert_eq!(by_operator[0]["key_id"], json!(null));
}

#[actix_web::test]
async fn only_requests_of_the_api_are_logged_those_of_nobody_too() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    nobody.get("/healthz").await.expect(200);
    nobody.get("/openapi.json").await.expect(200);
    nobody.get("/docs/errors/internal").await;
    nobody.get("/console/x").await;
    let strange = nobody.get("/v1/nothing/+447911123456").await;
    nobody.get("/v1/account").await.expect(401);
    app.acme_reports("SM1", "DELIVRD").await.expect(204);
    nobody.get("/stubs/handler_api.php?api_key=none&action=getBalance").await.expect(200);
    let found = lines(&app, "").await;
    let seen: Vec<(&str, i64, &str)> = found
        .iter()
        .map(|line| {
            (line["route"].as_str().unwrap(), line["status"].as_i64().unwrap(), line["code"].as_str().unwrap_or("-"))
        })
        .collect();
    for expected in [
        (line_of(&found, &strange)["route"].as_str().unwrap(), i64::from(strange.status), "unauthenticated"),
        ("/v1/account", 401, "unauthenticated"),
        ("/hooks/{provider}/status", 204, "-"),
        ("/stubs/handler_api.php", 401, "unauthenticated"),
    ] {
        assert!(seen.contains(&expected), "{expected:?} is not among {seen:?}");
    }
    assert_eq!(seen.iter().filter(|(route, ..)| !route.starts_with("/v1/admin")).count(), 4, "{seen:?}");
}

#[actix_web::test]
async fn a_refusal_names_its_code_its_limit_its_decision_and_the_key_it_met() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let body = json!({"to": "+447911123456", "body": "Your code is 481516"});
    for _ in 0..3 {
        tenant.live.post("/v1/messages", body.clone()).await.expect(202);
    }
    let refused = tenant.live.post("/v1/messages", body).await.refused(Code::OtpNumberLimit);
    let limit = format!("/v1/admin/orgs/{}/limits/key.minute", tenant.org);
    app.operator().put(&limit, json!({"limit": "1/min", "reason": "a test"})).await.expect(200);
    tenant.test.get("/v1/account").await.expect(200);
    let at_the_door = tenant.test.get("/v1/account").await.refused(Code::RateLimited);
    let found = lines(&app, &format!("org_id={}&status=429", tenant.org)).await;
    assert_eq!(found.len(), 2, "{found:?}");
    let line = line_of(&found, &refused);
    assert_eq!((&line["code"], &line["policy"]), (&json!("otp.number_limit"), &json!("otp.number")));
    assert_eq!(line["decision_id"], refused.json["decision"]);
    let line = line_of(&found, &at_the_door);
    assert_eq!(
        (&line["code"], &line["policy"], &line["mode"]),
        (&json!("rate_limited"), &json!("key.minute"), &json!("test"))
    );
    assert!(line["key_id"].is_string(), "a key that is known is named where its limits refuse");
}

#[actix_web::test]
async fn the_list_takes_filters_and_pages() {
    let app = TestApp::start().await;
    let (one, other) = (app.tenant().await, app.tenant().await);
    let key = one.live.get("/v1/account").await.expect(200).json["key"]["id"].as_str().unwrap().to_owned();
    one.test.get("/v1/account").await.expect(200);
    other.live.get("/v1/messages/msg_01h455vb4pex5vsknk084sn02q").await.expect(404);
    app.advance(Duration::from_secs(60));
    one.live.get("/v1/limits").await.expect(200);
    let count = async |query: String| lines(&app, &query).await.len();
    assert_eq!(count(format!("org_id={}", one.org)).await, 3);
    assert_eq!(count(format!("key_id={key}")).await, 2);
    assert_eq!(count(format!("key_id={key}&route=/v1/account")).await, 1);
    assert_eq!(count(format!("org_id={}&code=not_found", other.org)).await, 1);
    assert_eq!(count(format!("org_id={}&status=404", one.org)).await, 0);
    let turn = START.plus(Duration::from_secs(60)).rfc3339();
    assert_eq!(count(format!("org_id={}&since={turn}", one.org)).await, 1);
    assert_eq!(count(format!("org_id={}&until={turn}", one.org)).await, 2);
    let operator = lines(&app, "route=/v1/admin/orgs").await[0]["operator_id"].as_str().unwrap().to_owned();
    assert!(count(format!("operator_id={operator}&status=201")).await >= 6, "organizations and keys were made");
    let owner = app.operator();
    let path = format!("/v1/admin/requests?org_id={}&limit=2", one.org);
    let first = owner.get(&path).await.expect(200);
    assert_eq!((&first.json["has_more"], first.text_at("/data/0/route").as_str()), (&json!(true), "/v1/limits"));
    let rest = owner.get(&format!("{path}&cursor={}", first.text_at("/next_cursor"))).await.expect(200);
    assert_eq!((&rest.json["has_more"], rest.json["data"].as_array().unwrap().len()), (&json!(false), 1));
    owner.get("/v1/admin/requests?status=99").await.refused(Code::ValidationFailed);
    owner.get("/v1/admin/requests?path=x").await.refused(Code::ValidationFailed);
}

/// Every text of the table.
fn texts(conn: &mut Conn) -> postern::error::Result<String> {
    use postern::db::schema::request_log as dsl;
    type Texts = (String, String, String, Option<String>, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Texts> = dsl::table
        .select((dsl::id, dsl::method, dsl::route, dsl::code, dsl::client_id, dsl::client_net, dsl::target))
        .load(conn)?;
    Ok(format!("{rows:?}"))
}

#[actix_web::test]
async fn no_number_code_or_secret_is_in_the_log() {
    const NATIONAL: &str = "7911123456";
    const CODE: &str = "918273";
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let secret = "pst_live_CANARYCANARYCANARYCANARY";
    let sly = tenant.live.with_header("X-Client-Request-Id", &format!("+44{NATIONAL}"));
    sly.get(&format!("/v1/messages?to=%2B44{NATIONAL}")).await.expect(200);
    sly.get(&format!("/v1/messages/+44{NATIONAL}")).await.expect(404);
    // An id of ours by its form, and a number by its meaning.
    sly.get(&format!("/v1/messages/msg_0000000000044{NATIONAL}00a")).await.expect(404);
    sly.post("/v1/messages", json!({"to": format!("+44{NATIONAL}"), "body": format!("Code {CODE}")})).await.expect(202);
    sly.post("/v1/verifications/check", json!({"to": format!("+44{NATIONAL}"), "code": CODE})).await.expect(404);
    let other = tenant.live.with_header("X-Client-Request-Id", CODE);
    other.get(&format!("/v1/{CODE}/{NATIONAL}")).await.expect(404);
    app.anonymous().with_token(secret).get("/v1/account").await.expect(401);
    app.anonymous().get(&format!("/stubs/handler_api.php?api_key={secret}&id={NATIONAL}")).await.expect(200);
    let shown = serde_json::to_string(&lines(&app, "").await).unwrap();
    let kept = app.read(texts).await;
    for canary in [NATIONAL, CODE, secret, "CANARY"] {
        assert!(!shown.contains(canary), "{canary} is shown: {shown}");
        assert!(!kept.contains(canary), "{canary} is kept: {kept}");
    }
    assert!(kept.contains("+••••••••••••"), "what a client named is kept as far as it is safe: {kept}");
}

#[actix_web::test]
async fn lines_end_after_their_time() {
    let app = TestApp::start().await;
    app.anonymous().get("/v1/account").await.expect(401);
    write(&app).await;
    app.advance(Duration::from_secs(29 * 86_400));
    worker::sweep(&app.app).await.unwrap();
    assert_eq!(lines(&app, "route=/v1/account").await.len(), 1);
    app.advance(Duration::from_secs(86_400 + 1));
    worker::sweep(&app.app).await.unwrap();
    assert_eq!(lines(&app, "route=/v1/account").await.len(), 0);
}

#[actix_web::test]
async fn a_log_that_is_off_keeps_nothing() {
    let app = TestApp::start_with(|config| config.request_log.enabled = Switch::Off).await;
    app.tenant().await.live.get("/v1/account").await.expect(200);
    assert_eq!(lines(&app, "").await.len(), 0);
    let sums = app.operator().get("/v1/admin/requests/summary").await.expect(200);
    assert_eq!(sums.json["requests"], 0);
}
