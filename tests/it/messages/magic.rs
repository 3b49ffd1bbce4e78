//! The ten magic numbers of test keys.

use postern::error::Code;
use serde_json::json;

use super::{accepted, code_to, drain, message, post, timeline};
use crate::harness::app::TestApp;

fn magic(last: u8) -> String {
    format!("+1500555000{last}")
}

#[actix_web::test]
async fn the_five_that_are_refused_say_what_they_stand_for() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for (last, code) in [
        (1, Code::ValidationFailed),
        (4, Code::RecipientOptedOut),
        (5, Code::FraudBlocked),
        (6, Code::OtpNumberLimit),
        (9, Code::InsufficientBalance),
    ] {
        let reply = post(&acme.test, code_to(&magic(last))).await.refused(code);
        match last {
            1 => assert!(reply.json["field_errors"]["to"].is_array()),
            6 => assert_eq!(reply.header("retry-after"), Some("300")),
            _ => {}
        }
    }
    assert_eq!(drain(&app).await, 0);
}

#[actix_web::test]
async fn the_five_that_are_taken_end_as_they_should() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let ends = [(0, "delivered"), (2, "undelivered"), (7, "sent"), (8, "unknown")];
    let mut ids = Vec::new();
    for (last, end) in ends {
        ids.push((accepted(&acme.test, code_to(&magic(last))).await, end));
    }
    drain(&app).await;
    for (id, end) in ids {
        assert_eq!(message(&acme.test, &id).await["status"], end);
    }
    assert_eq!(app.acme.calls(), 0);
}

#[actix_web::test]
async fn the_one_whose_carrier_is_down_turns_to_mail() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut body = code_to(&magic(3));
    body["fallback"] = json!([{"channel": "email", "to": "ann@example.com"}]);
    let id = accepted(&acme.test, body).await;
    drain(&app).await;
    assert_eq!(message(&acme.test, &id).await["status"], "delivered");
    let inbox = acme.test.get("/v1/sandbox/messages?to=ann@example.com").await.expect(200);
    assert_eq!((inbox.text_at("/data/0/channel"), inbox.text_at("/data/0/message_id")), ("email".into(), id.clone()));
    let sms = acme.test.get("/v1/sandbox/messages?to=%2B15005550003").await.expect(200);
    assert_eq!(sms.json["data"], json!([]));
    let handed = timeline(&acme.test, &id).await.into_iter().filter(|kind| kind == "message.handed_over");
    assert_eq!(handed.count(), 2);
}

#[actix_web::test]
async fn without_a_fallback_the_one_whose_carrier_is_down_fails_in_time() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = accepted(&acme.test, code_to(&magic(3))).await;
    for _ in 0..700 {
        app.step().await;
        app.advance(super::secs(1));
    }
    let end = message(&acme.test, &id).await;
    assert!(end["status"] == "failed" || end["status"] == "expired", "{end}");
    assert_eq!(drain(&app).await, 0);
}

#[actix_web::test]
async fn to_a_live_key_they_are_numbers_like_any_other() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for last in [1, 4, 5, 6, 9] {
        let reply = post(&acme.live, code_to(&magic(last))).await;
        assert_eq!(reply.status, 202, "{last}: {}", reply.text);
    }
}

#[actix_web::test]
async fn a_bulk_of_all_ten_tells_each_its_own() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let messages: Vec<_> = (0..10).map(|last| code_to(&magic(last))).collect();
    let reply = acme.test.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
    let refused: Vec<usize> = (0..10).filter(|n| reply.json["results"][n]["error"].is_object()).collect();
    assert_eq!(refused, [1, 4, 5, 6, 9]);
}
