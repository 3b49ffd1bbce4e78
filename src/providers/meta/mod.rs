//! Meta's WhatsApp Cloud API. Source: <https://developers.facebook.com/docs/whatsapp/cloud-api>.

mod errors;
mod numbers;
mod templates;
mod webhook;

use reqwest::{Client, Request};
use serde_json::{Value, json};

use super::http_api::{Answered, Call, Dialect, Shape, digits, find, hex_bytes};
use super::outgoing_http::Answer;
use super::probe::{Probe, by_status};
use super::{Hook, HookFault, Outcome, Outgoing, Report, Reviewed, TemplateForm};
use crate::config::MetaCarrier;
use crate::secret::{hmac_sha256, same};

/// Longest challenge that is given back.
const LONGEST_CHALLENGE: usize = 256;

/// A number on WhatsApp.
pub struct Meta(pub MetaCarrier);

impl Dialect for Meta {
    const SHAPE: Shape = Shape { max_chars: 4096, by_get: false, is_meta: true };

    fn base_url(&self) -> &str {
        self.0.base_url.as_str()
    }

    fn request(&self, call: &Call<'_>) -> reqwest::Result<Request> {
        let account = &self.0;
        let url = format!("{}/{}/{}/messages", account.base_url, account.api_version, account.phone_number_id);
        (call.client.post(url))
            .bearer_auth(account.access_token.expose())
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(self.body(call.message).to_string())
            .build()
    }

    fn outcome(&self, answered: &Answered<'_>) -> Outcome {
        if answered.is_success() {
            // Accepted, held for assessment or paused: only the webhook tells more.
            return answered.accepted(answered.word("/messages/0/id"));
        }
        let code = answered.at("/error/code").and_then(Value::as_i64);
        let words = answered.words(&["/error/error_data/details", "/error/message"]);
        match code.and_then(|code| Some((code, errors::verdict_of(code)?))) {
            Some((code, verdict)) => answered.refused(verdict, &format!("{code}: {words}")),
            None => answered.by_status(&words),
        }
    }

    fn reports(&self, hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        if !is_signed(hook, self.0.app_secret.expose().as_bytes()) {
            return Err(HookFault::Signature);
        }
        webhook::read(hook.body, &self.0.phone_number_id, self.0.waba_id.as_deref())
    }

    fn phone_number_id(&self) -> Option<&str> {
        Some(&self.0.phone_number_id)
    }

    fn handshake(&self, query: &[(String, String)]) -> Option<String> {
        let token = find(query, "hub.verify_token")?;
        let known = same(token.as_bytes(), self.0.verify_token.expose().as_bytes());
        let challenge = find(query, "hub.challenge").filter(|text| text.len() <= LONGEST_CHALLENGE)?;
        (known && find(query, "hub.mode") == Some("subscribe")).then(|| String::from(challenge))
    }

    fn template_account(&self) -> Option<&str> {
        self.0.waba_id.as_deref()
    }

    fn template_request(&self, client: &Client, form: &TemplateForm) -> Option<reqwest::Result<Request>> {
        templates::submission(client, &self.0, form)
    }

    fn reviewed(&self, answer: &Answer) -> Reviewed {
        templates::reviewed(answer)
    }

    fn takes_plain_codes(&self) -> bool {
        self.0.otp_template.is_some()
    }

    /// Source: <https://developers.facebook.com/docs/whatsapp/business-management-api/manage-phone-numbers>.
    fn probe(&self, client: &Client) -> Option<reqwest::Result<Request>> {
        let account = &self.0;
        let url = format!("{}/{}/{}?fields=id", account.base_url, account.api_version, account.phone_number_id);
        Some(client.get(url).bearer_auth(account.access_token.expose()).build())
    }

    fn probed(&self, answer: &Answer) -> Probe {
        let body: Value =
            answer.body.as_deref().ok().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        match (answer.status, body.pointer("/error/code").and_then(Value::as_i64)) {
            // 190: the token; 100 and 33: no such number, or none of the token's.
            (status, Some(code @ (190 | 100 | 33))) => {
                let found = format!("does not let us in to that number (HTTP {status}, error {code})");
                Probe::Failed(found, "check access_token and phone_number_id in postern.toml")
            }
            _ => by_status(answer),
        }
    }
}

impl Meta {
    /// The organization's template where the message has one; a code else goes by the operator's own authentication
    /// template, where one is configured. Anything else is plain text, which reaches who wrote to us in the last 24 hours.
    fn body(&self, message: &Outgoing) -> Value {
        let mut body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            // Meta takes no idempotency key; this comes back with every status.
            "biz_opaque_callback_data": message.attempt_id,
        });
        let content = match (&message.template, &self.0.otp_template, &message.code) {
            (Some(call), ..) => Some(template(&call.name, &call.locale, &call.body, call.button.as_deref())),
            (None, Some(name), Some(code)) => {
                let code = code.expose();
                Some(template(name, &self.0.otp_language, std::slice::from_ref(code), Some(code)))
            }
            _ => None,
        };
        let (kind, content) = match content {
            Some(content) => ("template", content),
            None => ("text", json!({ "preview_url": false, "body": message.text.expose() })),
        };
        // Who hides the number behind a user name has an id of the business's own instead.
        let named = if message.to.starts_with('+') { "to" } else { "recipient" };
        if let Some(body) = body.as_object_mut() {
            body.insert(String::from(named), digits(&message.to).into());
            body.insert(String::from("type"), kind.into());
            body.insert(String::from(kind), content);
        }
        body
    }
}

/// A template by name. Of one that carries a code the code stands in it twice: in Meta's text, and on the button.
fn template(name: &str, locale: &str, body: &[String], button: Option<&str>) -> Value {
    let filled =
        |texts: &[&str]| -> Vec<Value> { texts.iter().map(|text| json!({ "type": "text", "text": text })).collect() };
    let mut components = Vec::new();
    if !body.is_empty() {
        let texts: Vec<&str> = body.iter().map(String::as_str).collect();
        components.push(json!({ "type": "body", "parameters": filled(&texts) }));
    }
    if let Some(code) = button {
        components.push(json!({ "type": "button", "sub_type": "url", "index": "0", "parameters": filled(&[code]) }));
    }
    json!({ "name": name, "language": { "code": templates::language(locale) }, "components": components })
}

/// `X-Hub-Signature-256: sha256=` and the HMAC-SHA-256 of the raw body under the app's secret.
fn is_signed(hook: &Hook<'_>, secret: &[u8]) -> bool {
    let claimed = hook.headers.get("x-hub-signature-256").and_then(|value| hex_bytes(value.strip_prefix("sha256=")?));
    claimed.is_some_and(|claimed| same(&claimed, &hmac_sha256(secret, hook.body)))
}
