//! What Twilio's answer to a send means. Source of the codes: <https://www.twilio.com/docs/api/errors>. Pure.

use serde_json::Value;

use super::state_of;
use crate::providers::outgoing_http::{Answer, unreadable};
use crate::providers::{Outcome, Outgoing, Refusal, RefusalKind, wording};

/// Reads an answer as an outcome.
pub fn outcome_of(answer: &Answer, message: &Outgoing) -> Outcome {
    let json = answer.body.as_ref().ok().and_then(|body| serde_json::from_slice::<Value>(body).ok());
    match answer.status {
        200..=299 => accepted(answer, json.as_ref()),
        status => refused(answer, json.as_ref().and_then(|json| Fault::read(json, message)))
            .unwrap_or_else(|| unreadable("provider.bad_response", status)),
    }
}

fn accepted(answer: &Answer, json: Option<&Value>) -> Outcome {
    let sid = json.and_then(|json| json.get("sid")).and_then(Value::as_str).filter(|sid| is_sid(sid));
    match (sid, &answer.body) {
        (Some(sid), _) => {
            let status = json.and_then(|json| json.get("status")).and_then(Value::as_str);
            Outcome::Accepted { provider_id: Some(String::from(sid)), state: status.and_then(state_of) }
        }
        (None, Err(code)) => unreadable(code, answer.status),
        (None, Ok(_)) => unreadable("provider.bad_response", answer.status),
    }
}

/// `SM` or `MM` and 32 hex digits at Twilio; others of its shape make other ids, but no long ones and none to escape.
fn is_sid(sid: &str) -> bool {
    (1..=64).contains(&sid.len()) && sid.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// Twilio's error object.
struct Fault {
    code: u64,
    detail: String,
}

impl Fault {
    fn read(json: &Value, message: &Outgoing) -> Option<Fault> {
        let code = json.get("code")?;
        let code = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
        let text = json.get("message").and_then(Value::as_str).unwrap_or_default();
        Some(Fault { code, detail: format!("{code}: {}", wording::keepable(text, message)) })
    }
}

/// A refusal where the answer is one for certain; `None` where it is not.
fn refused(answer: &Answer, fault: Option<Fault>) -> Option<Outcome> {
    let code = fault.as_ref().map_or(0, |fault| fault.code);
    let (kind, word) = match (answer.status, code) {
        (429, _) | (400..=499, 20429) => (answer.wait(), "provider.throttled"),
        (400..=499, 21211 | 21614) => (RefusalKind::Final, "recipient.invalid"),
        (400..=499, 21610) => (RefusalKind::Final, "recipient.opted_out"),
        // Twilio's own guard against pumping. Another carrier would be pumped just the same.
        (400..=499, 30450) => (RefusalKind::Final, "provider.rejected"),
        (400..=499, 21408 | 21612) => (RefusalKind::Route, "provider.rejected"),
        (401 | 403, _) | (400..=499, 20003) => (RefusalKind::Route, "provider.auth"),
        // A gateway's word that the request took too long: it may have passed on what it had.
        (408, 0) => return None,
        (400..=499, _) => (RefusalKind::Route, "provider.rejected"),
        // Only with Twilio's own error object: a bare 503 may be a gateway's that gave up waiting.
        (503, 1..) => (RefusalKind::Route, "provider.unavailable"),
        _ => return None,
    };
    let detail = fault.map_or_else(|| format!("HTTP {}", answer.status), |fault| fault.detail);
    Some(Outcome::Refused(Refusal { kind, code: word, detail: cut(detail) }))
}

fn cut(text: String) -> String {
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::providers::ReceiptState;
    use crate::providers::carrier::tests::message;

    fn read(status: u16, body: &str) -> Outcome {
        let retry_after = (status == 429).then_some(Duration::from_secs(7));
        outcome_of(&Answer { status, retry_after, body: Ok(body.as_bytes().to_vec()) }, &message("+447700900123"))
    }

    fn refusal(status: u16, body: &str) -> (RefusalKind, &'static str) {
        match read(status, body) {
            Outcome::Refused(refusal) => (refusal.kind, refusal.code),
            other => panic!("{status} {body}: {other:?}"),
        }
    }

    fn code_of_unknown(status: u16, body: &str) -> &'static str {
        match read(status, body) {
            Outcome::Unknown { code, .. } => code,
            other => panic!("{status} {body}: {other:?}"),
        }
    }

    #[test]
    fn a_created_message_is_accepted_by_its_sid() {
        let body = include_str!("../../../tests/fixtures/twilio/messages_create_response_201.json");
        let sid = Some(String::from("SM00000000000000000000000000000001"));
        assert_eq!(read(201, body), Outcome::Accepted { provider_id: sid, state: None });
        let failed = body.replace("\"queued\"", "\"failed\"");
        assert!(matches!(read(201, &failed), Outcome::Accepted { state: Some(ReceiptState::Failed), .. }));
    }

    #[test]
    fn published_errors_mean_what_they_say() {
        use RefusalKind::{Final, Route, Throttled};
        let fixture = |name: &str| {
            let path = format!("{}/tests/fixtures/twilio/error_{name}.json", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(path).unwrap()
        };
        for (status, name, kind, code) in [
            (400, "21211", Final, "recipient.invalid"),
            (400, "21610", Final, "recipient.opted_out"),
            (400, "21408", Route, "provider.rejected"),
            (401, "20003", Route, "provider.auth"),
            (404, "20404", Route, "provider.rejected"),
            (429, "20429", Throttled(Duration::from_secs(7)), "provider.throttled"),
        ] {
            assert_eq!(refusal(status, &fixture(name)), (kind, code), "{name}");
        }
    }

    #[test]
    fn statuses_without_a_readable_body_are_read_as_far_as_they_are_certain() {
        use RefusalKind::{Route, Throttled};
        assert_eq!(refusal(403, "<html>"), (Route, "provider.auth"));
        assert_eq!(refusal(400, ""), (Route, "provider.rejected"));
        assert_eq!(refusal(429, ""), (Throttled(Duration::from_secs(7)), "provider.throttled"));
        assert_eq!(refusal(503, r#"{"code":20503,"message":"busy"}"#), (Route, "provider.unavailable"));
        for (status, body) in [(503, ""), (500, r#"{"code":20500}"#), (502, "<html>"), (504, ""), (408, ""), (600, "")]
        {
            assert_eq!(code_of_unknown(status, body), "provider.bad_response", "{status} {body}");
        }
    }

    #[test]
    fn a_success_that_cannot_be_read_is_unknown() {
        let long = format!(r#"{{"sid":"{}"}}"#, "S".repeat(65));
        for body in ["", "<html>ok</html>", "{", "[]", "{}", r#"{"sid":7}"#, r#"{"sid":""}"#, r#"{"sid":"a b"}"#, &long]
        {
            assert_eq!(code_of_unknown(201, body), "provider.bad_response", "{body}");
        }
    }

    #[test]
    fn the_code_in_a_providers_text_is_not_kept() {
        let text = r#"{"code":21211,"message":"bad: 'Your code is 918273' to +447700900123"}"#;
        let Outcome::Refused(refusal) = read(400, text) else { panic!("not refused") };
        assert!(refusal.detail.starts_with("21211: bad"), "{}", refusal.detail);
        assert!(!refusal.detail.contains("918273") && !refusal.detail.contains("7700"), "{}", refusal.detail);
    }
}
