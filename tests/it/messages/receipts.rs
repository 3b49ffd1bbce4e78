//! Receipts: in any order, repeated, early, for nobody; a status never goes back.

use serde_json::json;

use super::{accepted, carrier_id, code_to, drain, message, number, receipt, status, timeline};
use crate::callbacks::twilio_signature;
use crate::harness::app::{TWILIO_TOKEN, TestApp};
use crate::harness::fake_carrier::Script;

#[actix_web::test]
async fn a_receipt_moves_a_message_on_and_a_repeat_changes_nothing() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    for _ in 0..3 {
        receipt(&app, &carrier_id(1), "DELIVRD").await.expect(204);
    }
    let wanted = ["message.accepted", "message.handed_over", "message.sent", "message.delivered"];
    assert_eq!(timeline(&acme.live, &id).await, wanted);
}

#[actix_web::test]
async fn receipts_in_every_order_never_move_a_status_back() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let orders = [
        (["DELIVRD", "SENT", "UNDELIV"], "delivered"),
        (["SENT", "DELIVRD", "REJECTD"], "delivered"),
        (["UNDELIV", "SENT", "DELIVRD"], "delivered"),
        (["REJECTD", "SENT", "UNDELIV"], "failed"),
        (["SENT", "UNDELIV", "SENT"], "undelivered"),
        (["NOT A WORD", "SENT", "NOT A WORD"], "sent"),
    ];
    for (n, (words, end)) in orders.into_iter().enumerate() {
        let id = accepted(&acme.live, code_to(&number(n))).await;
        drain(&app).await;
        for word in words {
            receipt(&app, &carrier_id(n + 1), word).await.expect(204);
        }
        assert_eq!(status(&acme.live, &id).await, end, "{words:?}");
    }
}

#[actix_web::test]
async fn a_receipt_before_the_hand_off_s_answer_is_kept_and_applied() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    receipt(&app, &carrier_id(1), "DELIVRD").await.expect(204);
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    assert_eq!(status(&acme.live, &id).await, "delivered");
}

#[actix_web::test]
async fn a_receipt_for_nobody_or_unsigned_moves_nothing() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    receipt(&app, "nobody", "DELIVRD").await.expect(204);
    let forged = json!({"id": carrier_id(1), "status": "DELIVRD"});
    let reply = app.anonymous().with_header("X-Signature", "00").post("/hooks/acme/status", forged).await;
    assert!((401..=404).contains(&reply.status), "{}", reply.text);
    assert_eq!(status(&acme.live, &id).await, "sent");
}

#[actix_web::test]
async fn a_message_whose_answer_was_lost_is_settled_by_its_signed_receipt() {
    let app = TestApp::start().await;
    app.route(&[("sms", "twilio", 1)]).await;
    let acme = app.tenant().await;
    app.twilio.next(Script::ResetAfter);
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    assert_eq!(status(&acme.live, &id).await, "unknown");
    let callback = app.twilio.hand_offs()[0].form()["StatusCallback"].clone();
    let path = callback.strip_prefix(&app.app.config.public_url().to_string()).unwrap().to_owned();
    let form = "MessageSid=SMlost&MessageStatus=delivered";
    let signature = twilio_signature(TWILIO_TOKEN, &callback, form);
    let caller = app.anonymous().with_header("X-Twilio-Signature", &signature);
    caller.send("POST", &path, "application/x-www-form-urlencoded", form.into()).await.expect(200);
    assert_eq!(status(&acme.live, &id).await, "delivered");
}

#[actix_web::test]
async fn what_was_undelivered_turns_to_the_fallback_once() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut body = code_to(&number(1));
    body["fallback"] = json!([{"channel": "email", "to": "ann@example.com"}]);
    let id = accepted(&acme.live, body).await;
    drain(&app).await;
    for word in ["UNDELIV", "UNDELIV", "REJECTD"] {
        receipt(&app, &carrier_id(1), word).await.expect(204);
    }
    drain(&app).await;
    assert_eq!((status(&acme.live, &id).await, app.post.letters().len()), ("sent".into(), 1));
}

#[actix_web::test]
async fn a_late_receipt_of_the_first_channel_does_not_disturb_the_second() {
    let app = TestApp::start().await;
    app.route(&[("sms", "acme", 1), ("email", "post", 1)]).await;
    let acme = app.tenant().await;
    let mut body = code_to(&number(1));
    body["fallback"] = json!([{"channel": "email", "to": "ann@example.com"}]);
    let id = accepted(&acme.live, body).await;
    drain(&app).await;
    receipt(&app, &carrier_id(1), "UNDELIV").await.expect(204);
    let second = postern::messages::claim(&app.app, 10).await.unwrap();
    assert_eq!((second.len(), status(&acme.live, &id).await), (1, "sending".into()));
    // The first hand-off speaks again while the second is under way, and after it.
    receipt(&app, &carrier_id(1), "SENT").await.expect(204);
    assert_eq!(status(&acme.live, &id).await, "sending");
    for claimed in second {
        postern::messages::hand_over(&app.app, claimed).await.unwrap();
    }
    receipt(&app, &carrier_id(1), "REJECTD").await.expect(204);
    assert_eq!((status(&acme.live, &id).await, app.post.letters().len()), ("sent".into(), 1));
    receipt(&app, &carrier_id(1), "DELIVRD").await.expect(204);
    assert_eq!(status(&acme.live, &id).await, "delivered", "the handset has it after all");
}

#[actix_web::test]
async fn another_carrier_s_receipt_with_the_same_id_is_not_believed() {
    let app = TestApp::start().await;
    app.route(&[("sms", "twilio", 1)]).await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    receipt(&app, &carrier_id(1), "DELIVRD").await.expect(204);
    assert_eq!(status(&acme.live, &id).await, "sent");
}

#[actix_web::test]
async fn a_refused_hand_off_that_was_delivered_after_all_is_not_sent_twice_by_its_receipt() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    app.acme.next(Script::json(400, json!({"id": carrier_id(1)})));
    let id = accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    let ended = message(&acme.live, &id).await;
    assert_eq!(ended["status"], "failed", "{ended}");
    receipt(&app, &carrier_id(1), "DELIVRD").await.expect(204);
    assert_eq!((drain(&app).await, app.acme.calls()), (0, 1));
}
