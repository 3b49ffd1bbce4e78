//! Users who show no number: written to under a business-scoped id, where Meta allows that.

use postern::error::Code;
use serde_json::{Value, json};

use super::{IDS, change, code_by_template, hook, ours, register, secs_now, start, text_to};
use crate::messages::{drain, message, number, post};

const USER: &str = "GB.10000000000000000001";

/// `value` with the metadata of our number.
fn told(mut value: Value) -> Value {
    value["metadata"] = json!({"display_phone_number": ours().trim_start_matches('+'), "phone_number_id": IDS[0]});
    change("messages", value)
}

fn writes(id: usize, text: &str, at: i64) -> Value {
    let message = json!({"from_user_id": USER, "id": format!("wamid.IN{id}"), "timestamp": at.to_string(),
        "type": "text", "text": {"body": text}});
    told(json!({"contacts": [{"user_id": USER}], "messages": [message]}))
}

#[actix_web::test]
async fn free_text_goes_to_a_user_id_inside_its_session_and_codes_do_not() {
    let (app, meta) = start().await;
    let acme = app.tenant().await;
    register(&app, &acme.org, json!({})).await.expect(201);
    post(&acme.live, text_to(USER)).await.refused(Code::WhatsappSessionClosed);
    hook(&app, &writes(1, "Hello", secs_now(&app))).await.expect(204);
    let id = post(&acme.live, text_to(USER)).await.expect(202).text_at("/id");
    drain(&app).await;
    let sent = meta.hand_offs()[0].json();
    assert_eq!((&sent["recipient"], &sent["to"]), (&json!(USER), &Value::Null), "{sent}");
    let seen = message(&acme.live, &id).await;
    assert_eq!((&seen["to"], &seen["country"]), (&json!(USER), &json!("GB")), "{seen}");
    let listed = acme.live.get(&format!("/v1/messages?to={USER}")).await.expect(200);
    assert_eq!(listed.json["data"].as_array().unwrap().len(), 1, "{}", listed.text);
    let refused = post(&acme.live, code_by_template(USER)).await.refused(Code::ValidationFailed);
    assert!(refused.text.contains("codes go to numbers only"), "{}", refused.text);
    let mut by_sms = text_to(USER);
    by_sms["fallback"] = json!(["sms"]);
    let refused = post(&acme.live, by_sms).await.refused(Code::ValidationFailed);
    assert!(refused.text.contains("needs an address of its own"), "{}", refused.text);
    let sms = json!({"to": USER, "kind": "transactional", "body": "Hi"});
    post(&acme.live, sms).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn who_is_known_by_two_names_has_one_session_and_one_opt_out() {
    let (app, _meta) = start().await;
    let acme = app.tenant().await;
    register(&app, &acme.org, json!({})).await.expect(201);
    let phone = number(1);
    let pair = json!([{"wa_id": phone.trim_start_matches('+'), "user_id": USER}]);
    hook(&app, &told(json!({ "contacts": pair }))).await.expect(204);
    let from = json!([{"from": phone.trim_start_matches('+'), "id": "wamid.P", "timestamp": secs_now(&app).to_string(),
        "type": "text", "text": {"body": "Hello"}}]);
    hook(&app, &told(json!({ "messages": from }))).await.expect(204);
    post(&acme.live, text_to(USER)).await.expect(202);
    hook(&app, &writes(2, "STOP", secs_now(&app))).await.expect(204);
    for name in [USER, phone.as_str()] {
        post(&acme.live, text_to(name)).await.refused(Code::RecipientOptedOut);
    }
    hook(&app, &writes(3, "START", secs_now(&app))).await.expect(204);
    for name in [USER, phone.as_str()] {
        post(&acme.live, text_to(name)).await.expect(202);
    }
}
