//! Vonage's SMS API. Source: <https://developer.vonage.com/en/api/sms>,
//! <https://developer.vonage.com/api-errors/sms>.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Request};
use sha2::Sha256;

use crate::config::VonageSmsCarrier;
use crate::providers::http_api::{
    AUTH, Answered, BAD_RECIPIENT, Call, Dialect, Heard, Params, REJECTED, Shape, UNAVAILABLE, Verdict, check_token,
    digits, find, hex_bytes, inbound, json_params, look_up, with_token, word_at,
};
use crate::providers::{Hook, HookFault, HookKind, Outcome, ReceiptState, Report, form};
use crate::secret::{Secret, same};
use crate::terms::Channel;
use crate::text::{Encoding, measure};

/// The `status` of a message part that was not taken; HTTP says 200 all the same.
const STATUSES: &[(&str, Verdict)] = &[
    ("1", Verdict::Busy),
    ("2", REJECTED),
    ("3", REJECTED),
    ("4", AUTH),
    // "An error has occurred in the platform whilst processing": nothing certain.
    ("5", Verdict::Unclear),
    ("6", REJECTED),
    ("7", REJECTED),
    ("8", AUTH),
    ("9", AUTH),
    ("10", Verdict::Busy),
    ("11", AUTH),
    ("12", REJECTED),
    // "Message was not submitted because there was a communication failure."
    ("13", UNAVAILABLE),
    ("14", AUTH),
    ("15", REJECTED),
    ("16", REJECTED),
    ("19", REJECTED),
    ("20", REJECTED),
    ("22", REJECTED),
    ("23", REJECTED),
    ("29", REJECTED),
    ("32", AUTH),
    ("33", BAD_RECIPIENT),
    ("34", BAD_RECIPIENT),
];

const STATES: &[(&str, ReceiptState)] = &[
    ("accepted", ReceiptState::Sent),
    ("delivered", ReceiptState::Delivered),
    ("expired", ReceiptState::Undelivered),
    ("failed", ReceiptState::Undelivered),
    ("rejected", ReceiptState::Failed),
];

/// The life that the API takes, milliseconds: 20 s to 7 days.
const TTL_MS: std::ops::RangeInclusive<u128> = 20_000..=604_800_000;

/// An account at Vonage, by its SMS API.
pub struct VonageSms(pub VonageSmsCarrier);

impl Dialect for VonageSms {
    const SHAPE: Shape = Shape { max_chars: 3200, by_get: true, is_meta: false };

    fn base_url(&self) -> &str {
        self.0.base_url.as_str()
    }

    fn callback(&self, address: String) -> Option<String> {
        match (&self.0.callback_token, &self.0.signature_secret) {
            (Some(token), _) => Some(with_token(&address, token)),
            (None, Some(_)) => Some(address),
            (None, None) => None,
        }
    }

    fn request(&self, call: &Call<'_>) -> reqwest::Result<Request> {
        let (account, message) = (&self.0, call.message);
        let ttl = message.ttl_left.as_millis().clamp(*TTL_MS.start(), *TTL_MS.end()).to_string();
        let mut pairs = vec![
            ("api_key", account.api_key.as_str()),
            ("api_secret", account.api_secret.expose()),
            ("from", digits(message.from.as_deref().unwrap_or(&account.from))),
            ("to", digits(&message.to)),
            ("text", message.text.expose()),
            ("client-ref", message.attempt_id.as_str()),
            ("ttl", &ttl),
        ];
        if measure(message.text.expose()).encoding == Encoding::Ucs2 {
            pairs.push(("type", "unicode"));
        }
        if let Some(callback) = call.callback {
            pairs.push(("callback", callback));
        }
        (call.client.post(format!("{}/sms/json", account.base_url)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form::encode(&pairs))
            .build()
    }

    /// Source: <https://developer.vonage.com/en/account/code-snippets/account-balance>.
    fn probe(&self, client: &Client) -> Option<reqwest::Result<Request>> {
        let account = &self.0;
        let call = client.get(format!("{}/account/get-balance", account.base_url));
        Some(call.basic_auth(&account.api_key, Some(account.api_secret.expose())).build())
    }

    fn outcome(&self, answered: &Answered<'_>) -> Outcome {
        if !answered.is_success() {
            return answered.by_status(&answered.words(&["/error-code-label", "/messages/0/error-text", "/detail"]));
        }
        let parts = answered.at("/messages").and_then(|parts| parts.as_array()).map_or(&[][..], Vec::as_slice);
        let statuses: Vec<String> = parts.iter().filter_map(|part| word_at(part, "/status")).collect();
        let taken = statuses.iter().filter(|status| *status == "0").count();
        match statuses.first() {
            Some(first) if taken == 0 && statuses.len() == parts.len() => {
                let verdict = look_up(STATUSES, first).unwrap_or(Verdict::Unclear);
                let words = format!("{first}: {}", answered.words(&["/messages/0/error-text"]));
                answered.refused(verdict, &words)
            }
            Some(_) if taken == parts.len() => answered.accepted(answered.word("/messages/0/message-id")),
            // No part, or some parts on their way and some not.
            _ => answered.unclear(),
        }
    }

    fn reports(&self, hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        let params = json_params(hook);
        self.check(hook, params.as_deref().unwrap_or_default())?;
        let params = params?;
        let find = |wanted| find(&params, wanted);
        let report = match hook.kind {
            HookKind::Status => Heard {
                id: find("messageId"),
                reference: find("client-ref"),
                status: find("status"),
                state: find("status").and_then(|status| look_up(STATES, status)),
                error: find("err-code").filter(|code| *code != "0"),
            }
            .report(),
            HookKind::Inbound => {
                let (ends, text) = ((find("msisdn"), find("to")), find("text").unwrap_or_default());
                inbound(Channel::Sms, find("messageId"), ends, text)
            }
        };
        Ok(vec![report?])
    }
}

impl VonageSms {
    /// A signature that is there has to be right; where there is none the token has to be.
    fn check(&self, hook: &Hook<'_>, params: &[(String, String)]) -> Result<(), HookFault> {
        match (&self.0.signature_secret, find(params, "sig")) {
            (Some(secret), Some(sig)) if is_signed(params, sig, secret) => Ok(()),
            (Some(_), Some(_)) => Err(HookFault::Signature),
            (Some(_), None) if self.0.callback_token.is_none() => Err(HookFault::Signature),
            _ => check_token(hook, self.0.callback_token.as_ref()),
        }
    }
}

/// `sig`: HMAC-SHA-256 of `&name=value` of every other parameter by its name, `&` and `=` in values as `_`.
/// Source: <https://developer.vonage.com/en/getting-started/concepts/signing-messages>.
fn is_signed(params: &[(String, String)], sig: &str, secret: &Secret<String>) -> bool {
    let mut sorted: Params = params.iter().filter(|(name, _)| name != "sig" && name != "token").cloned().collect();
    sorted.sort();
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.expose().as_bytes()) else { return false };
    for (name, value) in sorted {
        mac.update(format!("&{name}={}", value.replace(['&', '='], "_")).as_bytes());
    }
    let right: [u8; 32] = mac.finalize().into_bytes().into();
    hex_bytes(sig).is_some_and(|claimed| same(&claimed, &right))
}
