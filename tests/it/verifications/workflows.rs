//! Workflows: the next channel by itself, by hand, or not at all.

use std::time::Duration;

use postern::verifications::run_workflow_steps;
use serde_json::json;

use super::*;
use crate::harness::app::START;

const MAIL: &str = "ann@example.com";

fn sms_then_mail() -> Value {
    json!({"workflow": [{"channel": "sms", "wait": "30s"}, {"channel": "email", "to": "Ann@example.com"}]})
}

async fn steps(app: &TestApp) -> usize {
    run_workflow_steps(&app.app, 100).await.unwrap()
}

#[actix_web::test]
async fn the_next_channel_says_the_same_code_when_the_wait_is_over() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let made = start(&tenant.test, sms_then_mail()).await.expect(201);
    let (id, code) = (made.text_at("/id"), latest_code(&app, &tenant.test, NUMBER).await);
    assert_eq!(made.text_at("/next_step_at"), START.plus(Duration::from_secs(30)).rfc3339());
    app.advance(Duration::from_millis(29_999));
    assert_eq!(steps(&app).await, 0);
    app.advance(Duration::from_millis(1));
    assert_eq!(steps(&app).await, 1);
    assert_eq!(latest_code(&app, &tenant.test, MAIL).await, code);
    let seen = show(&tenant.test, &id).await;
    assert_eq!((seen.text_at("/channel"), sends(&seen), &seen.json["next_step_at"]), ("email".into(), 2, &json!(null)));
    assert_eq!(seen.json["workflow"][1]["done"], json!(true));
    app.advance(Duration::from_secs(60));
    assert_eq!((steps(&app).await, app.step().await), (0, 0), "there is no third step");
    assert!(told(check(&tenant.test, &id, &code).await).1);
    // Only the mail is credited: where all say the same code, the latest.
    assert_eq!(show(&tenant.test, &id).await.json["sends"][1]["converted"], json!(true));
}

#[actix_web::test]
async fn a_code_that_was_entered_ends_the_workflow() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, sms_then_mail()).await;
    check(&tenant.test, &id, &code).await.expect(200);
    app.advance(Duration::from_secs(30));
    assert_eq!((steps(&app).await, app.step().await), (1, 0), "the step came up and sent nothing");
    assert_eq!(sends(&show(&tenant.test, &id).await), 1);
}

#[actix_web::test]
async fn a_step_done_by_hand_is_not_done_again() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let three = json!({"workflow": [
        {"channel": "sms", "wait": "30s"}, {"channel": "email", "to": MAIL, "wait": "1m"}, {"channel": "sms"},
    ]});
    let (id, _) = started(&app, &tenant.test, three).await;
    app.advance(Duration::from_secs(10));
    let gone_on = tenant.test.post(&format!("/v1/verifications/{id}/next"), json!({})).await.expect(200);
    assert_eq!((gone_on.text_at("/channel"), sends(&gone_on)), ("email".into(), 2));
    app.advance(Duration::from_secs(20));
    steps(&app).await;
    assert_eq!(sends(&show(&tenant.test, &id).await), 2, "the email was due now, and has gone already");
    app.advance(Duration::from_secs(40));
    steps(&app).await;
    let seen = show(&tenant.test, &id).await;
    assert_eq!((seen.text_at("/channel"), sends(&seen)), ("sms".into(), 3));
}

#[actix_web::test]
async fn a_channel_that_no_route_takes_is_passed_over() {
    let app = TestApp::start().await;
    app.route(&[("sms", "acme", 1)]).await;
    let tenant = app.tenant().await;
    let steps_of = json!([{"channel": "sms"}, {"channel": "email", "to": MAIL}, {"channel": "sms"}]);
    let id = start(&tenant.live, json!({"workflow": steps_of})).await.expect(201).text_at("/id");
    app.advance(Duration::from_secs(30));
    steps(&app).await;
    app.step().await;
    assert_eq!(
        (sends(&show(&tenant.live, &id).await), app.acme.hand_offs().len(), app.post.letters().len()),
        (2, 2, 0)
    );
}

#[actix_web::test]
async fn a_refusal_is_written_down_and_ends_the_workflow() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, sms_then_mail()).await;
    for _ in 0..2 {
        tenant.test.post(&format!("/v1/verifications/{id}/resend"), json!({})).await.expect(200);
    }
    app.advance(Duration::from_secs(30));
    assert_eq!(steps(&app).await, 1);
    let seen = show(&tenant.test, &id).await;
    assert_eq!(
        (seen.text_at("/workflow_error"), sends(&seen)),
        ("otp.number_limit".into(), 3),
        "mail counts for the number"
    );
    app.advance(Duration::from_secs(400));
    assert_eq!(steps(&app).await, 0, "no retry");
    assert!(told(check(&tenant.test, &id, &code).await).1, "the codes that went out stay good");
}

#[actix_web::test]
async fn a_revoked_key_sends_nothing_more() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, _) = started(&app, &tenant.test, sms_then_mail()).await;
    let keys = app.operator().get(&format!("/v1/admin/orgs/{}/keys", tenant.org)).await.expect(200);
    for key in keys.json["data"].as_array().unwrap().iter().filter(|key| key["mode"] == "test") {
        let path = format!("/v1/admin/keys/{}", key["id"].as_str().unwrap());
        assert!(app.operator().delete(&path).await.status < 300);
    }
    app.advance(Duration::from_secs(30));
    assert_eq!((steps(&app).await, app.step().await), (1, 0));
    let fresh = app.key(&tenant.org, json!({"mode": "test"})).await;
    assert_eq!(show(&fresh, &id).await.text_at("/workflow_error"), "key_revoked");
}

#[actix_web::test]
async fn a_second_start_with_a_workflow_takes_the_first_ones_place() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let (id, _) = started(&app, &tenant.test, sms_then_mail()).await;
    app.advance(Duration::from_secs(20));
    let joined = start(&tenant.test, sms_then_mail()).await.expect(201);
    assert_eq!((joined.text_at("/id"), sends(&joined)), (id.clone(), 2));
    app.advance(Duration::from_secs(10));
    steps(&app).await;
    assert_eq!(sends(&show(&tenant.test, &id).await), 2, "the first workflow's step is void");
    app.advance(Duration::from_secs(20));
    steps(&app).await;
    assert_eq!(sends(&show(&tenant.test, &id).await), 3);
}
