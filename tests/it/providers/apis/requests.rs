//! What each API is sent: its documented request, the published fixture's fields.

use postern::providers::Outgoing;
use postern::secret::{Secret, hmac_sha256, sha256};
use serde_json::json;

use super::{Api, TOKEN, fixture, json_fixture};
use crate::harness::fake_carrier::{FakeCarrier, HandOff};

const STATUS: &str = "http://127.0.0.1:8080/hooks/acme/status";

/// The message of the fixtures: its text in plain letters, no originator of its own.
fn message(api: &Api) -> Outgoing {
    Outgoing { text: Secret::new(String::from("123456 is your ACME code")), ..api.message() }
}

/// Hands a message over; the request, and the hand-off's id in it.
async fn sent(kind: &str, more: &str, change: impl Fn(&mut Outgoing)) -> (HandOff, String) {
    let (api, fake) = (Api::of(kind), FakeCarrier::start());
    let (carrier, _db) = api.carrier_with(&fake.url(""), more);
    let mut outgoing = message(api);
    change(&mut outgoing);
    carrier.send(&outgoing).await;
    (fake.hand_offs().remove(0), outgoing.attempt_id.to_string())
}

fn pairs(query: &str) -> Vec<(String, String)> {
    actix_web::web::Query::<Vec<(String, String)>>::from_query(query).unwrap().into_inner()
}

#[actix_web::test]
async fn vonages_sms_api_gets_its_form() {
    let (seen, id) = sent("vonage_sms", "", |_| ()).await;
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/sms/json"));
    let mut form = seen.form();
    assert_eq!(form.remove("client-ref"), Some(id));
    assert_eq!(form.remove("callback"), Some(format!("{STATUS}?token={}", TOKEN)));
    assert_eq!(form.remove("ttl").as_deref(), Some("299900"));
    let mut published: std::collections::BTreeMap<String, String> =
        pairs(std::str::from_utf8(&fixture("providers/vonage_sms_request.form")).unwrap()).into_iter().collect();
    published.retain(|name, _| !matches!(name.as_str(), "client-ref" | "callback"));
    published.insert("api_secret".into(), "key-canary".into());
    assert_eq!(form, published);
    let unicode = |outgoing: &mut Outgoing| outgoing.text = Secret::new(String::from("код 123456"));
    let (seen, _) = sent("vonage_sms", "", unicode).await;
    assert_eq!((seen.form()["type"].as_str(), seen.form()["text"].as_str()), ("unicode", "код 123456"));
}

#[actix_web::test]
async fn vonages_messages_api_gets_its_object() {
    let (seen, id) = sent("vonage", "", |_| ()).await;
    assert_eq!(
        (seen.path.as_str(), seen.header("authorization")),
        ("/v1/messages", Some("Basic YWJjZDEyMzQ6a2V5LWNhbmFyeQ=="))
    );
    let mut expected = json_fixture("providers/vonage_messages_request.json");
    expected["client_ref"] = json!(id);
    expected["webhook_url"] = json!(STATUS);
    assert_eq!(seen.json(), expected);
    let (seen, _) = sent("vonage", "", |outgoing| outgoing.channel = postern::terms::Channel::Whatsapp).await;
    assert_eq!(seen.json()["channel"], "whatsapp");
}

#[actix_web::test]
async fn infobip_gets_its_message_with_our_id() {
    let (seen, id) = sent("infobip", "", |_| ()).await;
    assert_eq!((seen.path.as_str(), seen.header("authorization")), ("/sms/3/messages", Some("App key-canary")));
    let mut expected = json_fixture("providers/infobip_request.json");
    let message = &mut expected["messages"][0];
    message["destinations"][0]["messageId"] = json!(id);
    message["webhooks"]["callbackData"] = json!(id);
    message["webhooks"]["delivery"]["url"] = json!(format!("{STATUS}?token={}", TOKEN));
    message["options"] = json!({"validityPeriod": {"amount": 4, "timeUnit": "MINUTES"}});
    assert_eq!(seen.json(), expected);
}

#[actix_web::test]
async fn plivo_gets_our_reference_in_the_callbacks_address() {
    let (seen, id) = sent("plivo", "", |_| ()).await;
    assert_eq!(seen.path, "/v1/Account/MA0000000000000000AA/Message/");
    let mut expected = json_fixture("providers/plivo_request.json");
    expected["url"] = json!(format!("{STATUS}?ref={id}"));
    expected["type"] = json!("sms");
    assert_eq!(seen.json(), expected);
}

#[actix_web::test]
async fn bird_gets_our_reference_and_an_idempotency_key() {
    let (seen, id) = sent("bird", "category = \"transactional\"\n", |_| ()).await;
    assert_eq!((seen.path.as_str(), seen.header("authorization")), ("/v1/sms/messages", Some("Bearer key-canary")));
    assert_eq!(seen.header("idempotency-key"), Some(id.as_str()));
    let text = "123456 is your ACME code";
    let expected = json!({
        "to": "+447700900123", "from": "ACME", "text": text, "category": "transactional", "metadata": {"reference": id},
    });
    assert_eq!(seen.json(), expected);
}

#[actix_web::test]
async fn sns_gets_a_signed_form() {
    let (seen, _) = sent("sns", "session_token = \"session\"\n", |_| ()).await;
    assert_eq!(seen.path, "/");
    let body = String::from_utf8(seen.body.clone()).unwrap();
    assert_eq!(pairs(&body), pairs(std::str::from_utf8(&fixture("providers/aws_sns_publish.form")).unwrap()));
    // The harness's clock stands at 1,000 s.
    assert_eq!(seen.header("x-amz-date"), Some("19700101T001640Z"));
    assert_eq!(seen.header("x-amz-security-token"), Some("session"));
    let authorization = seen.header("authorization").unwrap();
    let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/19700101/eu-west-1/sns/aws4_request, \
                    SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=";
    assert!(authorization.starts_with(expected), "{authorization}");
    assert_eq!(authorization.strip_prefix(expected), Some(&*signature_of(&seen)), "over the headers as they were sent");
    for (from, attribute) in [("ACME", "AWS.SNS.SMS.SenderID"), ("+15005550006", "AWS.MM.SMS.OriginationNumber")] {
        let (seen, _) = sent("sns", "", |outgoing| outgoing.from = Some(from.into())).await;
        let form = seen.form();
        assert_eq!(form["MessageAttributes.entry.2.Name"], attribute);
        assert_eq!(form["MessageAttributes.entry.2.Value.StringValue"], from);
    }
}

/// The signature that AWS would compute of what it was sent.
fn signature_of(seen: &HandOff) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let names = ["content-type", "host", "x-amz-date", "x-amz-security-token"];
    let lines: String = names.iter().map(|name| format!("{name}:{}\n", seen.header(name).unwrap())).collect();
    let request = format!("POST\n/\n\n{lines}\n{}\n{}", names.join(";"), hex(&sha256(&seen.body)));
    let place = "19700101/eu-west-1/sns/aws4_request";
    let text = format!("AWS4-HMAC-SHA256\n19700101T001640Z\n{place}\n{}", hex(&sha256(request.as_bytes())));
    let day = hmac_sha256(b"AWS4key-canary", b"19700101");
    let service = hmac_sha256(&hmac_sha256(&day, b"eu-west-1"), b"sns");
    hex(&hmac_sha256(&hmac_sha256(&service, b"aws4_request"), text.as_bytes()))
}

#[actix_web::test]
async fn kannel_gets_a_query_with_our_report_address() {
    let (seen, id) = sent("kannel", "smsc = \"up-1\"\nfrom = \"ACME\"\n", |_| ()).await;
    let (path, query) = seen.path.split_once('?').unwrap();
    assert_eq!((seen.method.as_str(), path), ("GET", "/cgi-bin/sendsms"));
    let report = format!("{STATUS}?token={}&ref={id}&type=%d", TOKEN);
    let expected = [
        ("username", "postern"),
        ("password", "key-canary"),
        ("to", "+447700900123"),
        ("text", "123456 is your ACME code"),
        ("charset", "UTF-8"),
        ("coding", "0"),
        ("validity", "4"),
        ("from", "ACME"),
        ("smsc", "up-1"),
        ("dlr-mask", "31"),
        ("dlr-url", report.as_str()),
    ];
    let expected: Vec<_> = expected.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
    assert_eq!(pairs(query), expected);
    let (seen, _) = sent("kannel", "", |outgoing| outgoing.text = Secret::new(String::from("код"))).await;
    assert!(seen.path.contains("coding=2"), "{}", seen.path);
}

#[actix_web::test]
async fn meta_gets_a_code_by_its_template_and_else_a_text() {
    let code = |outgoing: &mut Outgoing| outgoing.code = Some(Secret::new(String::from("123456")));
    let template = "otp_template = \"login_otp\"\n";
    let (seen, id) = sent("meta", template, code).await;
    assert_eq!(
        (seen.path.as_str(), seen.header("authorization")),
        ("/v25.0/800100200300401/messages", Some("Bearer key-canary"))
    );
    let mut expected = json_fixture("meta/send_auth_template_request.json");
    expected["biz_opaque_callback_data"] = json!(id);
    assert_eq!(seen.json(), expected);
    let mut text = json_fixture("meta/send_session_text_request.json");
    text["text"]["body"] = json!("123456 is your ACME code");
    for (keys, has_code) in [(template, false), ("", true)] {
        let (seen, id) = sent("meta", keys, |outgoing| {
            if has_code {
                code(outgoing)
            }
        })
        .await;
        text["biz_opaque_callback_data"] = json!(id);
        assert_eq!(seen.json(), text, "{keys}");
    }
}

#[actix_web::test]
async fn receipts_are_asked_for_only_where_they_could_be_believed() {
    let without_token: [(&str, &str); 4] = [
        ("vonage_sms", "api_key = \"k\"\napi_secret = \"s\"\nfrom = \"ACME\"\n"),
        ("vonage", "api_key = \"k\"\napi_secret = \"s\"\nfrom = \"ACME\"\n"),
        ("infobip", "api_key = \"k\"\nfrom = \"ACME\"\n"),
        ("kannel", "username = \"u\"\npassword = \"p\"\n"),
    ];
    for (kind, keys) in without_token {
        let fake = FakeCarrier::start();
        let (carrier, _db) = super::acme(&format!("kind = \"{kind}\"\nbase_url = \"{}\"\n{keys}", fake.url("")));
        carrier.send(&message(Api::of(kind))).await;
        let seen = fake.hand_offs().remove(0);
        let text = format!("{} {}", seen.path, String::from_utf8_lossy(&seen.body));
        assert!(!text.contains("hooks"), "{kind}: {text}");
    }
}
