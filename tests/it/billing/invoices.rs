//! Invoices: of the ledger, without gaps, on paper, by mail; and where the money went.

use postern::secret::Secret;
use postern::worker;
use serde_json::{Value, json};

use super::{paying, purse};
use crate::harness::app::{Tenant, TestApp};
use crate::messages::{accepted, drain, notice_to, number, secs};

async fn start() -> TestApp {
    TestApp::start_with(|config| {
        config.billing.issuer = "Postern Messaging Ltd".to_owned();
        config.billing.issuer_address = Some("1 Sample Street|London EC1A 1AA|United Kingdom".to_owned());
        config.billing.issuer_tax_id = Some("GB123456789".to_owned());
        config.billing.payment_terms =
            Some("Sample Bank, IBAN GB00 SAMP 0000 0000 0000 00|Quote the invoice's number.".to_owned());
        config.billing.tax = 2_000;
        config.billing.mail_carrier = Some("post".to_owned());
        config.billing.payment_secret = Some(Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()));
    })
    .await
}

/// March ends: what is due is written and mailed.
async fn month_ends(app: &TestApp) {
    app.advance(secs(4 * 86_400));
    worker::bill(&app.app).await.unwrap();
}

async fn invoices(acme: &Tenant) -> Vec<Value> {
    acme.live.get("/v1/invoices").await.expect(200).json["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn a_month_s_invoice_is_what_the_ledger_says() {
    let app = start().await;
    let acme = paying(&app, "250").await;
    let list = json!([{"channel": "sms", "country": "GB", "amount": "0.04"}, {"channel": "sms", "amount": "1.25"},
        {"channel": "email", "amount": "0.001"}]);
    super::price(&app, list).await;
    let profile = json!({"name": "ACME Ltd", "address": ["1 High Street", "Leeds LS1 1AA"], "tax_id": "GB987654321",
        "email": "billing@acme.example"});
    app.operator().put(&format!("/v1/admin/orgs/{}/billing", acme.org), profile).await.expect(200);
    for n in 0..5 {
        accepted(&acme.live, notice_to(&number(n))).await;
    }
    accepted(&acme.live, notice_to("+14155550123")).await;
    let mail = json!({"to": "ann@example.com", "channel": "email", "body": "hello", "kind": "transactional"});
    accepted(&acme.live, mail).await;
    drain(&app).await;
    worker::bill(&app.app).await.unwrap();
    assert_eq!(invoices(&acme).await, Vec::<Value>::new(), "the month is not over");
    month_ends(&app).await;
    // What is charged in April is on April's.
    accepted(&acme.live, notice_to(&number(7))).await;
    drain(&app).await;
    worker::bill(&app.app).await.unwrap();
    let list = invoices(&acme).await;
    assert_eq!(list.len(), 1);
    let invoice = &list[0];
    let money = |name: &str| invoice[name]["amount"].as_str().unwrap().to_owned();
    assert_eq!((&invoice["number"], &invoice["month"]), (&json!("INV-000001"), &json!("2026-03")));
    assert_eq!(["subtotal", "tax", "total", "paid", "due"].map(money), ["1.451", "0.29", "1.741", "1.451", "0.29"]);
    let line = |n: usize| ["channel", "country", "messages"].map(|name| invoice["lines"][n][name].clone());
    assert_eq!(line(0), [json!("sms"), json!("US"), json!(1)]);
    assert_eq!(line(1), [json!("sms"), json!("GB"), json!(5)]);
    let statement = &invoice["statement"];
    let moved =
        ["opening", "topups", "charges", "closing"].map(|name| statement[name]["amount"].as_str().unwrap().to_owned());
    assert_eq!(moved, ["0.00", "250.00", "-1.451", "248.549"]);
    let path = format!("/v1/invoices/{}", invoice["id"].as_str().unwrap());
    let csv = acme.live.with_header("Accept", "text/csv").get(&path).await.expect(200);
    assert!(csv.text.contains("2026-03-28,key_") && csv.text.contains(",sms,GB,5,5,0.20,USD"), "{}", csv.text);
    let file = acme.live.with_header("Accept", "application/pdf").get(&path).await.expect(200);
    assert_eq!(file.header("content-type"), Some("application/pdf"));
    assert!(file.text.starts_with("%PDF-") && file.text.len() > 5_000);
    let letter = app.post.letters().into_iter().find(|letter| letter.to == ["billing@acme.example"]).unwrap();
    assert!(letter.data.contains("INV-000001") && letter.data.contains("application/pdf"), "{}", letter.data);
    assert_eq!(app.post.letters().iter().filter(|letter| letter.to == ["billing@acme.example"]).count(), 1);
    assert_eq!(purse(&acme).await[0], "248.509");
}

#[actix_web::test]
async fn numbers_have_no_gaps_and_a_month_has_one_invoice() {
    let app = start().await;
    let mut all = Vec::new();
    for _ in 0..4 {
        let acme = paying(&app, "1").await;
        accepted(&acme.live, notice_to(&number(1))).await;
        all.push(acme);
    }
    let idle = app.tenant().await;
    drain(&app).await;
    app.advance(secs(4 * 86_400));
    let (one, other) = tokio::join!(worker::bill(&app.app), worker::bill(&app.app));
    one.unwrap();
    other.unwrap();
    let mut numbers = Vec::new();
    for acme in &all {
        let list = invoices(acme).await;
        assert_eq!(list.len(), 1);
        numbers.push(list[0]["number"].as_str().unwrap().to_owned());
    }
    numbers.sort();
    assert_eq!(numbers, ["INV-000001", "INV-000002", "INV-000003", "INV-000004"]);
    assert_eq!(invoices(&idle).await, Vec::<Value>::new());
    // By hand for a month without movement: the next number; the month that runs: none.
    let path = format!("/v1/admin/orgs/{}/invoices", idle.org);
    let made = app.operator().post(&path, json!({"month": "2026-03"})).await.expect(200);
    assert_eq!((made.text_at("/number"), made.text_at("/total/amount")), ("INV-000005".into(), "0.00".into()));
    assert_eq!(
        app.operator().post(&path, json!({"month": "2026-03"})).await.expect(200).text_at("/id"),
        made.text_at("/id")
    );
    for bad in ["2026-04", "2026-3", "x"] {
        app.operator().post(&path, json!({"month": bad})).await.refused(postern::error::Code::ValidationFailed);
    }
}

#[actix_web::test]
async fn a_report_says_where_the_money_went_and_what_a_verified_user_costs() {
    let app = start().await;
    let acme = paying(&app, "10").await;
    let mut codes = Vec::new();
    for n in 0..4 {
        let body = json!({"to": number(n)});
        codes.push(acme.live.post("/v1/verifications", body).await.expect(201).text_at("/id"));
    }
    accepted(&acme.live, notice_to("+14155550123")).await;
    drain(&app).await;
    for (call, id) in app.acme.hand_offs().iter().filter(|call| call.json()["to"] != "+14155550123").zip(&codes).take(2)
    {
        let text = call.json()["text"].as_str().unwrap().to_owned();
        let code: String = text.chars().filter(char::is_ascii_digit).take(6).collect();
        let to = call.json()["to"].clone();
        let checked = acme.live.post("/v1/verifications/check", json!({"to": to, "code": code})).await.expect(200);
        assert_eq!(checked.json["valid"], true, "{id}");
    }
    let report = acme.live.get("/v1/wallet/spend?group_by=country").await.expect(200);
    let rows: Vec<_> = report.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["group"].clone(), row["amount"]["amount"].clone()))
        .collect();
    assert_eq!(rows, [(json!("GB"), json!("0.04")), (json!("US"), json!("0.01"))]);
    let verified = &report.json["verifications"][0];
    assert_eq!((&verified["approved"], &verified["spent"]["amount"]), (&json!(2), &json!("0.04")));
    assert_eq!(verified["per_verified_user"]["amount"], "0.02");
    for (by, group) in [("day", "2026-03-28"), ("channel", "sms")] {
        let report = acme.live.get(&format!("/v1/wallet/spend?group_by={by}")).await.expect(200);
        assert_eq!(
            (report.text_at("/data/0/group"), report.json["data"][0]["messages"].clone()),
            (group.into(), json!(5))
        );
    }
    assert!(
        acme.live.get("/v1/wallet/spend?group_by=key").await.expect(200).text_at("/data/0/group").starts_with("key_")
    );
    acme.live.get("/v1/wallet/spend?from=2026-03-28T00:00:00Z&to=2026-03-01T00:00:00Z").await.expect(400);
    assert_eq!(acme.test.get("/v1/wallet/spend").await.expect(200).json["data"], json!([]));
}
