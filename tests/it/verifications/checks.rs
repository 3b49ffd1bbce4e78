//! Checking: right, wrong, late, too often, somebody else's.

use std::time::Duration;

use postern::error::Code;
use serde_json::json;

use super::*;
use crate::harness::app::START;

#[actix_web::test]
async fn five_wrong_codes_end_it_and_the_right_one_comes_too_late() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    for left in (1..5).rev() {
        assert_eq!(told(check(&tenant.test, &id, &wrong(&code)).await), ("pending".into(), false, left));
    }
    assert_eq!(told(check(&tenant.test, &id, &wrong(&code)).await), ("max_checks".into(), false, 0));
    assert_eq!(told(check(&tenant.test, &id, &code).await), ("max_checks".into(), false, 0));
    assert_ne!(start(&tenant.test, json!({})).await.expect(201).text_at("/id"), id);
}

#[actix_web::test]
async fn the_right_code_on_the_last_check_passes() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({"max_checks": 2, "code_length": 10})).await;
    assert_eq!(told(check(&tenant.test, &id, &wrong(&code)).await), ("pending".into(), false, 1));
    assert_eq!(told(check(&tenant.test, &id, &code).await), ("approved".into(), true, 0));
}

#[actix_web::test]
async fn a_code_is_good_up_to_its_expiry_and_not_at_it() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({"ttl": "1m"})).await;
    app.app.clock.set(START.plus(Duration::from_secs(60)));
    assert_eq!(told(check(&tenant.test, &id, &code).await), ("expired".into(), false, 5));
    app.app.clock.set(START.plus(Duration::from_millis(59_999)));
    assert_eq!(told(check(&tenant.test, &id, &code).await), ("approved".into(), true, 4));
}

#[actix_web::test]
async fn a_code_is_checked_by_its_destination() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let by_to = |code: String| {
        tenant.test.post("/v1/verifications/check", json!({"to": "07400 123123", "country": "GB", "code": code}))
    };
    by_to("123456".into()).await.refused(Code::NotFound);
    let (_, code) = started(&app, &tenant.test, json!({})).await;
    assert_eq!(told(by_to(wrong(&code)).await), ("pending".into(), false, 4));
    assert_eq!(told(by_to(code.clone()).await), ("approved".into(), true, 3));
    by_to(code).await.refused(Code::NotFound);
}

#[actix_web::test]
async fn what_is_no_code_is_refused_and_not_counted() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    for typed in ["", "12", "abcdef", "12345678901", "12345a"] {
        let reply = check(&tenant.test, &id, typed).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"].get("code").is_some());
    }
    // Typed on a keyboard of another script.
    let arabic: String = code.chars().map(|c| char::from_u32(u32::from(c) - 0x30 + 0x660).unwrap()).collect();
    assert_eq!(told(check(&tenant.test, &id, &arabic).await), ("approved".into(), true, 4));
}

#[actix_web::test]
async fn a_number_has_fifteen_checks_an_hour_over_all_its_verifications() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    for _ in 0..3 {
        let (id, code) = started(&app, &tenant.test, json!({})).await;
        for _ in 0..5 {
            check(&tenant.test, &id, &wrong(&code)).await.expect(200);
        }
    }
    app.advance(Duration::from_secs(300));
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    let refused = check(&tenant.test, &id, &code).await.refused(Code::RateLimited);
    assert_eq!((refused.text_at("/policy"), refused.header("retry-after")), ("check.number".into(), Some("3300")));
    assert_eq!(show(&tenant.test, &id).await.json["checks_left"], json!(5), "a refused check is not counted");
    // Another organization's user types on.
    let other = app.tenant().await;
    let (id, code) = started(&app, &other.test, json!({})).await;
    assert!(told(check(&other.test, &id, &code).await).1);
}

#[actix_web::test]
async fn a_right_code_forgives_the_numbers_wrong_ones() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    for wrong_ones in [5, 5, 4] {
        let (id, code) = started(&app, &tenant.test, json!({})).await;
        for _ in 0..wrong_ones {
            check(&tenant.test, &id, &wrong(&code)).await.expect(200);
        }
        if wrong_ones == 4 {
            assert!(told(check(&tenant.test, &id, &code).await).1, "the fifteenth check of the hour");
        }
    }
    app.advance(Duration::from_secs(300));
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    assert!(told(check(&tenant.test, &id, &code).await).1, "the hour's share is whole again");
}

#[actix_web::test]
async fn nobody_sees_or_touches_what_is_anothers() {
    let app = TestApp::start().await;
    let (tenant, other) = (app.tenant().await, app.tenant().await);
    let (id, code) = started(&app, &tenant.test, json!({"workflow": [{"channel": "sms"}, {"channel": "sms"}]})).await;
    for stranger in [&other.test, &other.live, &tenant.live] {
        let unknown = stranger.get("/v1/verifications/vrf_01h455vb4pex5vsknk084sn02q").await.refused(Code::NotFound);
        let foreign = stranger.get(&format!("/v1/verifications/{id}")).await.refused(Code::NotFound);
        assert_eq!(foreign.text_at("/detail"), unknown.text_at("/detail"));
        for verb in ["resend", "next", "cancel"] {
            stranger.post(&format!("/v1/verifications/{id}/{verb}"), json!({})).await.refused(Code::NotFound);
        }
        check(stranger, &id, &code).await.refused(Code::NotFound);
        let by_to = json!({"to": NUMBER, "code": code});
        stranger.post("/v1/verifications/check", by_to).await.refused(Code::NotFound);
    }
    assert_eq!(show(&tenant.test, &id).await.json["checks_left"], json!(5));
    tenant.test.get("/v1/verifications/nonsense").await.refused(Code::NotFound);
}

#[actix_web::test]
async fn each_route_asks_for_its_scope() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    let reader = app.key(&tenant.org, json!({"mode": "test", "scopes": ["verifications:read"]})).await;
    let writer = app.key(&tenant.org, json!({"mode": "test", "scopes": ["verifications:write"]})).await;
    start(&reader, json!({})).await.refused(Code::PermissionDenied);
    check(&reader, &id, &code).await.refused(Code::PermissionDenied);
    for path in [format!("/v1/verifications/{id}"), "/v1/verifications".into(), "/v1/verifications/summary".into()] {
        writer.get(&path).await.refused(Code::PermissionDenied);
        reader.get(&path).await.expect(200);
    }
    assert!(told(check(&writer, &id, &code).await).1);
}

#[actix_web::test]
async fn fifty_checks_a_day_are_the_most_and_no_right_code_takes_them_back() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    for _ in 0..10 {
        let (id, code) = started(&app, &tenant.test, json!({})).await;
        for _ in 0..4 {
            check(&tenant.test, &id, &wrong(&code)).await.expect(200);
        }
        assert!(told(check(&tenant.test, &id, &code).await).1);
        app.advance(Duration::from_secs(300));
    }
    app.advance(Duration::from_secs(3_600));
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    let refused = check(&tenant.test, &id, &code).await.refused(Code::RateLimited);
    assert_eq!((refused.text_at("/policy"), refused.header("retry-after")), ("check.number.day".into(), Some("79800")));
    let limits = tenant.test.get("/v1/limits?to=%2B447400123123").await.expect(200);
    let row = |policy: &str| {
        let rows = limits.json["data"].as_array().unwrap();
        rows.iter().find(|row| row["policy"] == policy).map(|row| row["remaining"].clone()).unwrap()
    };
    assert_eq!((row("check.number"), row("check.number.day")), (json!(15), json!(0)));
    app.advance(Duration::from_secs(79_800));
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    assert!(told(check(&tenant.test, &id, &code).await).1);
}
