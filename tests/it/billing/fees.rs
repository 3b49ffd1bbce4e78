//! What plans cost: announced for the next month, by the day, on the invoice, never out of the wallet.

use postern::error::Code;
use postern::worker;
use serde_json::{Value, json};

use super::{balanced, paying, purse};
use crate::harness::app::{Tenant, TestApp};
use crate::messages::{accepted, drain, notice_to, number, secs};

const DAY: u64 = 86_400;

async fn start() -> TestApp {
    TestApp::start_with(|config| config.billing.tax = 2_000).await
}

async fn set(app: &TestApp, plan: &str, fees: Value) -> Value {
    app.operator().put(&format!("/v1/admin/plans/{plan}/fees"), json!({"fees": fees})).await.expect(200).json
}

async fn invoices(acme: &Tenant) -> Vec<Value> {
    acme.live.get("/v1/invoices").await.expect(200).json["data"].as_array().unwrap().clone()
}

fn sums(invoice: &Value) -> Vec<String> {
    ["subtotal", "tax", "total", "paid", "due"]
        .map(|name| invoice[name]["amount"].as_str().unwrap().to_owned())
        .to_vec()
}

async fn patch(app: &TestApp, acme: &Tenant, members: Value) {
    app.operator().patch(&format!("/v1/admin/orgs/{}", acme.org), members).await.expect(200);
}

/// It is 28 March 2026 at first.
#[actix_web::test]
async fn a_plan_s_fee_begins_with_the_next_month_and_is_due_beside_what_the_wallet_paid() {
    let app = start().await;
    let acme = paying(&app, "10").await;
    patch(&app, &acme, json!({"plan": "pro"})).await;
    let told = set(&app, "pro", json!([{"amount": "30.00", "currency": "USD"}])).await;
    assert_eq!(told["data"], json!([{"amount": {"amount": "30.00", "currency": "USD"}, "from": "2026-04-01"}]));
    app.advance(secs(4 * DAY));
    worker::bill(&app.app).await.unwrap();
    let march = invoices(&acme).await;
    assert_eq!((march.len(), sums(&march[0])[4].as_str()), (1, "0.00"), "a fee that was not announced is not owed");
    accepted(&acme.live, notice_to(&number(1))).await;
    drain(&app).await;
    app.advance(secs(30 * DAY));
    worker::bill(&app.app).await.unwrap();
    let april = invoices(&acme).await.remove(0);
    assert_eq!(april["month"], "2026-04");
    let fee = &april["fees"][0];
    assert_eq!((&fee["plan"], &fee["days"], &fee["of_days"]), (&json!("pro"), &json!(30), &json!(30)));
    assert_eq!(sums(&april), ["30.01", "6.00", "36.01", "0.01", "36.00"]);
    assert_eq!(purse(&acme).await[0], "9.99", "the wallet has nothing to do with it");
    let path = format!("/v1/invoices/{}", april["id"].as_str().unwrap());
    let file = acme.live.with_header("Accept", "application/pdf").get(&path).await.expect(200);
    assert!(file.text.starts_with("%PDF-"));
    balanced(&app).await;
}

#[actix_web::test]
async fn a_change_of_plan_is_paid_by_the_day_and_a_cancellation_ends_it() {
    let app = start().await;
    // Nothing moves in this wallet: the fee alone asks for the invoice.
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    set(&app, "pro", json!([{"amount": "30.00", "currency": "USD"}])).await;
    set(&app, "enterprise", json!([{"amount": "300.00", "currency": "USD"}])).await;
    // 5 April, 11 April, 21 April.
    app.advance(secs(8 * DAY));
    worker::bill(&app.app).await.unwrap();
    assert_eq!(invoices(&acme).await, Vec::<Value>::new());
    app.advance(secs(6 * DAY));
    patch(&app, &acme, json!({"plan": "enterprise"})).await;
    app.advance(secs(10 * DAY));
    patch(&app, &acme, json!({"subscription_status": "canceled"})).await;
    app.advance(secs(10 * DAY));
    worker::bill(&app.app).await.unwrap();
    let list = invoices(&acme).await;
    let fees = |invoice: &Value| -> Vec<Value> { invoice["fees"].as_array().unwrap().clone() };
    let lines: Vec<_> =
        fees(&list[0]).iter().map(|fee| (fee["from"].clone(), fee["amount"]["amount"].clone())).collect();
    assert_eq!(lines, [(json!("2026-04-01"), json!("10.00")), (json!("2026-04-11"), json!("100.00"))]);
    assert_eq!(sums(&list[0]), ["110.00", "22.00", "132.00", "0.00", "132.00"]);
    // Canceled in May: nothing is owed, nothing is written.
    app.advance(secs(31 * DAY));
    worker::bill(&app.app).await.unwrap();
    assert_eq!(invoices(&acme).await.len(), 1);
}

#[actix_web::test]
async fn a_plan_that_waits_for_the_next_month_is_owed_from_its_first_day() {
    let app = start().await;
    let acme = app.tenant_with(json!({"plan": "free"})).await;
    set(&app, "pro", json!([{"amount": "31.00", "currency": "USD"}])).await;
    app.advance(secs(8 * DAY));
    patch(&app, &acme, json!({"plan": "pro", "plan_when": "next_cycle"})).await;
    // The first look of May comes two days late.
    app.advance(secs(28 * DAY));
    worker::bill(&app.app).await.unwrap();
    assert_eq!(invoices(&acme).await, Vec::<Value>::new());
    app.advance(secs(31 * DAY));
    worker::bill(&app.app).await.unwrap();
    let may = invoices(&acme).await.remove(0);
    assert_eq!((&may["month"], &may["fees"][0]["days"]), (&json!("2026-05"), &json!(31)));
    assert_eq!(sums(&may)[4], "37.20");
}

#[actix_web::test]
async fn a_fee_is_owed_in_the_wallet_s_currency() {
    let app = start().await;
    set(&app, "pro", json!([{"amount": "30.00", "currency": "USD"}, {"amount": "28.00", "currency": "EUR"}])).await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let paid = json!({"amount": "5", "currency": "EUR", "reference": "euros"});
    app.operator().post(&format!("/v1/admin/orgs/{}/wallet/topups", acme.org), paid).await.expect(201);
    app.advance(secs(35 * DAY));
    worker::bill(&app.app).await.unwrap();
    let april = invoices(&acme).await.remove(0);
    assert_eq!(april["due"], json!({"amount": "33.60", "currency": "EUR"}));
    // Left out, it is free from the next month on; what was stays to be seen.
    let told = set(&app, "pro", json!([{"amount": "35.00", "currency": "USD"}])).await;
    let shown: Vec<String> = told["data"].as_array().unwrap().iter().map(|fee| fee.to_string()).collect();
    assert_eq!(shown.len(), 4, "{shown:?}");
    assert!(shown[1].contains("0.00") && shown[1].contains("EUR") && shown[1].contains("2026-06-01"), "{shown:?}");
    // Said again before it acts, the later word counts.
    assert_eq!(set(&app, "pro", json!([])).await["data"].as_array().unwrap().len(), 4);
    for bad in [
        json!([{"amount": "-1", "currency": "USD"}]),
        json!([{"amount": "1000001", "currency": "USD"}]),
        json!([{"amount": "1", "currency": "usd"}]),
        json!([{"amount": "1", "currency": "USD"}, {"amount": "2", "currency": "USD"}]),
    ] {
        let reply = app.operator().put("/v1/admin/plans/pro/fees", json!({"fees": bad})).await;
        reply.refused(Code::ValidationFailed);
    }
}
