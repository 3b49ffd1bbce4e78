//! The Twilio-shaped and the generic carrier against a carrier that refuses, hangs, resets and lies.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use postern::providers::Carrier;
use serde_json::json;

use super::{acme, detail, text_to, word};
use crate::harness::Backend;
use crate::harness::fake_carrier::{FakeCarrier, Script};

const SID: &str = "AC00000000000000000000000000000001";

fn twilio(base: &str) -> (Arc<dyn Carrier>, Backend) {
    acme(&format!(
        "kind = \"twilio\"\naccount_sid = \"{SID}\"\nauth_token = \"token-canary\"\nbase_url = \"{base}\"\nfrom = \"ACME\"\n"
    ))
}

fn generic(base: &str) -> (Arc<dyn Carrier>, Backend) {
    acme(&format!(
        "kind = \"http\"\nurl = \"{base}/send\"\nheaders = {{ Authorization = \"Bearer key-canary\" }}\n\
         body = '{{\"to\":\"{{to}}\",\"text\":\"{{text}}\",\"ref\":\"{{id}}\"}}'\nid_pointer = \"/id\"\n"
    ))
}

fn html(status: u16) -> Script {
    Script::Answer(status, vec![("Content-Type", "text/html".into())], b"<html>busy</html>".to_vec())
}

/// What both adapters make of it, and whether the carrier took the message.
fn shared_cases() -> Vec<(&'static str, Script, &'static str, usize)> {
    let drip = Script::Drip(Duration::from_millis(200));
    vec![
        ("taken", Script::Accept, "accepted", 1),
        ("throttled", Script::throttled(7), "wait 7s", 0),
        ("not let in", html(401), "route provider.auth", 0),
        ("silent before", Script::HangBefore, "unknown provider.timeout", 0),
        ("silent after", Script::HangAfter, "unknown provider.timeout", 1),
        ("reset before", Script::ResetBefore, "unknown provider.reset", 0),
        ("reset after", Script::ResetAfter, "unknown provider.reset", 1),
        ("truncated", Script::Truncated, "unknown provider.reset", 1),
        ("huge", Script::Huge(1_000_000), "unknown provider.bad_response", 1),
        ("drip", drip, "unknown provider.timeout", 1),
        ("page", html(200), "unknown provider.bad_response", 1),
        ("empty", Script::Answer(200, vec![], vec![]), "unknown provider.bad_response", 1),
        (
            "not UTF-8",
            Script::Answer(201, vec![], b"{\"sid\":\"\xff\",\"id\":\"\xff\"}".to_vec()),
            "unknown provider.bad_response",
            1,
        ),
        ("broken", html(500), "unknown provider.bad_response", 0),
        ("a gateway gave up", html(504), "unknown provider.bad_response", 0),
        ("late but in time", Script::After(Duration::from_millis(50), Box::new(Script::Accept)), "accepted", 1),
    ]
}

#[actix_web::test]
async fn both_adapters_tell_a_certain_refusal_from_a_lost_answer() {
    let fake = FakeCarrier::start();
    let (twilio, _one) = twilio(&fake.url(""));
    let (generic, _two) = generic(&fake.url(""));
    for (adapter, carrier) in [("twilio", twilio), ("generic", generic)] {
        for (name, script, expected, taken) in shared_cases() {
            let before = fake.hand_offs().len();
            fake.next(script);
            let outcome = carrier.send(&text_to("+447700900123")).await;
            assert_eq!(word(&outcome), expected, "{adapter}, {name}: {}", detail(&outcome));
            assert_eq!(fake.hand_offs().len() - before, taken, "{adapter}, {name}");
        }
    }
}

#[actix_web::test]
async fn twilio_gets_the_form_it_documents() {
    let fake = FakeCarrier::start();
    let (carrier, _db) = twilio(&fake.url(""));
    let message = text_to("+447700900123");
    assert_eq!(word(&carrier.send(&message).await), "accepted");
    let seen = fake.hand_offs().remove(0);
    assert_eq!(seen.path, format!("/2010-04-01/Accounts/{SID}/Messages.json"));
    let basic = "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTp0b2tlbi1jYW5hcnk=";
    assert_eq!(seen.header("authorization"), Some(basic));
    let form: Vec<(String, String)> = seen.form().into_iter().collect();
    let pair = |name: &str, value: &str| (String::from(name), String::from(value));
    let expected = [
        pair("Body", "Your code is 918273 & it's «new»"),
        pair("From", "ACME"),
        pair("StatusCallback", &format!("http://127.0.0.1:8080/hooks/acme/status?ref={}", message.attempt_id)),
        pair("To", "+447700900123"),
        pair("ValidityPeriod", "299"),
    ];
    assert_eq!(form, expected);
}

#[actix_web::test]
async fn the_generic_carrier_gets_its_filled_template() {
    let fake = FakeCarrier::start();
    let (carrier, _db) = generic(&fake.url(""));
    let message = text_to("+447700900123");
    assert_eq!(word(&carrier.send(&message).await), "accepted");
    let seen = fake.hand_offs().remove(0);
    assert_eq!((seen.path.as_str(), seen.header("authorization")), ("/send", Some("Bearer key-canary")));
    let text = message.text.expose();
    assert_eq!(seen.json(), json!({"to": "+447700900123", "text": text, "ref": message.attempt_id}));
}

#[actix_web::test]
async fn twilios_errors_are_told_apart() {
    let fake = FakeCarrier::start();
    let (carrier, _db) = twilio(&fake.url(""));
    for (status, code, expected) in [
        (400, 21211, "final recipient.invalid"),
        (400, 21610, "final recipient.opted_out"),
        (400, 21408, "route provider.rejected"),
        (401, 20003, "route provider.auth"),
        (503, 20503, "route provider.unavailable"),
    ] {
        let said = "said <script> to +447700900123: Your code is 918273 & it's «new»";
        fake.next(Script::json(status, json!({"code": code, "message": said, "status": status})));
        let outcome = carrier.send(&text_to("+447700900123")).await;
        assert_eq!(word(&outcome), expected, "{code}");
        for canary in ["918273", "7700900123", "it's", "token-canary"] {
            assert!(!detail(&outcome).contains(canary), "{canary} in {}", detail(&outcome));
        }
    }
}

#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let (fake, elsewhere) = (FakeCarrier::start(), FakeCarrier::start());
    let (twilio, _one) = twilio(&fake.url(""));
    let (generic, _two) = generic(&fake.url(""));
    for carrier in [twilio, generic] {
        fake.next(Script::redirect(&elsewhere.url("/")));
        assert_eq!(word(&carrier.send(&text_to("+447700900123")).await), "route provider.redirect");
    }
    assert_eq!(elsewhere.calls(), 0);
}

#[actix_web::test]
async fn what_fails_before_the_first_byte_is_a_refusal() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plain = FakeCarrier::start();
    for base in [
        format!("http://{closed}"),
        String::from("http://carrier.invalid"),
        plain.url("").replace("http://", "https://"),
    ] {
        for (carrier, _db) in [twilio(&base), generic(&base)] {
            let outcome = carrier.send(&text_to("+447700900123")).await;
            assert_eq!(word(&outcome), "route provider.unreachable", "{base}: {}", detail(&outcome));
        }
    }
    assert!(plain.hand_offs().is_empty());
}

#[actix_web::test]
async fn an_answer_that_is_not_http_leaves_the_message_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            drop(std::io::Read::read(&mut stream, &mut [0; 4096]));
            drop(stream.write_all(b"220 mail.example ESMTP\r\n\r\n"));
        }
    });
    let (carrier, _db) = twilio(&base);
    let outcome = carrier.send(&text_to("+447700900123")).await;
    assert_eq!(word(&outcome), "unknown provider.bad_response", "{}", detail(&outcome));
}
