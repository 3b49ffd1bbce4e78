//! Fail-over only where the message was certainly not taken (T12).

use std::time::Duration;

use serde_json::json;

use super::{history, put_routes, routes, sms, watch};
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::Script;
use crate::messages::{accepted, code_to, drain, message, notice_to, number, secs, status};

/// Twilio's own error object says that it was not taken; a bare 503 may be a gateway's that gave up waiting.
fn unavailable() -> Script {
    Script::json(503, json!({"code": 20503, "message": "busy"}))
}

/// Twilio first, acme second.
async fn twilio_then_acme(app: &TestApp) {
    put_routes(app, json!([sms("twilio", 1), sms("acme", 2)])).await;
}

#[actix_web::test]
async fn three_503_and_then_a_200_are_one_message_after_growing_waits() {
    let app = TestApp::start().await;
    put_routes(&app, json!([sms("twilio", 1)])).await;
    let acme = app.tenant().await;
    (0..3).for_each(|_| app.twilio.next(unavailable()));
    let id = accepted(&acme.live, code_to(&number(1))).await;
    let (mut calls, mut at, mut waits) = (0, Duration::ZERO, Vec::new());
    for tick in 0..600u64 {
        app.step().await;
        if app.twilio.calls() > calls {
            waits.push(Duration::from_millis(tick * 50) - at);
            (calls, at) = (app.twilio.calls(), Duration::from_millis(tick * 50));
        }
        app.advance(Duration::from_millis(50));
    }
    assert_eq!((calls, app.twilio.hand_offs().len(), status(&acme.live, &id).await), (4, 1, "sent".into()));
    assert!(waits[1..].iter().all(|wait| *wait >= Duration::from_millis(500)), "{waits:?}");
}

#[actix_web::test]
async fn while_one_is_busy_another_takes_everything_and_it_is_not_called_before_its_time() {
    let app = TestApp::start().await;
    put_routes(&app, json!([sms("acme", 1), sms("twilio", 2)])).await;
    let acme = app.tenant().await;
    app.acme.next(Script::throttled(7));
    for n in 0..14 {
        accepted(&acme.live, notice_to(&number(n))).await;
        drain(&app).await;
        assert_eq!((app.acme.calls(), app.twilio.hand_offs().len()), (1, n + 1), "after {} ms", n * 500);
        app.advance(Duration::from_millis(500));
    }
    accepted(&acme.live, notice_to(&number(99))).await;
    drain(&app).await;
    assert_eq!((app.acme.hand_offs().len(), app.twilio.hand_offs().len()), (1, 14));
}

#[actix_web::test]
async fn a_carrier_that_fails_every_other_time_for_two_minutes_loses_and_doubles_nothing() {
    let app = TestApp::start().await;
    twilio_then_acme(&app).await;
    let acme = app.tenant().await;
    let mut ids = Vec::new();
    // Every call of the two minutes: one fails, one does not.
    for n in 0..120 {
        app.twilio.next(if n % 2 == 0 { unavailable() } else { Script::Accept });
        ids.push(accepted(&acme.live, notice_to(&number(n))).await);
        drain(&app).await;
        app.advance(secs(1));
        if n % 5 == 0 {
            watch(&app).await;
        }
    }
    let (first, second) = (app.twilio.hand_offs(), app.acme.hand_offs());
    assert_eq!(first.len() + second.len(), 120, "each was taken once");
    assert!(app.twilio.calls() < 60, "the circuit kept {} of 120 from it", 120 - app.twilio.calls());
    for id in &ids {
        assert_eq!(status(&acme.live, id).await, "sent");
    }
    let all = routes(&app).await;
    let route = all.iter().find(|route| route["carrier"] == "twilio").unwrap();
    let steps = history(&app, route["id"].as_str().unwrap()).await;
    assert!(steps.iter().any(|step| step[1] == "open") && steps.iter().any(|step| step[1] == "half_open"), "{steps:?}");
}

#[actix_web::test]
async fn where_the_first_is_dead_the_second_takes_all_and_nothing_of_unknown_fate_is_sent_again() {
    let app = TestApp::start_with(|config| config.outbound.total_timeout = Duration::from_millis(300)).await;
    put_routes(&app, json!([sms("acme", 1), sms("twilio", 2)])).await;
    let acme = app.tenant().await;
    app.acme.always(Script::HangAfter);
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(accepted(&acme.live, notice_to(&number(n))).await);
        drain(&app).await;
        app.advance(Duration::from_millis(100));
    }
    let mut fates = Vec::new();
    for id in &ids {
        fates.push(status(&acme.live, id).await);
    }
    // Five of unknown fate opened the circuit; they stay as they are.
    assert_eq!(fates.iter().filter(|fate| *fate == "unknown").count(), 5, "{fates:?}");
    assert_eq!(fates.iter().filter(|fate| *fate == "sent").count(), 7, "{fates:?}");
    assert_eq!((app.acme.calls(), app.twilio.hand_offs().len()), (5, 7));
    // It is the carrier's own circuit that opened, and the route's history tells it.
    watch(&app).await;
    let all = routes(&app).await;
    let route = all.iter().find(|route| route["carrier"] == "acme").unwrap();
    assert_eq!((&route["circuit"]["state"], &route["last_change"]), (&json!("closed"), &json!(null)));
    let path = format!("/v1/admin/routes/{}/history", route["id"].as_str().unwrap());
    let page = app.operator().get(&path).await.expect(200);
    let told = ["route_id", "carrier", "from", "to", "reason", "detail"].map(|name| page.json["data"][0][name].clone());
    let wanted = json!([null, "acme", "closed", "open", "errors", {"last": "provider.timeout"}]);
    assert_eq!(json!(told), wanted, "{}", page.text);
}

#[actix_web::test]
async fn a_bare_503_may_be_a_gateway_s_and_is_not_sent_again() {
    let app = TestApp::start().await;
    put_routes(&app, json!([sms("acme", 1), sms("twilio", 2)])).await;
    let acme = app.tenant().await;
    app.acme.next(Script::json(503, json!({})));
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    assert_eq!((status(&acme.live, &id).await, app.acme.calls(), app.twilio.calls()), ("unknown".into(), 1, 0));
}

#[actix_web::test]
async fn a_code_is_never_sent_after_its_time() {
    let app = TestApp::start().await;
    put_routes(&app, json!([sms("twilio", 1)])).await;
    let acme = app.tenant().await;
    app.twilio.always(unavailable());
    let mut body = code_to(&number(1));
    body["ttl"] = json!("30s");
    let id = accepted(&acme.live, body).await;
    for _ in 0..120 {
        app.step().await;
        app.advance(Duration::from_millis(250));
    }
    let tried = app.twilio.calls();
    assert!(tried > 1, "{tried}");
    app.twilio.always(Script::Accept);
    app.advance(secs(60));
    drain(&app).await;
    let seen = message(&acme.live, &id).await;
    assert!(["failed", "expired"].contains(&seen["status"].as_str().unwrap()), "{seen}");
    assert_eq!((app.twilio.calls(), app.twilio.hand_offs().len()), (tried, 0));
}
