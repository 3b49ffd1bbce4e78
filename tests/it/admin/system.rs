//! The installation over a socket: its state, copies of the database, the support bundle without secrets.

use std::os::unix::fs::PermissionsExt;

use postern::error::Code;
use postern::system::run_backups;
use serde_json::{Value, json};

use crate::harness::Backend;
use crate::harness::app::{ACME_SECRET, TWILIO_TOKEN, TestApp};

const CODE: &str = "918273";
const NATIONAL: &str = "7400123456";

#[actix_web::test]
async fn the_state_tells_the_process_the_database_and_what_is_configured() {
    let app = TestApp::start().await;
    app.advance(std::time::Duration::from_secs(90));
    let seen = app.operator().get("/v1/admin/system").await.expect(200).json;
    assert_eq!(seen["process"]["uptime_ms"], json!(90_000));
    assert_eq!(seen["version"], json!(env!("CARGO_PKG_VERSION")));
    let kind = if Backend::server().is_none() { "sqlite" } else { "postgresql" };
    assert_eq!((&seen["database"]["kind"], &seen["database"]["pending"]), (&json!(kind), &json!([])));
    assert!(seen["database"]["bytes"].as_i64().unwrap() > 10_000, "{seen}");
    assert!(seen["database"]["migration"].is_string() && seen["disk"]["free_bytes"].is_u64(), "{seen}");
    assert_eq!(seen["nodes"].as_array().unwrap().len(), usize::from(kind == "sqlite"));
    let written = |key: &str| seen["config"].as_array().unwrap().iter().find(|one| one["key"] == key).cloned().unwrap();
    let workers = written("server.workers");
    assert_eq!((&workers["value"], &workers["default"]), (&json!("1"), &json!("auto")));
    assert_eq!(workers["place"], "POSTERN_SERVER_WORKERS");
    assert_eq!(written("secret_key")["value"], Value::Null, "a secret is only named");
    let findings = seen["findings"].as_array().unwrap();
    assert!(findings.iter().any(|one| one["about"] == "operators" && one["state"] == "ok"), "{findings:?}");
}

#[actix_web::test]
async fn a_backup_is_made_once_for_its_key_and_its_age_is_known() {
    let app = TestApp::start().await;
    let path = "/v1/admin/system/backups";
    let owner = app.operator().with_header("Idempotency-Key", "tonight");
    if Backend::server().is_some() {
        let refused = owner.post(path, json!({})).await.refused(Code::ValidationFailed);
        assert!(refused.text.contains("pg_dump"), "{}", refused.text);
        return;
    }
    let asked = owner.post(path, json!({"reason": "before the upgrade"})).await.expect(201);
    assert_eq!(asked.json, owner.post(path, json!({"reason": "before the upgrade"})).await.expect(201).json);
    assert_eq!(asked.json["status"], "waiting");
    assert_eq!(run_backups(&app.app).await.unwrap(), 1);
    assert_eq!(run_backups(&app.app).await.unwrap(), 0);
    let made = owner.get(path).await.expect(200).json["data"][0].clone();
    assert_eq!((&made["status"], &made["fault"], &made["id"]), (&json!("made"), &Value::Null, &asked.json["id"]));
    let file = made["file"].as_str().unwrap();
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(owner.get("/v1/admin/system").await.expect(200).json["backup"], made);
    let told = owner.get("/v1/admin/audit?action=backup.create").await.expect(200);
    assert_eq!(told.json["data"].as_array().unwrap().len(), 1);
    // Where the file cannot be written the failure is told, and the job is not begun again and again.
    std::fs::remove_dir_all(app.app.config.backup_directory()).unwrap();
    std::fs::write(app.app.config.backup_directory(), "a file where the directory belongs").unwrap();
    app.operator().post(path, json!({})).await.expect(201);
    assert_eq!(run_backups(&app.app).await.unwrap(), 1);
    let failed = owner.get(path).await.expect(200).json["data"][0].clone();
    assert_eq!(failed["status"], "failed");
    assert!(failed["fault"].as_str().unwrap().contains("backups"), "{failed}");
    assert_eq!(run_backups(&app.app).await.unwrap(), 0);
}

#[actix_web::test]
async fn a_support_bundle_holds_no_secret_no_number_and_no_code() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let path = format!("/v1/admin/orgs/{}/keys", tenant.org);
    let key = app.operator().post(&path, json!({"name": "k", "mode": "live"})).await.expect(201).text_at("/secret");
    let live = app.anonymous().with_token(&key);
    let body = json!({"to": format!("+44{NATIONAL}"), "body": format!("CANARYTEXT {CODE}"), "metadata": {"a": CODE}});
    live.post("/v1/messages", body).await.expect(202);
    app.step().await;
    live.post("/v1/verifications", json!({"to": format!("+44{NATIONAL}")})).await.expect(201);
    let bundle = app.operator().get("/v1/admin/system/support-bundle").await.expect(200);
    let tables = bundle.json["tables"].as_array().unwrap();
    let rows = |name: &str| tables.iter().find(|one| one["table"] == name).unwrap()["rows"].clone();
    assert_eq!((rows("messages"), rows("orgs")), (json!(2), json!(1)));
    assert!(bundle.json["status"]["findings"].is_array(), "{}", bundle.text);
    let owner_token = "an owner's token of my own choice";
    let server_key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    for canary in [CODE, "CANARYTEXT", NATIONAL, &key, owner_token, server_key, ACME_SECRET, TWILIO_TOKEN] {
        assert!(!bundle.text.contains(canary), "the bundle holds {canary}");
    }
}
