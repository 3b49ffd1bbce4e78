//! The kill switch: what is stopped is refused and what waits stays, until it is resumed; on every process.

use postern::error::Code;
use serde_json::{Value, json};

use super::{audited, rows};
use crate::harness::app::TestApp;
use crate::harness::wait::meanwhile;
use crate::messages::{accepted, code_to, notice_to, number, post, secs, status};

async fn pause(app: &TestApp, verb: &str, what: Value) -> Vec<Value> {
    let reply = app.operator().post(&format!("/v1/admin/{verb}"), what).await.expect(200);
    reply.json["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn everything_stops_codes_too_and_what_waits_goes_on_when_it_is_resumed() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let waiting = accepted(&acme.live, code_to(&number(1))).await;
    let all = json!({"scope": "all", "reason": "pumped since noon"});
    let list = pause(&app, "pause", all.clone()).await;
    assert_eq!((list.len(), &list[0]["reason"]), (1, &json!("pumped since noon")));
    let refused = post(&acme.live, code_to(&number(2))).await.refused(Code::ProviderUnavailable);
    assert!(refused.text_at("/detail").starts_with("An operator has paused"), "{}", refused.text);
    acme.live.post("/v1/verifications", json!({"to": number(2)})).await.refused(Code::ProviderUnavailable);
    post(&acme.test, code_to(&number(2))).await.expect(202);
    assert_eq!(app.step().await, 1, "the test message only");
    assert_eq!((app.acme.calls(), status(&acme.live, &waiting).await), (0, "queued".to_owned()));
    app.advance(secs(5));
    app.step().await;
    assert_eq!(app.acme.calls(), 0);
    assert_eq!(pause(&app, "resume", all.clone()).await.len(), 0);
    app.advance(secs(2));
    app.step().await;
    assert_eq!((app.acme.calls(), status(&acme.live, &waiting).await), (1, "sent".to_owned()));
    post(&acme.live, code_to(&number(2))).await.expect(202);
    assert_eq!(audited(&app, "pause.begin").await["after"]["scope"], "all");
    assert_eq!(audited(&app, "pause.end").await["target"], "all");
    // Once more changes nothing.
    assert_eq!(pause(&app, "resume", all).await.len(), 0);
    let log = rows(&app.operator(), "/v1/admin/audit").await;
    assert_eq!(log.iter().filter(|row| row["action"] == "pause.end").count(), 1);
}

#[actix_web::test]
async fn a_message_whose_time_ends_in_a_pause_is_never_sent() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut body = code_to(&number(1));
    body["ttl"] = json!("60s");
    let waiting = accepted(&acme.live, body).await;
    pause(&app, "pause", json!({"scope": "org", "value": acme.org})).await;
    app.step().await;
    app.advance(secs(61));
    pause(&app, "resume", json!({"scope": "org", "value": acme.org})).await;
    app.step().await;
    assert_eq!((app.acme.calls(), status(&acme.live, &waiting).await), (0, "expired".to_owned()));
}

#[actix_web::test]
async fn an_organization_a_country_and_a_route_stop_alone() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    let sends = |to: &str, code: u16| {
        let (live, to) = (acme.live.clone(), to.to_owned());
        async move { assert_eq!(post(&live, notice_to(&to)).await.status, code, "{to}") }
    };
    pause(&app, "pause", json!({"scope": "org", "value": acme.org})).await;
    sends(&number(1), 503).await;
    post(&other.live, notice_to(&number(1))).await.expect(202);
    pause(&app, "resume", json!({"scope": "org", "value": acme.org})).await;
    pause(&app, "pause", json!({"scope": "country", "value": "lv"})).await;
    sends("+37120123456", 503).await;
    sends(&number(1), 202).await;
    pause(&app, "resume", json!({"scope": "country", "value": "LV"})).await;
    let routes = rows(&app.operator(), "/v1/admin/routes").await;
    let sms = routes.iter().find(|route| route["channel"] == "sms").unwrap()["id"].clone();
    pause(&app, "pause", json!({"scope": "route", "value": sms})).await;
    sends(&number(1), 503).await;
    let mail = json!({"to": "ann@example.com", "channel": "email", "body": "Your code is 481516"});
    post(&acme.live, mail).await.expect(202);
    assert_eq!(app.step().await, 1, "the mail; the texts of that route wait");
    pause(&app, "resume", json!({"scope": "route", "value": sms})).await;
    app.advance(secs(2));
    assert_eq!(app.step().await, 2);
    for bad in [
        json!({"scope": "all", "value": "x"}),
        json!({"scope": "country", "value": "Latvia"}),
        json!({"scope": "org", "value": "org_01h455vb4pex5vsknk084sn02q"}),
        json!({"scope": "route"}),
        json!({"scope": "planet"}),
    ] {
        app.operator().post("/v1/admin/pause", bad).await.refused(Code::ValidationFailed);
    }
}

#[actix_web::test]
async fn another_process_stops_within_a_second() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let other = app.another().await;
    let there = acme.live.at(&other.base);
    post(&there, notice_to(&number(1))).await.expect(202);
    pause(&app, "pause", json!({"scope": "all"})).await;
    let stopped = meanwhile("the other process's knowledge", || async {
        let reply = post(&there, notice_to(&number(2))).await;
        (reply.status == 503).then_some(())
    });
    stopped.await;
    app.advance(secs(5));
    other.step().await;
    assert_eq!(other.acme.calls(), 0);
}
