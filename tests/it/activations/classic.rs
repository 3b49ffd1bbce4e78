//! The text endpoint beyond the transcripts: forms, orders with a name, lists, limits.

use futures_util::future::join_all;
use serde_json::json;

use super::{FORM, MINUTE, ask, comes, fund, owned, service, supply, text_key};
use crate::billing::balanced;
use crate::harness::app::TestApp;

/// A live key of an organization with money, and numbers for `ot` at half a dollar.
async fn open(app: &TestApp) -> (String, String) {
    service(app, "ot", json!({"price": "0.50"})).await;
    supply(app, 100..105, &["ot"], json!({})).await;
    let acme = app.tenant().await;
    fund(app, &acme.org, "10").await;
    let key = text_key(app, &acme.org, json!({})).await;
    (acme.org, key)
}

#[actix_web::test]
async fn an_order_with_a_name_is_one_order() {
    let app = TestApp::start().await;
    let (_, key) = open(&app).await;
    let first = ask(&app, &key, "action=getNumber&service=ot&orderId=a").await.expect(200).text;
    assert_eq!(first, "ACCESS_NUMBER:1001:447700900100");
    assert_eq!(ask(&app, &key, "action=getNumber&service=ot&orderId=a").await.text, first);
    assert_eq!(ask(&app, &key, "action=getNumber&service=ot&country=16&orderId=a").await.text, "ORDER_ALREADY_EXISTS");
    assert_eq!(ask(&app, &key, "action=getNumber&service=ot&orderId=b").await.text, "ACCESS_NUMBER:1002:447700900101");
    let same = join_all((0..8).map(|_| ask(&app, &key, "action=getNumber&service=ot&orderId=c"))).await;
    assert!(same.iter().all(|reply| reply.text == "ACCESS_NUMBER:1003:447700900102"), "{}", same[0].text);
    balanced(&app).await;
}

#[actix_web::test]
async fn parameters_are_read_as_clients_send_them() {
    let app = TestApp::start().await;
    let (org, key) = open(&app).await;
    for (query, want) in [
        ("action=getNumber", "BAD_SERVICE"),
        ("action=getNumber&service=ot&country=17", "NO_NUMBERS"),
        ("action=getNumber&service=ot&operator=ee,o2", "NO_NUMBERS"),
        ("action=getNumber&service=ot&maxPrice=0.30000000000000004", "WRONG_MAX_PRICE:0.50"),
        ("action=getNumber&service=ot&maxPrice=a+lot", "BAD_DATA"),
        ("action=getNumber&service=ot&phoneException=44,x", "WRONG_EXCEPTION_PHONE"),
        ("action=getNumber&service=ot&phoneException=7,44770", "NO_NUMBERS"),
        ("action=getNumber&service=ot&activationType=1", "NO_NUMBERS"),
        (
            "action=getNumber&service=ot&country=16&operator=any&maxPrice=0.5&forward=0&ref=&json=1",
            "ACCESS_NUMBER:1001:447700900100",
        ),
        ("action=getStatus&id=x", "NO_ACTIVATION"),
        ("action=getStatus", "NO_ACTIVATION"),
        ("action=getFullSms&id=1001", "STATUS_WAIT_CODE"),
        ("action=setStatus&id=1001&status=3", "BAD_STATUS"),
        ("action=getRentStatus&id=1001", "WRONG_ACTION"),
        ("action=finishActivation&id=1001", "ACCESS_ACTIVATION"),
        ("action=finishActivation&id=1001", "ACCESS_ACTIVATION"),
        ("action=getPrices&service=nothing", "BAD_SERVICE"),
        ("action=getOperators&country=17", r#"{"status":"error","error":"OPERATORS_NOT_FOUND"}"#),
        ("action=%ff", "BAD_ACTION"),
    ] {
        let reply = ask(&app, &key, query).await.expect(200);
        let json: serde_json::Value = serde_json::from_str(want).unwrap_or_default();
        assert!(reply.text == want || (json.is_object() && reply.json == json), "{query}: {}", reply.text);
    }
    // Query and form in one; the query's word counts.
    let body = format!("api_key={key}&action=getNumber&service=ot").into_bytes();
    let reply = app.anonymous().send("POST", "/stubs/handler_api.php?action=getBalance", FORM, body).await.expect(200);
    assert_eq!(reply.text, "ACCESS_BALANCE:9.50");
    app.operator()
        .patch(&format!("/v1/admin/orgs/{org}"), json!({"subscription_status": "past_due"}))
        .await
        .expect(200);
    assert_eq!(ask(&app, &key, "action=getNumber&service=ot").await.text, "NO_BALANCE");
}

#[actix_web::test]
async fn what_came_is_listed_in_each_form() {
    let app = TestApp::start().await;
    let (_, key) = open(&app).await;
    ask(&app, &key, "action=getNumber&service=ot").await.expect(200);
    comes(&app, 1, ("ACME", &owned(100)), "<b>123456</b> is your code").await;
    let full = ask(&app, &key, "action=getFullSms&id=1001").await.expect(200);
    assert_eq!(full.text, "FULL_SMS:<b>123456</b> is your code");
    assert_eq!(full.header("content-type"), Some("text/plain; charset=utf-8"), "a text of a stranger is no page");
    let active = ask(&app, &key, "action=getActiveActivations").await.expect(200).json;
    let row = &active["activeActivations"][0];
    assert_eq!(
        (&row["activationStatus"], &row["smsCode"], &row["activationCost"]),
        (&json!("2"), &json!("123456"), &json!("0.5"))
    );
    assert_eq!(active["data"], active["activeActivations"]);
    let all = ask(&app, &key, "action=getAllSms&id=1001").await.expect(200).json;
    assert_eq!(
        (&all[0]["code"], &all[0]["date"], &all[1]),
        (&json!("123456"), &json!("2026-03-28 14:30:00"), &json!(null))
    );
    ask(&app, &key, "action=setStatus&id=1001&status=6").await.expect(200);
    assert_eq!(ask(&app, &key, "action=getStatus&id=1001").await.text, "STATUS_OK:123456");
    let past = ask(&app, &key, "action=getHistory&size=5").await.expect(200).json;
    assert_eq!((&past[0]["id"], &past[0]["cost"], &past[0]["status"]), (&json!("1001"), &json!("0.50"), &json!("6")));
    assert_eq!(ask(&app, &key, "action=getHistory&start=1&end=2").await.json, json!([]));
    app.advance(25 * MINUTE);
    ask(&app, &key, "action=getNumber&service=ot").await.expect(200);
    app.advance(25 * MINUTE);
    assert_eq!(ask(&app, &key, "action=getStatus&id=1002").await.text, "STATUS_CANCEL");
    assert_eq!(ask(&app, &key, "action=setStatus&id=1002&status=8").await.text, "ACCESS_CANCEL");
    assert_eq!(ask(&app, &key, "action=getActiveActivations").await.json["error"], "NO_ACTIVATIONS");
}

#[actix_web::test]
async fn strangers_are_counted_by_their_address_and_a_key_answers_by_its_own_switch() {
    let app = TestApp::start().await;
    let (org, _) = open(&app).await;
    let mapped = text_key(&app, &org, json!({"statuses": "mapped"})).await;
    let denied = ask(&app, &mapped, "action=getStatus&id=7").await.expect(404);
    assert_eq!((denied.text.as_str(), denied.header("x-activation-status")), ("NO_ACTIVATION", Some("404")));
    for _ in 0..30 {
        assert_eq!(ask(&app, "pst_live_nobody", "action=getBalance").await.expect(200).text, "BAD_KEY");
    }
    let told = ask(&app, "pst_live_nobody", "action=getBalance").await.expect(200);
    assert_eq!((told.text.as_str(), told.header("x-activation-status")), ("RATE_LIMITED", Some("429")));
    assert!(told.header("retry-after").is_some());
    app.anonymous().call("PUT", "/stubs/handler_api.php", None).await.expect(405);
}
