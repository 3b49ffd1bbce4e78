//! A circuit for each route: a carrier that is sick for one country keeps the others.

use serde_json::{Value, json};

use super::{history, put_routes, routes, sms, watch};
use crate::harness::actor::Actor;
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::Script;
use crate::messages::{accepted, carrier_id, drain, notice_to, number, receipt, secs, status};

fn to_country(country: &str, carrier: &str, priority: i32) -> Value {
    json!({"channel": "sms", "country": country, "carrier": carrier, "priority": priority})
}

/// Sends one and hands it over.
async fn send(app: &TestApp, caller: &Actor, to: &str) -> String {
    let id = accepted(caller, notice_to(to)).await;
    drain(app).await;
    id
}

#[actix_web::test]
async fn a_route_that_is_refused_opens_alone_is_tried_after_a_rest_and_closes() {
    let app = TestApp::start().await;
    put_routes(&app, json!([to_country("GB", "acme", 1), to_country("GB", "twilio", 2), to_country("US", "acme", 1)]))
        .await;
    let acme = app.tenant().await;
    app.acme.always(Script::json(400, json!({"error": "no route to there"})));
    for n in 0..20 {
        send(&app, &acme.live, &number(n)).await;
    }
    assert_eq!((app.acme.calls(), app.twilio.hand_offs().len()), (20, 20));
    send(&app, &acme.live, &number(20)).await;
    assert_eq!((app.acme.calls(), app.twilio.hand_offs().len()), (20, 21), "the route is open");
    // The carrier is well, and takes what goes elsewhere.
    app.acme.always(Script::Accept);
    send(&app, &acme.live, "+14155550123").await;
    assert_eq!(app.acme.hand_offs().len(), 1);
    let seen = routes(&app).await;
    assert_eq!((&seen[0]["circuit"]["state"], &seen[0]["circuit"]["reason"]), (&json!("open"), &json!("errors")));
    assert_eq!(seen[2]["circuit"], json!({"state": "closed", "reason": null, "open_until": null}));
    let carriers = app.operator().get("/v1/admin/carriers").await.expect(200);
    assert_eq!(carriers.json["data"][0]["circuit"], "closed");

    app.advance(secs(15));
    for n in 30..33 {
        send(&app, &acme.live, &number(n)).await;
    }
    assert_eq!((app.acme.hand_offs().len(), app.twilio.hand_offs().len()), (4, 21));
    watch(&app).await;
    let id = seen[0]["id"].as_str().unwrap();
    let steps =
        [["half_open", "closed", "recovered"], ["open", "half_open", "rest_over"], ["closed", "open", "errors"]];
    assert_eq!(history(&app, id).await, steps.map(|step| step.map(str::to_owned)));
    let page = app.operator().get(&format!("/v1/admin/routes/{id}/history?limit=1")).await.expect(200);
    let rest = format!("/v1/admin/routes/{id}/history?cursor={}", page.text_at("/next_cursor"));
    let rest = app.operator().get(&rest).await.expect(200);
    assert_eq!(rest.json["data"][1]["detail"], json!({"failed": 20, "of": 20, "window_s": 60}));
    // A process that made none of the hand-offs shows what the table says.
    let other = app.another().await;
    assert_eq!(routes(&other).await[0]["last_change"]["reason"], "recovered");
}

#[actix_web::test]
async fn receipts_that_stay_away_open_a_route_wherever_they_used_to_come_in() {
    let app = TestApp::start().await;
    let front = app.another().await;
    put_routes(&app, json!([sms("acme", 1), sms("twilio", 2)])).await;
    let acme = app.tenant().await;
    for n in 1..=52 {
        send(&app, &acme.live, &number(n)).await;
        app.advance(secs(2));
        receipt(&front, &carrier_id(n), "DELIVRD").await.expect(204);
        watch(&app).await;
    }
    assert_eq!(routes(&app).await[0]["circuit"]["state"], "closed");
    for n in 0..25 {
        send(&app, &acme.live, &number(100 + n)).await;
        app.advance(secs(2));
    }
    watch(&app).await;
    assert_eq!(app.twilio.calls(), 0, "nobody can know yet");
    app.advance(secs(120));
    watch(&app).await;
    let seen = routes(&app).await;
    assert_eq!(seen[0]["last_change"]["reason"], "receipts_missing", "{}", seen[0]);
    assert_eq!(seen[0]["last_change"]["detail"]["usual_percent"], 0);
    send(&app, &acme.live, &number(200)).await;
    assert_eq!((app.acme.calls(), app.twilio.hand_offs().len()), (77, 1));

    // Three are tried after the rest; answers alone do not close it, receipts do.
    app.advance(secs(15));
    for n in 201..204 {
        send(&app, &acme.live, &number(n)).await;
    }
    assert_eq!(app.acme.calls(), 80);
    watch(&app).await;
    assert_eq!(routes(&app).await[0]["circuit"]["state"], "half_open");
    for n in 78..=80 {
        receipt(&front, &carrier_id(n), "UNDELIV").await.expect(204);
    }
    watch(&app).await;
    assert_eq!(routes(&app).await[0]["circuit"]["state"], "closed", "a receipt that says no is a receipt");
}

#[actix_web::test]
async fn with_every_route_open_messages_wait_and_are_dropped_at_their_time_only() {
    let app = TestApp::start().await;
    put_routes(&app, json!([to_country("GB", "acme", 1)])).await;
    let acme = app.tenant().await;
    app.acme.always(Script::json(400, json!({"error": "no"})));
    for n in 0..20 {
        send(&app, &acme.live, &number(n)).await;
    }
    app.acme.always(Script::Accept);
    let waiting = accepted(&acme.live, notice_to(&number(30))).await;
    let mut short = notice_to(&number(31));
    short["ttl"] = json!("10s");
    let late = accepted(&acme.live, short).await;
    for _ in 0..9 {
        app.step().await;
        app.advance(secs(1));
    }
    for id in [&waiting, &late] {
        assert_eq!(status(&acme.live, id).await, "queued");
    }
    app.step().await;
    app.advance(secs(7));
    drain(&app).await;
    let over = status(&acme.live, &late).await;
    assert!(["failed", "expired"].contains(&over.as_str()), "{over}");
    assert_eq!((status(&acme.live, &waiting).await, app.acme.hand_offs().len()), ("sent".into(), 1));
}
