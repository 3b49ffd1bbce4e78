//! Through the running server: a message goes out, its receipt comes to `/hooks/…` and is applied.

use diesel::prelude::*;
use postern::both;
use postern::config::{Config, Source};
use postern::db::schema::receipts;
use postern::error::Code;
use postern::secret::hmac_sha256;
use serde_json::json;

use super::{TOKEN, WAMID, fixture};
use crate::harness::actor::Reply;
use crate::harness::app::{Tenant, TestApp};
use crate::harness::fake_carrier::{FakeCarrier, HandOff, Script};

const JSON: &str = "application/json";

/// A server whose carriers are also those of `text`.
async fn start(text: String) -> TestApp {
    let source = Source { name: "tests".to_owned(), text, ..Source::default() };
    let more = Config::load(source).unwrap_or_else(|faults| panic!("{faults}")).carriers;
    TestApp::start_with(|config| config.carriers.extend(more.into_iter().skip(1))).await
}

/// Sends a message by the carrier `name`; its id, and what the carrier was handed.
async fn send(app: &TestApp, tenant: &Tenant, name: &str, fake: &FakeCarrier) -> (String, HandOff) {
    app.route(&[("sms", name, 1)]).await;
    let body = json!({"to": "+447911123456", "body": "hello", "kind": "transactional"});
    let id = tenant.live.post("/v1/messages", body).await.expect(202).text_at("/id");
    app.step().await;
    (id, fake.hand_offs().pop().unwrap())
}

async fn status(tenant: &Tenant, id: &str) -> String {
    tenant.live.get(&format!("/v1/messages/{id}")).await.expect(200).text_at("/status")
}

/// The path and query of one of our addresses.
fn local(address: &str) -> String {
    let (_, rest) = address.split_once("/hooks/").unwrap();
    format!("/hooks/{rest}")
}

async fn post(app: &TestApp, path: &str, body: Vec<u8>) -> Reply {
    app.anonymous().send("POST", path, JSON, body).await
}

#[actix_web::test]
async fn kannels_reports_come_by_get_and_end_a_message() {
    let fake = FakeCarrier::start();
    fake.always(Script::Answer(202, vec![], b"0: Accepted for delivery".to_vec()));
    let app = start(format!(
        "[[carriers]]\nname = \"kan\"\nkind = \"kannel\"\nbase_url = \"{}\"\nusername = \"u\"\npassword = \"p\"\ncallback_token = \"{TOKEN}\"\n",
        fake.url("")
    ))
    .await;
    let tenant = app.tenant().await;
    let (id, seen) = send(&app, &tenant, "kan", &fake).await;
    let query = actix_web::web::Query::<std::collections::BTreeMap<String, String>>::from_query(
        seen.path.split_once('?').unwrap().1,
    );
    let report = local(&query.unwrap()["dlr-url"]);
    assert_eq!(status(&tenant, &id).await, "sent");
    let report = |kind: &str| report.replace("%d", kind);
    app.anonymous().get(&report("1").replace("sixteen", "seventeen")).await.refused(Code::PermissionDenied);
    app.anonymous().get(&report("4")).await.expect(204);
    assert_eq!(status(&tenant, &id).await, "sent");
    for _ in 0..3 {
        app.anonymous().get(&report("1")).await.expect(204);
    }
    assert_eq!(status(&tenant, &id).await, "delivered");
    app.anonymous().get(&report("16")).await.expect(204);
    assert_eq!(status(&tenant, &id).await, "delivered", "a late report changes nothing");
    let inbound = format!("/hooks/kan/inbound?token={}&id=1&from=%2B447911123456&to=24680&text=STOP", TOKEN);
    for _ in 0..2 {
        app.anonymous().get(&inbound).await.expect(204);
    }
    let kept = tenant.live.get("/v1/inbound").await.expect(200);
    assert_eq!(kept.json["data"].as_array().map(Vec::len), Some(1), "{}", kept.text);
    assert_eq!((kept.text_at("/data/0/body"), kept.text_at("/data/0/keyword")), ("STOP".into(), "stop".into()));
    assert_eq!((kept.text_at("/data/0/from"), kept.text_at("/data/0/to")), ("+447911123456".into(), "24680".into()));
    app.anonymous().get("/hooks/kan/inbound?token=x&id=1").await.refused(Code::PermissionDenied);
}

#[actix_web::test]
async fn a_receipt_finds_its_message_by_our_reference_alone() {
    let fake = FakeCarrier::start();
    // The answer names no id that the receipt will know.
    fake.always(Script::json(
        200,
        json!({"messages": [{"messageId": "other", "status": {"groupId": 1, "name": "PENDING_ACCEPTED"}}]}),
    ));
    let app = start(format!(
        "[[carriers]]\nname = \"bip\"\nkind = \"infobip\"\nbase_url = \"{}\"\napi_key = \"k\"\nfrom = \"ACME\"\ncallback_token = \"{TOKEN}\"\n",
        fake.url("")
    ))
    .await;
    let tenant = app.tenant().await;
    let (id, seen) = send(&app, &tenant, "bip", &fake).await;
    let sent = seen.json();
    let address = local(sent["messages"][0]["webhooks"]["delivery"]["url"].as_str().unwrap());
    let reference = sent["messages"][0]["webhooks"]["callbackData"].clone();
    let one = json!({"messageId": "third", "callbackData": reference, "status": {"groupId": 3, "name": "DELIVERED_TO_HANDSET"}});
    let stranger = json!({"messageId": "unheard of", "callbackData": "x", "status": {"groupId": 5}});
    let body = json!({"results": [stranger, one]}).to_string().into_bytes();
    post(&app, "/hooks/bip/status", body.clone()).await.refused(Code::PermissionDenied);
    post(&app, &address, b"{}".to_vec()).await.refused(Code::MalformedRequest);
    assert_eq!(status(&tenant, &id).await, "sent");
    post(&app, &address, body.clone()).await.expect(204);
    post(&app, &address, body).await.expect(204);
    assert_eq!(status(&tenant, &id).await, "delivered");
}

#[actix_web::test]
async fn an_undelivered_message_of_vonages_ends_as_such() {
    let fake = FakeCarrier::start();
    fake.always(Script::Answer(200, vec![], fixture("providers/vonage_sms_response_ok.json")));
    let app = start(format!(
        "[[carriers]]\nname = \"von\"\nkind = \"vonage_sms\"\nbase_url = \"{}\"\napi_key = \"k\"\napi_secret = \"s\"\nfrom = \"ACME\"\ncallback_token = \"{TOKEN}\"\n",
        fake.url("")
    ))
    .await;
    let tenant = app.tenant().await;
    let (id, seen) = send(&app, &tenant, "von", &fake).await;
    let address = local(&seen.form()["callback"]);
    let failed = String::from_utf8(fixture("providers/vonage_sms_dlr.json")).unwrap();
    let failed = failed.replace("\"delivered\"", "\"failed\"").replace("\"err-code\": \"0\"", "\"err-code\": \"3\"");
    post(&app, &address, failed.into_bytes()).await.expect(204);
    let seen = tenant.live.get(&format!("/v1/messages/{id}")).await.expect(200);
    assert_eq!(seen.text_at("/status"), "undelivered");
}

#[actix_web::test]
async fn metas_webhook_is_shared_by_its_numbers() {
    let number = |name: &str, id: &str| {
        format!(
            "[[carriers]]\nname = \"{name}\"\nkind = \"meta\"\naccess_token = \"t\"\nphone_number_id = \"{id}\"\n\
             app_secret = \"fixture-app-secret-0001\"\nverify_token = \"fixture-verify-token\"\n"
        )
    };
    let app = start([number("wa-1", "800100200300401"), number("wa-2", "800100200300402")].concat()).await;
    let asked = "/hooks/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=";
    assert_eq!(app.anonymous().get(&format!("{asked}fixture-verify-token")).await.expect(200).text, "1158201444");
    app.anonymous().get(&format!("{asked}wrong")).await.refused(Code::PermissionDenied);
    let body = fixture("meta/webhook_multi_entry_multi_change.json");
    let mac = hmac_sha256(b"fixture-app-secret-0001", &body);
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    let signed = app.anonymous().with_header("X-Hub-Signature-256", &format!("sha256={hex}"));
    for _ in 0..2 {
        signed.send("POST", "/hooks/meta", JSON, body.clone()).await.expect(204);
    }
    let mut parked: Vec<(String, String, String)> = app
        .read(|conn| {
            let query = receipts::table.select((receipts::carrier, receipts::provider_id, receipts::status));
            Ok(both!(conn, c => query.load(c))?)
        })
        .await;
    parked.sort();
    let one = |status: &str| (String::from("wa-1"), String::from(WAMID), String::from(status));
    assert_eq!(parked, [one("=delivered"), one("=sent")], "each once, and for the number it is about");
    signed.send("POST", "/hooks/meta", JSON, b"{}".to_vec()).await.refused(Code::PermissionDenied);
}
