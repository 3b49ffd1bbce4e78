//! The list of routes: prices, ids that stay, the cheapest last resort.

use postern::error::Code;
use serde_json::{Value, json};

use super::{put_routes, routes, sms};
use crate::harness::app::TestApp;
use crate::messages::{accepted, drain, notice_to, number};

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
