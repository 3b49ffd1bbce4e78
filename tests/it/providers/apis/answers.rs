//! What answers mean.

use std::time::Duration;

use futures_util::future::join_all;
use postern::providers::Outcome;
use serde_json::{Value, json};

use super::super::{detail, word};
use super::{APIS, Api, fixture};
use crate::harness::fake_carrier::{FakeCarrier, Script};

type Answers = Vec<(&'static str, Script, &'static str)>;

/// What every API is held to.
fn shared(api: &Api) -> Answers {
    let page =
        |status: u16| Script::Answer(status, vec![("Content-Type", "text/html".into())], b"<html>busy</html>".into());
    let drip = Script::Drip(Duration::from_millis(200));
    vec![
        ("taken", (api.taken)(), "accepted"),
        ("late but in time", Script::After(Duration::from_millis(50), Box::new((api.taken)())), "accepted"),
        ("blank", Script::Answer(200, vec![], vec![]), "unknown provider.bad_response"),
        ("no object", Script::json(200, json!([])), "unknown provider.bad_response"),
        ("malformed", Script::Answer(200, vec![], b"{\"id\":".to_vec()), "unknown provider.bad_response"),
        ("not UTF-8", Script::Answer(200, vec![], b"{\"id\":\"\xff\"}".to_vec()), "unknown provider.bad_response"),
        ("page", page(200), "unknown provider.bad_response"),
        ("throttled", Script::throttled(7), "wait 7s"),
        ("not let in", page(401), "route provider.auth"),
        ("forbidden", page(403), "route provider.auth"),
        ("refused without a word", Script::Answer(400, vec![], vec![]), "route provider.rejected"),
        ("a gateway's timeout", page(408), "unknown provider.bad_response"),
        ("broken", page(500), "unknown provider.bad_response"),
        ("no gateway", page(502), "unknown provider.bad_response"),
        ("a bare 503", Script::Answer(503, vec![], vec![]), "unknown provider.bad_response"),
        ("a gateway gave up", page(504), "unknown provider.bad_response"),
        ("silent before", Script::HangBefore, "unknown provider.timeout"),
        ("silent after", Script::HangAfter, "unknown provider.timeout"),
        ("reset before", Script::ResetBefore, "unknown provider.reset"),
        ("reset after", Script::ResetAfter, "unknown provider.reset"),
        ("truncated", Script::Truncated, "unknown provider.reset"),
        ("huge", Script::Huge(1_000_000), "unknown provider.bad_response"),
        ("drip", drip, "unknown provider.timeout"),
        ("elsewhere", Script::redirect("http://127.0.0.1:1/"), "route provider.redirect"),
    ]
}

#[actix_web::test]
async fn every_api_tells_a_certain_refusal_from_a_lost_answer() {
    // Made before anything is sent: making a database keeps everybody else waiting.
    let made = APIS.iter().map(|api| {
        let fake = FakeCarrier::start();
        let (carrier, db) = api.carrier(&fake.url(""));
        (api, fake, carrier, db)
    });
    let made: Vec<_> = made.collect();
    // Side by side: each waits out the same time-outs.
    join_all(made.into_iter().map(|(api, fake, carrier, _db)| async move {
        for (name, script, expected) in shared(api).into_iter().chain((api.answers)()) {
            // The fake resets by leaving some of the body unread; a GET has none.
            if (api.kind, name) == ("kannel", "reset after") {
                continue;
            }
            fake.next(script);
            let outcome = carrier.send(&api.message()).await;
            assert_eq!(word(&outcome), expected, "{}, {name}: {}", api.kind, detail(&outcome));
        }
    }))
    .await;
}

#[actix_web::test]
async fn a_taken_message_is_known_by_the_apis_id_or_by_ours() {
    for api in &APIS {
        let fake = FakeCarrier::start();
        let (carrier, _db) = api.carrier(&fake.url(""));
        fake.next((api.taken)());
        let message = api.message();
        let Outcome::Accepted { provider_id, state } = carrier.send(&message).await else { panic!("{}", api.kind) };
        let expected = api.id.unwrap_or(message.attempt_id.as_str());
        assert_eq!((provider_id.as_deref(), state), (Some(expected), None), "{}", api.kind);
    }
}

#[actix_web::test]
async fn no_apis_text_brings_a_code_a_number_or_a_key_back() {
    for api in &APIS {
        let fake = FakeCarrier::start();
        let (carrier, _db) = api.carrier(&fake.url(""));
        let said = "said <b> to +447700900123: Your code is 918273 & it's «new»";
        let everywhere = json!({
            "messages": [{"status": "3", "error-text": said}], "message": said, "detail": said, "description": said,
            "error": {"message": said, "error_data": {"details": said}},
        });
        let xml = format!(
            "<ErrorResponse><Error><Code>InvalidParameter</Code><Message>{said}</Message></Error></ErrorResponse>"
        );
        let body = match api.kind {
            "sns" => xml.into_bytes(),
            "kannel" => format!("{said}, rejected").into_bytes(),
            _ => everywhere.to_string().into_bytes(),
        };
        for status in [200, 400] {
            fake.next(Script::Answer(status, vec![], body.clone()));
            let outcome = carrier.send(&api.message()).await;
            assert_ne!(word(&outcome), "accepted", "{}", api.kind);
            for canary in ["918273", "7700900123", "it's", "key-canary"] {
                assert!(!detail(&outcome).contains(canary), "{}: {canary} in {}", api.kind, detail(&outcome));
            }
        }
        assert!(detail(&carrier_says(api, &body).await).contains("said"), "{}: its words are kept", api.kind);
    }
}

async fn carrier_says(api: &Api, body: &[u8]) -> Outcome {
    let fake = FakeCarrier::start();
    let (carrier, _db) = api.carrier(&fake.url(""));
    fake.next(Script::Answer(400, vec![], body.to_vec()));
    carrier.send(&api.message()).await
}

pub fn vonage_sms() -> Answers {
    let part = |status: &str| json!({"status": status, "error-text": "no"});
    let one = |status: &str| Script::json(200, json!({"message-count": "1", "messages": [part(status)]}));
    let taken = json!({"status": "0", "message-id": "1"});
    let half = json!({"message-count": "2", "messages": [taken, part("9")]});
    let throttled = Script::Answer(200, vec![], fixture("providers/vonage_sms_response_throttled.json"));
    vec![
        ("throttled by status", throttled, "wait 5s"),
        ("missing", one("2"), "route provider.rejected"),
        ("invalid", one("3"), "route provider.rejected"),
        ("credentials", one("4"), "route provider.auth"),
        ("internal", one("5"), "unknown provider.bad_response"),
        ("barred", one("7"), "route provider.rejected"),
        ("suspended", one("8"), "route provider.auth"),
        ("no credit", one("9"), "route provider.auth"),
        ("too long", one("12"), "route provider.rejected"),
        ("sender", one("15"), "route provider.rejected"),
        ("not submitted", one("13"), "route provider.unavailable"),
        ("no number", one("34"), "final recipient.invalid"),
        ("no such number any more", one("33"), "final recipient.invalid"),
        ("unknown status", one("99"), "unknown provider.bad_response"),
        ("half of it", Script::json(200, half), "unknown provider.bad_response"),
        ("no part", Script::json(200, json!({"messages": []})), "unknown provider.bad_response"),
        ("no id", Script::json(200, json!({"messages": [{"status": "0"}]})), "unknown provider.bad_response"),
    ]
}

pub fn vonage() -> Answers {
    let problem = |status: u16, code: &str| {
        let kind = format!("https://developer.vonage.com/api-errors/messages#{code}");
        Script::json(status, json!({"type": kind, "title": "no", "detail": "not so"}))
    };
    vec![
        ("throttled by its own word", problem(422, "1000"), "wait 5s"),
        ("bad recipient", problem(422, "1430"), "final recipient.invalid"),
        ("opted out", problem(422, "1240"), "final recipient.opted_out"),
        ("pumping", problem(422, "1473"), "final provider.rejected"),
        ("barred", problem(422, "1060"), "route provider.auth"),
        ("no session", problem(422, "1340"), "final whatsapp.session_closed"),
        ("not submitted", problem(500, "1100"), "route provider.unavailable"),
        ("sent before", problem(422, "1320"), "unknown provider.bad_response"),
        ("unknown problem", problem(422, "unheard-of"), "route provider.rejected"),
        ("no credit", problem(402, "low-balance"), "route provider.auth"),
        ("busy by its own word", problem(503, "about:blank"), "route provider.unavailable"),
        ("internal", problem(500, "1030"), "unknown provider.bad_response"),
        ("no id", Script::json(202, json!({"message_uuid": ""})), "unknown provider.bad_response"),
    ]
}

pub fn infobip() -> Answers {
    let status = |group: Value, name: &str| {
        let status = json!({"groupId": group, "name": name, "description": "so"});
        Script::json(200, json!({"messages": [{"messageId": "1", "status": status}]}))
    };
    let fault = json!({"errorCode": "E503", "description": "try later"});
    vec![
        ("rejected", status(json!(5), "REJECTED_NETWORK"), "route provider.rejected"),
        ("opted out", status(json!(5), "REJECTED_DND"), "final recipient.opted_out"),
        ("bad recipient", status(json!(5), "REJECTED_DESTINATION"), "final recipient.invalid"),
        ("no credit", status(json!(5), "REJECTED_NOT_ENOUGH_CREDITS"), "route provider.auth"),
        ("flooding", status(json!(5), "REJECTED_FLOODING_FILTER"), "wait 5s"),
        ("twice", status(json!(5), "REJECTED_DUPLICATE_MESSAGE_ID"), "unknown provider.bad_response"),
        ("undeliverable", status(json!(2), "UNDELIVERABLE_REJECTED_OPERATOR"), "route provider.rejected"),
        ("unknown group", status(json!(9), "NEW"), "unknown provider.bad_response"),
        ("no group", status(Value::Null, "NEW"), "unknown provider.bad_response"),
        ("busy by its own word", Script::json(503, fault), "route provider.unavailable"),
    ]
}

pub fn plivo() -> Answers {
    let fault = |status: u16, text: &str| Script::json(status, json!({"api_id": "1", "error": text}));
    vec![
        ("rejected", fault(400, "src is not a valid number"), "route provider.rejected"),
        ("busy by its own word", fault(503, "come again"), "route provider.unavailable"),
        ("internal", fault(500, "oops"), "unknown provider.bad_response"),
        ("no id", Script::json(202, json!({"message_uuid": []})), "unknown provider.bad_response"),
    ]
}

pub fn bird() -> Answers {
    let fault = |status: u16, name: &str, code: &str| {
        Script::json(status, json!({"error": {"type": "x", "name": name, "code": code, "message": "no"}}))
    };
    vec![
        ("bad recipient", fault(422, "SMSInvalidRecipient", "1"), "final recipient.invalid"),
        ("opted out", fault(422, "X", "recipient_opted_out"), "final recipient.opted_out"),
        ("pumping", fault(422, "X", "blocked_by_fraud_protection"), "final provider.rejected"),
        ("no credit", fault(402, "X", "insufficient_balance"), "route provider.auth"),
        ("unknown code", fault(422, "X", "unheard_of"), "route provider.rejected"),
        ("under way", fault(409, "X", "idempotency"), "unknown provider.bad_response"),
        ("busy by its own word", fault(503, "X", "y"), "route provider.unavailable"),
    ]
}

pub fn sns() -> Answers {
    let fault = |status: u16, code: &str, text: &str| {
        let xml = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error></ErrorResponse>"
        );
        Script::Answer(status, vec![("Content-Type", "text/xml".into())], xml.into_bytes())
    };
    let number = "Invalid parameter: PhoneNumber Reason: +44 is not valid to publish to";
    vec![
        ("bad recipient", fault(400, "InvalidParameter", number), "final recipient.invalid"),
        ("bad parameter", fault(400, "InvalidParameter", "Invalid parameter: Message"), "route provider.rejected"),
        ("opted out", fault(400, "OptedOut", "no"), "final recipient.opted_out"),
        ("throttled by its own word", fault(400, "Throttling", "Rate exceeded"), "wait 5s"),
        ("credentials", fault(403, "SignatureDoesNotMatch", "no"), "route provider.auth"),
        ("expired", fault(403, "ExpiredToken", "no"), "route provider.auth"),
        ("unknown code", fault(400, "Unheard", "no"), "route provider.rejected"),
        ("busy by its own word", fault(503, "ServiceUnavailable", "no"), "route provider.unavailable"),
        ("internal", fault(500, "InternalError", "no"), "unknown provider.bad_response"),
        ("no id", Script::Answer(200, vec![], b"<MessageId></MessageId>".to_vec()), "unknown provider.bad_response"),
    ]
}

pub fn kannel() -> Answers {
    let text = |status: u16, text: &str| Script::Answer(status, vec![], text.as_bytes().to_vec());
    vec![
        ("queued", text(202, "3: Queued for later delivery"), "accepted"),
        ("answered at once", text(202, "Sent. Message splits: 2"), "accepted"),
        ("credentials", text(403, "Authorization failed for sendsms"), "route provider.auth"),
        ("no route", text(403, "Not routable. Do not try again."), "route provider.rejected"),
        (
            "listed",
            text(400, "Number(s) has/have been denied by white- and/or black-lists."),
            "route provider.rejected",
        ),
        ("not passed on", text(500, "Sending failed."), "unknown provider.bad_response"),
        ("credentials in old versions", text(202, "Authorization failed for sendsms"), "route provider.auth"),
        ("no sender", text(400, "Sender missing and no global set, rejected"), "route provider.rejected"),
        ("no bearerbox", text(503, "Temporal failure, try again later."), "route provider.unavailable"),
        ("unknown word", text(202, "9: Something"), "unknown provider.bad_response"),
    ]
}

pub fn meta() -> Answers {
    let named =
        |status: u16, name: &str| Script::Answer(status, vec![], fixture(&format!("meta/send_error_{name}.json")));
    let code =
        |code: i64| Script::json(400, json!({"error": {"message": "no", "type": "OAuthException", "code": code}}));
    let held = Script::Answer(200, vec![], fixture("meta/send_response_200_held.json"));
    vec![
        ("held", held, "accepted"),
        ("token expired", named(401, "190_expired_token"), "stop provider.auth"),
        ("throughput", named(400, "130429"), "wait 5s"),
        ("spam", named(400, "131048"), "wait 300s"),
        ("pair", named(400, "131056"), "pair whatsapp.pair_limit"),
        ("undeliverable", named(400, "131026"), "final recipient.invalid"),
        ("user id", named(400, "131062"), "final recipient.invalid"),
        ("session", named(400, "131047"), "final whatsapp.session_closed"),
        ("parameters", named(400, "132000"), "route provider.rejected"),
        ("no template", named(404, "132001"), "template Disabled template.not_approved"),
        ("template paused", named(400, "132015"), "template Paused template.not_approved"),
        ("permission", code(200), "stop provider.auth"),
        ("payment", code(131_042), "stop provider.auth"),
        ("opted out", code(131_050), "final recipient.opted_out"),
        ("maintenance", code(131_057), "route provider.unavailable"),
        ("something went wrong", code(131_000), "unknown provider.bad_response"),
        ("unknown code", code(139_999), "route provider.rejected"),
    ]
}
