//! From a request to the handset and back.

use serde_json::json;

use super::{code_or_sms_to, send_code, text_to};
use crate::harness::meta::MetaSim;
use crate::messages::{accepted, message, number, status, timeline};

#[actix_web::test]
async fn a_code_goes_by_the_authentication_template_and_its_statuses_come_back() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    let shaken = meta.control.post("/_sim/handshake", json!({})).await.expect(200);
    assert_eq!(shaken.json["verified"], true);
    let id = send_code(&acme.live, &number(1)).await;
    assert_eq!(app.step().await, 1);
    let sent = meta.sent().await;
    assert_eq!(sent.len(), 1);
    assert_eq!((&sent[0]["template"], &sent[0]["text"]), (&json!("login_otp"), &json!("481516")));
    assert_eq!(status(&acme.live, &id).await, "sent");
    // sent, delivered, read: three calls, of which the second says all there is to say.
    assert_eq!(meta.flush().await, (3, 0));
    assert_eq!(timeline(&acme.live, &id).await.last().unwrap(), "message.delivered");
    assert_eq!(status(&acme.live, &id).await, "delivered");
}

#[actix_web::test]
async fn repeats_disorder_and_losses_of_webhooks_change_nothing() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    let send = async |n: usize| {
        let id = send_code(&acme.live, &number(n)).await;
        app.step().await;
        id
    };
    let plain = send(1).await;
    meta.flush().await;
    let usual = timeline(&acme.live, &plain).await;
    for (n, (mode, calls)) in [("duplicate", 6), ("disorder", 3), ("batch", 1)].into_iter().enumerate() {
        meta.set("delivery", json!({ "mode": mode })).await;
        let id = send(n + 2).await;
        assert_eq!(meta.flush().await, (calls, 0), "{mode}");
        assert_eq!(timeline(&acme.live, &id).await, usual, "{mode}");
    }
    // What came before is told once more, days later.
    for lost in ["hold", "drop"] {
        meta.set("delivery", json!({ "mode": lost })).await;
        let id = send(if lost == "hold" { 8 } else { 9 }).await;
        assert_eq!(meta.flush().await, (0, 0));
        meta.set("delivery", json!({"mode": "normal"})).await;
        meta.flush().await;
        assert_eq!(status(&acme.live, &id).await, if lost == "hold" { "delivered" } else { "sent" });
    }
    // A callback that is away is told again.
    let id = send(10).await;
    meta.set("callback", json!({"url": "http://127.0.0.1:1/hooks/meta"})).await;
    assert_eq!(meta.flush().await, (0, 3));
    meta.set("callback", json!({"url": format!("{}/hooks/meta", app.base)})).await;
    assert_eq!(meta.flush().await, (3, 0));
    assert_eq!(status(&acme.live, &id).await, "delivered");
}

/// The last six digits of the number and how the message ends.
#[actix_web::test]
async fn every_magic_recipient_ends_as_it_says() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    let endings = [
        ("000001", "delivered"),
        ("000002", "sent"),
        ("000003", "sent"),
        ("000004", "delivered"),
        ("000005", "delivered"),
        ("000006", "delivered"),
        ("000007", "delivered"),
        ("000008", "failed"),
        ("131026", "failed"),
    ];
    for (ending, expected) in endings {
        let id = send_code(&acme.live, &format!("+447400{ending}")).await;
        app.step().await;
        meta.flush().await;
        assert_eq!(status(&acme.live, &id).await, expected, "{ending}");
    }
}

#[actix_web::test]
async fn who_hides_the_number_is_known_by_the_users_id() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    let hidden = "+447400000007";
    let id = send_code(&acme.live, hidden).await;
    app.step().await;
    assert_eq!(meta.flush().await, (3, 0));
    assert_eq!(status(&acme.live, &id).await, "delivered");
    meta.hears_from(hidden).await;
    let page = acme.live.get("/v1/inbound").await.expect(200);
    assert_eq!(page.json["data"].as_array().unwrap().len(), 1);
    // Meta takes no authentication template for such an id.
    let body = json!({"messaging_product": "whatsapp", "recipient": "GB.10000000447400000007", "type": "template",
        "template": {"name": "login_otp", "language": {"code": "en_US"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "1"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "1"}]}]}});
    let path = "/v25.0/800100200300401/messages";
    assert_eq!(meta.caller().post(path, body).await.expect(400).json["error"]["code"], 131_062);
    let text = json!({"messaging_product": "whatsapp", "recipient": "GB.10000000447400000007", "type": "text",
        "text": {"body": "hello"}});
    let taken = meta.caller().post(path, text).await.expect(200).json;
    assert_eq!(taken["contacts"][0], json!({"input": "GB.10000000447400000007", "user_id": "GB.10000000447400000007"}));
}

#[actix_web::test]
async fn free_text_reaches_who_has_written_and_fails_for_others() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    meta.hears_from(&number(1)).await;
    let open = accepted(&acme.live, text_to(&number(1))).await;
    app.step().await;
    meta.flush().await;
    assert_eq!(status(&acme.live, &open).await, "delivered");
    app.advance(std::time::Duration::from_secs(86_400));
    let body = json!({"messaging_product": "whatsapp", "to": &number(1)[1..], "type": "text", "text": {"body": "hi"}});
    meta.caller().post("/v25.0/800100200300401/messages", body).await.expect(200);
    meta.flush().await;
    assert_eq!(meta.sent().await.last().unwrap()["status"], "failed");
}

#[actix_web::test]
async fn a_code_that_whatsapp_cannot_deliver_goes_by_sms() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_or_sms_to("+447400131026")).await;
    app.step().await;
    assert_eq!(app.acme.calls(), 0);
    meta.flush().await;
    app.step().await;
    assert_eq!(app.acme.hand_offs()[0].json()["to"], "+447400131026");
    assert!(app.acme.hand_offs()[0].json()["text"].as_str().unwrap().contains("481516"));
    let seen = message(&acme.live, &id).await;
    assert_eq!(seen["status"], "sent", "{seen}");
}
