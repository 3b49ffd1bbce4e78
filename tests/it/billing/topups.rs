//! Money comes in: asked for, paid by a signed report or an operator's word, and never in silence.

use std::time::Duration;

use postern::billing;
use postern::error::Code;
use postern::secret::Secret;
use serde_json::{Value, json};

use super::{balanced, paying, purse};
use crate::harness::actor::Reply;
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::FakeCarrier;
use crate::messages::{accepted, notice_to, number};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn start() -> TestApp {
    TestApp::start_with(|config| {
        config.billing.payment_secret = Some(Secret::new(SECRET.to_owned()));
        config.outbound.allow = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await
}

/// A report as a payment service sends it, signed now with `secret`.
async fn report(app: &TestApp, body: Value, secret: &str, late_s: i64) -> Reply {
    let (at, body) = (app.app.clock.now().0 / 1_000 - late_s, body.to_string());
    let signature = standardwebhooks::Webhook::new(secret).unwrap().sign("evt_1", at, body.as_bytes()).unwrap();
    let caller = app.anonymous().with_header("webhook-id", "evt_1").with_header("webhook-timestamp", &at.to_string());
    let caller = caller.with_header("webhook-signature", &format!("v1,AAAA {signature}"));
    caller.send("POST", "/hooks/payments", "application/json", body.into_bytes()).await
}

fn succeeded(topup: &str, amount: &str, reference: &str) -> Value {
    let data = json!({"topup_id": topup, "amount": amount, "currency": "USD", "reference": reference, "extra": 1});
    json!({"type": "payment.succeeded", "data": data})
}

#[actix_web::test]
async fn a_top_up_waits_for_its_payment_and_is_paid_once() {
    let app = start().await;
    let acme = paying(&app, "1").await;
    let keyed = acme.live.with_header("Idempotency-Key", "once");
    let ask = json!({"amount": "20.00", "currency": "USD"});
    let asked = keyed.post("/v1/wallet/topups", ask.clone()).await.expect(201);
    let id = asked.text_at("/id");
    assert_eq!(
        (asked.text_at("/status"), keyed.post("/v1/wallet/topups", ask).await.text_at("/id")),
        ("pending".into(), id.clone())
    );
    assert_eq!(purse(&acme).await[0], "1.00");
    // Not signed by whom we know, too old, another amount: nothing.
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    report(&app, succeeded(&id, "20.00", "pi_1"), other, 0).await.refused(Code::PermissionDenied);
    report(&app, succeeded(&id, "20.00", "pi_1"), SECRET, 301).await.refused(Code::PermissionDenied);
    report(&app, succeeded(&id, "2000.00", "pi_1"), SECRET, 0).await.refused(Code::ValidationFailed);
    report(&app, succeeded("top_01h455vb4pex5vsknk084sn02q", "20.00", "pi_1"), SECRET, 0).await.refused(Code::NotFound);
    assert_eq!(purse(&acme).await[0], "1.00");
    for _ in 0..3 {
        let paid = report(&app, succeeded(&id, "20.00", "pi_1"), SECRET, 0).await.expect(200);
        assert_eq!((paid.text_at("/id"), paid.text_at("/status")), (id.clone(), "paid".into()));
    }
    report(&app, succeeded(&id, "20.00", "pi_2"), SECRET, 0).await.refused(Code::ValidationFailed);
    let failed = json!({"type": "payment.failed", "data": {"topup_id": id, "amount": "20.00", "currency": "USD", "reference": "pi_1"}});
    report(&app, failed, SECRET, 0).await.refused(Code::ValidationFailed);
    assert_eq!(purse(&acme).await[0], "21.00");
    let shown = acme.live.get(&format!("/v1/wallet/topups/{id}")).await.expect(200);
    let entry =
        acme.live.get(&format!("/v1/wallet/transactions/{}", shown.text_at("/transaction_id"))).await.expect(200);
    assert_eq!((entry.text_at("/kind"), entry.text_at("/reference")), ("topup".into(), "pi_1".into()));
    balanced(&app).await;
}

#[actix_web::test]
async fn without_a_secret_no_payment_is_believed() {
    let app = TestApp::start().await;
    report(&app, succeeded("top_01h455vb4pex5vsknk084sn02q", "1", "x"), SECRET, 0).await.refused(Code::NotFound);
}

#[actix_web::test]
async fn a_payment_that_comes_by_itself_names_its_organization() {
    let app = start().await;
    let acme = paying(&app, "1").await;
    let data = json!({"org_id": acme.org, "amount": "7.5", "currency": "USD", "reference": "standing order 3"});
    let body = json!({"type": "payment.succeeded", "data": data});
    assert_eq!(report(&app, body.clone(), SECRET, 0).await.expect(200).text_at("/source"), "payment");
    report(&app, body, SECRET, 0).await.expect(200);
    assert_eq!(purse(&acme).await[0], "8.50");
    balanced(&app).await;
}

#[actix_web::test]
async fn an_operator_says_what_became_of_a_payment_and_test_money_is_there_at_once() {
    let app = start().await;
    let acme = paying(&app, "1").await;
    let ask = |amount: &str| json!({"amount": amount});
    let first = acme.live.post("/v1/wallet/topups", ask("5")).await.expect(201).text_at("/id");
    let second = acme.live.post("/v1/wallet/topups", ask("6")).await.expect(201).text_at("/id");
    let settle = |id: &str, word: &str| {
        let (path, body) = (format!("/v1/admin/topups/{id}/settle"), json!({"outcome": word}));
        let operator = app.operator();
        async move { operator.post(&path, body).await }
    };
    settle(&first, "paid").await.expect(200);
    settle(&first, "paid").await.expect(200);
    settle(&first, "failed").await.refused(Code::ValidationFailed);
    assert_eq!(settle(&second, "failed").await.expect(200).text_at("/status"), "failed");
    assert_eq!(purse(&acme).await[0], "6.00");
    let test = acme.test.post("/v1/wallet/topups", ask("9")).await.expect(201);
    assert_eq!(test.text_at("/status"), "paid");
    for bad in ["0", "-1", "1000001", "x", "0.0000001"] {
        acme.live.post("/v1/wallet/topups", ask(bad)).await.refused(Code::ValidationFailed);
    }
    let list = acme.live.get("/v1/wallet/topups").await.expect(200);
    assert_eq!(list.json["data"].as_array().unwrap().len(), 3, "{}", list.text);
    balanced(&app).await;
}

#[actix_web::test]
async fn a_low_balance_is_told_at_each_threshold_and_a_top_up_is_asked_for_aloud() {
    let (app, receiver) = (start().await, FakeCarrier::start());
    let acme = paying(&app, "0.10").await;
    acme.live.post("/v1/webhooks", json!({"url": receiver.url("/hook")})).await.expect(201);
    let settings = json!({"low_balance": ["0.03", "0.08"], "auto_topup": {"below": "0.05", "amount": "1.00"}});
    let kept = acme.live.put("/v1/wallet/settings", settings).await.expect(200);
    assert_eq!(kept.json["low_balance"], json!(["0.08", "0.03"]));
    assert_eq!(billing::watch(&app.app).await.unwrap(), 0);
    let mut events = Vec::new();
    for n in 0..8 {
        accepted(&acme.live, notice_to(&number(n))).await;
        events.push(billing::watch(&app.app).await.unwrap());
    }
    // 0.07 is below 0.08; 0.04 wants a top-up; 0.02 is below 0.03.
    assert_eq!(events, [0, 0, 1, 0, 0, 1, 0, 1]);
    postern::webhooks::deliver_due(&app.app).await.unwrap();
    let told: Vec<Value> = receiver.hand_offs().iter().map(|call| call.json()).collect();
    let of = |kind: &str| told.iter().filter(|event| event["type"] == kind).cloned().collect::<Vec<_>>();
    assert_eq!((of("wallet.low_balance").len(), of("wallet.auto_topup_requested").len()), (2, 1), "{told:?}");
    let mut thresholds: Vec<String> =
        of("wallet.low_balance").iter().map(|event| event["data"]["threshold"]["amount"].to_string()).collect();
    thresholds.sort();
    assert_eq!(thresholds, ["\"0.03\"", "\"0.08\""]);
    let id = of("wallet.auto_topup_requested")[0]["data"]["topup_id"].as_str().unwrap().to_owned();
    assert_eq!(acme.live.get(&format!("/v1/wallet/topups/{id}")).await.expect(200).text_at("/status"), "pending");
    report(&app, succeeded(&id, "1.00", "pi_auto"), SECRET, 0).await.expect(200);
    assert_eq!((billing::watch(&app.app).await.unwrap(), purse(&acme).await[2].clone()), (0, "1.02".into()));
    // A payment that failed is not asked for again at once.
    let adjust = format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org);
    let body = json!({"amount": "-1.00", "currency": "USD", "reason": "taken back"});
    app.operator().post(&adjust, body).await.expect(201);
    assert_eq!(billing::watch(&app.app).await.unwrap(), 2);
    let list = acme.live.get("/v1/wallet/topups?limit=1").await.expect(200);
    let path = format!("/v1/admin/topups/{}/settle", list.text_at("/data/0/id"));
    app.operator().post(&path, json!({"outcome": "failed"})).await.expect(200);
    assert_eq!(billing::watch(&app.app).await.unwrap(), 0);
    app.advance(Duration::from_secs(3_601));
    assert_eq!(billing::watch(&app.app).await.unwrap(), 1);
}
