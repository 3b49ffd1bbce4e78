//! The simulator's own truth: its webhooks have the shape of the published ones and are signed like them, its answers
//! are those of the fixtures, and only what Meta takes is taken.

use std::collections::BTreeMap;
use std::net::TcpListener;

use postern::secret::{hex, hmac_sha256};
use serde_json::{Value, json};

use crate::harness::app::TestApp;
use crate::harness::fake_carrier::FakeCarrier;
use crate::harness::meta::MetaSim;

const MESSAGES: &str = "/v25.0/800100200300401/messages";
const TEMPLATES: &str = "/v25.0/900100200300400/message_templates";

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/meta/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Every path of `json` with the type of what stands there; people and what they answered to are left out, since they
/// come in several published forms.
fn shape(json: &Value) -> BTreeMap<String, &'static str> {
    fn walk(json: &Value, path: &str, into: &mut BTreeMap<String, &'static str>) {
        match json {
            Value::Object(map) => {
                for (name, inner) in map.iter().filter(|(name, _)| !["contacts", "context"].contains(&name.as_str())) {
                    walk(inner, &format!("{path}/{name}"), into);
                }
            }
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(n, inner)| walk(inner, &format!("{path}/{n}"), into));
            }
            Value::String(_) => drop(into.insert(path.to_owned(), "text")),
            Value::Number(_) => drop(into.insert(path.to_owned(), "number")),
            Value::Bool(_) => drop(into.insert(path.to_owned(), "bool")),
            Value::Null => drop(into.insert(path.to_owned(), "null")),
        }
    }
    let mut found = BTreeMap::new();
    walk(json, "", &mut found);
    found
}

/// A simulated number whose webhooks a receiver keeps.
async fn observed() -> (TestApp, MetaSim, FakeCarrier) {
    let (app, receiver) = (TestApp::start().await, FakeCarrier::start());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let meta = MetaSim::on(listener, &app, receiver.url("/hooks/meta"));
    (app, meta, receiver)
}

fn code(to: &str, reference: Option<&str>) -> Value {
    let mut body = fixture("send_auth_template_request");
    let members = body.as_object_mut().unwrap();
    members.insert("to".to_owned(), json!(to));
    members.remove("biz_opaque_callback_data");
    if let Some(reference) = reference {
        members.insert("biz_opaque_callback_data".to_owned(), json!(reference));
    }
    body
}

#[actix_web::test]
async fn webhooks_have_the_published_shapes_and_signatures() {
    let (_app, meta, receiver) = observed().await;
    let send = async |to: &str, version: &str, reference: Option<&str>| {
        let path = MESSAGES.replace("v25.0", version);
        meta.caller().post(&path, code(to, reference)).await.expect(200);
    };
    let mut expected = Vec::new();
    send("447400000002", "v25.0", Some("msg_1")).await;
    expected.push("webhook_status_sent_v24");
    send("447400000002", "v23.0", Some("msg_1")).await;
    expected.push("webhook_status_sent_v23");
    send("447400131026", "v25.0", None).await;
    expected.push("webhook_status_failed_131026");
    send("447400131049", "v25.0", None).await;
    expected.push("webhook_status_failed_131049");
    meta.flush().await;
    send("447400000004", "v25.0", None).await;
    expected.extend(["webhook_status_sent_2026_contacts_bsuid", "webhook_status_read_without_delivered"]);
    meta.flush().await;
    let controls = [
        ("inbound", json!({"from": "447700900123", "text": "STOP"}), "webhook_message_text_inbound"),
        (
            "inbound",
            json!({"from": "447700900123", "text": "I didn't request a code", "button": "DID_NOT_REQUEST_CODE"}),
            "webhook_message_button_inbound",
        ),
        ("account_error", json!({"code": 130_429}), "webhook_account_errors_130429"),
        ("template", json!({"name": "login_otp", "event": "PAUSED"}), "webhook_template_status_paused"),
        ("template", json!({"name": "login_otp", "event": "APPROVED"}), "webhook_template_status_approved"),
        ("template", json!({"name": "login_otp", "event": "DISABLED"}), "webhook_template_status_disabled"),
        (
            "template",
            json!({"name": "login_otp", "event": "REJECTED", "reason": "INVALID_FORMAT"}),
            "webhook_template_status_rejected",
        ),
        ("template_quality", json!({"name": "login_otp", "quality": "RED"}), "webhook_template_quality_green_to_red"),
        ("quality", json!({"event": "UPGRADE", "limit": "TIER_2K"}), "webhook_phone_quality_tier_2k_new_field_only"),
        ("quality", json!({"event": "FLAGGED", "legacy": true}), "webhook_phone_quality_flagged_legacy"),
        ("capability", json!({"limit": 2000}), "webhook_business_capability_integer"),
        ("capability", json!({"limit": "TIER_10K"}), "webhook_business_capability_string_tier"),
        ("capability", json!({"limit": -1, "per_phone": true}), "webhook_business_capability_legacy_per_phone"),
        (
            "alert",
            json!({"kind": "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED"}),
            "webhook_account_alert_limit_deferred",
        ),
    ];
    for (control, body, name) in controls {
        meta.set(control, body).await;
        expected.push(name);
    }
    meta.flush().await;
    let heard = receiver.hand_offs();
    assert_eq!(heard.len(), expected.len());
    for (call, name) in heard.iter().zip(expected) {
        assert_eq!(shape(&call.json()), shape(&fixture(name)), "{name}: {}", call.json());
        let signature = format!("sha256={}", hex(&hmac_sha256(b"simulator-app-secret", &call.body)));
        assert_eq!(call.header("x-hub-signature-256"), Some(signature.as_str()));
    }
}

#[actix_web::test]
async fn who_hides_the_number_shows_nowhere() {
    let (_app, meta, receiver) = observed().await;
    meta.caller().post(MESSAGES, code("447400000007", None)).await.expect(200);
    meta.set("inbound", json!({"from": "447400000007", "text": "hello"})).await;
    meta.flush().await;
    let heard = receiver.hand_offs();
    assert_eq!(heard.len(), 4);
    for call in &heard {
        let value = call.json()["entry"][0]["changes"][0]["value"].clone();
        assert_eq!(value["contacts"][0]["user_id"], "GB.10000000447400000007");
        assert_eq!(value["contacts"][0]["wa_id"], Value::Null);
        let text = String::from_utf8(call.body.clone()).unwrap().replace("GB.10000000447400000007", "");
        assert!(!text.contains("447400000007"), "{text}");
    }
    assert_eq!(heard[3].json()["entry"][0]["changes"][0]["value"]["messages"][0]["from"], Value::Null);
}

#[actix_web::test]
async fn answers_are_those_of_the_fixtures() {
    let (_app, meta, _receiver) = observed().await;
    let taken = meta.caller().post(MESSAGES, code("447700900123", None)).await.expect(200).json;
    let published = shape(&fixture("send_response_200"));
    assert_eq!(shape(&taken), published.clone());
    assert_eq!(taken["messages"][0]["message_status"], "accepted");
    let held = meta.caller().post(MESSAGES, code("447400000008", None)).await.expect(200).json;
    assert_eq!(held["messages"][0]["message_status"], "held_for_quality_assessment");
    for code_number in [130_429, 131_026, 131_047, 131_048, 131_056, 131_062, 132_000, 132_001, 132_015] {
        meta.set("fail", json!({"code": code_number})).await;
        let reply = meta.caller().post(MESSAGES, code("447700900123", None)).await;
        let fixture = fixture(&format!("send_error_{code_number}"));
        assert_eq!(
            (shape(&reply.json), reply.json["error"]["message"].clone()),
            (shape(&fixture), fixture["error"]["message"].clone())
        );
    }
    let stranger = meta.control.post(MESSAGES, code("447700900123", None)).await.expect(401).json;
    assert_eq!(shape(&stranger), shape(&fixture("send_error_190_expired_token")));
}

#[actix_web::test]
async fn only_what_meta_takes_is_taken() {
    let (_app, meta, _receiver) = observed().await;
    let with = |pointer: &str, value: Value| {
        let mut body = code("447700900123", None);
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let one = json!([{"type": "text", "text": "123456"}]);
    let cases = [
        (with("/messaging_product", json!("sms")), 100),
        (with("/to", json!("nobody")), 131_009),
        (with("/to", json!("447400900100")), 131_021),
        (with("/type", json!("sticker")), 131_051),
        (with("/template/name", json!("no_such")), 132_001),
        (with("/template/language/code", json!("de")), 132_001),
        (with("/template/components/0/parameters", json!([])), 132_000),
        (with("/template/components/1/parameters", json!([])), 132_000),
        (
            with(
                "/template/components",
                json!([
            {"type": "body", "parameters": [{"type": "text", "text": "1234567890123456"}]},
            {"type": "button", "parameters": [{"type": "text", "text": "1234567890123456"}]}]),
            ),
            132_005,
        ),
        (
            with(
                "/template/components",
                json!([
            {"type": "body", "parameters": one},
            {"type": "button", "parameters": [{"type": "text", "text": "654321"}]}]),
            ),
            132_000,
        ),
    ];
    for (body, code) in cases {
        let reply = meta.caller().post(MESSAGES, body.clone()).await;
        assert_eq!(reply.json["error"]["code"], code, "{body}");
    }
    for (event, code_number) in [("PAUSED", 132_015), ("DISABLED", 132_016), ("REJECTED", 132_001)] {
        meta.set("template", json!({"name": "login_otp", "event": event})).await;
        meta.flush().await;
        let reply = meta.caller().post(MESSAGES, code("447700900123", None)).await;
        assert_eq!(reply.json["error"]["code"], code_number, "{event}");
    }
    meta.caller().post("/v25.0/1/messages", code("447700900123", None)).await.expect(400);
    assert!(meta.sent().await.is_empty());
}

#[actix_web::test]
async fn templates_are_made_reviewed_listed_and_deleted() {
    let (_app, meta, receiver) = observed().await;
    let named = |name: &str, text: &str| {
        json!({"name": name, "language": "en_US", "category": "UTILITY",
            "components": [{"type": "BODY", "text": text}]})
    };
    let made =
        meta.caller().post(TEMPLATES, named("parcel", "Hello {{1}}, your parcel {{2}} is here.")).await.expect(200);
    assert_eq!(made.json["status"], "PENDING");
    meta.caller().post(TEMPLATES, named("parcel", "Hello {{1}} again.")).await.expect(400);
    for text in ["{{1}} is here.", "Here is {{1}}", "Hello {{1}}{{2}} there."] {
        meta.caller().post(TEMPLATES, named("bad", text)).await.expect(400);
    }
    let list = |name: &str| {
        let path = format!("{TEMPLATES}?name={name}");
        let caller = meta.caller();
        async move { caller.get(&path).await.expect(200).json["data"].clone() }
    };
    assert_eq!(list("parcel").await[0]["status"], "PENDING");
    meta.flush().await;
    assert_eq!(list("parcel").await[0]["status"], "APPROVED");
    assert_eq!(receiver.hand_offs()[0].json()["entry"][0]["changes"][0]["value"]["event"], "APPROVED");
    let edit = format!("/v25.0/{}", made.text_at("/id"));
    meta.caller()
        .post(&edit, json!({"components": [{"type": "BODY", "text": "Hello {{1}}, it is here."}]}))
        .await
        .expect(200);
    assert_eq!(list("parcel").await[0]["status"], "PENDING");
    meta.caller().delete(&format!("{TEMPLATES}?name=parcel")).await.expect(200);
    assert_eq!(list("parcel").await, json!([]));
    let otp = |button: Value| {
        json!({"name": "tap", "language": "en_US", "category": "authentication", "components": [
            {"type": "body", "add_security_recommendation": true}, {"type": "buttons", "buttons": [button]}]})
    };
    for bad in [
        json!({"type": "otp", "otp_type": "one_tap"}),
        json!({"type": "otp", "otp_type": "two_tap"}),
        json!({"type": "url"}),
    ] {
        meta.caller().post(TEMPLATES, otp(bad)).await.expect(400);
    }
    let apps = json!([{"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}]);
    meta.caller()
        .post(TEMPLATES, otp(json!({"type": "otp", "otp_type": "one_tap", "supported_apps": apps})))
        .await
        .expect(200);
}

#[actix_web::test]
async fn the_number_shows_its_quality_limit_and_throughput() {
    let (_app, meta, _receiver) = observed().await;
    meta.set("quality", json!({"event": "THROUGHPUT_UPGRADE", "quality": "YELLOW", "limit": "TIER_10K"})).await;
    let path = "/v25.0/800100200300401";
    let fields = "quality_rating,whatsapp_business_manager_messaging_limit,throughput";
    let shown = meta.caller().get(&format!("{path}?fields={fields}")).await.expect(200).json;
    let expected = json!({"id": "800100200300401", "quality_rating": "YELLOW", "throughput": {"level": "HIGH"},
        "whatsapp_business_manager_messaging_limit": "TIER_10K"});
    assert_eq!(shown, expected);
    assert_eq!(meta.caller().get(path).await.expect(200).json["display_phone_number"], "447400900100");
}
