//! Spend caps: taken with the acceptance, never over, told before they are full.

use futures_util::future::join_all;
use postern::error::Code;
use serde_json::{Value, json};

use super::{notice_to, number, post, secs};
use crate::harness::actor::Actor;
use crate::harness::app::{Tenant, TestApp};

/// One cent an SMS to Britain, two to France; an organization with plenty of money and these caps.
async fn capped(app: &TestApp, caps: Value) -> Tenant {
    let prices = json!([{"channel": "sms", "amount": "0.01"}, {"channel": "sms", "country": "FR", "amount": "0.02"}]);
    app.operator().put("/v1/admin/prices", prices).await.expect(200);
    let acme = app.tenant().await;
    let body = json!({"amount": "1000", "currency": "USD", "reason": "prepaid"});
    app.operator().post(&format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org), body).await.expect(201);
    app.operator().put(&format!("/v1/admin/orgs/{}/caps", acme.org), caps).await.expect(200);
    acme
}

/// How many of `count` notices pass one after the other, the numbers from `from` on.
async fn passed(caller: &Actor, from: usize, count: usize) -> usize {
    let mut passed = 0;
    for n in from..from + count {
        let reply = post(caller, notice_to(&number(n))).await;
        match reply.status {
            202 => passed += 1,
            _ => drop(reply.refused(Code::SpendCapReached)),
        }
    }
    passed
}

#[actix_web::test]
async fn however_many_arrive_at_once_at_two_processes_a_cap_is_not_passed() {
    let app = TestApp::start().await;
    let acme = capped(&app, json!([{"scope": "org", "window": "1d", "amount": "0.255"}])).await;
    let other = app.another().await;
    let there = acme.live.at(&other.base);
    let single = (0..200).map(|n| {
        let caller = if n % 2 == 0 { &acme.live } else { &there };
        post(caller, notice_to(&number(n)))
    });
    let bulk = |from: usize| {
        let messages: Vec<Value> = (from..from + 100).map(|n| notice_to(&number(n))).collect();
        acme.live.post("/v1/messages/bulk", json!({"messages": messages, "pacing": "plan"}))
    };
    let (singles, bulks) = tokio::join!(join_all(single), join_all([bulk(1_000), bulk(2_000)]));
    let single = singles.iter().filter(|reply| reply.status == 202).count();
    let bulk: u64 = bulks.iter().map(|reply| reply.json["accepted"].as_u64().unwrap_or(0)).sum();
    assert_eq!(single + usize::try_from(bulk).unwrap(), 25, "{single} and {bulk}");
    let caps = app.operator().get(&format!("/v1/admin/orgs/{}/caps", acme.org)).await.expect(200);
    assert_eq!(caps.json["data"][0]["spent"], json!({"amount": "0.25", "currency": "USD"}));
}

#[actix_web::test]
async fn each_scope_counts_its_own_and_the_window_rolls() {
    let app = TestApp::start().await;
    let caps = json!([
        {"scope": "country", "value": "*", "window": "1h", "amount": "0.05"},
        {"scope": "prefix", "value": "+44740012", "window": "1d", "amount": "0.08"},
    ]);
    let acme = capped(&app, caps).await;
    assert_eq!(passed(&acme.live, 0, 8).await, 5, "the country's hour");
    let french = |n: usize| notice_to(&format!("+3361234567{n}"));
    let mut to_france = 0;
    for n in 0..5 {
        to_france += usize::from(post(&acme.live, french(n)).await.status == 202);
    }
    assert_eq!(to_france, 2, "another country has a cap of its own");
    app.advance(secs(3_600 + 60));
    assert_eq!(passed(&acme.live, 20, 8).await, 3, "a new hour; the prefix's day has three left");
    post(&acme.test, notice_to(&number(1))).await.expect(202);
    app.advance(secs(86_400 + 1_440));
    assert_eq!(passed(&acme.live, 40, 8).await, 5);
}

#[actix_web::test]
async fn a_key_has_a_cap_of_its_own_and_a_change_acts_at_once() {
    let app = TestApp::start().await;
    let acme = capped(&app, json!([])).await;
    let keys = app.operator().get(&format!("/v1/admin/orgs/{}/keys", acme.org)).await.expect(200);
    let live = keys.json["data"].as_array().unwrap().iter().find(|key| key["mode"] == "live").unwrap()["id"].clone();
    let path = format!("/v1/admin/orgs/{}/caps", acme.org);
    let cap = json!([{"scope": "key", "value": live, "window": "1h", "amount": "0.02"}]);
    app.operator().put(&path, cap).await.expect(200);
    assert_eq!(passed(&acme.live, 0, 4).await, 2);
    let second = app.key(&acme.org, json!({"mode": "live"})).await;
    assert_eq!(passed(&second, 10, 4).await, 4);
    app.operator().put(&path, json!([])).await.expect(200);
    assert_eq!(passed(&acme.live, 20, 4).await, 4);
}

#[actix_web::test]
async fn a_refusal_shows_its_numbers_and_costs_nothing() {
    let app = TestApp::start().await;
    let acme = capped(&app, json!([{"scope": "org", "window": "1h", "amount": "0.015"}])).await;
    assert_eq!(passed(&acme.live, 0, 1).await, 1);
    let dry = json!({"to": number(1), "body": "x", "kind": "transactional", "dry_run": true});
    let dry = acme.live.post("/v1/messages", dry).await.expect(200);
    let reasons = dry.text.clone();
    assert!(reasons.contains("spend.org") && reasons.contains("0.01 of 0.015 USD"), "{reasons}");
    let reply = post(&acme.live, notice_to(&number(1))).await.refused(Code::SpendCapReached);
    assert!(reply.text_at("/detail").contains("0.01 is spent and this costs 0.01"), "{}", reply.text);
    let wallet = app.operator().get(&format!("/v1/admin/orgs/{}/wallet", acme.org)).await.expect(200);
    assert_eq!(wallet.json["held"]["amount"], "0.01");
}

#[actix_web::test]
async fn a_faulty_list_is_told_whole_and_changes_nothing() {
    let app = TestApp::start().await;
    let acme = capped(&app, json!([{"scope": "org", "window": "1h", "amount": "5"}])).await;
    let path = format!("/v1/admin/orgs/{}/caps", acme.org);
    let faulty = json!([
        {"scope": "org", "value": "x", "window": "1h", "amount": "5"},
        {"scope": "key", "value": "GB", "window": "1h", "amount": "5"},
        {"scope": "country", "value": "England", "window": "1h", "amount": "5"},
        {"scope": "prefix", "value": "+447400123456", "window": "1h", "amount": "5"},
        {"scope": "country", "value": "GB", "window": "1h", "amount": "0"},
        {"scope": "country", "value": "GB", "window": "1h", "amount": "1", "currency": "dollars"},
        {"scope": "country", "value": "FR", "window": "1d", "amount": "1"},
        {"scope": "country", "value": "fr", "window": "1d", "amount": "2"},
    ]);
    let reply = app.operator().put(&path, faulty).await.refused(Code::ValidationFailed);
    let fields: Vec<&String> = reply.json["field_errors"].as_object().unwrap().keys().collect();
    let wanted = ["[0].value", "[1].value", "[2].value", "[3].value", "[4].amount", "[5].currency", "[7]"];
    assert_eq!(fields, wanted, "{}", reply.text);
    let caps = app.operator().get(&path).await.expect(200);
    assert_eq!(caps.json["data"].as_array().unwrap().len(), 1);
    let audit = app.operator().get("/v1/admin/audit").await.expect(200);
    assert!(audit.text.contains("caps.replace"), "{}", audit.text);
}
