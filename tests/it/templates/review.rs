//! From a draft to what is sent, and back.

use postern::error::Code;
use serde_json::json;

use super::*;
use crate::messages::number;

async fn said(app: &TestApp, caller: &Actor, name: &str) -> String {
    let body = json!({"to": number(1), "kind": "transactional", "template": {"name": name}});
    caller.post("/v1/messages", body).await.expect(202);
    app.step().await;
    app.acme.hand_offs().last().unwrap().json()["text"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_template_goes_from_draft_to_sending_and_its_next_version_waits_while_it_sends() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let made = make(&tenant.live, json!({"body": "Hello from {{app}}."})).await.expect(201);
    let id = made.text_at("/id");
    assert_eq!(made.header("location"), Some(&*format!("/v1/templates/{id}")));
    assert_eq!((made.text_at("/status"), &made.json["live_version"]), ("draft".into(), &json!(null)));
    let ask = json!({"to": number(1), "kind": "transactional", "template": {"name": "hello"}});
    tenant.live.post("/v1/messages", ask.clone()).await.refused(Code::TemplateNotApproved);

    let pending = tenant.live.post(&format!("/v1/templates/{id}/submit"), json!({})).await.expect(200);
    assert_eq!(pending.text_at("/status"), "pending");
    tenant.live.post("/v1/messages", ask).await.refused(Code::TemplateNotApproved);
    let change = json!({"body": "Changed"});
    let locked =
        tenant.live.patch(&format!("/v1/templates/{id}"), change.clone()).await.refused(Code::ValidationFailed);
    assert!(locked.json["field_errors"].get("status").is_some());
    let queue = app.operator().get("/v1/admin/templates?status=pending").await.expect(200);
    assert_eq!(queue.text_at("/data/0/id"), id);

    let approved = approve(&app, &id).await;
    assert_eq!((approved.text_at("/status"), &approved.json["live_version"]), ("approved".into(), &json!(1)));
    assert_eq!(said(&app, &tenant.live, "hello").await, "Hello from ACME.");

    let edited = tenant.live.patch(&format!("/v1/templates/{id}"), change).await.expect(200);
    assert_eq!(
        (edited.text_at("/status"), &edited.json["version"], &edited.json["live_version"]),
        ("draft".into(), &json!(2), &json!(1))
    );
    assert_eq!(said(&app, &tenant.live, "hello").await, "Hello from ACME.", "the old version goes on sending");
    tenant.live.post(&format!("/v1/templates/{id}/submit"), json!({})).await.expect(200);
    assert_eq!(said(&app, &tenant.live, "hello").await, "Hello from ACME.");
    let path = format!("/v1/admin/templates/{id}/reject");
    let rejected = app.operator().post(&path, json!({"reason": "Says too little."})).await.expect(200);
    assert_eq!(
        (rejected.text_at("/status"), rejected.text_at("/reason")),
        ("rejected".into(), "Says too little.".into())
    );
    assert_eq!(said(&app, &tenant.live, "hello").await, "Hello from ACME.");

    let again = tenant.live.patch(&format!("/v1/templates/{id}"), json!({"body": "Changed again"})).await.expect(200);
    assert_eq!(
        (again.text_at("/status"), &again.json["version"]),
        ("draft".into(), &json!(2)),
        "a rejected version is changed itself"
    );
    tenant.live.post(&format!("/v1/templates/{id}/submit"), json!({})).await.expect(200);
    approve(&app, &id).await;
    assert_eq!(said(&app, &tenant.live, "hello").await, "Changed again");
}

#[actix_web::test]
async fn an_operator_stops_what_was_approved_and_lets_it_go_on() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let id = approved(&app, &tenant.live, json!({})).await;
    let path = format!("/v1/admin/templates/{id}/reject");
    app.operator().post(&path, json!({})).await.refused(Code::ValidationFailed);
    app.operator().post(&path, json!({"reason": " "})).await.refused(Code::ValidationFailed);
    let stopped = app.operator().post(&path, json!({"reason": "Complaints."})).await.expect(200);
    assert_eq!((stopped.text_at("/status"), &stopped.json["live_version"]), ("disabled".into(), &json!(null)));
    let ask = json!({"to": number(1), "kind": "transactional", "template": {"name": "hello"}});
    tenant.live.post("/v1/messages", ask.clone()).await.refused(Code::TemplateNotApproved);
    app.operator().post(&path, json!({"reason": "Again."})).await.refused(Code::ValidationFailed);
    approve(&app, &id).await;
    tenant.live.post("/v1/messages", ask).await.expect(202);
    let audit = app.operator().get("/v1/admin/audit").await.expect(200);
    let told: Vec<&str> =
        audit.json["data"].as_array().unwrap().iter().filter_map(|row| row["action"].as_str()).collect();
    assert_eq!(told[..3], ["template.approve", "template.reject", "template.approve"]);
}

#[actix_web::test]
async fn with_a_test_key_a_template_is_approved_at_once_and_stays_in_its_world() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let id = handed_in(&tenant.test, json!({})).await;
    assert_eq!(show(&tenant.test, &id).await.text_at("/status"), "approved");
    let ask = json!({"to": "+15005550000", "kind": "transactional", "template": {"name": "hello"}});
    tenant.test.post("/v1/messages", ask.clone()).await.expect(202);
    let unknown = tenant.live.post("/v1/messages", ask).await.refused(Code::ValidationFailed);
    assert!(unknown.json["field_errors"].get("template.name").is_some(), "{}", unknown.text);
}

#[actix_web::test]
async fn what_is_wrong_is_told_by_field_and_a_name_is_taken_once_per_channel_and_locale() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    for (members, field) in [
        (json!({"name": "Hello"}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"locale": "english"}), "locale"),
        (json!({"body": "Hi {{name}}"}), "body"),
        (json!({"body": null}), "body"),
        (json!({"channel": "email"}), "subject"),
        (json!({"examples": {"city": "Oslo"}}), "examples"),
        (json!({"name": "login"}), "category"),
        (json!({"category": "authentication"}), "body"),
        (json!({"channel": "whatsapp", "body": "Hi {{app}}"}), "body"),
        (json!({"colour": "red"}), "colour"),
    ] {
        let reply = make(&tenant.live, members).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"].get(field).is_some(), "{field}: {}", reply.text);
    }
    let id = make(&tenant.live, json!({"locale": "pt_br"})).await.expect(201);
    assert_eq!(id.text_at("/locale"), "pt-BR");
    make(&tenant.live, json!({"locale": "PT-br"})).await.refused(Code::ValidationFailed);
    make(&tenant.live, json!({"locale": "pt"})).await.expect(201);
    let listed = tenant.live.get("/v1/templates?name=hello&channel=sms&status=draft").await.expect(200);
    assert_eq!(listed.json["data"].as_array().unwrap().len(), 2);
    let id = id.text_at("/id");
    assert_eq!(tenant.live.delete(&format!("/v1/templates/{id}")).await.status, 204);
    tenant.live.get(&format!("/v1/templates/{id}")).await.refused(Code::NotFound);
    tenant.live.post(&format!("/v1/templates/{id}/submit"), json!({})).await.refused(Code::NotFound);
}

#[actix_web::test]
async fn the_answer_shows_size_odd_characters_and_prices() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let prices = json!([
        {"channel": "sms", "amount": "0.01"},
        {"channel": "sms", "country": "GB", "amount": "0.04"},
    ]);
    let set = app.operator().put("/v1/admin/prices", prices).await;
    assert!(set.status < 300, "{}", set.text);
    let made = make(&tenant.live, json!({"body": "Don’t tell anybody"})).await.expect(201);
    let preview = &made.json["preview"];
    assert_eq!((&preview["encoding"], &preview["segments"]), (&json!("ucs2"), &json!(1)));
    assert_eq!(preview["not_gsm7"], json!([{"character": "’", "position": 3, "instead": "'"}]));
    let id = made.text_at("/id");
    let long = "x".repeat(161);
    let changed = tenant.live.patch(&format!("/v1/templates/{id}"), json!({"body": long})).await.expect(200);
    let preview = &changed.json["preview"];
    assert_eq!(
        (&preview["encoding"], &preview["segments"], &preview["not_gsm7"]),
        (&json!("gsm7"), &json!(2), &json!([]))
    );
    let costs: Vec<_> = preview["prices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["country"].as_str(), one["price"]["amount"].as_str().unwrap().parse::<f64>().unwrap()))
        .collect();
    assert_eq!(costs, [(None, 0.02), (Some("GB"), 0.08)]);
}

#[actix_web::test]
async fn a_repeated_request_has_one_effect() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let keyed = tenant.live.with_header("Idempotency-Key", "one");
    let first = make(&keyed, json!({})).await.expect(201);
    let again = make(&keyed, json!({})).await.expect(201);
    assert_eq!(first.text_at("/id"), again.text_at("/id"));
}
