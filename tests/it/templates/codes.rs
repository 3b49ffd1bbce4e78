//! Verifications by template.

use std::time::Duration;

use postern::error::Code;
use postern::verifications::run_workflow_steps;
use serde_json::json;

use super::*;

const NUMBER: &str = "+447400123123";

async fn start(caller: &Actor, members: Value) -> Reply {
    let mut body = json!({"to": NUMBER});
    body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap());
    caller.post("/v1/verifications", body).await
}

#[actix_web::test]
async fn a_verification_says_the_organizations_own_text() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let own = |name: &str, body: &str| json!({"name": name, "category": "authentication", "body": body});
    approved(&app, &tenant.live, own("verification", "{{code}} opens {{app}} for {{minutes}} min")).await;
    approved(&app, &tenant.live, own("door", "Door: {{code}}")).await;
    handed_in(&tenant.live, own("gate", "Gate: {{code}}")).await;
    let city = json!({"name": "city", "category": "authentication", "body": "{{code}} {{city}}", "examples": {"city": "Oslo"}});
    approved(&app, &tenant.live, city).await;

    start(&tenant.live, json!({"template": "gate"})).await.refused(Code::TemplateNotApproved);
    for name in ["city", "nobody"] {
        let reply = start(&tenant.live, json!({ "template": name })).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"].get("template").is_some(), "{}", reply.text);
    }
    start(&tenant.live, json!({"web_origin": "acme.example"})).await.expect(201);
    start(&tenant.live, json!({"to": "+447400123124", "template": "door"})).await.expect(201);
    app.step().await;
    let mut said: Vec<String> =
        app.acme.hand_offs().iter().map(|taken| taken.json()["text"].as_str().unwrap().to_owned()).collect();
    said.sort_by_key(|text| text.starts_with("Door"));
    let lines: Vec<&str> = said[0].lines().collect();
    assert!(
        lines[0].ends_with(" opens ACME for 10 min") && lines.last().unwrap().starts_with("@acme.example #"),
        "{lines:?}"
    );
    assert!(said[1].starts_with("Door: "), "{said:?}");
}

#[actix_web::test]
async fn on_whatsapp_a_code_needs_a_template_that_was_approved_for_codes() {
    let graph = FakeCarrier::start();
    let app = with_meta(&graph).await;
    let tenant = app.tenant().await;
    start(&tenant.live, json!({"channel": "whatsapp"})).await.refused(Code::TemplateNotApproved);
    start(&tenant.test, json!({"channel": "whatsapp"})).await.expect(201);
    let id = approved(&app, &tenant.live, on_whatsapp("wa_code")).await;
    start(&tenant.live, json!({"channel": "whatsapp"})).await.expect(201);
    app.step().await;
    let sent = graph.hand_offs().pop().unwrap().json();
    let remote = show(&tenant.live, &id).await.text_at("/remote_name");
    assert_eq!((&sent["type"], sent["template"]["name"].as_str()), (&json!("template"), Some(&*remote)));
    let code = &sent["template"]["components"][0]["parameters"][0]["text"];
    let button =
        json!({"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": code}]});
    assert_eq!((code.as_str().unwrap().len(), &sent["template"]["components"][1]), (6, &button));
}

#[actix_web::test]
async fn a_step_without_an_approved_template_is_passed_over() {
    let graph = FakeCarrier::start();
    let app = with_meta(&graph).await;
    let tenant = app.tenant().await;
    let three = json!({"workflow": [{"channel": "sms"}, {"channel": "whatsapp"}, {"channel": "email", "to": "ann@example.com"}]});
    start(&tenant.live, three).await.expect(201);
    app.step().await;
    app.advance(Duration::from_secs(30));
    run_workflow_steps(&app.app, 100).await.unwrap();
    app.step().await;
    assert_eq!((app.acme.hand_offs().len(), graph.hand_offs().len(), app.post.letters().len()), (1, 0, 1));
}
