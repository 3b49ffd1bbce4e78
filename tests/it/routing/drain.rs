//! A carrier is drained for a while: nothing new goes to it, on any node.

use postern::error::Code;
use serde_json::{Value, json};

use super::{put_routes, sms};
use crate::harness::app::TestApp;
use crate::messages::{accepted, drain, notice_to, number, secs, status};

async fn carrier(app: &TestApp, name: &str) -> Value {
    let list = app.operator().get("/v1/admin/carriers").await.expect(200);
    list.json["data"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
}

#[actix_web::test]
async fn a_drained_carrier_is_handed_nothing_until_it_is_resumed() {
    let app = TestApp::start().await;
    let other = app.another().await;
    put_routes(&app, json!([sms("acme", 1), sms("twilio", 2)])).await;
    let acme = app.tenant().await;
    let order = app.operator().with_header("Idempotency-Key", "drain-1");
    for _ in 0..2 {
        let done = order.post("/v1/admin/carriers/acme/drain", json!({"reason": "they asked"})).await.expect(200);
        assert_eq!(done.json, json!({"carrier": "acme", "draining": true}));
    }
    assert_eq!(carrier(&app, "acme").await["draining"], true);
    accepted(&acme.live, notice_to(&number(1))).await;
    // The other node's tables are at most a second old.
    postern::messages::forget_tables(&other.app);
    drain(&other).await;
    assert_eq!((other.acme.calls(), other.twilio.hand_offs().len()), (0, 1));

    app.operator().post("/v1/admin/carriers/twilio/drain", json!({})).await.expect(200);
    let id = accepted(&acme.live, notice_to(&number(2))).await;
    drain(&app).await;
    app.advance(secs(3_600));
    drain(&app).await;
    assert_eq!((status(&acme.live, &id).await, app.acme.calls(), app.twilio.calls()), ("queued".into(), 0, 0));
    app.operator().call("POST", "/v1/admin/carriers/acme/resume?reason=well", None).await.expect(200);
    app.advance(secs(1));
    drain(&app).await;
    assert_eq!((status(&acme.live, &id).await, app.acme.hand_offs().len()), ("sent".into(), 1));
    let audit = app.operator().get("/v1/admin/audit?target=acme").await.expect(200);
    let rows: Vec<_> =
        audit.json["data"].as_array().unwrap().iter().map(|row| (&row["action"], &row["reason"])).collect();
    let told =
        [("carrier.resume", "well"), ("carrier.drain", "they asked")].map(|(what, why)| (json!(what), json!(why)));
    assert_eq!(rows, told.iter().map(|(what, why)| (what, why)).collect::<Vec<_>>());
}

#[actix_web::test]
async fn hand_offs_under_way_are_shown_and_end() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, notice_to(&number(1))).await;
    let claimed = postern::messages::claim(&app.app, 10).await.unwrap();
    app.operator().post("/v1/admin/carriers/acme/drain", json!({})).await.expect(200);
    let seen = carrier(&app, "acme").await;
    assert_eq!((&seen["in_flight"], &seen["draining"], &seen["circuit"]), (&json!(1), &json!(true), &json!("closed")));
    assert!(seen["max_in_flight"].as_u64().unwrap() >= 1);
    for one in claimed {
        postern::messages::hand_over(&app.app, one).await.unwrap();
    }
    assert_eq!(
        (carrier(&app, "acme").await["in_flight"].clone(), status(&acme.live, &id).await),
        (json!(0), "sent".into())
    );
}

#[actix_web::test]
async fn a_carrier_that_is_not_there_cannot_be_drained() {
    let app = TestApp::start().await;
    for verb in ["drain", "resume"] {
        app.operator().post(&format!("/v1/admin/carriers/nobody/{verb}"), json!({})).await.refused(Code::NotFound);
    }
}
