//! How the platform does, told by one route: state and why, figures, carriers, countries, queue.

use serde_json::{Value, json};

use crate::harness::app::TestApp;
use crate::harness::fake_carrier::Script;
use crate::messages::{accepted, carrier_id, drain, notice_to, number, receipt, secs};

async fn overview(app: &TestApp, mode: &str) -> Value {
    app.advance(secs(1));
    app.operator().get(&format!("/v1/admin/overview?mode={mode}")).await.expect(200).json
}

/// The state and what is wrong, whatever room the disk has that the test runs on.
fn standing(seen: &Value) -> (String, Vec<Value>) {
    let causes = seen["standing"]["causes"].as_array().unwrap().iter();
    let causes: Vec<Value> = causes.filter(|cause| cause["kind"] != "disk_low").cloned().collect();
    let state = seen["standing"]["state"].as_str().unwrap();
    let is_disk_alone = state == "degraded" && causes.is_empty();
    (if is_disk_alone { String::from("normal") } else { state.to_owned() }, causes)
}

#[actix_web::test]
async fn a_quiet_platform_sends_normally_and_has_no_figures() {
    let app = TestApp::start().await;
    let seen = overview(&app, "live").await;
    assert_eq!(standing(&seen), (String::from("normal"), Vec::new()));
    let tiles = &seen["tiles"];
    assert_eq!((&tiles["accepted_per_minute"], &tiles["hand_off_p95_ms"]), (&json!(0), &Value::Null));
    assert_eq!((&tiles["conversion"]["rate"], &tiles["spent_today"]), (&Value::Null, &json!([])));
    assert_eq!((seen["minutes"].as_array().unwrap().len(), &seen["queue"]["oldest_s"]), (60, &Value::Null));
    assert_eq!(seen["carriers"][0]["name"], "acme");
    app.operator().get("/v1/admin/overview?mode=other").await.refused(postern::error::Code::ValidationFailed);
}

#[actix_web::test]
async fn messages_are_counted_by_minute_country_and_carrier() {
    let app = TestApp::start().await;
    let prices = json!([{"channel": "sms", "amount": "0.05"}]);
    app.operator().put("/v1/admin/prices", prices).await.expect(200);
    let acme = app.tenant().await;
    let path = format!("/v1/admin/orgs/{}/wallet/topups", acme.org);
    app.operator().post(&path, json!({"amount": "10", "reference": "r1"})).await.expect(201);
    let caps = json!([{"scope": "org", "window": "1d", "amount": "0.20"}]);
    app.operator().put(&format!("/v1/admin/orgs/{}/caps", acme.org), caps).await.expect(200);
    for n in 0..2 {
        accepted(&acme.live, notice_to(&number(n))).await;
        app.advance(secs(2));
        drain(&app).await;
    }
    accepted(&acme.live, notice_to("+14155550123")).await;
    receipt(&app, &carrier_id(1), "DELIVRD").await;
    let seen = overview(&app, "live").await;
    let minute = seen["minutes"].as_array().unwrap().iter().rev().find(|minute| minute["delivered"] != 0).unwrap();
    assert_eq!(
        (&minute["delivered"], &minute["sent"], &minute["waiting"]),
        (&json!(1), &json!(1), &json!(1)),
        "{seen}"
    );
    assert_eq!((&seen["countries"][0]["country"], &seen["countries"][0]["messages"]), (&json!("GB"), &json!(2)));
    assert_eq!(seen["countries"][1]["country"], "US");
    let carrier = &seen["carriers"][0];
    assert_eq!(
        (&carrier["name"], &carrier["hand_offs"], &carrier["success"]),
        (&json!("acme"), &json!(2), &json!(1.0))
    );
    assert_eq!((&carrier["circuit"], &carrier["p95_ms"]), (&json!("closed"), &json!(2_000)));
    assert_eq!(seen["tiles"]["hand_off_p95_ms"], 2_000);
    assert_eq!(seen["tiles"]["spent_today"], json!([{"amount": "0.10", "currency": "USD"}]));
    let fullest = &seen["tiles"]["caps"]["fullest"];
    assert_eq!((&fullest["org_id"], &fullest["share"]), (&json!(acme.org), &json!(0.75)), "{fullest}");
    assert_eq!((&seen["queue"]["waiting"], &seen["queue"]["oldest_s"]), (&json!(1), &json!(1)));
    // A minute later what was waiting has gone, and the minute that is full is told.
    drain(&app).await;
    app.advance(secs(60));
    let later = overview(&app, "live").await;
    assert_eq!((&later["tiles"]["accepted_per_minute"], &later["queue"]["waiting"]), (&json!(3), &json!(0)));
    assert_eq!(overview(&app, "test").await["tiles"]["accepted_per_minute"], 0, "the other world");
}

#[actix_web::test]
async fn an_old_queue_a_pause_and_a_sick_carrier_are_the_state() {
    let app = TestApp::start().await;
    app.route(&[("sms", "acme", 1), ("sms", "twilio", 2)]).await;
    let acme = app.tenant().await;
    accepted(&acme.live, notice_to(&number(0))).await;
    app.advance(secs(40));
    let seen = overview(&app, "live").await;
    assert_eq!(
        (&seen["standing"]["state"], &seen["standing"]["causes"][0]["kind"]),
        (&json!("degraded"), &json!("queue_old"))
    );
    assert_eq!(seen["standing"]["causes"][0]["since"].as_str().unwrap().len(), 24);
    drain(&app).await;

    app.acme.always(Script::json(500, json!({"error": "no"})));
    for n in 1..30 {
        accepted(&acme.live, notice_to(&number(n))).await;
        drain(&app).await;
    }
    postern::messages::watch_routes(&app.app).await.unwrap();
    let seen = overview(&app, "live").await;
    let cause = seen["standing"]["causes"].as_array().unwrap().iter().find(|cause| cause["carrier"] == "acme").unwrap();
    assert_eq!((&cause["kind"], &cause["traffic_on"]), (&json!("carrier_failing"), &json!(["twilio"])), "{seen}");
    assert!(cause["text"].as_str().unwrap().contains("its traffic goes by twilio"), "{cause}");

    let what = json!({"scope": "all", "reason": "a drill"});
    app.operator().post("/v1/admin/pause", what.clone()).await.expect(200);
    let seen = overview(&app, "live").await;
    assert_eq!(seen["standing"]["state"], "paused");
    assert_eq!(
        (&seen["standing"]["causes"][0]["reason"], &seen["alerts"][0]["state"]),
        (&json!("a drill"), &json!("new"))
    );
    assert_eq!(standing(&overview(&app, "test").await).0, "normal");
    app.operator().post("/v1/admin/resume", what).await.expect(200);
    assert_ne!(overview(&app, "live").await["standing"]["state"], "paused");
}
