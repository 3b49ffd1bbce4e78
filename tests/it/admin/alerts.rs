//! Alerts as operators see them: opened, acknowledged once, escalating, over after an hour.

use postern::alerts::mail_due;
use postern::error::Code;
use serde_json::{Value, json};

use crate::harness::actor::Actor;
use crate::harness::app::TestApp;
use crate::messages::secs;

async fn pause(app: &TestApp, verb: &str) {
    let what = json!({"scope": "country", "value": "LV", "reason": "pumped"});
    app.operator().post(&format!("/v1/admin/{verb}"), what).await.expect(200);
}

async fn listed(caller: &Actor, query: &str) -> Vec<Value> {
    caller.get(&format!("/v1/admin/alerts?{query}")).await.expect(200).json["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn an_alert_is_told_acknowledged_and_over_and_the_next_one_is_another() {
    let app = TestApp::start().await;
    assert!(listed(&app.operator(), "").await.is_empty());
    pause(&app, "pause").await;
    // Nobody is mailed here: what operators see stays all the same.
    mail_due(&app.app).await.unwrap();
    let alert = listed(&app.operator(), "").await.remove(0);
    assert_eq!((&alert["kind"], &alert["state"], &alert["count"]), (&json!("pause"), &json!("new"), &json!(1)));
    assert_eq!((&alert["org_id"], &alert["acknowledged_at"]), (&Value::Null, &Value::Null));
    assert!(alert["cause"].as_str().unwrap().starts_with("Live messages were paused: country/LV"), "{alert}");
    assert!(!alert["next_step"].as_str().unwrap().is_empty());

    app.advance(secs(60));
    pause(&app, "resume").await;
    let id = alert["id"].as_str().unwrap();
    let path = format!("/v1/admin/alerts/{id}/acknowledge");
    let key = app.operator().with_header("Idempotency-Key", "seen-once");
    let seen = key.post(&path, json!({"reason": "our own drill"})).await.expect(200);
    assert_eq!((seen.text_at("/state"), &seen.json["count"]), (String::from("acknowledged"), &json!(2)));
    assert_eq!(seen.text_at("/acknowledged_reason"), "our own drill");
    assert_eq!(key.post(&path, json!({"reason": "our own drill"})).await.expect(200).json, seen.json, "once a key");
    let audit = app.operator().get("/v1/admin/audit?action=alert.acknowledge").await.expect(200);
    assert_eq!((audit.json["data"].as_array().unwrap().len(), audit.text_at("/data/0/target")), (1, id.to_owned()));

    assert_eq!(listed(&app.operator(), "state=new").await.len(), 0);
    assert_eq!(listed(&app.operator(), "state=acknowledged&kind=pause").await.len(), 1);
    assert_eq!(listed(&app.operator(), "kind=spend_cap").await.len(), 0);
    app.advance(secs(3_600));
    assert!(listed(&app.operator(), "").await.is_empty());
    assert_eq!(listed(&app.operator(), "state=over").await.len(), 1);
    pause(&app, "pause").await;
    let next = listed(&app.operator(), "").await.remove(0);
    assert_eq!((&next["state"], &next["count"]), (&json!("new"), &json!(1)));
    assert_ne!(next["id"], alert["id"]);
    app.operator().get(&format!("/v1/admin/alerts/{id}")).await.refused(Code::NotFound);
    app.operator().post(&path, json!({})).await.refused(Code::NotFound);
}

#[actix_web::test]
async fn what_doubles_after_it_was_acknowledged_asks_again() {
    let app = TestApp::start().await;
    pause(&app, "pause").await;
    let alert = listed(&app.operator(), "").await.remove(0);
    let path = format!("/v1/admin/alerts/{}/acknowledge", alert["id"].as_str().unwrap());
    // Without a body, as by curl -X POST.
    assert_eq!(app.operator().call("POST", &path, None).await.expect(200).text_at("/state"), "acknowledged");
    let overview = app.operator().get("/v1/admin/overview").await.expect(200);
    assert_eq!(overview.json["alerts"], json!([]), "nobody has to look at it");
    for verb in ["resume", "pause", "resume", "pause", "resume"] {
        pause(&app, verb).await;
    }
    app.advance(secs(1));
    let overview = app.operator().get("/v1/admin/overview").await.expect(200);
    assert_eq!(
        (overview.text_at("/alerts/0/state"), &overview.json["alerts"][0]["count"]),
        ("escalating".into(), &json!(6))
    );
    app.operator().get("/v1/admin/alerts?state=loud").await.refused(Code::ValidationFailed);
    app.operator().get("/v1/admin/alerts/alr_01h455vb4pex5vsknk084sn02q").await.refused(Code::NotFound);
}
