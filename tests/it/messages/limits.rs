//! Message-level limits over the wire: exact, told truthfully, and taking nothing when they refuse.

use std::time::Duration;

use postern::error::Code;
use serde_json::{Value, json};

use super::{accepted, code_to, drain, notice_to, number, post, secs};
use crate::harness::actor::{Actor, Reply};
use crate::harness::app::TestApp;

fn wait_of(reply: &Reply) -> u64 {
    reply.header("retry-after").unwrap().parse().unwrap()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[actix_web::test]
async fn a_fourth_code_in_five_minutes_is_refused_and_its_wait_is_exact() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let to = number(1);
    for _ in 0..3 {
        accepted(&acme.live, code_to(&to)).await;
        app.advance(secs(1));
    }
    // Sent at 0, 1 and 2 s; it is 3 s: the first leaves the window at 300 s.
    let reply = post(&acme.live, code_to(&to)).await.refused(Code::OtpNumberLimit);
    assert_eq!(wait_of(&reply), 297);
    let told = ["limit", "usage", "retry_after"].map(|name| reply.json[name].as_u64());
    assert_eq!((told, &reply.json["policy"]), ([3, 3, 297].map(Some), &json!("otp.number")));
    assert!(reply.header("ratelimit").unwrap().contains("\"otp.number\";r=0;t=297"), "{:?}", reply.headers);
    app.advance(ms(296_999));
    let early = post(&acme.live, code_to(&to)).await.refused(Code::OtpNumberLimit);
    assert_eq!(wait_of(&early), 1, "a millisecond is rounded up");
    app.advance(ms(1));
    accepted(&acme.live, code_to(&to)).await;
    post(&acme.live, code_to(&to)).await.refused(Code::OtpNumberLimit);
}

#[actix_web::test]
async fn the_guard_is_over_channels_keys_and_requests_and_spares_other_kinds() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let second = app.key(&acme.org, json!({"mode": "live"})).await;
    let to = number(1);
    accepted(&acme.live, code_to(&to)).await;
    accepted(&second, code_to(&to)).await;
    let bulk = json!({"messages": [code_to(&to), code_to(&to), notice_to(&to)]});
    let reply = acme.live.post("/v1/messages/bulk", bulk).await.expect(202);
    let codes: Vec<&Value> = (0..3).map(|n| &reply.json["results"][n]["error"]["code"]).collect();
    assert_eq!(codes, [&Value::Null, &json!("otp.number_limit"), &Value::Null]);
    accepted(&acme.test, code_to(&to)).await;
}

/// Sends as soon as the answer allows it, and notes each wait that was longer than the five minutes' own.
async fn send_all_day(app: &TestApp, caller: &Actor, body: &Value) -> Vec<(String, u64)> {
    let mut waits = Vec::new();
    let end = app.app.clock.now().plus(secs(86_400));
    while app.app.clock.now() < end {
        let reply = post(caller, body.clone()).await;
        if reply.status == 202 {
            drain(app).await;
            continue;
        }
        let (policy, wait) = (reply.text_at("/policy"), wait_of(&reply));
        if policy != "otp.number" {
            waits.push((policy, wait));
        }
        app.advance(secs(wait));
    }
    waits
}

#[actix_web::test]
async fn ten_codes_an_hour_and_twenty_a_day_are_the_most() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let waits = send_all_day(&app, &acme.live, &code_to(&number(1))).await;
    // Three at once at 0, 300, 600 s, the tenth at 900 s; then the hour holds until 3,600 s.
    assert_eq!(waits[0], ("otp.number.hour".to_owned(), 2_700));
    let (policy, wait) = waits.last().unwrap();
    assert!(policy == "otp.number.day" || policy == "platform.number", "{waits:?}");
    assert!(*wait > 75_000 && waits.len() <= 4, "{waits:?}");
    let list = acme.live.get("/v1/messages?limit=200").await.expect(200);
    assert_eq!(list.json["data"].as_array().unwrap().len(), 20);
}

#[actix_web::test]
async fn the_platform_guards_a_number_over_all_organizations() {
    let app = TestApp::start().await;
    let to = number(7);
    let mut sent = 0;
    for _ in 0..7 {
        let acme = app.tenant().await;
        for _ in 0..3 {
            let reply = post(&acme.live, code_to(&to)).await;
            sent += usize::from(reply.status == 202);
            if reply.status != 202 {
                assert_eq!(reply.refused(Code::OtpNumberLimit).json["policy"], "platform.number");
            }
        }
    }
    assert_eq!(sent, 20);
    let other = app.tenant().await;
    post(&other.live, code_to(&to)).await.refused(Code::OtpNumberLimit);
    app.advance(secs(86_400));
    accepted(&other.live, code_to(&to)).await;
}

#[actix_web::test]
async fn a_device_and_an_address_have_limits_of_their_own() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut next = 0;
    let mut from = |client: Value| {
        next += 1;
        let mut body = code_to(&number(next));
        body["client"] = client;
        body
    };
    for _ in 0..10 {
        accepted(&acme.live, from(json!({"device_id": "phone-1"}))).await;
    }
    let reply = post(&acme.live, from(json!({"device_id": "phone-1"}))).await.refused(Code::RateLimited);
    assert_eq!((reply.text_at("/policy"), wait_of(&reply)), ("otp.device".into(), 3_600));
    for n in 0..20 {
        accepted(&acme.live, from(json!({"ip": format!("2001:db8::{n:x}")}))).await;
    }
    let reply = post(&acme.live, from(json!({"ip": "2001:db8::ffff:1"}))).await.refused(Code::RateLimited);
    assert_eq!(reply.text_at("/policy"), "otp.ip", "one household is one address");
    accepted(&acme.live, from(json!({"ip": "2001:db8:0:1::1"}))).await;
    let other = app.tenant().await;
    accepted(&other.live, from(json!({"device_id": "phone-1", "ip": "2001:db8::1"}))).await;
}

#[actix_web::test]
async fn what_one_guard_refuses_takes_nothing_from_the_others() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let to = number(1);
    for _ in 0..3 {
        accepted(&acme.live, code_to(&to)).await;
    }
    let before = acme.live.get("/v1/limits").await.expect(200);
    for _ in 0..20 {
        post(&acme.live, code_to(&to)).await.refused(Code::OtpNumberLimit);
    }
    let after = acme.live.get("/v1/limits").await.expect(200);
    let used = |reply: &Reply| {
        let rows = reply.json["data"].as_array().unwrap().clone();
        rows.iter().find(|row| row["policy"] == "sms.plan").map(|row| row["used"].as_u64().unwrap())
    };
    assert_eq!((used(&before), used(&after)), (Some(3), Some(3)));
}

#[actix_web::test]
async fn the_plan_caps_messages_a_minute_and_the_free_plan_has_one() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "free"})).await;
    accepted(&acme.live, notice_to(&number(1))).await;
    app.advance(ms(1));
    let reply = post(&acme.live, notice_to(&number(2))).await.refused(Code::SmsPlanCap);
    assert_eq!((wait_of(&reply), reply.text_at("/policy")), (60, "sms.plan".into()));
    let mail = json!({"to": "ann@example.com", "channel": "email", "body": "x", "kind": "transactional"});
    accepted(&acme.live, mail).await;
    app.advance(ms(59_998));
    assert_eq!(wait_of(&post(&acme.live, notice_to(&number(2))).await.refused(Code::SmsPlanCap)), 1);
    app.advance(ms(1));
    accepted(&acme.live, notice_to(&number(2))).await;
}

#[actix_web::test]
async fn an_operator_can_widen_a_limit_for_a_while() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let to = number(1);
    let path = format!("/v1/admin/orgs/{}/limits/otp.number", acme.org);
    let until = app.app.clock.now().plus(secs(60)).rfc3339();
    let body = json!({"limit": "5/5m", "expires_at": until, "reason": "a demonstration"});
    app.operator().put(&path, body).await.expect(200);
    for _ in 0..5 {
        accepted(&acme.live, code_to(&to)).await;
    }
    post(&acme.live, code_to(&to)).await.refused(Code::OtpNumberLimit);
    let other = number(2);
    app.advance(secs(60));
    for _ in 0..3 {
        accepted(&acme.live, code_to(&other)).await;
    }
    post(&acme.live, code_to(&other)).await.refused(Code::OtpNumberLimit);
}

#[actix_web::test]
async fn the_limits_page_tells_every_policy_and_a_number_s_own() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let to = number(1);
    accepted(&acme.live, code_to(&to)).await;
    let page = acme.live.get(&format!("/v1/limits?to={}", to.replace('+', "%2B"))).await.expect(200);
    let rows = page.json["data"].as_array().unwrap();
    let row = |policy: &str| rows.iter().find(|row| row["policy"] == policy).unwrap_or_else(|| panic!("no {policy}"));
    for (policy, limit, used) in [("otp.number", 3, 1), ("otp.number.hour", 10, 1), ("sms.plan", 60, 1)] {
        let found = ["limit", "used", "remaining"].map(|name| row(policy)[name].as_u64().unwrap());
        assert_eq!(found, [limit, used, limit - used], "{policy}");
    }
    for policy in ["key.minute", "org.minute", "key.daily", "band.send", "key.burst.short"] {
        assert!(row(policy)["limit"].as_u64().unwrap() > 0, "{policy}");
    }
    let enterprise = app.tenant().await;
    let page = enterprise.live.get("/v1/limits").await.expect(200);
    assert!(page.json["unlimited"].as_array().unwrap().contains(&json!("key.daily")), "{}", page.text);
    acme.live.get("/v1/limits?to=nonsense").await.refused(Code::ValidationFailed);
    acme.live.get("/v1/limits?of=nonsense").await.refused(Code::ValidationFailed);
}
