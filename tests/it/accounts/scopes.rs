//! Which scope each tenants' route takes: the table is what was observed, over every scope.

use postern::accounts::Scope;
use postern::error::Code;
use serde_json::{Value, json};

use super::house::House;

/// Method, path, a body that is right, and the scope that lets it in; without one any key may.
const TABLE: &[(&str, &str, &str, Option<Scope>)] = &[
    ("GET", "/v1/account", "", None),
    ("GET", "/v1/limits", "", None),
    ("GET", "/v1/senders", "", Some(Scope::MessagesRead)),
    ("POST", "/v1/messages", SEND, Some(Scope::MessagesSend)),
    ("POST", "/v1/messages/bulk", r#"{"messages":[{"to":"+15005550000","body":"hi"}]}"#, Some(Scope::MessagesSend)),
    ("GET", "/v1/messages", "", Some(Scope::MessagesRead)),
    ("GET", "/v1/messages/MSG", "", Some(Scope::MessagesRead)),
    ("GET", "/v1/messages/MSG/events", "", Some(Scope::MessagesRead)),
    ("POST", "/v1/messages/MSG/cancel", "{}", Some(Scope::MessagesSend)),
    ("POST", "/v1/messages/MSG/feedback", r#"{"outcome":"converted"}"#, Some(Scope::MessagesSend)),
    ("POST", "/v1/activations", r#"{"service":"ot"}"#, Some(Scope::ActivationsWrite)),
    ("GET", "/v1/activations", "", Some(Scope::ActivationsRead)),
    ("GET", "/v1/activations/ACT", "", Some(Scope::ActivationsRead)),
    ("POST", "/v1/activations/ACT/ready", "{}", Some(Scope::ActivationsWrite)),
    ("POST", "/v1/activations/ACT/retry", "{}", Some(Scope::ActivationsWrite)),
    ("POST", "/v1/activations/ACT/complete", "{}", Some(Scope::ActivationsWrite)),
    ("POST", "/v1/activations/ACT/cancel", "{}", Some(Scope::ActivationsWrite)),
    ("GET", "/v1/activity", "", Some(Scope::MessagesRead)),
    ("GET", "/v1/batches/BAT", "", Some(Scope::MessagesRead)),
    ("POST", "/v1/broadcasts", r#"{"body":"hi"}"#, Some(Scope::MessagesSend)),
    ("GET", "/v1/broadcasts", "", Some(Scope::MessagesRead)),
    ("GET", "/v1/broadcasts/BRD", "", Some(Scope::MessagesRead)),
    ("GET", "/v1/broadcasts/BRD/progress", "", Some(Scope::MessagesRead)),
    ("GET", "/v1/broadcasts/BRD/contacts", "", Some(Scope::MessagesRead)),
    ("POST", "/v1/broadcasts/BRD/contacts", r#"{"contacts":[{"to":"+15005550000"}]}"#, Some(Scope::MessagesSend)),
    ("POST", "/v1/broadcasts/BRD/start", "{}", Some(Scope::MessagesSend)),
    ("POST", "/v1/broadcasts/BRD/schedule", r#"{"at":"2126-12-01T08:00:00Z"}"#, Some(Scope::MessagesSend)),
    ("POST", "/v1/broadcasts/BRD/pause", "{}", Some(Scope::MessagesSend)),
    ("POST", "/v1/broadcasts/BRD/resume", "{}", Some(Scope::MessagesSend)),
    ("POST", "/v1/broadcasts/BRD/cancel", "{}", Some(Scope::MessagesSend)),
    ("GET", "/v1/sandbox/messages", "", Some(Scope::MessagesRead)),
    ("POST", "/v1/verifications", r#"{"to":"+15005550000","dry_run":true}"#, Some(Scope::VerificationsWrite)),
    ("GET", "/v1/verifications", "", Some(Scope::VerificationsRead)),
    ("GET", "/v1/verifications/summary", "", Some(Scope::VerificationsRead)),
    ("POST", "/v1/verifications/check", r#"{"to":"+15005550000","code":"123456"}"#, Some(Scope::VerificationsWrite)),
    ("GET", "/v1/verifications/VRF", "", Some(Scope::VerificationsRead)),
    ("POST", "/v1/verifications/VRF/check", r#"{"code":"123456"}"#, Some(Scope::VerificationsWrite)),
    ("POST", "/v1/verifications/VRF/resend", "{}", Some(Scope::VerificationsWrite)),
    ("POST", "/v1/verifications/VRF/next", "{}", Some(Scope::VerificationsWrite)),
    ("POST", "/v1/verifications/VRF/cancel", "{}", Some(Scope::VerificationsWrite)),
    ("GET", "/v1/fraud/lists", "", Some(Scope::FraudRead)),
    ("POST", "/v1/fraud/lists", LISTED, Some(Scope::FraudWrite)),
    ("DELETE", "/v1/fraud/lists/LST", "", Some(Scope::FraudWrite)),
    ("GET", "/v1/fraud/holds", "", Some(Scope::FraudRead)),
    ("GET", "/v1/fraud/settings", "", Some(Scope::FraudRead)),
    ("PATCH", "/v1/fraud/settings", "{}", Some(Scope::FraudWrite)),
    ("GET", "/v1/decisions", "", Some(Scope::FraudRead)),
    ("GET", "/v1/decisions/DEC", "", Some(Scope::FraudRead)),
    ("GET", "/v1/inbound", "", Some(Scope::MessagesRead)),
    ("GET", "/v1/inbound/INB", "", Some(Scope::MessagesRead)),
    ("POST", "/v1/sandbox/inbound", r#"{"from":"+447400123459","to":"1","body":"hi"}"#, Some(Scope::MessagesSend)),
    ("GET", "/v1/opt-outs", "", Some(Scope::MessagesRead)),
    ("POST", "/v1/opt-outs", r#"{"to":"+447400123459"}"#, Some(Scope::MessagesSend)),
    ("DELETE", "/v1/opt-outs/OPT", "", Some(Scope::MessagesSend)),
    ("GET", "/v1/whatsapp/numbers", "", Some(Scope::WhatsappRead)),
    ("GET", "/v1/whatsapp/sessions/+447400123456", "", Some(Scope::WhatsappRead)),
    ("POST", "/v1/templates", r#"{"name":"hello","category":"utility","body":"Hi"}"#, Some(Scope::TemplatesWrite)),
    ("GET", "/v1/templates", "", Some(Scope::TemplatesRead)),
    ("GET", "/v1/templates/TPL", "", Some(Scope::TemplatesRead)),
    ("PATCH", "/v1/templates/TPL", "{}", Some(Scope::TemplatesWrite)),
    ("DELETE", "/v1/templates/TPL", "", Some(Scope::TemplatesWrite)),
    ("POST", "/v1/templates/TPL/submit", "{}", Some(Scope::TemplatesWrite)),
    ("POST", "/v1/webhooks", r#"{"url":"https://example.com/"}"#, Some(Scope::WebhooksWrite)),
    ("GET", "/v1/webhooks", "", Some(Scope::WebhooksRead)),
    ("GET", "/v1/webhooks/WHE", "", Some(Scope::WebhooksRead)),
    ("PATCH", "/v1/webhooks/WHE", "{}", Some(Scope::WebhooksWrite)),
    ("DELETE", "/v1/webhooks/WHE", "", Some(Scope::WebhooksWrite)),
    ("POST", "/v1/webhooks/WHE/rotate", "{}", Some(Scope::WebhooksWrite)),
    ("POST", "/v1/webhooks/WHE/test", "{}", Some(Scope::WebhooksWrite)),
    ("GET", "/v1/webhooks/WHE/deliveries", "", Some(Scope::WebhooksRead)),
    ("POST", "/v1/webhooks/WHE/replay", r#"{"since":"2026-12-01T08:00:00Z"}"#, Some(Scope::WebhooksWrite)),
    ("POST", "/v1/listeners", "{}", Some(Scope::WebhooksWrite)),
    ("GET", "/v1/listeners/LSN/events", "", Some(Scope::WebhooksRead)),
    ("POST", "/v1/listeners/LSN/ack", r#"{"events":[]}"#, Some(Scope::WebhooksWrite)),
    ("DELETE", "/v1/listeners/LSN", "", Some(Scope::WebhooksWrite)),
    ("POST", "/v1/sandbox/events", r#"{"type":"message.sent"}"#, Some(Scope::WebhooksWrite)),
    ("GET", "/v1/events", "", Some(Scope::WebhooksRead)),
    ("GET", "/v1/events/EVT", "", Some(Scope::WebhooksRead)),
    ("POST", "/v1/events/EVT/replay", "{}", Some(Scope::WebhooksWrite)),
    ("GET", "/v1/wallet", "", Some(Scope::WalletRead)),
    ("GET", "/v1/wallet/transactions", "", Some(Scope::WalletRead)),
    ("GET", "/v1/wallet/transactions/TXN", "", Some(Scope::WalletRead)),
    ("GET", "/v1/wallet/settings", "", Some(Scope::WalletRead)),
    ("PUT", "/v1/wallet/settings", "{}", Some(Scope::WalletTopup)),
    ("GET", "/v1/wallet/spend", "", Some(Scope::WalletRead)),
    ("POST", "/v1/wallet/topups", r#"{"amount":"1"}"#, Some(Scope::WalletTopup)),
    ("GET", "/v1/wallet/topups", "", Some(Scope::WalletRead)),
    ("GET", "/v1/wallet/topups/TOP", "", Some(Scope::WalletRead)),
    ("GET", "/v1/invoices", "", Some(Scope::WalletRead)),
    ("GET", "/v1/invoices/INV", "", Some(Scope::WalletRead)),
    ("POST", "/simcoal/send", r#"{"to":"+15005550000","message":"hi"}"#, Some(Scope::MessagesSend)),
    ("POST", "/simcoal/send-bulk", r#"{"to":["+15005550000"],"message":"hi"}"#, Some(Scope::MessagesSend)),
];

const LISTED: &str = r#"{"action":"block","kind":"device","value":"d","reason":"r"}"#;
const SEND: &str = r#"{"to":"+15005550000","body":"hi","kind":"transactional"}"#;

/// What stands for an id in the table, by its prefix.
const IDS: &[&str] =
    &["ACT", "MSG", "BAT", "BRD", "VRF", "INB", "OPT", "LST", "DEC", "LSN", "WHE", "EVT", "TPL", "TXN", "TOP", "INV"];

/// Ids of the right form that are nobody's: whoever is let in learns only that.
fn path_of(path: &str) -> String {
    IDS.iter().fold(path.to_owned(), |path, word| {
        path.replace(word, &format!("{}_01h455vb4pex5vsknk084sn02q", word.to_lowercase()))
    })
}

#[test]
fn the_table_has_every_operation_that_takes_a_key() {
    let told = |path: &str| {
        let path = path.replace("+447400123456", "{to}");
        IDS.iter().fold(path, |path, word| path.replace(word, "{id}"))
    };
    let mut table: Vec<(String, String)> =
        TABLE.iter().map(|(method, path, ..)| ((*method).to_owned(), told(path))).collect();
    table.sort();
    assert_eq!(table, crate::tenants::operations());
}

#[actix_web::test]
async fn a_key_may_do_what_its_scopes_say_and_nothing_else() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    house.owner().put("/v1/admin/services/ot", json!({"name": "Any other"})).await.expect(200);
    for held in Scope::ALL {
        let caller = house.key(&org, json!({"mode": "test", "scopes": [held.as_str()]})).await;
        for (method, path, body, needed) in TABLE {
            let body: Option<Value> = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
            let reply = caller.call(method, &path_of(path), body).await;
            match needed {
                Some(scope) if scope != held => {
                    assert_eq!(reply.status, 403, "{held}: {method} {path}: {}", reply.text);
                    assert!(reply.text.contains(scope.as_str()), "{method} {path} does not name it: {}", reply.text);
                }
                _ => assert!(reply.status < 300 || reply.status == 404, "{held}: {method} {path}: {}", reply.text),
            }
        }
    }
}

#[actix_web::test]
async fn a_missing_scope_is_told_in_its_field() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let caller = house.key(&org, json!({"mode": "test", "scopes": ["wallet:read"]})).await;
    let reply = caller.get("/v1/messages").await.refused(Code::PermissionDenied);
    assert_eq!(reply.json["field_errors"]["required_scope"], json!(["messages:read"]));
    let every = house.key(&org, json!({"mode": "test", "scopes": ["*"]})).await;
    every.get("/v1/messages").await.expect(200);
}
