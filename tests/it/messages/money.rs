//! Prices and wallets: a hold for every accepted message, a charge or a release for every outcome, never below zero.

use futures_util::future::join_all;
use postern::error::Code;
use serde_json::{Value, json};

use super::{accepted, carrier_id, code_to, count, drain, notice_to, number, post, receipt, secs, status};
use crate::harness::app::{Tenant, TestApp};
use crate::harness::fake_carrier::Script;

/// One cent an SMS, and so many dollars for the organization.
async fn paying(app: &TestApp, dollars: &str) -> Tenant {
    let line = json!({"channel": "sms", "amount": "0.01"});
    app.operator().put("/v1/admin/prices", json!([line])).await.expect(200);
    let acme = app.tenant().await;
    fund(app, &acme, dollars).await;
    acme
}

async fn fund(app: &TestApp, acme: &Tenant, dollars: &str) {
    let body = json!({"amount": dollars, "currency": "USD", "reason": "prepaid"});
    app.operator().post(&format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org), body).await.expect(201);
}

/// Balance and held, as the operator sees them.
async fn purse(app: &TestApp, acme: &Tenant) -> (String, String) {
    let wallet = app.operator().get(&format!("/v1/admin/orgs/{}/wallet", acme.org)).await.expect(200);
    (plain(&wallet.json["balance"]), plain(&wallet.json["held"]))
}

fn plain(money: &Value) -> String {
    let text = money["amount"].as_str().unwrap();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

fn both(balance: &str, held: &str) -> (String, String) {
    (balance.to_owned(), held.to_owned())
}

#[actix_web::test]
async fn money_for_twelve_lets_twelve_of_forty_eight_at_once_through() {
    let app = TestApp::start().await;
    let acme = paying(&app, "0.129").await;
    let replies = join_all((0..48).map(|n| post(&acme.live, notice_to(&number(n))))).await;
    let (mut taken, mut poor) = (0, 0);
    for reply in replies {
        match reply.status {
            202 => taken += 1,
            _ => poor += usize::from(reply.refused(Code::InsufficientBalance).status == 402),
        }
    }
    assert_eq!((taken, poor, count(&acme.live).await), (12, 36, 12));
    assert_eq!(purse(&app, &acme).await, both("0.129", "0.12"));
    drain(&app).await;
    assert_eq!((purse(&app, &acme).await, app.acme.hand_offs().len()), (both("0.009", "0"), 12));
}

#[actix_web::test]
async fn every_outcome_settles_or_releases_what_was_held() {
    let app = TestApp::start_with(|c| c.outbound.total_timeout = std::time::Duration::from_millis(500)).await;
    let acme = paying(&app, "1").await;
    // Sent: charged once, whatever receipts follow.
    let sent = accepted(&acme.live, code_to(&number(1))).await;
    assert_eq!(purse(&app, &acme).await, both("1", "0.01"));
    drain(&app).await;
    for word in ["SENT", "DELIVRD", "DELIVRD", "UNDELIV"] {
        receipt(&app, &carrier_id(1), word).await.expect(204);
    }
    assert_eq!((status(&acme.live, &sent).await, purse(&app, &acme).await), ("delivered".into(), both("0.99", "0")));
    // Refused everywhere: free.
    app.acme.next(Script::json(400, json!({})));
    accepted(&acme.live, code_to(&number(2))).await;
    drain(&app).await;
    assert_eq!(purse(&app, &acme).await, both("0.99", "0"));
    // Canceled and expired: free.
    let id = accepted(&acme.live, code_to(&number(3))).await;
    acme.live.call("POST", &format!("/v1/messages/{id}/cancel"), None).await.expect(200);
    accepted(&acme.live, code_to(&number(4))).await;
    app.advance(secs(600));
    drain(&app).await;
    assert_eq!(purse(&app, &acme).await, both("0.99", "0"));
    // Unknown: held until somebody knows.
    app.acme.next(Script::HangAfter);
    let lost = accepted(&acme.live, code_to(&number(5))).await;
    drain(&app).await;
    assert_eq!((status(&acme.live, &lost).await, purse(&app, &acme).await), ("unknown".into(), both("0.99", "0.01")));
    let path = format!("/v1/admin/messages/{lost}/settle");
    app.operator().post(&path, json!({"outcome": "failed", "reason": "not in their log"})).await.expect(200);
    assert_eq!(purse(&app, &acme).await, both("0.99", "0"));
}

#[actix_web::test]
async fn a_message_that_took_two_channels_is_paid_once() {
    let app = TestApp::start().await;
    let acme = paying(&app, "1").await;
    let mut body = code_to(&number(1));
    body["fallback"] = json!([{"channel": "email", "to": "ann@example.com"}]);
    accepted(&acme.live, body).await;
    drain(&app).await;
    receipt(&app, &carrier_id(1), "UNDELIV").await.expect(204);
    drain(&app).await;
    assert_eq!((app.post.letters().len(), purse(&app, &acme).await), (1, both("0.99", "0")));
}

#[actix_web::test]
async fn a_refusal_for_want_of_money_takes_no_limit_and_stores_nothing() {
    let app = TestApp::start().await;
    let acme = paying(&app, "0.005").await;
    let keyed = acme.live.with_header("Idempotency-Key", "k");
    for _ in 0..5 {
        let reply = post(&keyed, code_to(&number(1))).await.refused(Code::InsufficientBalance);
        assert!(reply.text_at("/detail").contains("0.005"), "{}", reply.text);
    }
    fund(&app, &acme, "1").await;
    for _ in 0..2 {
        accepted(&acme.live, code_to(&number(1))).await;
    }
    accepted(&keyed, code_to(&number(1))).await;
    post(&acme.live, code_to(&number(1))).await.refused(Code::OtpNumberLimit);
}

#[actix_web::test]
async fn a_long_text_costs_its_parts_and_the_price_is_told() {
    let app = TestApp::start().await;
    let acme = paying(&app, "0.02").await;
    let mut body = notice_to(&number(1));
    body["body"] = json!("x".repeat(400));
    body["dry_run"] = json!(true);
    let told = post(&acme.live, body.clone()).await.expect(200);
    assert_eq!(
        (plain(&told.json["price"]), &told.json["error"]["code"]),
        ("0.03".into(), &json!("wallet.insufficient_balance"))
    );
    body["dry_run"] = json!(false);
    post(&acme.live, body.clone()).await.refused(Code::InsufficientBalance);
    body["body"] = json!("x".repeat(300));
    let reply = post(&acme.live, body).await.expect(202);
    assert_eq!(plain(&reply.json["price"]), "0.02");
}

#[actix_web::test]
async fn a_bulk_stops_where_the_money_ends_or_takes_none() {
    let app = TestApp::start().await;
    let acme = paying(&app, "0.05").await;
    let messages: Vec<Value> = (0..8).map(|n| notice_to(&number(n))).collect();
    let all = json!({"mode": "all_or_nothing", "messages": messages});
    acme.live.post("/v1/messages/bulk", all).await.refused(Code::InsufficientBalance);
    assert_eq!(purse(&app, &acme).await, both("0.05", "0"));
    let reply = acme.live.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
    assert_eq!((&reply.json["accepted"], &reply.json["rejected"]), (&json!(5), &json!(3)));
    assert_eq!(purse(&app, &acme).await, both("0.05", "0.05"));
}

#[actix_web::test]
async fn money_moves_at_once_and_the_sum_is_right() {
    let app = TestApp::start().await;
    let acme = paying(&app, "0.10").await;
    let operator = app.operator();
    let path = format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org);
    let change = |amount: &str| json!({"amount": amount, "currency": "USD", "reason": "r"});
    let adding = join_all((0..10).map(|_| operator.post(&path, change("0.02"))));
    let sending = join_all((0..40).map(|n| post(&acme.live, notice_to(&number(n)))));
    let draining = async {
        for _ in 0..10 {
            app.step().await;
        }
    };
    let (added, sent, ()) = tokio::join!(adding, sending, draining);
    added.into_iter().for_each(|reply| drop(reply.expect(201)));
    let taken = sent.iter().filter(|reply| reply.status == 202).count();
    drain(&app).await;
    let (balance, held) = purse(&app, &acme).await;
    let left: f64 = balance.parse().unwrap();
    assert!(taken <= 30 && held == "0", "{taken} {held}");
    assert!((left - (0.30 - 0.01 * taken as f64)).abs() < 1e-9, "{left} after {taken}");
    operator.post(&path, change("-1000")).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn test_keys_pay_with_test_money() {
    let app = TestApp::start().await;
    let acme = paying(&app, "0.01").await;
    for n in 0..5 {
        accepted(&acme.test, notice_to(&number(n))).await;
    }
    drain(&app).await;
    assert_eq!(purse(&app, &acme).await, both("0.01", "0"));
}
