//! Who gets in, how far, and what is for everybody.

use postern::config::Activations;
use postern::error::Code;
use serde_json::json;

use super::{ask, fund, order, refused, service, supply, text_key};
use crate::harness::app::TestApp;

#[actix_web::test]
async fn the_catalog_is_public_kept_for_a_moment_and_takes_no_quota() {
    let app = TestApp::start().await;
    service(&app, "ot", json!({"price": "0.50"})).await;
    service(&app, "wa", json!({"name": "WhatsApp", "country_prices": {"FR": "0.10"}})).await;
    supply(&app, 100..103, &["ot", "wa"], json!({})).await;
    supply(&app, 103..104, &["wa"], json!({"country": "FR"})).await;
    let anyone = app.anonymous();
    for _ in 0..40 {
        anyone.get("/v1/catalog/services").await.expect(200);
    }
    let services = anyone.get("/v1/catalog/services?country=GB&service=ot").await.expect(200);
    let offer = json!({"country": "GB", "available": 3, "price": {"amount": "0.50", "currency": "USD"}});
    assert_eq!(services.json["data"], json!([{"code": "ot", "name": "Any other", "countries": [offer]}]));
    assert_eq!(services.header("cache-control"), Some("public, max-age=5"));
    let countries = anyone.get("/v1/catalog/countries").await.expect(200);
    let seen: Vec<_> = countries.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].clone(), one["services"].as_array().unwrap().len()))
        .collect();
    assert_eq!(seen, [(json!(78), 1), (json!(16), 2)]);
    let acme = app.tenant().await;
    fund(&app, &acme.org, "10").await;
    order(&acme.live, "ot").await.expect(201);
    let left = anyone.get("/v1/catalog/services?service=ot").await.expect(200);
    assert_eq!(left.json["data"][0]["countries"][0]["available"], 2);
    refused(&anyone.get("/v1/catalog/services?country=nowhere").await, Code::ValidationFailed);
}

#[actix_web::test]
async fn limits_are_the_burst_tiers_and_the_daily_quota_in_this_dialect() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "free"})).await;
    let reply = acme.live.get("/v1/activations").await.expect(200);
    let policies: Vec<&str> = reply.header("ratelimit-policy").unwrap().split(", ").collect();
    let told = ["\"key.burst.short\";q=5;w=1", "\"key.burst.medium\";q=30;w=10", "\"key.burst.long\";q=100;w=60"];
    assert_eq!((&policies[..3], policies.len()), (told.as_slice(), 4));
    assert_eq!(policies[3], "\"key.daily\";q=10000;w=86400");
    for _ in 0..4 {
        acme.live.get("/v1/activations").await.expect(200);
    }
    let denied = acme.live.get("/v1/activations").await;
    refused(&denied, Code::RateLimited);
    assert_eq!((&denied.json["policy"], &denied.json["retryAfter"]), (&json!("key.burst.short"), &json!(1)));
    assert_eq!(denied.header("x-ratelimit-reset"), Some("2026-03-28T14:30:01.000Z"));
    let path = format!("/v1/admin/orgs/{}/limits/key.daily", acme.org);
    app.operator().put(&path, json!({"limit": "1/day"})).await.expect(200);
    app.advance(super::MINUTE);
    refused(&acme.live.get("/v1/activations").await, Code::QuotaDailyExceeded);
}

#[actix_web::test]
async fn an_activation_key_can_do_nothing_else_and_no_other_key_speaks_text() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let path = format!("/v1/admin/orgs/{}/keys", acme.org);
    for (members, field) in [
        (json!({"kind": "activation", "scopes": ["*"]}), "scopes"),
        (json!({"kind": "activation", "scopes": ["activations:read", "wallet:read"]}), "scopes"),
        (json!({"statuses": "mapped"}), "statuses"),
    ] {
        let mut body = json!({"name": "k", "mode": "live"});
        body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap());
        let fault = app.operator().post(&path, body).await.refused(Code::ValidationFailed);
        assert!(fault.json["field_errors"][field].is_array(), "{}", fault.text);
    }
    let key = text_key(&app, &acme.org, json!({})).await;
    let caller = app.anonymous().with_token(&key);
    caller.get("/v1/activations").await.expect(200);
    caller.get("/v1/account").await.expect(200);
    for route in ["/v1/messages", "/v1/wallet", "/v1/inbound"] {
        caller.get(route).await.refused(Code::PermissionDenied);
    }
    assert_eq!(ask(&app, &key, "action=getBalance").await.expect(200).text, "ACCESS_BALANCE:0.00");
    let made = app.operator().post(&path, json!({"name": "k", "mode": "live"})).await.expect(201);
    assert_eq!(ask(&app, &made.text_at("/secret"), "action=getBalance").await.expect(200).text, "BAD_KEY");
    let look = text_key(&app, &acme.org, json!({"scopes": ["activations:read"]})).await;
    assert_eq!(ask(&app, &look, "action=getNumber&service=ot").await.expect(200).text, "BAD_KEY");
    app.operator().patch(&format!("/v1/admin/orgs/{}", acme.org), json!({"status": "suspended"})).await.expect(200);
    let told = ask(&app, &key, "action=getBalance").await.expect(200);
    assert_eq!((told.text.as_str(), told.header("x-activation-status")), ("BAD_KEY", Some("403")));
}

#[actix_web::test]
async fn nothing_is_served_where_activations_are_off() {
    let app = TestApp::start_with(|config| config.node.activations = Activations::Off).await;
    let acme = app.tenant().await;
    refused(&app.anonymous().get("/v1/catalog/services").await, Code::NotFound);
    refused(&acme.live.get("/v1/activations").await, Code::NotFound);
    refused(&order(&acme.live, "ot").await, Code::NotFound);
    let key = text_key(&app, &acme.org, json!({})).await;
    ask(&app, &key, "action=getBalance").await.expect(404);
}
