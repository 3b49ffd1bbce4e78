//! Conversion by route: a code that was entered is credited to the hand-off that brought it.

use postern::error::Code;
use serde_json::{Value, json};

use super::put_routes;
use crate::harness::actor::Actor;
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::Script;
use crate::messages::{accepted, carrier_id, drain, notice_to, number, receipt, secs};

fn route(carrier: &str, priority: i32, amount: &str) -> Value {
    let price = json!({"amount": amount, "currency": "USD"});
    json!({"channel": "sms", "carrier": carrier, "priority": priority, "price": price})
}

/// The digits of the latest code that `acme` took.
fn code(app: &TestApp) -> String {
    let text = app.acme.hand_offs().last().unwrap().json()["text"].as_str().unwrap().to_owned();
    text.chars().filter(char::is_ascii_digit).take(6).collect()
}

async fn started(app: &TestApp, caller: &Actor, to: &str) -> String {
    let id = caller.post("/v1/verifications", json!({"to": to})).await.expect(201).text_at("/id");
    drain(app).await;
    id
}

async fn entered(caller: &Actor, id: &str, code: &str) {
    let reply = caller.post(&format!("/v1/verifications/{id}/check"), json!({"code": code})).await.expect(200);
    assert_eq!(reply.json["valid"], true, "{}", reply.text);
}

async fn figures(app: &TestApp, query: &str) -> Vec<Value> {
    let reply = app.operator().get(&format!("/v1/admin/routes/conversion{query}")).await.expect(200);
    reply.json["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn each_route_is_credited_with_what_it_brought() {
    let app = TestApp::start().await;
    let made = put_routes(&app, json!([route("twilio", 1, "0.004"), route("acme", 2, "0.01")])).await;
    let tenant = app.tenant().await;
    // The first refuses, the second brings the code; of three codes two are entered.
    app.twilio.always(Script::json(400, json!({"code": 21612, "message": "no route"})));
    for n in 1..=3 {
        let id = started(&app, &tenant.live, &number(n)).await;
        app.advance(secs(4));
        receipt(&app, &carrier_id(n), "DELIVRD").await.expect(204);
        if n < 3 {
            entered(&tenant.live, &id, &code(&app)).await;
        }
    }
    // A code by the first that nobody enters, and a message without a code.
    app.twilio.always(Script::Accept);
    started(&app, &tenant.live, &number(4)).await;
    accepted(&tenant.live, notice_to(&number(5))).await;
    // A test message goes by no route.
    accepted(&tenant.test, notice_to(&number(6))).await;
    drain(&app).await;
    app.advance(secs(1));

    let found = figures(&app, "").await;
    assert_eq!(found.len(), 2, "{found:?}");
    let (twilio, acme) = (&found[0], &found[1]);
    assert_eq!((&twilio["route_id"], &acme["route_id"]), (&made.json["data"][0]["id"], &made.json["data"][1]["id"]));
    let counts = |one: &Value| {
        ["hand_offs", "accepted", "delivered", "attempted", "converted"].map(|name| one[name].as_i64().unwrap())
    };
    assert_eq!((counts(twilio), counts(acme)), ([5, 2, 0, 1, 0], [3, 3, 3, 3, 2]));
    assert_eq!(
        (&acme["conversion_rate"], &acme["rate_low"], &acme["rate_high"]),
        (&json!(0.6667), &json!(0.2077), &json!(0.9385))
    );
    assert_eq!((&acme["median_receipt_s"], &twilio["median_receipt_s"]), (&json!(4), &json!(null)));
    assert_eq!(acme["cost"], json!({"amount": "0.03", "currency": "USD"}));
    assert_eq!(acme["cost_per_conversion"], json!({"amount": "0.015", "currency": "USD"}));
    assert_eq!((&twilio["cost"]["amount"], &twilio["cost_per_conversion"]), (&json!("0.008"), &json!(null)));
}

#[actix_web::test]
async fn a_code_sent_again_credits_the_send_that_was_entered() {
    let app = TestApp::start().await;
    put_routes(&app, json!([route("acme", 1, "0.01")])).await;
    let tenant = app.tenant().await;
    let body = json!({"to": number(1), "resend_policy": "new_code"});
    let id = tenant.live.post("/v1/verifications", body).await.expect(201).text_at("/id");
    drain(&app).await;
    let first = code(&app);
    app.advance(secs(60));
    let now_by_twilio = json!([route("acme", 2, "0.01"), route("twilio", 1, "0.01")]);
    put_routes(&app, now_by_twilio).await;
    tenant.live.post(&format!("/v1/verifications/{id}/resend"), json!({})).await.expect(200);
    drain(&app).await;
    assert_eq!(app.twilio.hand_offs().len(), 1);
    entered(&tenant.live, &id, &first).await;
    app.advance(secs(1));
    let found = figures(&app, "").await;
    let of = |carrier: &str| found.iter().find(|one| one["carrier"] == carrier).unwrap();
    assert_eq!((&of("acme")["converted"], &of("twilio")["converted"]), (&json!(1), &json!(0)), "{found:?}");
}

#[actix_web::test]
async fn it_is_narrowed_by_channel_country_and_time_and_never_longer_than_a_month() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    accepted(&tenant.live, notice_to(&number(1))).await;
    accepted(&tenant.live, json!({"to": "ann@example.com", "channel": "email", "body": "x", "kind": "transactional"}))
        .await;
    accepted(&tenant.live, notice_to("+14155550123")).await;
    drain(&app).await;
    app.advance(secs(60));
    let hand_offs = async |query: &str| {
        figures(&app, query).await.iter().map(|one| one["hand_offs"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(hand_offs("").await, [2, 1]);
    assert_eq!(hand_offs("?channel=email").await, [1]);
    assert_eq!(hand_offs("?country=us").await, [1]);
    assert_eq!(hand_offs("?channel=email&country=GB").await, Vec::<i64>::new());
    let now = app.app.clock.now();
    let at = |seconds| now.minus(secs(seconds)).rfc3339();
    assert_eq!(hand_offs(&format!("?since={}", at(59))).await, Vec::<i64>::new());
    assert_eq!(hand_offs(&format!("?since={}&until={}", at(61), at(59))).await, [2, 1]);
    for (since, until) in [(32 * 86_400, 0), (10, 20)] {
        let path = format!("/v1/admin/routes/conversion?since={}&until={}", at(since), at(until));
        let refused = app.operator().get(&path).await.refused(Code::ValidationFailed);
        assert!(refused.json["field_errors"]["since"].is_array(), "{}", refused.text);
    }
}
