//! Bird's SMS API of 2026. Source: <https://bird.com/docs/api>, and messagebird-sdk 0.106 (PyPI).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Request;
use serde_json::json;

use super::http_api::{
    AUTH, Answered, BAD_RECIPIENT, Call, Dialect, Heard, OPTED_OUT, REJECTED, Shape, UNAVAILABLE, Verdict, as_json,
    inbound, look_up, text_at, word_at,
};
use super::{Hook, HookFault, Outcome, ReceiptState, Report};
use crate::clock::Clock;
use crate::config::BirdCarrier;
use crate::secret::{hmac_sha256, same};
use crate::terms::Channel;

/// Codes of errors that say more than their HTTP status.
const ERRORS: &[(&str, Verdict)] = &[
    ("SMSInvalidRecipient", BAD_RECIPIENT),
    ("invalid_destination", BAD_RECIPIENT),
    ("landline_unreachable", BAD_RECIPIENT),
    ("recipient_opted_out", OPTED_OUT),
    ("blocked_by_recipient", OPTED_OUT),
    // Another carrier would be pumped just the same.
    ("blocked_by_fraud_protection", Verdict::Final("provider.rejected")),
    ("content_rejected", REJECTED),
    ("sender_unregistered", REJECTED),
    ("insufficient_balance", AUTH),
    ("provider_unavailable", UNAVAILABLE),
];

const STATES: &[(&str, ReceiptState)] = &[
    ("sms.sent", ReceiptState::Sent),
    ("sms.delivered", ReceiptState::Delivered),
    ("sms.undelivered", ReceiptState::Undelivered),
    ("sms.expired", ReceiptState::Undelivered),
    ("sms.failed", ReceiptState::Failed),
    ("sms.rejected", ReceiptState::Failed),
];

/// How far a callback's time may be from ours, milliseconds: that of every library of Standard Webhooks.
const TOLERANCE_MS: u64 = 300_000;

/// A workspace at Bird.
pub struct Bird {
    /// How to reach it.
    pub account: BirdCarrier,
    /// Tells old callbacks from new ones.
    pub clock: Clock,
}

impl Dialect for Bird {
    const SHAPE: Shape = Shape { max_chars: 1600, by_get: false, is_meta: false };

    fn base_url(&self) -> &str {
        self.account.base_url.as_str()
    }

    fn request(&self, call: &Call<'_>) -> reqwest::Result<Request> {
        let (account, message) = (&self.account, call.message);
        let mut body = json!({
            "to": message.to,
            "text": message.text.expose(),
            "category": account.category.as_str(),
            "metadata": { "reference": message.attempt_id },
        });
        if let (Some(from), Some(body)) = (message.from.as_ref().or(account.from.as_ref()), body.as_object_mut()) {
            body.insert(String::from("from"), from.as_str().into());
        }
        (call.client.post(format!("{}/v1/sms/messages", account.base_url)))
            .bearer_auth(account.api_key.expose())
            .header("idempotency-key", message.attempt_id.as_str())
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(body.to_string())
            .build()
    }

    fn outcome(&self, answered: &Answered<'_>) -> Outcome {
        if answered.is_success() {
            return answered.accepted(answered.word("/id"));
        }
        let found = ["/error/name", "/error/code", "/name", "/code"].iter().find_map(|pointer| {
            let word = answered.word(pointer)?;
            Some((look_up(ERRORS, &word)?, word))
        });
        let words = answered.words(&["/error/message", "/message"]);
        match found {
            Some((verdict, word)) if answered.status() < 500 => answered.refused(verdict, &format!("{word}: {words}")),
            _ => answered.by_status(&words),
        }
    }

    fn reports(&self, hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        self.check(hook)?;
        let json = as_json(hook.body)?;
        let text = |pointer: &str| text_at(&json, pointer);
        let kind = text("/type").ok_or(HookFault::Malformed)?;
        let report = match kind {
            "sms.received" => {
                let (from, to) = (word_at(&json, "/data/from"), word_at(&json, "/data/to"));
                let ends = (from.as_deref(), to.as_deref());
                inbound(Channel::Sms, text("/data/sms_id"), ends, text("/data/text").unwrap_or_default())?
            }
            kind if kind.starts_with("sms.") && json.pointer("/data/sms_id").is_some() => Heard {
                id: text("/data/sms_id"),
                reference: text("/data/metadata/reference"),
                status: Some(kind),
                state: look_up(STATES, kind),
                error: text("/data/error/code"),
            }
            .report()?,
            kind if STATES.iter().any(|(known, _)| *known == kind) => return Err(HookFault::Malformed),
            // An event about something else, or of a kind that did not exist yet.
            _ => return Ok(Vec::new()),
        };
        Ok(vec![report])
    }
}

impl Bird {
    /// Standard Webhooks 1.0.0, scheme v1: HMAC-SHA-256 of `id.timestamp.body`; several signatures while the secret
    /// changes. Source: <https://github.com/standard-webhooks/standard-webhooks>.
    fn check(&self, hook: &Hook<'_>) -> Result<(), HookFault> {
        let secret = self.account.webhook_secret.as_ref().ok_or(HookFault::NotHere)?;
        let bare = secret.expose().strip_prefix("whsec_").unwrap_or(secret.expose());
        let key = STANDARD.decode(bare).map_err(|_| HookFault::NotHere)?;
        let header = |name: &str| hook.headers.get(name).map(String::as_str).ok_or(HookFault::Signature);
        let (id, sent, claimed) = (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
        let seconds: i64 = sent.parse().map_err(|_| HookFault::Signature)?;
        let age = self.clock.now().0.saturating_sub(seconds.saturating_mul(1000));
        let signed = [format!("{id}.{sent}.").as_bytes(), hook.body].concat();
        let right = STANDARD.encode(hmac_sha256(&key, &signed));
        let found = claimed.split(' ').filter_map(|one| one.strip_prefix("v1,"));
        let found = found.fold(false, |found, one| found | same(one.as_bytes(), right.as_bytes()));
        if found && age.unsigned_abs() <= TOLERANCE_MS { Ok(()) } else { Err(HookFault::Signature) }
    }
}
