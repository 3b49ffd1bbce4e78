//! Infobip's SMS API v3. Source: <https://www.infobip.com/docs/api/channels/sms>,
//! <https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes>.

use reqwest::{Client, Request};
use serde_json::{Value, json};

use super::http_api::{
    AUTH, Answered, BAD_RECIPIENT, Call, Dialect, Heard, OPTED_OUT, REJECTED, Shape, Verdict, as_json, check_token,
    digits, inbound, look_up, text_at, with_token, word_at,
};
use super::outgoing_http::Answer;
use super::probe::{Probe, by_status};
use super::{Hook, HookFault, HookKind, Outcome, ReceiptState, Report};
use crate::config::InfobipCarrier;
use crate::terms::Channel;

/// Most reports in one callback: Infobip sends up to 100 unless asked for more.
const MOST_REPORTS: usize = 1000;

/// Names of statuses of group 5, REJECTED, that say more than that.
const REJECTIONS: &[(&str, Verdict)] = &[
    ("REJECTED_DND", OPTED_OUT),
    ("REJECTED_DESTINATION", BAD_RECIPIENT),
    ("REJECTED_INVALID_DESTINATION", BAD_RECIPIENT),
    ("REJECTED_PREFIX_MISSING", BAD_RECIPIENT),
    ("MISSING_TO", BAD_RECIPIENT),
    ("REJECTED_NOT_ENOUGH_CREDITS", AUTH),
    ("REJECTED_PREPAID_PACKAGE_EXPIRED", AUTH),
    ("REJECTED_FLOODING_FILTER", Verdict::Busy),
    // The id is that of this hand-off: an earlier call has arrived.
    ("REJECTED_DUPLICATE_MESSAGE_ID", Verdict::Unclear),
    ("REJECTED_SYSTEM_ERROR", Verdict::Unclear),
];

/// Names of statuses that say that the operator has it, whatever their group: of DELIVERED_TO_OPERATOR too a handset's
/// receipt may follow. Source: <https://www.infobip.com/docs/developer-resources/api-fundamentals/message-status-codes>.
const AT_OPERATOR: [&str; 3] = ["DELIVERED_TO_OPERATOR", "PENDING_ENROUTE", "PENDING_WAITING_DELIVERY"];

/// An account at Infobip.
pub struct Infobip(pub InfobipCarrier);

impl Dialect for Infobip {
    const SHAPE: Shape = Shape { max_chars: 1600, by_get: false, is_meta: false };

    fn base_url(&self) -> &str {
        self.0.base_url.as_str()
    }

    fn callback(&self, address: String) -> Option<String> {
        self.0.callback_token.as_ref().map(|token| with_token(&address, token))
    }

    fn request(&self, call: &Call<'_>) -> reqwest::Result<Request> {
        let (account, message) = (&self.0, call.message);
        let minutes = (message.ttl_left.as_secs() / 60).clamp(1, 2880);
        let mut body = json!({
            "sender": digits(message.from.as_deref().unwrap_or(&account.from)),
            // The id is ours: a receipt that comes before the answer finds its message.
            "destinations": [{ "to": digits(&message.to), "messageId": message.attempt_id }],
            "content": { "text": message.text.expose() },
            "options": { "validityPeriod": { "amount": minutes, "timeUnit": "MINUTES" } },
        });
        if let (Some(url), Some(body)) = (call.callback, body.as_object_mut()) {
            let hooks = json!({
                "delivery": { "url": url, "intermediateReport": false },
                "contentType": "application/json",
                "callbackData": message.attempt_id,
            });
            body.insert(String::from("webhooks"), hooks);
        }
        (call.client.post(format!("{}/sms/3/messages", account.base_url)))
            .header("authorization", format!("App {}", account.api_key.expose()))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(json!({ "messages": [body] }).to_string())
            .build()
    }

    /// Source: <https://www.infobip.com/docs/api/platform/account-management/get-account-balance>. A key may lack the right to
    /// read the balance, and send all the same.
    fn probe(&self, client: &Client) -> Option<reqwest::Result<Request>> {
        let call = client.get(format!("{}/account/1/balance", self.0.base_url));
        Some(call.header("authorization", format!("App {}", self.0.api_key.expose())).build())
    }

    fn probed(&self, answer: &Answer) -> Probe {
        match answer.status {
            403 => Probe::Odd(String::from("knows the key and does not let it read the balance (HTTP 403)")),
            _ => by_status(answer),
        }
    }

    fn outcome(&self, answered: &Answered<'_>) -> Outcome {
        if !answered.is_success() {
            return answered.by_status(&answered.words(&["/description", "/requestError/serviceException/text"]));
        }
        let name = answered.words(&["/messages/0/status/name"]);
        let words = format!("{name}: {}", answered.words(&["/messages/0/status/description"]));
        match answered.word("/messages/0/status/groupId").as_deref() {
            Some("0" | "1" | "3") => answered.accepted(answered.word("/messages/0/messageId")),
            Some("5") => answered.refused(look_up(REJECTIONS, &name).unwrap_or(REJECTED), &words),
            Some("2") => answered.refused(REJECTED, &words),
            _ => answered.unclear(),
        }
    }

    fn reports(&self, hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        check_token(hook, self.0.callback_token.as_ref())?;
        let json = as_json(hook.body)?;
        let rows = json.get("results").and_then(Value::as_array).ok_or(HookFault::Malformed)?;
        if rows.len() > MOST_REPORTS {
            return Err(HookFault::Malformed);
        }
        let read = match hook.kind {
            HookKind::Status => receipt,
            HookKind::Inbound => message,
        };
        rows.iter().map(read).collect()
    }
}

fn receipt(row: &Value) -> Result<Report, HookFault> {
    let group = word_at(row, "/status/groupId");
    let name = text_at(row, "/status/name");
    let state = match group.as_deref() {
        _ if name.is_some_and(|name| AT_OPERATOR.contains(&name)) => Some(ReceiptState::Sent),
        Some("3") => Some(ReceiptState::Delivered),
        Some("2" | "4") => Some(ReceiptState::Undelivered),
        Some("5") => Some(ReceiptState::Failed),
        _ => None,
    };
    let id = word_at(row, "/messageId");
    Heard {
        id: id.as_deref(),
        reference: text_at(row, "/callbackData").or(id.as_deref()),
        status: name.or(text_at(row, "/status/groupName")).or(group.as_deref()),
        state,
        error: text_at(row, "/error/name").filter(|name| *name != "NO_ERROR"),
    }
    .report()
}

fn message(row: &Value) -> Result<Report, HookFault> {
    let (id, from, to) = (word_at(row, "/messageId"), word_at(row, "/from"), word_at(row, "/to"));
    let text = text_at(row, "/text").or(text_at(row, "/cleanText")).unwrap_or_default();
    inbound(Channel::Sms, id.as_deref(), (from.as_deref(), to.as_deref()), text)
}
