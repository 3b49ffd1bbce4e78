//! Templates that Meta reviews: submitted by a job, moved by its webhooks, sent by name.

use std::time::Duration;

use postern::error::Code;
use postern::templates::run_submissions;
use serde_json::json;

use super::*;
use crate::messages::number;

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/meta/webhook_template_{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The fixture about a template of ours: its name there, its language as Meta writes it.
fn about(name: &str, remote: &str) -> String {
    let text = fixture(name).replace("login_otp", remote).replace("promo_otp", remote);
    text.replace("1000000000000002", "1000000000000001").replace("\"en\"", "\"en-US\"")
}

/// A template that Meta has taken for review; its id and its name there.
async fn under_review(app: &TestApp, graph: &FakeCarrier, caller: &Actor, members: Value) -> (String, String) {
    let id = handed_in(caller, members).await;
    graph.next(Script::json(200, json!({"id": "1000000000000001", "status": "PENDING", "category": "AUTHENTICATION"})));
    assert_eq!(run_submissions(&app.app, 10).await.unwrap(), 1);
    let remote = show(caller, &id).await.text_at("/remote_name");
    (id, remote)
}

fn english(mut template: Value) -> Value {
    template["locale"] = json!("en-US");
    template
}

#[actix_web::test]
async fn a_template_is_submitted_by_a_job_and_its_words_are_metas() {
    let graph = FakeCarrier::start();
    let app = with_meta(&graph).await;
    let tenant = app.tenant().await;
    let mut wanted = english(on_whatsapp("login_otp"));
    wanted["expiry_minutes"] = json!(5);
    wanted["button"] =
        json!({"type": "one_tap", "apps": [{"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}]});
    let id = handed_in(&tenant.live, wanted).await;
    assert_eq!(graph.calls(), 0, "nobody is called inside a request");
    let seen = show(&tenant.live, &id).await;
    assert_eq!((seen.text_at("/status"), seen.text_at("/reviewer")), ("pending".into(), "meta".into()));
    graph.next(Script::json(503, json!({})));
    run_submissions(&app.app, 10).await.unwrap();
    assert!(show(&tenant.live, &id).await.text_at("/submit_error").contains("503"));
    app.advance(Duration::from_secs(10));
    graph.next(Script::json(200, json!({"id": "1000000000000001", "status": "PENDING"})));
    assert_eq!(run_submissions(&app.app, 10).await.unwrap(), 1);
    let seen = show(&tenant.live, &id).await;
    assert_eq!((seen.text_at("/status"), &seen.json["submit_error"]), ("pending".into(), &json!(null)));
    let call = graph.hand_offs().pop().unwrap();
    let remote = seen.text_at("/remote_name");
    assert_eq!(call.path, format!("/v25.0/{WABA}/message_templates"));
    let buttons = json!([{"type": "OTP", "otp_type": "ONE_TAP",
        "supported_apps": [{"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}]}]);
    let expected = json!({"name": remote, "language": "en_US", "category": "AUTHENTICATION", "components": [
        {"type": "BODY", "add_security_recommendation": false},
        {"type": "FOOTER", "code_expiration_minutes": 5},
        {"type": "BUTTONS", "buttons": buttons},
    ]});
    assert_eq!(call.json(), expected);
    app.advance(Duration::from_secs(60));
    assert_eq!(run_submissions(&app.app, 10).await.unwrap(), 0, "it is done");
}

#[actix_web::test]
async fn metas_webhooks_move_a_template_through_its_states() {
    let graph = FakeCarrier::start();
    let app = with_meta(&graph).await;
    let tenant = app.tenant().await;
    let (id, remote) = under_review(&app, &graph, &tenant.live, english(on_whatsapp("login_otp"))).await;
    let send = json!({"to": number(1), "channel": "whatsapp", "template": {"name": "login_otp", "params": {"code": "481516"}}});
    tenant.live.post("/v1/messages", send.clone()).await.refused(Code::TemplateNotApproved);
    for (name, status, reason, sends) in [
        ("status_approved", "approved", None, true),
        ("status_paused", "paused", Some("paused for"), false),
        ("status_approved", "paused", Some("paused for"), false), // an old one, repeated
        ("status_disabled", "disabled", None, false),
        ("status_pending_deletion_null_reason", "disabled", None, false),
        ("quality_green_to_red", "disabled", None, false),
    ] {
        meta_says(&app, &about(name, &remote)).await;
        let seen = show(&tenant.live, &id).await;
        assert_eq!(seen.text_at("/status"), status, "{name}");
        assert_eq!(seen.json["live_version"].is_i64(), sends, "{name}");
        let told = seen.json["reason"].as_str();
        assert!(reason.is_none_or(|part| told.is_some_and(|told| told.contains(part))), "{name}: {told:?}");
        let reply = tenant.live.post("/v1/messages", send.clone()).await;
        assert_eq!(reply.status, if sends { 202 } else { 422 }, "{name}: {}", reply.text);
    }
    assert_eq!(show(&tenant.live, &id).await.text_at("/quality"), "red");
    app.step().await;
    let sent = graph.hand_offs().pop().unwrap().json();
    assert_eq!(sent["template"]["language"], json!({"code": "en_US"}));
}

#[actix_web::test]
async fn a_template_that_meta_did_not_send_moves_as_its_webhook_would_move_it() {
    for (code, place, status) in [
        (132_015, "answer", "paused"),
        (132_016, "answer", "disabled"),
        (132_001, "answer", "disabled"),
        (132_015, "status", "paused"),
    ] {
        let graph = FakeCarrier::start();
        let app = with_meta(&graph).await;
        let tenant = app.tenant().await;
        let (id, remote) = under_review(&app, &graph, &tenant.live, english(on_whatsapp("login_otp"))).await;
        let now = (app.app.clock.now().0 / 1_000).to_string();
        meta_says(&app, &about("status_approved", &remote).replace("1795334600", &now)).await;
        let send = json!({"to": number(1), "channel": "whatsapp", "template": {"name": "login_otp", "params": {"code": "481516"}}});
        tenant.live.post("/v1/messages", send.clone()).await.expect(202);
        if place == "answer" {
            graph.next(Script::json(400, json!({"error": {"code": code, "message": "no"}})));
            app.step().await;
        } else {
            graph.next(Script::json(200, json!({"messages": [{"id": "wamid.T"}]})));
            app.step().await;
            let metadata = json!({"display_phone_number": "447400900100", "phone_number_id": "800100200300401"});
            let failed = json!([{"id": "wamid.T", "status": "failed", "timestamp": "1", "errors": [{"code": code}]}]);
            let value = json!({"metadata": metadata, "statuses": failed});
            let body = json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "messages", "value": value}]}]});
            meta_says(&app, &body.to_string()).await;
        }
        let seen = show(&tenant.live, &id).await;
        assert_eq!(seen.text_at("/status"), status, "{code} {place}: {}", seen.text);
        tenant.live.post("/v1/messages", send.clone()).await.refused(Code::TemplateNotApproved);
    }
}

#[actix_web::test]
async fn metas_refusals_have_their_reason_be_it_at_once_or_later() {
    let graph = FakeCarrier::start();
    let app = with_meta(&graph).await;
    let tenant = app.tenant().await;
    let (id, remote) = under_review(&app, &graph, &tenant.live, english(on_whatsapp("login_otp"))).await;
    meta_says(&app, &about("status_rejected", &remote)).await;
    let seen = show(&tenant.live, &id).await;
    assert_eq!(seen.text_at("/status"), "rejected");
    assert!(seen.text_at("/reason").contains("next to each other"), "{}", seen.text);

    let utility = json!({"name": "news", "channel": "whatsapp", "body": "Hello {{app}} people."});
    let other = handed_in(&tenant.live, utility).await;
    let error =
        json!({"error": {"code": 100, "error_subcode": 2388299, "message": "m", "error_user_msg": "Bad words."}});
    graph.next(Script::json(400, error));
    run_submissions(&app.app, 10).await.unwrap();
    let seen = show(&tenant.live, &other).await;
    assert_eq!((seen.text_at("/status"), seen.text_at("/reason")), ("rejected".into(), "Bad words.".into()));
    tenant.live.patch(&format!("/v1/templates/{other}"), json!({"body": "Hello, {{app}} people."})).await.expect(200);
    tenant.live.post(&format!("/v1/templates/{other}/submit"), json!({})).await.expect(200);
    graph.next(Script::json(200, json!({"id": "7", "status": "APPROVED"})));
    run_submissions(&app.app, 10).await.unwrap();
    let seen = show(&tenant.live, &other).await;
    assert_eq!((seen.text_at("/status"), &seen.json["live_version"]), ("approved".into(), &json!(1)));
    let send = json!({"to": number(1), "channel": "whatsapp", "kind": "transactional", "template": {"name": "news"}});
    tenant.live.post("/v1/messages", send).await.expect(202);
    app.step().await;
    let sent = graph.hand_offs().pop().unwrap().json();
    let expected = json!([{"type": "body", "parameters": [{"type": "text", "text": "ACME"}]}]);
    assert_eq!(sent["template"]["components"], expected);
}

#[actix_web::test]
async fn a_changed_category_and_other_peoples_templates() {
    let graph = FakeCarrier::start();
    let app = with_meta(&graph).await;
    let tenant = app.tenant().await;
    let hook = json!({"url": "https://example.com/hooks", "events": ["template.status_changed", "template.changed", "template.quality_changed"]});
    tenant.live.post("/v1/webhooks", hook).await.expect(201);
    let news = json!({"name": "news", "channel": "whatsapp", "locale": "en-US", "body": "Hello {{app}} people."});
    let (id, remote) = under_review(&app, &graph, &tenant.live, news).await;
    meta_says(&app, &about("status_approved", "somebody_elses")).await;
    meta_says(&app, &about("status_approved", &remote).replace(WABA, "900100200300499")).await;
    assert_eq!(show(&tenant.live, &id).await.text_at("/status"), "pending");
    meta_says(&app, &about("status_approved", &remote)).await;
    meta_says(&app, &about("status_approved", &remote)).await;
    let changed = json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "time": 1795334700, "changes": [{
        "field": "template_category_update",
        "value": {"message_template_id": 1000000000000001_i64, "message_template_name": remote,
            "message_template_language": "en-US", "previous_category": "UTILITY", "new_category": "MARKETING"}}, {
        "field": "message_template_components_update",
        "value": {"message_template_id": 1000000000000001_i64, "message_template_name": remote,
            "message_template_language": "en-US", "message_template_element": "Hi {{1}} people."}}]}]});
    meta_says(&app, &changed.to_string()).await;
    meta_says(&app, &about("quality_green_to_red", &remote)).await;
    assert_eq!(show(&tenant.live, &id).await.text_at("/category"), "marketing");
    let events = tenant.live.get("/v1/events").await.expect(200);
    let mut told: Vec<String> = events.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            let data = &event["payload"]["data"];
            assert!(data["id"] == json!(id) && !event.to_string().contains("481516"));
            format!(
                "{} {}",
                event["type"].as_str().unwrap(),
                data["status"].as_str().or(data["quality"].as_str()).unwrap_or("-")
            )
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "template.changed -",
            "template.changed -",
            "template.quality_changed red",
            "template.status_changed approved",
            "template.status_changed pending"
        ]
    );
}

#[actix_web::test]
async fn the_next_version_is_another_template_there_so_that_the_old_one_goes_on() {
    let graph = FakeCarrier::start();
    let app = with_meta(&graph).await;
    let tenant = app.tenant().await;
    let news = json!({"name": "news", "channel": "whatsapp", "locale": "en-US", "body": "Hello {{app}} people."});
    let (id, first) = under_review(&app, &graph, &tenant.live, news).await;
    meta_says(&app, &about("status_approved", &first)).await;
    tenant.live.patch(&format!("/v1/templates/{id}"), json!({"body": "Hi {{app}} people."})).await.expect(200);
    tenant.live.post(&format!("/v1/templates/{id}/submit"), json!({})).await.expect(200);
    let second = show(&tenant.live, &id).await;
    assert_eq!(second.text_at("/remote_name"), format!("{first}_v2"));
    assert_eq!((second.text_at("/status"), &second.json["live_version"]), ("pending".into(), &json!(1)));
    meta_says(&app, &about("status_paused", &first)).await;
    let seen = show(&tenant.live, &id).await;
    assert_eq!(
        (seen.text_at("/status"), &seen.json["live_version"]),
        ("pending".into(), &json!(null)),
        "the old one is paused"
    );
}
