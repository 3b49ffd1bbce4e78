//! A generic carrier's answers and callbacks, read as the configuration says.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::config::{CarrierKind, Config, Source};
use crate::providers::carrier::tests::message;
use crate::providers::outgoing_http::Caller;

const FILE: &str = r#"
[[carriers]]
name = "acme"
kind = "http"
url = "https://sms.acme.example/v2/send?to={to}"
headers = { Authorization = "Bearer k" }
body = '{"to":"{to}","from":"{from}","text":"{text}","ref":"{id}"}'
from = "ACME"
id_pointer = "/messages/0/id"

[carriers.receipt]
secret = "0123456789abcdef"
signature_header = "X-Acme-Signature"
signature_form = "hex"
signature_prefix = "sha256="
status_map = { DELIVRD = "delivered", UNDELIV = "undelivered", "5" = "failed" }
"#;

fn keys(text: &str) -> HttpCarrier {
    let source = Source { name: String::from("postern.toml"), text: String::from(text), ..Source::default() };
    let config = Config::load(source).unwrap();
    match &config.carrier("acme").unwrap().kind {
        CarrierKind::Http(keys) => keys.clone(),
        _ => panic!("another kind"),
    }
}

fn carrier(text: &str) -> GenericHttp {
    let caller = Caller::new(&Config::for_tests().outbound).unwrap();
    GenericHttp::new(String::from("acme"), vec![Channel::Sms], keys(text), caller)
}

fn read(status: u16, body: &str) -> Outcome {
    let answer = Answer { status, retry_after: None, body: Ok(body.as_bytes().to_vec()) };
    outcome_of(&keys(FILE).call, &answer, &message("+447700900123"))
}

fn signed(body: &str) -> BTreeMap<String, String> {
    let mac = hmac_sha256(b"0123456789abcdef", body.as_bytes());
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    BTreeMap::from([(String::from("x-acme-signature"), format!("sha256={hex}"))])
}

fn received(headers: BTreeMap<String, String>, body: &str) -> Result<Vec<Receipt>, HookFault> {
    let url = String::from("https://p.example/hooks/acme/status");
    let hook = Hook { kind: HookKind::Status, url, headers, body: body.as_bytes() };
    let reports = carrier(FILE).reports(&hook)?;
    Ok(reports
        .into_iter()
        .filter_map(|report| match report {
            Report::Receipt(receipt) => Some(receipt),
            Report::Inbound(_) | Report::Number(_) | Report::Template(_) | Report::Trouble(_) => None,
        })
        .collect())
}

#[test]
fn a_request_is_the_filled_template() {
    let mut outgoing = message("+447700900123");
    outgoing.text = crate::secret::Secret::new(String::from("a \"b\"\n{id}"));
    let request = carrier(FILE).request(&outgoing).unwrap();
    assert_eq!(request.url().as_str(), "https://sms.acme.example/v2/send?to=%2B447700900123");
    assert_eq!(request.headers()["authorization"], "Bearer k");
    assert_eq!(request.headers()["content-type"], "application/json");
    let body: Value = serde_json::from_slice(request.body().unwrap().as_bytes().unwrap()).unwrap();
    let expected = serde_json::json!({
        "to": "+447700900123", "from": "ACME", "text": "a \"b\"\n{id}", "ref": outgoing.attempt_id,
    });
    assert_eq!(body, expected);
}

#[test]
fn an_accepted_message_has_the_id_at_its_pointer_as_text_or_number() {
    let accepted = |id: &str| Outcome::Accepted { provider_id: Some(String::from(id)), state: None };
    assert_eq!(read(200, r#"{"messages":[{"id":"x-1"}]}"#), accepted("x-1"));
    assert_eq!(read(202, r#"{"messages":[{"id":12345678901234567890}]}"#), accepted("12345678901234567890"));
}

#[test]
fn a_success_that_cannot_be_read_is_unknown() {
    for body in ["", "<html>", "{", "{}", r#"{"messages":[{"id":null}]}"#, r#"{"messages":[{"id":""}]}"#] {
        assert!(matches!(read(200, body), Outcome::Unknown { code: "provider.bad_response", .. }), "{body}");
    }
}

#[test]
fn statuses_mean_what_the_lists_say_and_all_others_are_unknown() {
    let refusal = |status| match read(status, "no: 918273") {
        Outcome::Refused(refusal) => (refusal.kind, refusal.code, refusal.detail),
        other => panic!("{status}: {other:?}"),
    };
    assert_eq!(refusal(422), (RefusalKind::Route, "provider.rejected", String::from("HTTP 422 no: ••••••")));
    assert_eq!(refusal(401).1, "provider.auth");
    assert_eq!(refusal(429).0, RefusalKind::Throttled(Duration::from_secs(5)));
    for status in [203, 408, 418, 500, 502, 503, 504] {
        assert!(matches!(read(status, "{}"), Outcome::Unknown { .. }), "{status}");
    }
}

#[test]
fn a_signed_receipt_is_translated_and_an_unknown_word_only_recorded() {
    for (word, state) in [
        ("\"DELIVRD\"", Some(ReceiptState::Delivered)),
        ("\"UNDELIV\"", Some(ReceiptState::Undelivered)),
        ("5", Some(ReceiptState::Failed)),
        ("\"ENROUTE\"", None),
    ] {
        let body = format!(r#"{{"id":"x-1","status":{word}}}"#);
        let receipts = received(signed(&body), &body).unwrap();
        let found: Vec<_> = receipts.iter().map(|receipt| (receipt.provider_id.as_str(), receipt.state)).collect();
        assert_eq!(found, [("x-1", state)], "{word}");
    }
}

#[test]
fn several_receipts_may_come_in_one_callback() {
    let body = r#"[{"id":"a","status":"DELIVRD"},{"id":"b","status":"UNDELIV"}]"#;
    assert_eq!(received(signed(body), body).unwrap().len(), 2);
}

#[test]
fn a_missing_or_wrong_signature_is_refused_before_the_body_is_read() {
    let body = r#"{"id":"x-1","status":"DELIVRD"}"#;
    let with = |value: &str| BTreeMap::from([(String::from("x-acme-signature"), String::from(value))]);
    let right = signed(body)["x-acme-signature"].clone();
    let other_case = format!("sha256={}", right.trim_start_matches("sha256=").to_uppercase());
    assert!(received(with(&other_case), body).is_ok());
    for headers in [
        BTreeMap::new(),
        with(""),
        with("sha256="),
        with(right.trim_start_matches("sha256=")),
        with(&right[..right.len() - 1]),
        with(&right[..right.len() - 2]),
        signed("{}"),
    ] {
        assert_eq!(received(headers.clone(), body), Err(HookFault::Signature), "{headers:?}");
    }
    assert_eq!(received(with("x"), "not json"), Err(HookFault::Signature));
}

#[test]
fn a_signed_callback_that_cannot_be_read_is_malformed() {
    for body in ["", "{", "{}", r#"{"id":"x"}"#, r#"{"id":{},"status":"DELIVRD"}"#, r#"[{"id":"x","status":"a"},7]"#] {
        assert_eq!(received(signed(body), body), Err(HookFault::Malformed), "{body}");
    }
}

#[test]
fn a_carrier_without_receipts_takes_no_callback() {
    let (call, _) = FILE.split_once("[carriers.receipt]").unwrap();
    let hook = Hook { kind: HookKind::Status, url: String::new(), headers: BTreeMap::new(), body: b"{}" };
    assert_eq!(carrier(call).reports(&hook), Err(HookFault::NotHere));
}

#[test]
fn a_base64_signature_is_read_as_such() {
    let text = FILE.replace("\"hex\"", "\"base64\"").replace("signature_prefix = \"sha256=\"\n", "");
    let body = r#"{"id":"x-1","status":"DELIVRD"}"#;
    let mac = STANDARD.encode(hmac_sha256(b"0123456789abcdef", body.as_bytes()));
    let headers = BTreeMap::from([(String::from("x-acme-signature"), mac)]);
    let hook = Hook { kind: HookKind::Status, url: String::new(), headers, body: body.as_bytes() };
    assert_eq!(carrier(&text).reports(&hook).unwrap().len(), 1);
}
