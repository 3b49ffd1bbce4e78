//! WhatsApp through the simulated Cloud API: the whole path, Meta's errors and what is done about each, its limits, and
//! the simulator's own truth to the published forms.

mod errors;
mod pacing;
mod path;
mod stops;
mod wire;

use serde_json::{Value, json};

use crate::harness::actor::Actor;
use crate::harness::app::TestApp;
use crate::messages::accepted;

/// A code to `to`, which goes by Meta's authentication template.
pub fn code_to(to: &str) -> Value {
    json!({"to": to, "channel": "whatsapp", "template": {"name": "login", "params": {"code": "481516"}}})
}

/// Free text to `to`, who must have written before.
pub fn text_to(to: &str) -> Value {
    json!({"to": to, "channel": "whatsapp", "kind": "transactional", "body": "Doors open at 8"})
}

/// A code that may go by SMS as well.
pub fn code_or_sms_to(to: &str) -> Value {
    let mut body = code_to(to);
    body["fallback"] = json!(["sms"]);
    body
}

/// Sends a code; its id.
pub async fn send_code(caller: &Actor, to: &str) -> String {
    accepted(caller, code_to(to)).await
}

/// The only number there is, as operators see it.
async fn only_number(app: &TestApp) -> Value {
    app.operator().get("/v1/admin/whatsapp/numbers").await.expect(200).json["data"][0].clone()
}

/// An operator sets the number to this status.
async fn set_number(app: &TestApp, status: &str) {
    let path = format!("/v1/admin/whatsapp/numbers/{}", only_number(app).await["id"].as_str().unwrap());
    app.operator().patch(&path, json!({"status": status, "reason": "looked at"})).await.expect(200);
}
