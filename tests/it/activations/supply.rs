//! What operators offer: added by list and by sheet, blocked, rested.

use postern::error::Code;
use serde_json::{Value, json};

use super::{MINUTE, act, order, owned, refused, service, supply};
use crate::harness::app::TestApp;

const SHEET: &str = "\
phone_number,country,operator,services,cool_down
+447400123456,,EE,ot wa,1h
+447700900100,GB,,,
";

#[actix_web::test]
async fn numbers_come_by_sheet_all_or_none_and_the_log_masks_them() {
    let app = TestApp::start().await;
    service(&app, "ot", json!({})).await;
    service(&app, "wa", json!({})).await;
    let operator = app.operator();
    let bad = "phone_number,services\n+447400123457,ot\n+447700900101,ot\n+447400123458,nothing\n";
    let fault =
        operator.send("POST", "/v1/admin/numbers", "text/csv", bad.into()).await.refused(Code::ValidationFailed);
    assert!(fault.json["field_errors"]["[1].phone_number"].is_array(), "{}", fault.text);
    assert!(fault.json["field_errors"]["[2].services"].is_array(), "{}", fault.text);
    let added = operator.send("POST", "/v1/admin/numbers?reason=lot+7", "text/csv", SHEET.into()).await.expect(201);
    assert_eq!((&added.json["added"], &added.json["data"][0]["operator"]), (&json!(2), &json!("ee")));
    let codes = |number: &Value| -> Vec<String> {
        number["services"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (codes(&added.json["data"][0]), codes(&added.json["data"][1])),
        (vec!["ot".into(), "wa".into()], vec!["ot".into(), "wa".into()])
    );
    operator.send("POST", "/v1/admin/numbers", "text/csv", SHEET.into()).await.refused(Code::ValidationFailed);
    // A service of later is served by the number that serves all.
    service(&app, "tg", json!({})).await;
    let list = operator.get("/v1/admin/numbers?country=GB").await.expect(200);
    let numbers: Vec<(String, usize)> = list.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["phone_number"].as_str().unwrap().to_owned(), codes(one).len()))
        .collect();
    assert_eq!(numbers, [(owned(100), 3), ("+447400123456".into(), 2)]);
    let log = operator.get("/v1/admin/audit").await.expect(200).text;
    assert!(log.contains("activation_numbers.add") && log.contains("lot 7"), "{log}");
    assert!(!log.contains("7400123456") && !log.contains("7700900100"), "{log}");
}

#[actix_web::test]
async fn a_blocked_number_is_rented_no_more_and_one_that_rests_neither() {
    let app = TestApp::start().await;
    service(&app, "ot", json!({"cool_down": "10m"})).await;
    service(&app, "wa", json!({"cool_down": "0s"})).await;
    let id = supply(&app, 100..101, &["ot", "wa"], json!({})).await.text_at("/data/0/id");
    let acme = app.tenant().await;
    let path = format!("/v1/admin/numbers/{id}");
    let patch = async |body: Value| app.operator().patch(&path, body).await;
    let first = order(&acme.live, "ot").await.expect(201).text_at("/id");
    patch(json!({"status": "blocked", "reason": "lost"})).await.expect(200);
    refused(&order(&acme.live, "wa").await, Code::NotFound);
    assert_eq!(act(&acme.live, &first, "ready").await.expect(200).text_at("/status"), "waiting", "kept to the end");
    patch(json!({"status": "active"})).await.expect(200);
    act(&acme.live, &first, "complete").await.expect(200);
    refused(&order(&acme.live, "ot").await, Code::NotFound);
    // Another service does not wait for it; its own rest is none.
    for _ in 0..2 {
        let other = order(&acme.live, "wa").await.expect(201).text_at("/id");
        act(&acme.live, &other, "complete").await.expect(200);
    }
    app.advance(10 * MINUTE);
    let again = order(&acme.live, "ot").await.expect(201).text_at("/id");
    patch(json!({"cool_down": "1m", "services": ["ot"]})).await.expect(200);
    act(&acme.live, &again, "complete").await.expect(200);
    refused(&order(&acme.live, "wa").await, Code::NotFound);
    app.advance(MINUTE);
    order(&acme.live, "ot").await.expect(201);
    let shown = app.operator().get(&path).await.expect(200);
    assert_eq!((&shown.json["services"][0]["rented"], &shown.json["services"][1]), (&json!(true), &Value::Null));
    patch(json!({"services": ["nothing"]})).await.refused(Code::ValidationFailed);
    app.operator().get("/v1/admin/numbers/num_01h455vb4pex5vsknk084sn02q").await.refused(Code::NotFound);
}

#[actix_web::test]
async fn what_makes_no_sense_is_refused_by_field() {
    let app = TestApp::start().await;
    let put = async |code: &str, body: Value| app.operator().put(&format!("/v1/admin/services/{code}"), body).await;
    for (code, body, field) in [
        ("OT", json!({"name": "x"}), "code"),
        ("ot", json!({"name": ""}), "name"),
        ("ot", json!({"name": "x", "texts": ["("]}), "texts"),
        ("ot", json!({"name": "x", "senders": ["a*b"]}), "senders"),
        ("ot", json!({"name": "x", "price": "-1"}), "price"),
        ("ot", json!({"name": "x", "currency": "usd"}), "currency"),
        ("ot", json!({"name": "x", "country_prices": {"GB": "much"}}), "country_prices"),
        ("ot", json!({"name": "x", "cool_down": "366d"}), "cool_down"),
    ] {
        let fault = put(code, body).await.refused(Code::ValidationFailed);
        assert!(fault.json["field_errors"][field].is_array(), "{field}: {}", fault.text);
    }
    service(&app, "ot", json!({})).await;
    let sender = json!({"channel": "sms", "address": "+447400123450"});
    app.operator().post("/v1/admin/senders", sender).await.expect(201);
    for (body, field) in [
        (json!([{"phone_number": "+447400123450"}]), "[0].phone_number"),
        (json!([{"phone_number": "+447700900123"}]), "[0].phone_number"),
        (json!([{"phone_number": "+447400123456", "operator": "a b"}]), "[0].operator"),
        (json!([{"phone_number": "+447400123456"}, {"phone_number": "+447400123456"}]), "[1].phone_number"),
    ] {
        let fault = app.operator().post("/v1/admin/numbers", body).await.refused(Code::ValidationFailed);
        assert!(fault.json["field_errors"][field].is_array(), "{field}: {}", fault.text);
    }
    assert_eq!(app.operator().get("/v1/admin/numbers").await.expect(200).json["data"], json!([]));
}
