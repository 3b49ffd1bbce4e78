//! Messages by template: which text they get, what fills it, what it costs.

use postern::error::Code;
use serde_json::json;

use super::*;
use crate::messages::number;

async fn send(caller: &Actor, template: Value, members: Value) -> Reply {
    let mut body = json!({"to": number(1), "kind": "transactional", "template": template});
    body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap());
    caller.post("/v1/messages", body).await
}

#[actix_web::test]
async fn the_nearest_approved_language_is_sent() {
    let app = TestApp::start().await;
    let tenant = app.tenant_with(json!({"plan": "enterprise", "locale": "de"})).await;
    for (locale, body) in [("pt", "Olá"), ("de", "Hallo"), ("en", "Hello")] {
        approved(&app, &tenant.live, json!({"locale": locale, "body": body})).await;
    }
    handed_in(&tenant.live, json!({"locale": "pt-BR", "body": "Oi"})).await;
    let mut asked = Vec::new();
    for locale in [json!("pt-BR"), json!("pt-PT"), json!("ja"), json!("en-GB"), json!(null)] {
        let mut template = json!({"name": "hello", "locale": locale});
        template.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        send(&tenant.live, template, json!({})).await.expect(202);
        app.step().await;
        asked.push(app.acme.hand_offs().last().unwrap().json()["text"].as_str().unwrap().to_owned());
    }
    assert_eq!(asked, ["Olá", "Olá", "Hallo", "Hello", "Hallo"], "one that waits for its review is passed over");
}

#[actix_web::test]
async fn parameters_are_checked_and_the_rendered_text_counts() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let members = json!({"body": "{{name}} of {{app}}: {{code}}", "examples": {"name": "Ann"}});
    approved(&app, &tenant.live, members).await;
    let by = |params: Value| json!({"name": "hello", "params": params});
    for (params, field) in [
        (json!({"code": "481516"}), "template.params.name"),
        (json!({"name": "Ann"}), "template.params.code"),
        (json!({"name": "Ann", "code": "x"}), "template.params.code"),
        (json!({"name": "a\nb", "code": "481516"}), "template.params.name"),
        (json!({"name": "Ann", "code": "481516", "street": "x"}), "template.params"),
    ] {
        let reply = send(&tenant.live, by(params), json!({})).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"].get(field).is_some(), "{field}: {}", reply.text);
    }
    let taken = send(&tenant.live, by(json!({"name": "Ann", "code": "481516"})), json!({})).await.expect(202);
    assert_eq!((taken.text_at("/template"), &taken.json["segments"]), ("hello".into(), &json!(1)));
    let long = send(&tenant.live, by(json!({"name": "Ş".repeat(100), "code": "481516"})), json!({})).await.expect(202);
    assert_eq!((&long.json["segments"], long.text_at("/encoding")), (&json!(2), "ucs2".into()));
    app.step().await;
    let said: Vec<Value> = app.acme.hand_offs().iter().map(|taken| taken.json()["text"].clone()).collect();
    assert!(said.contains(&json!("Ann of ACME: 481516")), "{said:?}");
    let bulk = json!({"defaults": {"template": {"name": "hello", "params": {"name": "Ann", "code": "481516"}}, "kind": "transactional"},
        "messages": [{"to": number(2)}, {"to": number(3), "template": {"name": "hello"}}]});
    let bulk = tenant.live.post("/v1/messages/bulk", bulk).await.expect(202);
    assert_eq!((&bulk.json["accepted"], &bulk.json["rejected"]), (&json!(1), &json!(1)), "{}", bulk.text);
}

#[actix_web::test]
async fn marketing_says_so_and_every_channel_of_a_message_needs_a_text() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    approved(&app, &tenant.live, json!({"category": "marketing"})).await;
    let by = json!({"name": "hello"});
    let reply = send(&tenant.live, by.clone(), json!({})).await.refused(Code::ValidationFailed);
    assert!(reply.json["field_errors"].get("kind").is_some(), "{}", reply.text);
    send(&tenant.live, by.clone(), json!({"kind": "marketing"})).await.expect(202);
    let fallback = json!({"kind": "marketing", "fallback": [{"channel": "email", "to": "ann@example.com"}]});
    let reply = send(&tenant.live, by.clone(), fallback.clone()).await.refused(Code::ValidationFailed);
    assert!(reply.json["field_errors"].get("template.name").is_some(), "{}", reply.text);
    let mail = json!({"channel": "email", "category": "marketing", "subject": "News of {{app}}", "body": "Dear all"});
    approved(&app, &tenant.live, mail).await;
    send(&tenant.live, by.clone(), fallback).await.expect(202);
    send(&tenant.live, by, json!({"to": "bob@example.com", "channel": "email", "kind": "marketing"})).await.expect(202);
    app.step().await;
    let letter = app.post.letters().pop().unwrap();
    assert!(letter.data.contains("News of ACME") && letter.data.contains("Dear all"), "{}", letter.data);
}

#[actix_web::test]
async fn a_template_of_a_built_in_name_stands_in_for_it_on_its_channel() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let own = json!({"name": "login", "category": "authentication", "body": "{{code}}: welcome to {{app}}"});
    approved(&app, &tenant.live, own).await;
    let by = json!({"name": "login", "params": {"code": "481516"}});
    send(&tenant.live, by.clone(), json!({"kind": "otp"})).await.expect(202);
    send(&tenant.live, by, json!({"kind": "otp", "channel": "email", "to": "ann@example.com"})).await.expect(202);
    app.step().await;
    assert_eq!(app.acme.hand_offs()[0].json()["text"], "481516: welcome to ACME");
    assert!(app.post.letters()[0].data.contains("Your ACME login code"), "mail has the built-in text");
}
