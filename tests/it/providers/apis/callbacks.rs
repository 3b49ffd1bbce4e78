//! What callbacks say, and which are believed: a table of each API, by the carrier's own reading of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use postern::providers::{Carrier, Hook, HookFault, HookKind, ReceiptState, Report};
use postern::secret::{hmac_sha256, sha256};
use serde_json::json;

use super::{Api, TOKEN, fixture, json_fixture};
use crate::harness::Backend;

/// A callback as an API sends it.
#[derive(Clone)]
pub struct Sent {
    pub kind: HookKind,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

pub fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signed forms of each API. `body` is a form or JSON as the API sends; by GET it is the query.
pub fn signed(api: &str, kind: HookKind, body: &[u8]) -> Sent {
    let path = if kind == HookKind::Status { "status" } else { "inbound" };
    let address = format!("https://otp.example/hooks/acme/{path}");
    let with_token = format!("{address}?token={}", TOKEN);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let json = ("content-type", "application/json");
    let (url, headers, body) = match api {
        "vonage_sms" => (with_token, headers(&[json]), body.to_vec()),
        "vonage" => {
            let token = vonage_token(body, b"fixture-vonage-signature-secret-00000001");
            (address, headers(&[json, ("authorization", &format!("Bearer {token}"))]), body.to_vec())
        }
        "infobip" => (with_token, headers(&[json]), body.to_vec()),
        "plivo" => {
            let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(std::str::from_utf8(body).unwrap());
            let mut pairs = pairs.unwrap().into_inner();
            pairs.sort();
            let sorted: String = pairs.iter().map(|(name, value)| format!("{name}{value}")).collect();
            let reference = "ref=att_01h455vb4pex5vsknk084sn02q";
            let between = if sorted.is_empty() { "" } else { "." };
            let text = format!("{address}?{reference}{between}{sorted}.n0nce");
            let mac = STANDARD.encode(hmac_sha256(b"fixture-plivo-auth-token", text.as_bytes()));
            let several = format!("bm90IG91cnM=,{mac}");
            let headers = headers(&[form, ("x-plivo-signature-v3", &several), ("x-plivo-signature-v3-nonce", "n0nce")]);
            (format!("{address}?{reference}"), headers, body.to_vec())
        }
        "bird" => {
            let text = [b"evt_1.1000.", body].concat();
            let mac = STANDARD.encode(hmac_sha256(b"0123456789abcdef01234567", &text));
            let several = format!("v1,bm90IG91cnM= v1a,eA== v1,{mac}");
            let ours = [("webhook-id", "evt_1"), ("webhook-timestamp", "1000"), ("webhook-signature", &*several)];
            (address, headers(&[&[json][..], &ours].concat()), body.to_vec())
        }
        "kannel" => (format!("{with_token}&{}", std::str::from_utf8(body).unwrap()), BTreeMap::new(), Vec::new()),
        "meta" => {
            let mac = format!("sha256={}", hex(&hmac_sha256(b"fixture-app-secret-0001", body)));
            (address, headers(&[json, ("x-hub-signature-256", &mac)]), body.to_vec())
        }
        other => panic!("{other} calls nothing back"),
    };
    Sent { kind, url, headers, body }
}

fn vonage_token(body: &[u8], key: &[u8]) -> String {
    let claims = json!({"iss": "Vonage", "iat": 1_700_000_000, "payload_hash": hex(&sha256(body))}).to_string();
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(claims));
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(hmac_sha256(key, text.as_bytes())))
}

pub fn carrier(kind: &str) -> (Arc<dyn Carrier>, Backend) {
    Api::of(kind).carrier("http://127.0.0.1:1")
}

pub fn read(carrier: &dyn Carrier, sent: &Sent) -> Result<Vec<Report>, HookFault> {
    let (url, headers) = (sent.url.clone(), sent.headers.clone());
    carrier.reports(&Hook { kind: sent.kind, url, headers, body: &sent.body })
}

/// Id, reference, state, error of the receipts; sender, recipient, text of the messages.
pub fn told(reports: &[Report]) -> Vec<String> {
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| String::from("-"));
    let line = |report: &Report| match report {
        Report::Receipt(one) => {
            let state = one.state.map_or_else(|| String::from("-"), |state: ReceiptState| format!("{state:?}"));
            format!("{} {} {state} {}", one.provider_id, shown(&one.reference), shown(&one.error_code))
        }
        Report::Inbound(one) => format!("{} {} > {}: {}", one.channel, one.from, one.to, one.text),
        Report::Number(one) => format!("{one:?}"),
        Report::Template(one) => format!("template {} {} of {}: {:?}", one.name, one.language, one.account, one.news),
        Report::Trouble(cause) => format!("trouble {}", cause.code),
    };
    reports.iter().map(line).collect()
}

/// API, which address, body, what it says.
type Row = (&'static str, HookKind, Vec<u8>, Vec<&'static str>);

fn readable() -> Vec<Row> {
    use HookKind::{Inbound, Status};
    let changed = |name: &str, from: &str, to: &str| {
        String::from_utf8(fixture(&format!("providers/{name}"))).unwrap().replace(from, to).into_bytes()
    };
    let vonage_sms = |from: &str, to: &str| changed("vonage_sms_dlr.json", from, to);
    let vonage = |to: &str| changed("vonage_messages_status.json", "\"delivered\"", &format!("\"{to}\""));
    let infobip = |group: &str, to: &str| {
        String::from_utf8(changed("infobip_dlr.json", "\"groupId\": 3", &format!("\"groupId\": {group}")))
            .unwrap()
            .replace("NO_ERROR", to)
            .into_bytes()
    };
    let plivo = |to: &str, code: &str| {
        String::from_utf8(changed("plivo_status.form", "delivered", to)).unwrap().replace("000&", code).into_bytes()
    };
    let bird = |kind: &str, more: serde_json::Value| {
        let mut data =
            json!({"sms_id": "sms_1", "to": "+447700900123", "from": "ACME", "metadata": {"reference": "att_1"}});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"type": kind, "timestamp": "1970-01-01T00:16:40Z", "data": data}).to_string().into_bytes()
    };
    let id = "aaaaaaaa-bbbb-4ccc-8ddd-000000000001 msg_01JFIXTURE0000000000000001";
    assert!(String::from_utf8(vonage_sms("x", "x")).unwrap().contains(&id[..36]));
    vec![
        ("vonage_sms", Status, vonage_sms("", ""), vec!["aaaaaaaa-bbbb-4ccc-8ddd-000000000001 msg_01JFIXTURE0000000000000001 Delivered -"]),
        ("vonage_sms", Status, vonage_sms("\"delivered\"", "\"expired\""), vec!["aaaaaaaa-bbbb-4ccc-8ddd-000000000001 msg_01JFIXTURE0000000000000001 Undelivered -"]),
        ("vonage_sms", Status, vonage_sms("\"delivered\"", "\"buffered\""), vec!["aaaaaaaa-bbbb-4ccc-8ddd-000000000001 msg_01JFIXTURE0000000000000001 - -"]),
        ("vonage_sms", Status, vonage_sms("\"err-code\": \"0\"", "\"err-code\": \"6\""), vec!["aaaaaaaa-bbbb-4ccc-8ddd-000000000001 msg_01JFIXTURE0000000000000001 Delivered 6"]),
        ("vonage_sms", Inbound, br#"{"msisdn":"447700900123","to":"447700900100","messageId":"0A","text":"STOP","type":"text"}"#.to_vec(), vec!["sms +447700900123 > +447700900100: STOP"]),
        ("vonage", Status, vonage("delivered"), vec!["aaaaaaaa-bbbb-4ccc-8ddd-000000000002 msg_01JFIXTURE0000000000000001 Delivered -"]),
        ("vonage", Status, vonage("submitted"), vec!["aaaaaaaa-bbbb-4ccc-8ddd-000000000002 msg_01JFIXTURE0000000000000001 Sent -"]),
        ("vonage", Status, vonage("someday"), vec!["aaaaaaaa-bbbb-4ccc-8ddd-000000000002 msg_01JFIXTURE0000000000000001 - -"]),
        ("vonage", Status, br#"{"message_uuid":"1","status":"rejected","error":{"type":"https://developer.vonage.com/api-errors/messages#1320","title":1210}}"#.to_vec(), vec!["1 - Failed 1210"]),
        ("vonage", Status, br#"{"message_uuid":"1","status":"rejected","error":{"type":"https://developer.vonage.com/api-errors/messages#1320","title":"x"}}"#.to_vec(), vec!["1 - Failed 1320"]),
        ("infobip", Status, br#"{"results":[{"messageId":"a","status":{"groupId":3,"name":"DELIVERED_TO_OPERATOR"}}]}"#.to_vec(), vec!["a a Sent -"]),
        ("infobip", Status, br#"{"results":[{"messageId":"a","status":{"groupId":1,"name":"PENDING_ENROUTE"}}]}"#.to_vec(), vec!["a a Sent -"]),
        ("kannel", Status, b"ref=att_1&type=34".to_vec(), vec!["att_1 att_1 Undelivered -"]),
        ("vonage", Inbound, br#"{"message_uuid":"1","channel":"whatsapp","from":"447700900123","to":"447700900100","text":"hello","message_type":"text"}"#.to_vec(), vec!["whatsapp +447700900123 > +447700900100: hello"]),
        ("infobip", Status, infobip("3", "NO_ERROR"), vec!["msg_01JFIXTURE0000000000000001 tenant=acme Delivered -"]),
        ("infobip", Status, infobip("2", "EC_ABSENT_SUBSCRIBER"), vec!["msg_01JFIXTURE0000000000000001 tenant=acme Undelivered EC_ABSENT_SUBSCRIBER"]),
        ("infobip", Status, infobip("9", "NO_ERROR"), vec!["msg_01JFIXTURE0000000000000001 tenant=acme - -"]),
        ("infobip", Status, br#"{"results":[{"messageId":"a","status":{"groupId":5}},{"messageId":"b","status":{"groupId":4,"name":"EXPIRED_EXPIRED"}}]}"#.to_vec(), vec!["a a Failed -", "b b Undelivered -"]),
        ("infobip", Status, br#"{"results":[]}"#.to_vec(), vec![]),
        ("infobip", Inbound, br#"{"results":[{"messageId":"1","from":"447700900123","to":"24680","text":"STOP now","cleanText":"now","keyword":"STOP"}]}"#.to_vec(), vec!["sms +447700900123 > 24680: STOP now"]),
        ("plivo", Status, plivo("delivered", "000&"), vec!["11111111-2222-4333-8444-000000000001 att_01h455vb4pex5vsknk084sn02q Delivered -"]),
        ("plivo", Status, plivo("undelivered", "30&"), vec!["11111111-2222-4333-8444-000000000001 att_01h455vb4pex5vsknk084sn02q Undelivered 30"]),
        ("plivo", Status, plivo("someday", "000&"), vec!["11111111-2222-4333-8444-000000000001 att_01h455vb4pex5vsknk084sn02q - -"]),
        ("plivo", Status, b"MessageUUID=part-2&ParentMessageUUID=part-1&Status=sent".to_vec(), vec!["part-1 att_01h455vb4pex5vsknk084sn02q Sent -"]),
        ("plivo", Inbound, b"From=447700900123&To=447700900100&MessageUUID=1&Text=a+b%26c&Type=sms".to_vec(), vec!["sms +447700900123 > +447700900100: a b&c"]),
        ("bird", Status, bird("sms.delivered", json!({})), vec!["sms_1 att_1 Delivered -"]),
        ("bird", Status, bird("sms.rejected", json!({"error": {"code": "blocked_by_fraud_protection"}})), vec!["sms_1 att_1 Failed blocked_by_fraud_protection"]),
        ("bird", Status, bird("sms.accepted", json!({})), vec!["sms_1 att_1 - -"]),
        ("bird", Status, bird("sms.received", json!({"from": "+447700900123", "to": "24680", "text": "STOP"})), vec!["sms +447700900123 > 24680: STOP"]),
        ("bird", Status, br#"{"type":"email.opened","data":{}}"#.to_vec(), vec![]),
        ("kannel", Status, b"ref=att_1&type=1".to_vec(), vec!["att_1 att_1 Delivered -"]),
        ("kannel", Status, b"ref=att_1&type=2".to_vec(), vec!["att_1 att_1 Undelivered -"]),
        ("kannel", Status, b"ref=att_1&type=4".to_vec(), vec!["att_1 att_1 - -"]),
        ("kannel", Status, b"ref=att_1&type=8".to_vec(), vec!["att_1 att_1 Sent -"]),
        ("kannel", Status, b"ref=att_1&type=16".to_vec(), vec!["att_1 att_1 Failed -"]),
        ("kannel", Inbound, b"id=7&from=%2B447700900123&to=24680&text=STOP+it".to_vec(), vec!["sms +447700900123 > 24680: STOP it"]),
    ]
}

#[actix_web::test]
async fn callbacks_say_what_they_say() {
    for (api, kind, body, expected) in readable() {
        let (carrier, _db) = carrier(api);
        let reports = read(&*carrier, &signed(api, kind, &body));
        let told = told(&reports.unwrap_or_else(|fault| panic!("{api} {kind:?}: {fault:?}")));
        assert_eq!(told, expected, "{api} {kind:?} {}", String::from_utf8_lossy(&body));
    }
}

#[actix_web::test]
async fn a_callback_that_is_changed_or_unsigned_is_not_believed() {
    for (api, kind, body, _) in readable() {
        let (carrier, _db) = carrier(api);
        let whole = signed(api, kind, &body);
        let tokened = matches!(api, "vonage_sms" | "infobip" | "kannel");
        let mut forged = vec![];
        if tokened {
            forged.push(Sent { url: whole.url.replacen("sixteen", "sixteem", 1), ..whole.clone() });
            forged.push(Sent { url: whole.url.replacen("token=", "tocen=", 1), ..whole.clone() });
        } else {
            let mut changed = whole.clone();
            changed.body[0] ^= 1;
            forged.push(changed);
            forged.push(Sent { headers: BTreeMap::new(), ..whole.clone() });
            for name in ["authorization", "x-plivo-signature-v3", "webhook-signature", "x-hub-signature-256"] {
                if whole.headers.contains_key(name) {
                    let mut blank = whole.clone();
                    blank.headers.insert(String::from(name), String::new());
                    forged.push(blank);
                }
            }
        }
        for sent in forged {
            assert_eq!(read(&*carrier, &sent), Err(HookFault::Signature), "{api} {kind:?} {}", sent.url);
        }
    }
}

#[actix_web::test]
async fn a_believed_callback_that_cannot_be_read_is_malformed() {
    let rows: [(&str, &[&str]); 7] = [
        ("vonage_sms", &["", "{", "[]", "{\"messageId\":\"1\"}", "{\"status\":\"delivered\"}"]),
        ("vonage", &["", "{", "{}", "{\"message_uuid\":7,\"status\":\"delivered\"}"]),
        ("infobip", &["", "{", "{}", "{\"results\":[{}]}", "{\"results\":[{\"messageId\":\"1\"}]}"]),
        ("plivo", &["", "a=1", "MessageUUID=1", "Status=sent"]),
        (
            "bird",
            &[
                "",
                "{",
                "{}",
                "{\"type\":\"sms.delivered\",\"data\":{}}",
                "{\"type\":\"sms.sent\",\"data\":{\"sms_id\":\"\"}}",
            ],
        ),
        ("kannel", &["", "type=1", "ref=att_1", "ref=&type=1"]),
        ("meta", &["", "{", "[]", "{\"entry\":{}}"]),
    ];
    for (api, bodies) in rows {
        let (carrier, _db) = carrier(api);
        for body in bodies {
            let sent = signed(api, HookKind::Status, body.as_bytes());
            assert_eq!(read(&*carrier, &sent), Err(HookFault::Malformed), "{api} {body}");
            if !matches!(api, "bird" | "meta") {
                let sent = signed(api, HookKind::Inbound, body.as_bytes());
                assert_eq!(read(&*carrier, &sent), Err(HookFault::Malformed), "{api} inbound {body}");
            }
        }
    }
}

#[actix_web::test]
async fn the_published_signatures_hold() {
    let published = json_fixture("providers/signatures.json");
    let row = &published["plivo_v3"];
    let text = |value: &serde_json::Value| String::from(value.as_str().unwrap());
    let (plivo, _one) = carrier("plivo");
    let sent = Sent {
        kind: HookKind::Status,
        url: text(&row["url"]),
        headers: headers(&[
            ("x-plivo-signature-v3", row["signature"].as_str().unwrap()),
            ("x-plivo-signature-v3-nonce", row["nonce"].as_str().unwrap()),
        ]),
        body: fixture("providers/plivo_status.form"),
    };
    assert_eq!(told(&read(&*plivo, &sent).unwrap()), ["11111111-2222-4333-8444-000000000001 - Delivered -"]);
    let other = Sent { url: sent.url.replace("otp.example", "evil.example"), ..sent };
    assert_eq!(read(&*plivo, &other), Err(HookFault::Signature));

    let row = &published["vonage_jwt"];
    let (vonage, _two) = carrier("vonage");
    let bearer = format!("Bearer {}", row["jwt"].as_str().unwrap());
    let sent = Sent {
        kind: HookKind::Status,
        url: String::new(),
        headers: headers(&[("authorization", &bearer)]),
        body: text(&row["body"]).into_bytes(),
    };
    assert_eq!(told(&read(&*vonage, &sent).unwrap()), ["aaaaaaaa-bbbb-4ccc-8ddd-000000000002 - Delivered -"]);
}

#[actix_web::test]
async fn vonages_signed_callbacks_need_no_token() {
    let keys = "api_key = \"k\"\napi_secret = \"s\"\nfrom = \"ACME\"\nsignature_secret = \"a signature secret\"\nkind = \"vonage_sms\"\n";
    let (carrier, _db) = super::acme(keys);
    let sign = |form: &[(&str, &str)]| {
        let mut sorted = form.to_vec();
        sorted.sort_unstable();
        let text: String =
            sorted.iter().map(|(name, value)| format!("&{name}={}", value.replace(['&', '='], "_"))).collect();
        hex(&hmac_sha256(b"a signature secret", text.as_bytes())).to_uppercase()
    };
    let form = [("msisdn", "447700900123"), ("to", "24680"), ("messageId", "1"), ("text", "a=b&c"), ("timestamp", "1")];
    let query = |sig: &str, text: &str| {
        format!(
            "https://otp.example/hooks/acme/inbound?msisdn=447700900123&to=24680&messageId=1&text={text}&timestamp=1&sig={sig}"
        )
    };
    let sent = |url: String| Sent { kind: HookKind::Inbound, url, headers: BTreeMap::new(), body: vec![] };
    let sig = sign(&form);
    let right = sent(query(&sig, "a%3Db%26c"));
    assert_eq!(told(&read(&*carrier, &right).unwrap()), ["sms +447700900123 > 24680: a=b&c"]);
    for wrong in [query(&sig, "a%3Db%26d"), query("", "a%3Db%26c"), query(&sig[1..], "a%3Db%26c")] {
        assert_eq!(read(&*carrier, &sent(wrong)), Err(HookFault::Signature));
    }
}

#[actix_web::test]
async fn an_old_callback_of_birds_is_not_believed() {
    let (carrier, _db) = carrier("bird");
    // The harness's clock stands at 1,000 s; the secret and the scheme are those of `signed`.
    for (sent_at, believed) in [("700", true), ("1300", true), ("699", false), ("1301", false), ("soon", false)] {
        let body = br#"{"type":"sms.sent","data":{"sms_id":"sms_1"}}"#;
        let mut sent = signed("bird", HookKind::Status, body);
        let text = [format!("evt_1.{sent_at}.").as_bytes(), body].concat();
        let mac = STANDARD.encode(hmac_sha256(b"0123456789abcdef01234567", &text));
        sent.headers.insert("webhook-timestamp".into(), sent_at.into());
        sent.headers.insert("webhook-signature".into(), format!("v1,{mac}"));
        assert_eq!(read(&*carrier, &sent).is_ok(), believed, "{sent_at}");
    }
}

#[actix_web::test]
async fn without_a_secret_nobody_reports_here() {
    for (kind, keys) in [
        ("vonage_sms", "api_key = \"k\"\napi_secret = \"s\"\nfrom = \"ACME\"\n"),
        ("vonage", "api_key = \"k\"\napi_secret = \"s\"\nfrom = \"ACME\"\n"),
        ("infobip", "api_key = \"k\"\nfrom = \"ACME\"\nbase_url = \"https://x.api.infobip.com\"\n"),
        ("bird", "api_key = \"k\"\nbase_url = \"https://eu1.platform.bird.com\"\n"),
        ("kannel", "username = \"u\"\npassword = \"p\"\nbase_url = \"http://127.0.0.1:1\"\n"),
        ("sns", "access_key_id = \"k\"\nsecret_access_key = \"s\"\nregion = \"eu-west-1\"\n"),
    ] {
        let (carrier, _db) = super::acme(&format!("kind = \"{kind}\"\n{keys}"));
        let sent = Sent { kind: HookKind::Status, url: String::new(), headers: BTreeMap::new(), body: b"{}".to_vec() };
        assert_eq!(read(&*carrier, &sent), Err(HookFault::NotHere), "{kind}");
    }
}
