//! Kannel's `sendsms`. Source: <https://www.kannel.org/download/1.4.5/userguide-1.4.5/userguide.html>, "Sending SMS
//! through the HTTP interface", "Delivery reports". Kannel gives no id: ours is the id.

use reqwest::Request;

use super::http_api::{
    AUTH, Answered, Call, Dialect, Heard, REJECTED, Shape, UNAVAILABLE, check_token, find, inbound, with_token,
};
use super::{Hook, HookFault, HookKind, Outcome, ReceiptState, Report, form};
use crate::config::KannelCarrier;
use crate::terms::Channel;
use crate::text::{Encoding, measure};

/// Reports of every kind: delivered 1, not delivered 2, queued at the centre 4, taken by it 8, refused by it 16.
const EVERY_REPORT: &str = "31";

/// How answers begin that say that Kannel has it; the last where it answers before its bearerbox does.
/// Source: `gw/smsbox.c`.
const ACCEPTED: [&str; 3] = ["0:", "3:", "Sent."];

/// A Kannel smsbox.
pub struct Kannel(pub KannelCarrier);

impl Dialect for Kannel {
    const SHAPE: Shape = Shape { max_chars: 1600, by_get: true, is_meta: false };

    fn base_url(&self) -> &str {
        self.0.base_url.as_str()
    }

    fn callback(&self, address: String) -> Option<String> {
        self.0.callback_token.as_ref().map(|token| with_token(&address, token))
    }

    fn request(&self, call: &Call<'_>) -> reqwest::Result<Request> {
        let (account, message) = (&self.0, call.message);
        let coding = match measure(message.text.expose()).encoding {
            Encoding::Gsm7 => "0",
            Encoding::Ucs2 => "2",
        };
        let minutes = (message.ttl_left.as_secs() / 60).max(1).to_string();
        // Kannel fills in %d, the kind of the report.
        let report = call.callback.map(|url| format!("{url}&ref={}&type=%d", message.attempt_id));
        let mut pairs = vec![
            ("username", account.username.as_str()),
            ("password", account.password.expose()),
            ("to", &message.to),
            ("text", message.text.expose()),
            ("charset", "UTF-8"),
            ("coding", coding),
            ("validity", &minutes),
        ];
        pairs.extend(message.from.as_deref().or(account.from.as_deref()).map(|from| ("from", from)));
        pairs.extend(account.smsc.as_deref().map(|smsc| ("smsc", smsc)));
        if let Some(report) = &report {
            pairs.extend([("dlr-mask", EVERY_REPORT), ("dlr-url", report)]);
        }
        call.client.get(format!("{}/cgi-bin/sendsms?{}", account.base_url, form::encode(&pairs))).build()
    }

    fn outcome(&self, answered: &Answered<'_>) -> Outcome {
        let text = answered.text();
        let words = text.trim();
        match (answered.status(), words) {
            (200..=299, words) if ACCEPTED.iter().any(|start| words.starts_with(start)) => {
                answered.accepted(Some(String::from(answered.reference())))
            }
            // In old versions with a success.
            (_, words) if words.starts_with("Authorization failed") => answered.refused(AUTH, words),
            (_, words) if words.ends_with(", rejected") => answered.refused(REJECTED, words),
            // 403, and of this message only.
            (400..=499, words) if words.starts_with("Not routable") => answered.refused(REJECTED, words),
            (503, words) if words.starts_with("Temporal failure") => answered.refused(UNAVAILABLE, words),
            (400..=499, words) => answered.by_status(words),
            _ => answered.unclear(),
        }
    }

    fn reports(&self, hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        check_token(hook, self.0.callback_token.as_ref())?;
        let query = form::decode(hook.query().as_bytes()).ok_or(HookFault::Malformed)?;
        let find = |wanted| find(&query, wanted);
        let report = match hook.kind {
            HookKind::Status => Heard {
                id: find("ref"),
                reference: find("ref"),
                status: find("type"),
                state: find("type").and_then(state_of),
                error: None,
            }
            .report(),
            HookKind::Inbound => {
                inbound(Channel::Sms, find("id"), (find("from"), find("to")), find("text").unwrap_or_default())
            }
        };
        Ok(vec![report?])
    }
}

fn state_of(kind: &str) -> Option<ReceiptState> {
    match kind {
        "1" => Some(ReceiptState::Delivered),
        // 34: expired, in newer versions.
        "2" | "34" => Some(ReceiptState::Undelivered),
        "8" => Some(ReceiptState::Sent),
        "16" => Some(ReceiptState::Failed),
        _ => None,
    }
}
