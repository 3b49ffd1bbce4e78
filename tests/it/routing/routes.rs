//! The list of routes: prices, ids that stay, the cheapest last resort.

use postern::error::Code;
use serde_json::{Value, json};

use super::{history, put_routes, routes, sms};
use crate::harness::app::TestApp;
use crate::messages::{accepted, drain, notice_to, number, secs};

fn priced(carrier: &str, amount: &str) -> Value {
    let price = json!({"amount": amount, "currency": "USD"});
    json!({"channel": "sms", "carrier": carrier, "weight": 0, "price": price})
}

#[actix_web::test]
async fn of_last_resorts_the_cheapest_is_used_until_it_cannot() {
    let app = TestApp::start().await;
    put_routes(&app, json!([priced("acme", "0.0075"), priced("twilio", "0.005")])).await;
    assert_eq!(routes(&app).await[1]["price"], json!({"amount": "0.005", "currency": "USD"}));
    let acme = app.tenant().await;
    for n in 0..5 {
        accepted(&acme.live, notice_to(&number(n))).await;
    }
    drain(&app).await;
    assert_eq!((app.twilio.hand_offs().len(), app.acme.calls()), (5, 0));
    app.operator().post("/v1/admin/carriers/twilio/drain", json!({})).await.expect(200);
    accepted(&acme.live, notice_to(&number(9))).await;
    drain(&app).await;
    assert_eq!((app.twilio.hand_offs().len(), app.acme.hand_offs().len()), (5, 1));
}

#[actix_web::test]
async fn a_route_that_stays_the_same_way_keeps_its_id_and_its_pause() {
    let app = TestApp::start().await;
    let first = put_routes(&app, json!([sms("acme", 1), sms("twilio", 2)])).await;
    let id = first.text_at("/data/0/id");
    app.operator().post(&format!("/v1/admin/routes/{id}/pause"), json!({})).await.expect(200);
    let second = put_routes(&app, json!([sms("twilio", 1), sms("acme", 7), sms("acme", 8)])).await;
    let told = |index: usize| {
        let route = &second.json["data"][index];
        (route["id"].as_str().unwrap().to_owned(), route["priority"].as_i64().unwrap(), route["paused"] == true)
    };
    assert_eq!(told(0), (first.text_at("/data/1/id"), 1, false));
    assert_eq!(told(1), (id.clone(), 7, true));
    assert!(told(2).0 != id && !told(2).2, "one id, one route");
}

#[actix_web::test]
async fn a_price_that_cannot_be_is_told_under_its_place() {
    let app = TestApp::start().await;
    for (amount, currency) in [("-1", "USD"), ("1001", "USD"), ("0.0000001", "USD"), ("0.01", "usd"), ("x", "USD")] {
        let mut route = sms("acme", 1);
        route["price"] = json!({"amount": amount, "currency": currency});
        let refused = app.operator().put("/v1/admin/routes", json!([route])).await.refused(Code::ValidationFailed);
        assert!(refused.json["field_errors"]["[0].price"].is_array(), "{}", refused.text);
    }
}

#[actix_web::test]
async fn pauses_and_drains_stand_in_the_history_with_who_and_why() {
    let app = TestApp::start().await;
    let made = put_routes(&app, json!([sms("acme", 1), sms("twilio", 2)])).await;
    let (id, other) = (made.text_at("/data/0/id"), made.text_at("/data/1/id"));
    let act = async |path: &str, body: Value| {
        app.operator().post(path, body).await.expect(200);
        app.advance(secs(1));
    };
    let (pause, resume) = (format!("/v1/admin/routes/{id}/pause"), format!("/v1/admin/routes/{id}/resume"));
    act(&pause, json!({"reason": "late receipts"})).await;
    act(&pause, json!({"reason": "once more changes nothing"})).await;
    act(&resume, json!({})).await;
    act("/v1/admin/carriers/acme/drain", json!({"reason": "they asked"})).await;
    act("/v1/admin/carriers/acme/drain", json!({})).await;
    act("/v1/admin/carriers/acme/resume", json!({"reason": "well"})).await;
    let switch = json!({"scope": "route", "value": id, "reason": "pumped"});
    act("/v1/admin/pause", switch.clone()).await;
    act("/v1/admin/resume", switch).await;
    // A carrier is not told of twice where nothing changes.
    app.operator().post("/v1/admin/carriers/twilio/resume", json!({})).await.expect(200);

    let page = app.operator().get(&format!("/v1/admin/routes/{id}/history")).await.expect(200);
    let rows = page.json["data"].as_array().unwrap();
    let told: Vec<Value> = rows.iter().rev().map(|row| json!([row["from"], row["to"], row["detail"]["why"]])).collect();
    let expected = json!([
        ["in_use", "paused", "late receipts"],
        ["paused", "in_use", null],
        ["in_use", "drained", "they asked"],
        ["drained", "in_use", "well"],
        ["in_use", "paused", "pumped"],
        ["paused", "in_use", "pumped"],
    ]);
    assert_eq!(json!(told), expected);
    let operator = app.operator().get("/v1/admin/audit").await.expect(200).text_at("/data/0/actor");
    assert!(
        operator.starts_with("opr_") && rows.iter().all(|row| row["detail"]["by"] == operator.as_str()),
        "{rows:?}"
    );
    assert!(rows.iter().all(|row| row["reason"] == "operator"));
    assert_eq!(rows.iter().filter(|row| row["route_id"].is_null()).count(), 2, "the drain is the carrier's");
    assert_eq!(routes(&app).await[0]["last_change"], Value::Null, "no circuit has changed");
    assert!(history(&app, &other).await.is_empty());
}
