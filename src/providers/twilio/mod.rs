//! Twilio's Messages resource, and services of the same shape.
//! Source: <https://www.twilio.com/docs/messaging/api/message-resource>.

mod reply;
mod signature;

use serde_json::Value;

use super::form;
use super::http_api::is_loopback;
use super::outgoing_http::Caller;
use super::probe::{Probe, Probing, by_status};
use super::{Carrier, CarrierLimits, Hook, HookFault, HookKind, HookReply, Inbound, Outcome, Outgoing, Receipt};
use super::{ReceiptState, Report, Sending};
use crate::config::TwilioCarrier;
use crate::terms::Channel;

/// The longest `ValidityPeriod`, seconds.
const LONGEST_VALIDITY_S: u64 = 36_000;

/// A Twilio-shaped carrier.
pub struct Twilio {
    name: String,
    channels: Vec<Channel>,
    account: TwilioCarrier,
    /// Where receipts shall go; none where Twilio could not reach it.
    callback: Option<String>,
    caller: Caller,
}

impl Twilio {
    /// A carrier called `name` that calls by `caller`. `callback` is the public address of its receipts.
    pub fn new(
        (name, channels): (String, Vec<Channel>),
        account: TwilioCarrier,
        callback: String,
        caller: Caller,
    ) -> Twilio {
        // Twilio refuses a message whose callback it cannot reach (error 21609); a fake beside us can reach it.
        let reachable = !is_loopback(&callback) || is_loopback(account.base_url.as_str());
        Twilio { name, channels, account, callback: reachable.then_some(callback), caller }
    }

    async fn hand_over(&self, message: &Outgoing) -> Outcome {
        let account = &self.account;
        let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", account.base_url, account.account_sid);
        let call = (self.caller.client().post(url))
            .basic_auth(&account.account_sid, Some(account.auth_token.expose()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(self.form(message));
        match self.caller.call(call.build()).await {
            Ok(answer) => reply::outcome_of(&answer, message),
            Err(outcome) => outcome,
        }
    }

    /// Source: <https://www.twilio.com/docs/iam/api/account#fetch-an-account-resource>.
    async fn look(&self) -> Probe {
        let account = &self.account;
        let url = format!("{}/2010-04-01/Accounts/{}.json", account.base_url, account.account_sid);
        let call = self.caller.client().get(url).basic_auth(&account.account_sid, Some(account.auth_token.expose()));
        self.caller.look(call.build(), by_status).await
    }

    fn form(&self, message: &Outgoing) -> String {
        let to = address(message.channel, &message.to);
        let validity = message.ttl_left.as_secs().clamp(1, LONGEST_VALIDITY_S).to_string();
        // The signature is over the whole address: what stands in the query can be believed.
        let callback = self.callback.as_ref().map(|address| format!("{address}?ref={}", message.attempt_id));
        let asked = message.from.as_deref().or(self.account.from.as_deref());
        let from = asked.map(|from| address(message.channel, from));
        let mut pairs = vec![("To", to.as_str())];
        match (&from, &self.account.messaging_service_sid) {
            (Some(from), _) => pairs.push(("From", from)),
            (None, Some(service)) => pairs.push(("MessagingServiceSid", service)),
            (None, None) => {}
        }
        pairs.push(("Body", message.text.expose()));
        if let Some(callback) = &callback {
            pairs.push(("StatusCallback", callback));
        }
        pairs.push(("ValidityPeriod", &validity));
        form::encode(&pairs)
    }

    /// A shared key beside the token is another key of the same account: while it is rolled out both sign.
    fn signing_keys(&self) -> Vec<&str> {
        let keys = [Some(&self.account.auth_token), self.account.shared_key.as_ref()];
        keys.into_iter().flatten().map(|key| key.expose().as_str()).collect()
    }
}

impl Carrier for Twilio {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn limits(&self) -> CarrierLimits {
        // 1600 characters: error 21617.
        CarrierLimits { max_chars: 1600, max_in_flight: 256 }
    }

    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a> {
        Box::pin(self.hand_over(message))
    }

    fn reports(&self, hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        let json = hook.headers.get("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        // What cannot be decoded cannot be signed either: the signature is over what was decoded.
        let parameters = if json { Vec::new() } else { form::decode(hook.body).ok_or(HookFault::Signature)? };
        if !signature::is_signed(hook, &parameters, &self.signing_keys()) {
            return Err(HookFault::Signature);
        }
        match (hook.kind, json) {
            (HookKind::Status, true) => {
                Ok(from_json(hook.body)?.map(|receipt| Report::Receipt(about(receipt, hook))).into_iter().collect())
            }
            (HookKind::Status, false) => Ok(vec![Report::Receipt(about(from_form(&parameters)?, hook))]),
            (HookKind::Inbound, true) => Err(HookFault::Malformed),
            (HookKind::Inbound, false) => Ok(vec![Report::Inbound(inbound(&parameters)?)]),
        }
    }

    fn probe(&self) -> Probing<'_> {
        Box::pin(self.look())
    }

    fn hook_reply(&self) -> HookReply {
        HookReply::Twiml
    }
}

/// What a status of Twilio's says; `None` for those before the carrier sent it, and for any we do not know.
fn state_of(status: &str) -> Option<ReceiptState> {
    match status {
        "sent" => Some(ReceiptState::Sent),
        "delivered" | "read" => Some(ReceiptState::Delivered),
        "undelivered" => Some(ReceiptState::Undelivered),
        "failed" | "canceled" => Some(ReceiptState::Failed),
        _ => None,
    }
}

/// The receipt with our reference, where the address that it came to has it.
fn about(receipt: Receipt, hook: &Hook<'_>) -> Receipt {
    let query = form::decode(hook.query().as_bytes()).unwrap_or_default();
    Receipt { reference: find(&query, "ref").map(String::from), ..receipt }
}

fn find<'a>(parameters: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    let found = parameters.iter().find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

fn from_form(parameters: &[(String, String)]) -> Result<Receipt, HookFault> {
    let find = |wanted| find(parameters, wanted);
    // SmsSid and SmsStatus are the older names of the same.
    let sid = find("MessageSid").or_else(|| find("SmsSid")).ok_or(HookFault::Malformed)?;
    let status = find("MessageStatus").or_else(|| find("SmsStatus")).ok_or(HookFault::Malformed)?;
    receipt(sid, status, find("ErrorCode")).ok_or(HookFault::Malformed)
}

/// Source: <https://www.twilio.com/docs/messaging/guides/webhook-request>.
fn inbound(parameters: &[(String, String)]) -> Result<Inbound, HookFault> {
    let find = |wanted| find(parameters, wanted);
    let sid = find("MessageSid").or_else(|| find("SmsSid")).filter(|sid| sid.len() <= 64);
    let (Some(sid), Some(from), Some(to)) = (sid, find("From"), find("To")) else { return Err(HookFault::Malformed) };
    let (channel, from) = match from.strip_prefix("whatsapp:") {
        Some(number) => (Channel::Whatsapp, number),
        None => (Channel::Sms, from),
    };
    Ok(Inbound {
        provider_id: String::from(sid),
        channel,
        from: String::from(from),
        to: String::from(to.strip_prefix("whatsapp:").unwrap_or(to)),
        text: String::from(find("Body").unwrap_or_default()),
        sent_at: None,
    })
}

/// A JSON callback of another kind of event is stored nowhere and answered well: it is signed, and not ours.
fn from_json(body: &[u8]) -> Result<Option<Receipt>, HookFault> {
    let json: Value = serde_json::from_slice(body).map_err(|_| HookFault::Malformed)?;
    let find = |name: &str| json.get(name).and_then(Value::as_str);
    match (find("MessageSid"), find("MessageStatus")) {
        (Some(sid), Some(status)) => receipt(sid, status, find("ErrorCode")).map(Some).ok_or(HookFault::Malformed),
        _ => Ok(None),
    }
}

/// `None` where a word is too long to be what it should.
fn receipt(sid: &str, status: &str, error_code: Option<&str>) -> Option<Receipt> {
    let short = |text: &str| text.len() <= 64;
    if !short(sid) || !short(status) {
        return None;
    }
    Some(Receipt {
        provider_id: String::from(sid),
        reference: None,
        state: state_of(status),
        status: String::from(status),
        error_code: error_code.filter(|code| short(code)).map(String::from),
        cause: None,
        forms: None,
    })
}

fn address(channel: Channel, number: &str) -> String {
    match channel {
        Channel::Whatsapp => format!("whatsapp:{number}"),
        Channel::Sms | Channel::Email => String::from(number),
    }
}
