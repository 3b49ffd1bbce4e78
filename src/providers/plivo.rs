//! Plivo's Message API. Source: <https://www.plivo.com/docs/messaging/api/message>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Request};
use serde_json::json;

use super::http_api::{Answered, Call, Dialect, Heard, Params, Shape, digits, find, inbound, look_up};
use super::{Hook, HookFault, HookKind, Outcome, ReceiptState, Report, form};
use crate::config::PlivoCarrier;
use crate::secret::{hmac_sha256, same};
use crate::terms::Channel;

const STATES: &[(&str, ReceiptState)] = &[
    ("sent", ReceiptState::Sent),
    ("delivered", ReceiptState::Delivered),
    ("read", ReceiptState::Delivered),
    ("undelivered", ReceiptState::Undelivered),
    ("failed", ReceiptState::Failed),
    ("rejected", ReceiptState::Failed),
];

/// The parameter of the callback's address that carries our reference: Plivo gives none back by itself.
const REFERENCE: &str = "ref";

/// An account at Plivo.
pub struct Plivo(pub PlivoCarrier);

impl Dialect for Plivo {
    const SHAPE: Shape = Shape { max_chars: 1600, by_get: false, is_meta: false };

    fn base_url(&self) -> &str {
        self.0.base_url.as_str()
    }

    fn callback(&self, address: String) -> Option<String> {
        Some(address)
    }

    fn request(&self, call: &Call<'_>) -> reqwest::Result<Request> {
        let (account, message) = (&self.0, call.message);
        let mut body = json!({
            "src": digits(message.from.as_deref().unwrap_or(&account.from)),
            "dst": digits(&message.to),
            "text": message.text.expose(),
            "type": "sms",
        });
        if let (Some(callback), Some(body)) = (call.callback, body.as_object_mut()) {
            let reference = form::encode(&[(REFERENCE, message.attempt_id.as_str())]);
            body.insert(String::from("url"), format!("{callback}?{reference}").into());
            body.insert(String::from("method"), "POST".into());
        }
        (call.client.post(format!("{}/v1/Account/{}/Message/", account.base_url, account.auth_id)))
            .basic_auth(&account.auth_id, Some(account.auth_token.expose()))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(body.to_string())
            .build()
    }

    /// Source: <https://www.plivo.com/docs/account/api/account>.
    fn probe(&self, client: &Client) -> Option<reqwest::Result<Request>> {
        let account = &self.0;
        let call = client.get(format!("{}/v1/Account/{}/", account.base_url, account.auth_id));
        Some(call.basic_auth(&account.auth_id, Some(account.auth_token.expose())).build())
    }

    fn outcome(&self, answered: &Answered<'_>) -> Outcome {
        if answered.is_success() {
            return answered.accepted(answered.word("/message_uuid/0").or_else(|| answered.word("/message_uuid")));
        }
        let words = answered.words(&["/error", "/error/error", "/message"]);
        answered.by_status(&words)
    }

    fn reports(&self, hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        // What cannot be decoded cannot be signed either: the signature is over what was decoded.
        let params = form::decode(hook.body).ok_or(HookFault::Signature)?;
        let query = form::decode(hook.query().as_bytes()).ok_or(HookFault::Signature)?;
        if !is_signed(hook, &query, &params, self.0.auth_token.expose()) {
            return Err(HookFault::Signature);
        }
        let find_in = |wanted| find(&params, wanted);
        let report = match hook.kind {
            HookKind::Status => Heard {
                // The parts of a long message share the id of the first, which is the one the answer named.
                id: find_in("ParentMessageUUID").or_else(|| find_in("MessageUUID")),
                reference: find(&query, REFERENCE),
                status: find_in("Status"),
                state: find_in("Status").and_then(|status| look_up(STATES, status)),
                error: find_in("ErrorCode").filter(|code| *code != "000"),
            }
            .report(),
            HookKind::Inbound => {
                let ends = (find_in("From"), find_in("To"));
                inbound(Channel::Sms, find_in("MessageUUID"), ends, find_in("Text").unwrap_or_default())
            }
        };
        Ok(vec![report?])
    }
}

/// `X-Plivo-Signature-V3`: HMAC-SHA-256 under the account's token of the address, its query and the form sorted, and
/// the nonce. The header may hold several, of the account and its subaccounts; the main account has one of its own.
/// Source: plivo-python 4.63, `utils/signature_v3.py`.
fn is_signed(hook: &Hook<'_>, query: &Params, params: &Params, token: &str) -> bool {
    let Some(nonce) = hook.headers.get("x-plivo-signature-v3-nonce") else { return false };
    let signed = format!("{}.{nonce}", signed_address(&hook.url, query, params));
    let right = STANDARD.encode(hmac_sha256(token.as_bytes(), signed.as_bytes()));
    let headers = ["x-plivo-signature-v3", "x-plivo-signature-ma-v3"];
    let claimed = headers.iter().filter_map(|name| hook.headers.get(*name)).flat_map(|value| value.split(','));
    claimed.fold(false, |found, claimed| found | same(claimed.trim().as_bytes(), right.as_bytes()))
}

fn signed_address(url: &str, query: &Params, params: &Params) -> String {
    let bare = url.split_once('?').map_or(url, |(bare, _)| bare);
    let sorted = |pairs: &Params, between: &str, joined: &str| {
        let mut pairs = pairs.clone();
        pairs.sort();
        let written: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}{between}{value}")).collect();
        written.join(joined)
    };
    let (query, form) = (sorted(query, "=", "&"), sorted(params, "", ""));
    match (query.is_empty(), form.is_empty()) {
        (true, true) => String::from(bare),
        (true, false) => format!("{bare}?{form}"),
        (false, true) => format!("{bare}?{query}"),
        (false, false) => format!("{bare}?{query}.{form}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_address_is_that_of_plivos_own_library() {
        let query = form::decode(b"ref=att_1&a=2").unwrap();
        let params = form::decode(b"To=1&From=2").unwrap();
        let url = "https://otp.example/hooks/plivo/status";
        assert_eq!(signed_address(url, &Vec::new(), &params), format!("{url}?From2To1"));
        let with_query = format!("{url}?ref=att_1&a=2");
        assert_eq!(signed_address(&with_query, &query, &params), format!("{url}?a=2&ref=att_1.From2To1"));
        assert_eq!(signed_address(&with_query, &query, &Vec::new()), format!("{url}?a=2&ref=att_1"));
        assert_eq!(signed_address(url, &Vec::new(), &Vec::new()), url);
    }
}
