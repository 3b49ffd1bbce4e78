//! What a carrier does to a hand-off: taken, refused, lost, busy, gone. Never a second send.

use std::time::Duration;

use serde_json::json;

use super::{accepted, code_to, drain, message, notice_to, number, receipt, secs, status, timeline};
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::{FakeCarrier, Script};

/// Calls end after half a second.
async fn impatient() -> TestApp {
    TestApp::start_with(|config| config.outbound.total_timeout = Duration::from_millis(500)).await
}

#[actix_web::test]
async fn a_refusal_goes_to_the_next_route() {
    let app = TestApp::start().await;
    app.route(&[("sms", "acme", 1), ("sms", "twilio", 2)]).await;
    app.acme.always(Script::json(400, json!({"error": "no"})));
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    assert_eq!((status(&acme.live, &id).await, app.acme.calls(), app.twilio.hand_offs().len()), ("sent".into(), 1, 1));
    let steps = timeline(&acme.live, &id).await;
    assert_eq!(steps.iter().filter(|kind| *kind == "message.handed_over").count(), 2, "{steps:?}");
}

#[actix_web::test]
async fn an_answer_that_never_comes_is_unknown_and_never_sent_again() {
    let app = impatient().await;
    app.route(&[("sms", "acme", 1), ("sms", "twilio", 2)]).await;
    let acme = app.tenant().await;
    for script in [Script::HangAfter, Script::ResetAfter, Script::Truncated, Script::Huge(200_000)] {
        let before = app.acme.hand_offs().len();
        app.acme.next(script.clone());
        let mut body = code_to(&number(before + 1));
        body["fallback"] = json!([{"channel": "email", "to": "ann@example.com"}]);
        let id = accepted(&acme.live, body).await;
        drain(&app).await;
        let seen = message(&acme.live, &id).await;
        assert_eq!(seen["status"], "unknown", "{script:?}: {seen}");
        assert!(seen["error_code"].as_str().unwrap().starts_with("provider."), "{seen}");
        assert_eq!(app.acme.hand_offs().len(), before + 1, "{script:?}");
    }
    app.advance(secs(7_200));
    assert_eq!(drain(&app).await, 0);
    assert_eq!((app.twilio.calls(), app.post.letters().len()), (0, 0));
}

#[actix_web::test]
async fn a_carrier_that_cannot_be_reached_was_certainly_not_told() {
    let app = TestApp::start_with(|config| {
        let closed = FakeCarrier::start().url("/send");
        let text = format!(
            "[[carriers]]\nname = \"gone\"\nkind = \"http\"\nurl = \"{closed}\"\nbody = '{{\"to\":\"{{to}}\"}}'\n"
        );
        let source = postern::config::Source { name: "t".into(), text, ..Default::default() };
        config.carriers.extend(postern::config::Config::load(source).unwrap().carriers);
    })
    .await;
    app.route(&[("sms", "gone", 1), ("sms", "acme", 2)]).await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    assert_eq!((status(&acme.live, &id).await, app.acme.hand_offs().len()), ("sent".into(), 1));
}

/// A password that an operator has changed and not told us: what is sent meanwhile waits for it.
#[actix_web::test]
async fn a_carrier_that_does_not_let_us_in_loses_no_code() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    app.acme.always(Script::json(401, json!({"error": "who are you?"})));
    let mut ids = Vec::new();
    for n in 1..=6 {
        ids.push(accepted(&acme.live, code_to(&number(n))).await);
    }
    drain(&app).await;
    for id in &ids {
        assert_eq!(status(&acme.live, id).await, "queued");
    }
    let routes = app.operator().get("/v1/admin/routes").await.expect(200);
    let of_sms = routes.json["data"].as_array().unwrap().iter().find(|route| route["channel"] == "sms").unwrap();
    assert_eq!(of_sms["carrier_circuit"], "open", "an operator sees why nothing goes: {of_sms}");
    app.acme.always(Script::Accept);
    for _ in 0..20 {
        app.advance(secs(5));
        drain(&app).await;
    }
    for id in &ids {
        assert_eq!(status(&acme.live, id).await, "sent");
    }
    assert_eq!(app.acme.hand_offs().len(), 6);
}

#[actix_web::test]
async fn a_busy_carrier_is_left_alone_for_as_long_as_it_asked() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    app.acme.next(Script::throttled(7));
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    assert_eq!((app.acme.calls(), status(&acme.live, &id).await), (1, "queued".into()));
    for _ in 0..27 {
        app.advance(Duration::from_millis(250));
        app.step().await;
    }
    assert_eq!(app.acme.calls(), 1, "6.75 s are not 7");
    for _ in 0..4 {
        app.advance(Duration::from_millis(250));
        app.step().await;
    }
    assert_eq!((app.acme.calls(), status(&acme.live, &id).await), (2, "sent".into()));
}

#[actix_web::test]
async fn where_every_route_refuses_another_channel_is_tried_and_then_it_fails() {
    let app = TestApp::start().await;
    app.route(&[("sms", "acme", 1), ("sms", "twilio", 2), ("email", "post", 1)]).await;
    app.acme.always(Script::json(400, json!({})));
    app.twilio.always(Script::json(400, json!({"code": 21612, "message": "no route"})));
    let acme = app.tenant().await;
    let plain = accepted(&acme.live, code_to(&number(1))).await;
    let mut body = code_to(&number(2));
    body["fallback"] = json!([{"channel": "email", "to": "ann@example.com"}]);
    let saved = accepted(&acme.live, body).await;
    drain(&app).await;
    assert_eq!((status(&acme.live, &plain).await, status(&acme.live, &saved).await), ("failed".into(), "sent".into()));
    assert_eq!(app.post.letters()[0].to, ["ann@example.com"]);
    assert_eq!(message(&acme.live, &saved).await["channel"], "sms", "what it was accepted for");
}

#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let trap = FakeCarrier::start();
    app.acme.always(Script::redirect(&trap.url("/steal")));
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    assert_eq!((trap.calls(), app.acme.hand_offs().len()), (0, 0));
    assert_ne!(status(&acme.live, &id).await, "sent");
}

#[actix_web::test]
async fn a_carrier_is_never_given_more_at_once_than_it_takes() {
    let app = TestApp::start_with(|config| room_of("acme", config).max_in_flight = Some(32)).await;
    let acme = app.tenant().await;
    let messages: Vec<_> = (0..100).map(|n| notice_to(&number(n))).collect();
    acme.live.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
    let claimed = postern::messages::claim(&app.app, 1_000).await.unwrap();
    assert_eq!(claimed.len(), 32);
    assert!(postern::messages::claim(&app.app, 1_000).await.unwrap().is_empty());
    for one in claimed {
        postern::messages::hand_over(&app.app, one).await.unwrap();
    }
    assert_eq!((drain(&app).await, app.acme.hand_offs().len()), (68, 100));
}

#[actix_web::test]
async fn a_full_carrier_holds_back_no_other() {
    let app = TestApp::start_with(|config| room_of("acme", config).max_in_flight = Some(1)).await;
    let acme = app.tenant().await;
    let backlog: Vec<_> = (0..60).map(|n| notice_to(&number(n))).collect();
    acme.live.post("/v1/messages/bulk", json!({"messages": backlog})).await.expect(202);
    let in_hand = postern::messages::claim(&app.app, 10).await.unwrap();
    assert_eq!(in_hand.len(), 1);
    // Behind the backlog, in the same lane of the same organization, mail for a carrier that has room.
    let mail = json!({"to": "ann@example.com", "channel": "email", "kind": "transactional", "body": "hello"});
    acme.live.post("/v1/messages/bulk", json!({"messages": [mail]})).await.expect(202);
    app.advance(Duration::from_secs(1));
    assert_eq!((app.step().await, app.post.letters().len()), (1, 1));
    assert_eq!(app.acme.calls(), 0, "the one in hand is not handed over yet");
}

#[actix_web::test]
async fn a_carrier_with_a_pace_is_handed_no_more_than_that_a_second() {
    let app = TestApp::start_with(|config| room_of("acme", config).max_per_second = Some(10)).await;
    let acme = app.tenant().await;
    let messages: Vec<_> = (0..30).map(|n| notice_to(&number(n))).collect();
    acme.live.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
    let mut each_second = Vec::new();
    for _ in 0..3 {
        let mut sent = 0;
        for _ in 0..100 {
            sent += app.step().await;
            app.advance(Duration::from_millis(10));
        }
        each_second.push(sent);
    }
    assert_eq!(each_second, [10, 10, 10]);
}

/// The room of a carrier in a test's configuration.
fn room_of<'a>(name: &str, config: &'a mut postern::config::Config) -> &'a mut postern::config::Room {
    &mut config.carriers.iter_mut().find(|carrier| carrier.name == name).unwrap().room
}

#[actix_web::test]
async fn waiting_for_a_carrier_s_room_does_not_fill_the_timeline() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let messages: Vec<_> = (0..33).map(|n| notice_to(&number(n))).collect();
    let reply = acme.live.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
    let claimed = postern::messages::claim(&app.app, 1_000).await.unwrap();
    for _ in 0..20 {
        app.advance(Duration::from_millis(250));
        assert!(postern::messages::claim(&app.app, 1_000).await.unwrap().is_empty());
    }
    for one in claimed {
        postern::messages::hand_over(&app.app, one).await.unwrap();
    }
    drain(&app).await;
    for n in 0..33 {
        let steps = timeline(&acme.live, &reply.text_at(&format!("/results/{n}/id"))).await;
        assert_eq!(steps, ["message.accepted", "message.handed_over", "message.sent"]);
    }
}

#[actix_web::test]
async fn an_unknown_one_is_settled_by_the_receipt_that_comes_late() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    app.acme.next(Script::Truncated);
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    assert_eq!(status(&acme.live, &id).await, "unknown");
    // The answer with the carrier's id was lost, so that its receipt names nothing we know: it is kept, not believed.
    receipt(&app, "whatever", "DELIVRD").await.expect(204);
    assert_eq!(status(&acme.live, &id).await, "unknown");
}
