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
    // As a sheet it goes out and comes in again, and the same sheet again changes nothing.
    let sheet = operator.with_header("Accept", "text/csv").get("/v1/admin/prices").await.expect(200).text;
    assert!(sheet.contains("sms,,'+1415,otp,,0.01,USD,2026-04-01T00:00:00.000Z,delivery"), "{sheet}");
    let again = put("", &sheet).await.expect(200);
    assert_eq!((&again.json["kept"], &again.json["added"]), (&json!(2), &json!([])), "{}", again.text);
    operator.put("/v1/admin/prices", json!([{"channel": "sms", "amount": "0.03"}])).await.expect(200);
    let past = operator.get("/v1/admin/prices/history").await.expect(200);
    let lines = past.json["data"].as_array().unwrap();
    assert_eq!((lines.len(), &lines[0]["amount"], &lines[0]["removed_at"]), (3, &json!("0.03"), &json!(null)));
    assert!(lines[1]["removed_at"].is_string() && lines[2]["removed_at"].is_string(), "{}", past.text);
    for bad in [
        "",
        "channel,amount\nsms,1,2\n",
        "channel,amount\nfax,1\n",
        "channel,amount\nsms,-1\n",
        "channel,cost\nsms,1\n",
    ] {
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

#[actix_web::test]
async fn each_segment_has_its_price_and_two_lines_for_one_thing_are_refused() {
    let app = TestApp::start().await;
    let acme = super::paying(&app, "1").await;
    let operator = app.operator();
    let put = |sheet: &'static str| {
        let operator = operator.clone();
        async move { operator.send("PUT", "/v1/admin/prices", "text/csv", sheet.as_bytes().to_vec()).await }
    };
    // As a spreadsheet leaves it: a byte order mark, a row of nothing.
    let sheet = "\u{feff}channel,country,category,segment,amount\r\nsms,,,,0.05\r\nsms,GB,,2,0.02\r\nsms,GB,otp,,0.03\r\n,,,,\r\n";
    let told = put(sheet).await.expect(200);
    assert_eq!(told.json["added"][1]["segment"], 2, "{}", told.text);
    let again = put(sheet).await.expect(200);
    assert_eq!(again.json["kept"], 3, "{}", again.text);
    let long = |kind: &str, parts: usize| {
        let body = "x".repeat(153 * parts);
        json!({"to": number(1), "body": body, "kind": kind, "dry_run": true})
    };
    for (kind, parts, price) in
        [("transactional", 2, "0.07"), ("transactional", 3, "0.09"), ("otp", 2, "0.06"), ("otp", 3, "0.09")]
    {
        let told = post(&acme.live, long(kind, parts)).await.expect(200);
        assert_eq!((&told.json["segments"], told.text_at("/price/amount")), (&json!(parts), price.into()), "{kind}");
    }
    for (bad, field) in [
        ("channel,segment,amount\nemail,2,1\n", "[0].segment"),
        ("channel,segment,amount\nsms,256,1\n", "[0].segment"),
        ("channel,segment,amount\nsms,first,1\n", "[0].segment"),
        ("channel,country,amount\nsms,GB,1\nsms,US,1\nsms,GB,2\n", "[2]"),
        ("channel,country,amount\nsms,GB,1\nsms,GB,1\n", "[1]"),
    ] {
        let reply = put(bad).await.refused(Code::ValidationFailed);
        assert!(reply.text.contains(&format!("\"{field}\"")), "{bad}: {}", reply.text);
    }
    assert_eq!(operator.get("/v1/admin/prices").await.expect(200).json["data"].as_array().unwrap().len(), 3);
}

#[actix_web::test]
async fn a_long_list_is_taken_at_once() {
    let app = TestApp::start().await;
    let mut sheet = String::from("channel,prefix,amount\n");
    for n in 0..3_000 {
        sheet.push_str(&format!("sms,+44{n:04},0.01\n"));
    }
    let began = std::time::Instant::now();
    for kept in [0, 3_000] {
        let body = sheet.clone().into_bytes();
        let told = app.operator().send("PUT", "/v1/admin/prices", "text/csv", body).await.expect(200);
        assert_eq!(told.json["kept"], kept);
    }
    // It took minutes when each line was looked for among all others.
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
}
