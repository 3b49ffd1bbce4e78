//! Vonage's Messages API, SMS and WhatsApp. Source: <https://developer.vonage.com/en/api/messages-olympus>.
//!
//! Calls by Basic authentication, which the API takes beside its RS256 tokens; those would need another crate.

use reqwest::Request;
use serde_json::{Value, json};

use crate::config::VonageCarrier;
use crate::providers::http_api::{
    AUTH, Answered, BAD_RECIPIENT, Call, Dialect, Heard, OPTED_OUT, Shape, UNAVAILABLE, Verdict, as_json, bearer,
    claims_of_hs256, digits, hex_bytes, inbound, look_up, text_at, word_at,
};
use crate::providers::{Hook, HookFault, HookKind, Outcome, ReceiptState, Report};
use crate::secret::{Secret, same, sha256};
use crate::terms::Channel;

/// Codes of refusals that say more than their HTTP status.
/// Source: <https://developer.vonage.com/api-errors/messages>.
const ERRORS: &[(&str, Verdict)] = &[
    ("1000", Verdict::Busy),
    // "An error processing your request in the Platform": nothing certain.
    ("1030", Verdict::Unclear),
    ("1060", AUTH),
    ("1070", AUTH),
    ("1080", AUTH),
    // "Message was not submitted because there was a communication failure."
    ("1100", UNAVAILABLE),
    ("1170", BAD_RECIPIENT),
    ("1190", BAD_RECIPIENT),
    // "The user has already sent a STOP opt-out message."
    ("1240", OPTED_OUT),
    ("1300", BAD_RECIPIENT),
    ("1310", BAD_RECIPIENT),
    // "The message was already sent."
    ("1320", Verdict::Unclear),
    ("1331", UNAVAILABLE),
    ("1340", Verdict::Final("whatsapp.session_closed")),
    ("1430", BAD_RECIPIENT),
    // Fraud Defender: prefix, burst and pumping. Another carrier would be pumped just the same.
    ("1470", Verdict::Final("provider.rejected")),
    ("1472", Verdict::Final("provider.rejected")),
    ("1473", Verdict::Final("provider.rejected")),
];

const STATES: &[(&str, ReceiptState)] = &[
    ("submitted", ReceiptState::Sent),
    ("delivered", ReceiptState::Delivered),
    ("read", ReceiptState::Delivered),
    ("undeliverable", ReceiptState::Undelivered),
    ("rejected", ReceiptState::Failed),
];

/// An account at Vonage, by its Messages API.
pub struct VonageMessages(pub VonageCarrier);

impl Dialect for VonageMessages {
    const SHAPE: Shape = Shape { max_chars: 1000, by_get: false, is_meta: false };

    fn base_url(&self) -> &str {
        self.0.base_url.as_str()
    }

    fn callback(&self, address: String) -> Option<String> {
        self.0.signature_secret.is_some().then_some(address)
    }

    fn request(&self, call: &Call<'_>) -> reqwest::Result<Request> {
        let (account, message) = (&self.0, call.message);
        let channel = match message.channel {
            Channel::Whatsapp => "whatsapp",
            Channel::Sms | Channel::Email => "sms",
        };
        let mut body = json!({
            "message_type": "text",
            "channel": channel,
            "to": digits(&message.to),
            "from": digits(message.from.as_deref().unwrap_or(&account.from)),
            "text": message.text.expose(),
            "client_ref": message.attempt_id,
        });
        if let (Some(callback), Some(body)) = (call.callback, body.as_object_mut()) {
            body.insert(String::from("webhook_url"), Value::from(callback));
        }
        (call.client.post(format!("{}/v1/messages", account.base_url)))
            .basic_auth(&account.api_key, Some(account.api_secret.expose()))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(body.to_string())
            .build()
    }

    fn outcome(&self, answered: &Answered<'_>) -> Outcome {
        if answered.is_success() {
            return answered.accepted(answered.word("/message_uuid"));
        }
        let kind = answered.words(&["/type"]);
        let code = last_part(&kind);
        let words = answered.words(&["/detail", "/title"]);
        match look_up(ERRORS, code) {
            Some(verdict) => answered.refused(verdict, &format!("{code}: {words}")),
            None => answered.by_status(&words),
        }
    }

    fn reports(&self, hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        let secret = self.0.signature_secret.as_ref().ok_or(HookFault::NotHere)?;
        if !is_signed(hook, secret) {
            return Err(HookFault::Signature);
        }
        let json = as_json(hook.body)?;
        let text = |pointer: &str| text_at(&json, pointer);
        let report = match hook.kind {
            HookKind::Status => {
                // The title is the code, as a number or a text; the type's address ends in it too.
                let title = word_at(&json, "/error/title").filter(|word| word.parse::<u32>().is_ok());
                let error = title.as_deref().or_else(|| text("/error/type").map(last_part));
                Heard {
                    id: text("/message_uuid"),
                    reference: text("/client_ref"),
                    status: text("/status"),
                    state: text("/status").and_then(|status| look_up(STATES, status)),
                    error,
                }
                .report()
            }
            HookKind::Inbound => {
                let channel = text("/channel").and_then(|word| word.parse().ok()).unwrap_or(Channel::Sms);
                let (from, to) = (word_at(&json, "/from"), word_at(&json, "/to"));
                let ends = (from.as_deref(), to.as_deref());
                inbound(channel, text("/message_uuid"), ends, text("/text").unwrap_or_default())
            }
        };
        Ok(vec![report?])
    }
}

/// What an address of an error ends in: its code.
fn last_part(address: &str) -> &str {
    address.rsplit(['/', '#']).next().unwrap_or_default()
}

/// `Authorization: Bearer` with an HS256 token that carries the hash of the body. It says when it was made, not how
/// long it holds; an old one can only repeat what it said.
/// Source: <https://developer.vonage.com/en/getting-started/concepts/webhooks#validating-signed-webhooks>.
fn is_signed(hook: &Hook<'_>, secret: &Secret<String>) -> bool {
    let claims = bearer(hook).and_then(|token| claims_of_hs256(token, secret.expose().as_bytes()));
    let hash = claims.and_then(|claims| hex_bytes(text_at(&claims, "/payload_hash")?));
    hash.is_some_and(|hash| same(&hash, &sha256(hook.body)))
}
