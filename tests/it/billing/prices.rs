//! Price lists: CSV and JSON, rehearsed and kept, with their history and margins.

use postern::error::Code;
use serde_json::json;

use crate::harness::app::TestApp;
use crate::messages::{notice_to, number, post};

const SHEET: &str = "channel;country;prefix;category;amount;currency;from;charged_at\r\n\
    sms;GB;;;0.02;USD;;\r\nsms;;+1415;otp;0.01;USD;2026-04-01T00:00:00Z;delivery\r\n";

#[actix_web::test]
async fn a_sheet_is_rehearsed_then_kept_and_its_history_too() {
    let app = TestApp::start().await;
    let operator = app.operator();
    let put = |query: &'static str, sheet: &str| {
        let (operator, sheet) = (operator.clone(), sheet.as_bytes().to_vec());
        async move { operator.send("PUT", &format!("/v1/admin/prices{query}"), "text/csv", sheet).await }
    };
    let told = put("?dry_run=true", SHEET).await.expect(200);
    assert_eq!((&told.json["dry_run"], told.json["added"].as_array().unwrap().len()), (&json!(true), 2));
    assert_eq!(operator.get("/v1/admin/prices").await.expect(200).json["data"], json!([]));
    put("", SHEET).await.expect(200);
    let kept = operator.get("/v1/admin/prices").await.expect(200);
    assert_eq!(kept.text_at("/data/1/charged_at"), "delivery");
    // The same sheet again changes nothing, though time has passed and a line has no start of its own.
    app.advance(std::time::Duration::from_secs(60));
    let again = put("", SHEET).await.expect(200);
    assert_eq!(
        (&again.json["added"], &again.json["removed"], &again.json["kept"]),
        (&json!([]), &json!([]), &json!(2))
    );
    operator.put("/v1/admin/prices", json!([{"channel": "sms", "amount": "0.03"}])).await.expect(200);
    let past = operator.get("/v1/admin/prices/history").await.expect(200);
    let lines = past.json["data"].as_array().unwrap();
    assert_eq!((lines.len(), &lines[0]["amount"], &lines[0]["removed_at"]), (3, &json!("0.03"), &json!(null)));
    assert!(lines[1]["removed_at"].is_string() && lines[2]["removed_at"].is_string(), "{}", past.text);
    for bad in
        ["channel,amount\nsms,1,2\n", "channel,amount\nfax,1\n", "channel,amount\nsms,-1\n", "channel,cost\nsms,1\n"]
    {
        let reply = put("", bad).await;
        assert_eq!(reply.status, 400, "{bad}: {}", reply.text);
    }
    operator.send("PUT", "/v1/admin/prices", "text/plain", b"x".to_vec()).await.refused(Code::UnsupportedMediaType);
}

#[actix_web::test]
async fn a_price_acts_from_its_start_and_is_told_before() {
    let app = TestApp::start().await;
    let acme = super::paying(&app, "1").await;
    let list = json!([
        {"channel": "sms", "amount": "0.01"},
        {"channel": "sms", "country": "GB", "amount": "0.02", "from": "2026-03-28T15:00:00Z"},
    ]);
    super::price(&app, list).await;
    let mut body = notice_to(&number(1));
    body["dry_run"] = json!(true);
    assert_eq!(post(&acme.live, body.clone()).await.expect(200).text_at("/price/amount"), "0.01");
    app.advance(std::time::Duration::from_secs(3_600));
    assert_eq!(post(&acme.live, body).await.expect(200).text_at("/price/amount"), "0.02");
    assert_eq!(post(&acme.live, notice_to(&number(1))).await.expect(202).text_at("/price/amount"), "0.02");
}

#[actix_web::test]
async fn the_margin_of_each_route_is_told() {
    let app = TestApp::start().await;
    let routes = json!([
        {"channel": "sms", "carrier": "acme", "price": {"amount": "0.004", "currency": "USD"}},
        {"channel": "sms", "country": "US", "carrier": "twilio"},
        {"channel": "email", "carrier": "post"},
    ]);
    app.operator().put("/v1/admin/routes", routes).await.expect(200);
    let told = super::price(&app, json!([{"channel": "sms", "country": "GB", "amount": "0.01"}])).await;
    assert_eq!(told.json["margins"].as_array().unwrap().len(), 1, "{}", told.text);
    let margins = app.operator().get("/v1/admin/prices/margins").await.expect(200);
    assert_eq!(
        (margins.text_at("/data/0/carrier"), margins.text_at("/data/0/margin/amount")),
        ("acme".into(), "0.006".into())
    );
    assert_eq!(margins.json["data"][0]["percent"], 60);
}
