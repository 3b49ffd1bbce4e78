//! Calling a message back, and saying what became of it.

use postern::error::Code;
use serde_json::json;

use super::{accepted, code_to, drain, number, post, secs, status, timeline};
use crate::harness::app::TestApp;

#[actix_web::test]
async fn what_has_not_gone_can_be_called_back_and_never_goes() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut body = code_to(&number(1));
    let queued = accepted(&acme.live, body.clone()).await;
    body["scheduled_for"] = json!(app.app.clock.now().plus(secs(60)).rfc3339());
    let scheduled = accepted(&acme.live, body).await;
    for id in [&queued, &scheduled] {
        let reply = acme.live.post(&format!("/v1/messages/{id}/cancel"), json!({})).await.expect(200);
        assert_eq!((reply.text_at("/status"), reply.text_at("/id")), ("canceled".into(), id.clone()));
    }
    app.advance(secs(60));
    assert_eq!((drain(&app).await, app.acme.calls()), (0, 0));
    assert_eq!(timeline(&acme.live, &queued).await, ["message.accepted", "message.canceled"]);
}

#[actix_web::test]
async fn what_has_gone_or_is_going_cannot_be_called_back() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_to(&number(1))).await;
    let path = format!("/v1/messages/{id}/cancel");
    let in_hand = postern::messages::claim(&app.app, 10).await.unwrap();
    acme.live.call("POST", &path, None).await.refused(Code::MessageNotCancelable);
    for one in in_hand {
        postern::messages::hand_over(&app.app, one).await.unwrap();
    }
    acme.live.call("POST", &path, None).await.refused(Code::MessageNotCancelable);
    assert_eq!(status(&acme.live, &id).await, "sent");
}

#[actix_web::test]
async fn a_cancel_is_idempotent_by_its_key_and_tells_two_messages_apart() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let (one, two) = (accepted(&acme.live, code_to(&number(1))).await, accepted(&acme.live, code_to(&number(2))).await);
    let caller = acme.live.with_header("Idempotency-Key", "c-1");
    let path = |id: &str| format!("/v1/messages/{id}/cancel");
    let first = caller.call("POST", &path(&one), None).await.expect(200);
    let again = caller.call("POST", &path(&one), None).await.expect(200);
    assert_eq!((again.text, again.headers.get("idempotent-replayed").map(String::as_str)), (first.text, Some("true")));
    caller.call("POST", &path(&two), None).await.refused(Code::IdempotencyMismatch);
    acme.live.call("POST", &path(&one), None).await.refused(Code::MessageNotCancelable);
    acme.live.post(&path(&two), json!({"why": "x"})).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn feedback_is_kept_and_shown_on_the_timeline() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = post(&acme.live, code_to(&number(1))).await.expect(202).text_at("/id");
    drain(&app).await;
    let path = format!("/v1/messages/{id}/feedback");
    for outcome in ["not_converted", "converted", "fraud"] {
        acme.live.post(&path, json!({"outcome": outcome})).await.expect(200);
    }
    let steps = timeline(&acme.live, &id).await;
    assert_eq!(steps.iter().filter(|kind| *kind == "message.feedback").count(), 3);
    acme.live.post(&path, json!({"outcome": "meh"})).await.refused(Code::ValidationFailed);
    acme.live.post(&path, json!({})).await.refused(Code::ValidationFailed);
    acme.test.post(&path, json!({"outcome": "fraud"})).await.refused(Code::NotFound);
}
