//! Any HTTP API: the request is a template of the configuration, replies and receipts are read by JSON pointers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::http_api::hex_bytes;
use super::outgoing_http::{Answer, Caller, unreadable};
use super::probe::Probing;
use super::{Carrier, CarrierLimits, Hook, HookFault, HookKind, Outcome, Outgoing, Receipt, ReceiptState, Refusal};
use super::{RefusalKind, Report, Sending, wording};
use crate::config::{Fill, HttpCarrier, HttpKeys, ReceiptStatus, SignatureForm};
use crate::secret::{hmac_sha256, same};
use crate::terms::Channel;

/// Longest id or status of a carrier's, characters.
const LONGEST_WORD: usize = 128;

/// Most receipts in one callback.
const MOST_RECEIPTS: usize = 1000;

/// A carrier that configuration describes.
pub struct GenericHttp {
    name: String,
    channels: Vec<Channel>,
    keys: HttpCarrier,
    caller: Caller,
}

impl GenericHttp {
    /// A carrier called `name` that calls by `caller`.
    pub fn new(name: String, channels: Vec<Channel>, keys: HttpCarrier, caller: Caller) -> GenericHttp {
        GenericHttp { name, channels, keys, caller }
    }

    async fn hand_over(&self, message: &Outgoing) -> Outcome {
        match self.caller.call(self.request(message)).await {
            Ok(answer) => outcome_of(&self.keys.call, &answer, message),
            Err(outcome) => outcome,
        }
    }

    fn request(&self, message: &Outgoing) -> reqwest::Result<reqwest::Request> {
        let keys = &self.keys.call;
        let fill = Fill {
            to: &message.to,
            from: message.from.as_deref().or(keys.from.as_deref()).unwrap_or_default(),
            text: message.text.expose(),
            id: message.attempt_id.as_str(),
        };
        let method = match keys.method {
            crate::config::Method::Post => reqwest::Method::POST,
            crate::config::Method::Put => reqwest::Method::PUT,
            crate::config::Method::Get => reqwest::Method::GET,
        };
        let mut call = self.caller.client().request(method, keys.render_url(&fill));
        if let Some(body) = keys.render_body(&fill) {
            call = call.header("content-type", keys.content.content_type()).body(body);
        }
        for (name, value) in &keys.headers {
            call = call.header(name, value.expose());
        }
        call.build()
    }
}

impl Carrier for GenericHttp {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn limits(&self) -> CarrierLimits {
        CarrierLimits { max_chars: 1600, max_in_flight: 256 }
    }

    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a> {
        Box::pin(self.hand_over(message))
    }

    fn probe(&self) -> Probing<'_> {
        let url = self.keys.call.render_url(&Fill { to: "", from: "", text: "", id: "" });
        Box::pin(async move { self.caller.reach(&url, "its credentials show at the first message only").await })
    }

    fn reports(&self, hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        if hook.kind == HookKind::Inbound {
            return Err(HookFault::NotHere);
        }
        let keys = self.keys.receipt.as_ref().ok_or(HookFault::NotHere)?;
        if !is_signed(keys, hook) {
            return Err(HookFault::Signature);
        }
        let json: Value = serde_json::from_slice(hook.body).map_err(|_| HookFault::Malformed)?;
        let rows = match &json {
            Value::Array(rows) => rows.as_slice(),
            one => std::slice::from_ref(one),
        };
        if rows.len() > MOST_RECEIPTS {
            return Err(HookFault::Malformed);
        }
        rows.iter().map(|row| receipt(keys, row).map(Report::Receipt).ok_or(HookFault::Malformed)).collect()
    }
}

/// Reads an answer by the statuses that configuration lists; what is in no list is unknown, never sent again.
fn outcome_of(keys: &HttpKeys, answer: &Answer, message: &Outgoing) -> Outcome {
    let status = answer.status;
    if keys.success_statuses.contains(&status) {
        return accepted(keys, answer);
    }
    let (kind, code) = match status {
        _ if keys.busy_statuses.contains(&status) => (answer.wait(), "provider.throttled"),
        _ if !keys.refused_statuses.contains(&status) => return unreadable("provider.bad_response", status),
        401 | 403 | 407 => (RefusalKind::Route, "provider.auth"),
        _ => (RefusalKind::Route, "provider.rejected"),
    };
    let text = String::from_utf8_lossy(answer.body.as_deref().unwrap_or_default());
    let detail = format!("HTTP {status} {}", wording::keepable(&text, message));
    Outcome::Refused(Refusal { kind, code, detail: detail.chars().take(300).collect() })
}

fn accepted(keys: &HttpKeys, answer: &Answer) -> Outcome {
    let Some(pointer) = &keys.id_pointer else {
        return Outcome::Accepted { provider_id: None, state: None };
    };
    let body = match &answer.body {
        Ok(body) => body,
        Err(code) => return unreadable(code, answer.status),
    };
    let json: Option<Value> = serde_json::from_slice(body).ok();
    match json.as_ref().and_then(|json| word_at(json, pointer)) {
        Some(id) => Outcome::Accepted { provider_id: Some(id), state: None },
        None => unreadable("provider.bad_response", answer.status),
    }
}

/// HMAC-SHA-256 of the raw body, compared as bytes: how a digit is written does not matter.
fn is_signed(keys: &crate::config::Receipt, hook: &Hook<'_>) -> bool {
    let Some(claimed) = hook.headers.get(&keys.signature_header.to_ascii_lowercase()) else { return false };
    let Some(bare) = claimed.trim().strip_prefix(keys.signature_prefix.as_deref().unwrap_or_default()) else {
        return false;
    };
    let claimed = match keys.signature_form {
        SignatureForm::Hex => hex_bytes(bare),
        SignatureForm::Base64 => STANDARD.decode(bare).ok(),
    };
    let expected = hmac_sha256(keys.secret.expose().as_bytes(), hook.body);
    claimed.is_some_and(|claimed| same(&claimed, &expected))
}

fn receipt(keys: &crate::config::Receipt, json: &Value) -> Option<Receipt> {
    let provider_id = word_at(json, &keys.id_pointer)?;
    let status = word_at(json, &keys.status_pointer)?;
    let state = keys.status_map.get(&status).map(|word| match word {
        ReceiptStatus::Sent => ReceiptState::Sent,
        ReceiptStatus::Delivered => ReceiptState::Delivered,
        ReceiptStatus::Undelivered => ReceiptState::Undelivered,
        ReceiptStatus::Failed => ReceiptState::Failed,
    });
    Some(Receipt { provider_id, reference: None, state, status, error_code: None, cause: None, forms: None })
}

/// A text or a whole number at `pointer`; carriers write ids as either.
fn word_at(json: &Value, pointer: &str) -> Option<String> {
    let word = match json.pointer(pointer)? {
        Value::String(text) => text.clone(),
        Value::Number(number) if !number.is_f64() => number.to_string(),
        _ => return None,
    };
    let fits = !word.is_empty() && word.chars().count() <= LONGEST_WORD && !word.chars().any(char::is_control);
    fits.then_some(word)
}

#[cfg(test)]
mod tests;
