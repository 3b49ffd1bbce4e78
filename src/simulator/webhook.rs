//! Webhooks in Meta's forms. Pure. Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components>.

use serde_json::{Map, Value, json};

use super::errors::Fault;
use super::send::Asked;
use super::settings::Settings;
use super::world::User;
use crate::clock::Millis;
use crate::secret::{hex, sha256};

/// From this version on statuses say nothing of conversations.
const WITHOUT_CONVERSATIONS: u32 = 24;

/// A status that is told.
pub struct About<'a> {
    /// The message's id.
    pub id: &'a str,
    /// The recipient's digits.
    pub to: &'a str,
    /// The recipient.
    pub user: &'a User,
    /// `sent`, `delivered`, `read` or `failed`.
    pub status: &'a str,
    /// When.
    pub at: Millis,
    /// Why it failed.
    pub fault: Option<&'a Fault>,
}

/// A message of a user's.
pub struct Written<'a> {
    /// The message's id.
    pub id: &'a str,
    /// The user's digits.
    pub from: &'a str,
    /// The user.
    pub user: &'a User,
    /// What it says.
    pub text: &'a str,
    /// The payload of the button that was pressed, if one was.
    pub button: Option<&'a str>,
    /// When.
    pub at: Millis,
}

/// The body of a call: the envelope around `entries`.
pub fn envelope(entries: &[Value]) -> Value {
    json!({"object": "whatsapp_business_account", "entry": entries})
}

/// An entry about the account as such, with the moment that Meta writes there.
pub fn account(settings: &Settings, field: &str, value: Value, at: Millis) -> Value {
    json!({"id": settings.waba_id, "time": at.0 / 1_000, "changes": [{"value": value, "field": field}]})
}

/// A status of a message.
pub fn status(settings: &Settings, about: &About<'_>, asked: &Asked) -> Value {
    let mut status = json!({"id": about.id, "status": about.status, "timestamp": seconds(about.at)});
    if let Some(status) = status.as_object_mut() {
        if !about.user.is_hidden {
            status.insert(String::from("recipient_id"), about.to.into());
        }
        if let Some(reference) = &asked.reference {
            status.insert(String::from("biz_opaque_callback_data"), reference.as_str().into());
        }
        match about.fault {
            Some(fault) => {
                status.insert(String::from("errors"), json!([fault.told()]));
            }
            None => price(status, about, asked),
        }
    }
    let mut value = metadata(settings);
    value.insert(String::from("contacts"), json!([contact(about.to, about.user)]));
    value.insert(String::from("statuses"), json!([status]));
    messages(settings, value)
}

/// What a status says of its price: in `sent` and in one of the two that follow it.
fn price(status: &mut Map<String, Value>, about: &About<'_>, asked: &Asked) {
    if about.status == "read" {
        return;
    }
    let category = asked.template.as_ref().map_or_else(|| String::from("service"), |(_, own)| own.to_lowercase());
    let kind = if asked.template.is_some() { "regular" } else { "free_customer_service" };
    let pricing =
        json!({"billable": asked.template.is_some(), "pricing_model": "PMP", "type": kind, "category": category});
    status.insert(String::from("pricing"), pricing);
    if asked.version < WITHOUT_CONVERSATIONS && about.status == "sent" {
        let id = hex(&sha256(asked.to.as_bytes())).get(..32).unwrap_or_default().to_owned();
        let ends = seconds(Millis(about.at.0 + 86_400_000));
        let conversation = json!({"id": id, "expiration_timestamp": ends, "origin": {"type": category}});
        status.insert(String::from("conversation"), conversation);
    }
}

/// A message that a user wrote.
pub fn inbound(settings: &Settings, written: &Written<'_>) -> Value {
    let mut message = json!({"id": written.id, "timestamp": seconds(written.at)});
    if let Some(message) = message.as_object_mut() {
        let (name, from) = match written.user.is_hidden {
            true => ("from_user_id", written.user.user_id.as_str()),
            false => ("from", written.from),
        };
        message.insert(String::from(name), from.into());
        let (kind, content) = match written.button {
            Some(payload) => ("button", json!({"payload": payload, "text": written.text})),
            None => ("text", json!({"body": written.text})),
        };
        message.insert(String::from("type"), kind.into());
        message.insert(String::from(kind), content);
    }
    let mut value = metadata(settings);
    value.insert(String::from("contacts"), json!([contact(written.from, written.user)]));
    value.insert(String::from("messages"), json!([message]));
    messages(settings, value)
}

/// An error of the number as such.
pub fn trouble(settings: &Settings, fault: &Fault) -> Value {
    let mut value = metadata(settings);
    value.insert(String::from("errors"), json!([fault.told()]));
    messages(settings, value)
}

fn metadata(settings: &Settings) -> Map<String, Value> {
    let about = json!({
        "display_phone_number": settings.display_phone_number,
        "phone_number_id": settings.phone_number_id,
    });
    Map::from_iter([(String::from("messaging_product"), "whatsapp".into()), (String::from("metadata"), about)])
}

fn contact(digits: &str, user: &User) -> Value {
    match user.is_hidden {
        true => json!({"profile": {"username": "test.user"}, "user_id": user.user_id}),
        false => json!({"profile": {"name": "Test User"}, "wa_id": digits, "user_id": user.user_id}),
    }
}

fn messages(settings: &Settings, value: Map<String, Value>) -> Value {
    json!({"id": settings.waba_id, "changes": [{"value": value, "field": "messages"}]})
}

fn seconds(at: Millis) -> String {
    (at.0 / 1_000).to_string()
}
