//! The audit log over a socket: filters, checkpoints and where they go, proofs that hold without the server.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use postern::audit::{check_proof, checkpoint_due, export_due};
use postern::config::BaseUrl;
use postern::error::Code;
use serde_json::{Value, json};

use crate::harness::app::TestApp;
use crate::harness::fake_carrier::{FakeCarrier, Script};

/// What docs/audit.md tells a third party to do, with nothing of ours.
fn is_signed(line: &Value, key: &str) -> bool {
    let at = |name: &str| line[name].as_str().map_or_else(|| line[name].to_string(), str::to_owned);
    let lines = ["id", "seq", "hash", "at", "node", "key"].map(|name| format!("{name} {}\n", at(name)));
    let text = format!("postern audit checkpoint 1\n{}", lines.concat());
    let (key, signature) = (STANDARD.decode(key).unwrap(), STANDARD.decode(at("signature")).unwrap());
    let public = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
    public.verify(text.as_bytes(), &signature).is_ok()
}

async fn made_now(app: &TestApp) -> Value {
    app.operator().post("/v1/admin/audit/checkpoints", json!({"reason": "before the audit"})).await.expect(201).json
}

#[actix_web::test]
async fn of_several_processes_one_makes_the_checkpoint_of_an_hour() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let made = async || {
        let tries = (0..6).map(|n| checkpoint_due(if n % 2 == 0 { &app.app } else { &other.app }));
        join_all(tries).await.into_iter().filter_map(Result::unwrap).count()
    };
    assert_eq!(made().await, 1);
    app.advance(Duration::from_secs(29 * 60));
    assert_eq!(made().await, 0, "it is the same hour");
    app.advance(Duration::from_secs(60));
    assert_eq!(made().await, 1);
    let list = app.operator().get("/v1/admin/audit/checkpoints").await.expect(200);
    let key = app.operator().get("/v1/admin/audit/key").await.expect(200).text_at("/key");
    let list = list.json["data"].as_array().unwrap().clone();
    assert_eq!(list.len(), 2);
    assert!(list.iter().all(|line| is_signed(line, &key)), "{list:?}");
}

#[actix_web::test]
async fn checkpoints_reach_the_file_and_the_address_and_failures_are_tried_again() {
    let vault = FakeCarrier::start();
    let folder = std::env::temp_dir().join(format!("postern-vault-{}", postern::secret::random_token::<12>()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("checkpoints.jsonl");
    let app = TestApp::start_with(|config| {
        config.outbound.allow = vec!["127.0.0.0/8".parse().unwrap()];
        config.audit.checkpoint_file = Some(file.clone());
        config.audit.checkpoint_url =
            Some(BaseUrl::local(vault.url("").trim_start_matches("http://").parse().unwrap()));
    })
    .await;
    vault.next(Script::json(503, json!({})));
    made_now(&app).await;
    export_due(&app.app).await.unwrap();
    assert_eq!((vault.calls(), vault.hand_offs().len()), (1, 0));
    let waiting = app.operator().get("/v1/admin/jobs?kind=audit.checkpoint_url").await.expect(200);
    assert_eq!(
        (&waiting.json["data"][0]["state"], &waiting.json["data"][0]["attempts"]),
        (&json!("waiting"), &json!(1))
    );
    app.advance(Duration::from_secs(3600));
    checkpoint_due(&app.app).await.unwrap();
    export_due(&app.app).await.unwrap();
    let lines: Vec<Value> =
        std::fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let key = app.operator().get("/v1/admin/audit/key").await.expect(200).text_at("/key");
    assert_eq!((lines.len(), vault.hand_offs().len()), (2, 2));
    assert!(lines.iter().all(|line| line["kind"] == "checkpoint" && is_signed(line, &key)), "{lines:?}");
    let posted: Vec<Value> = vault.hand_offs().iter().map(|call| call.json()).collect();
    assert!(posted.iter().all(|line| lines.contains(line)), "{posted:?}");
    let left = app.operator().get("/v1/admin/jobs").await.expect(200);
    assert_eq!(left.json["data"], json!([]));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[actix_web::test]
async fn a_checkpoint_asked_for_is_made_once_for_its_key_and_told() {
    let app = TestApp::start().await;
    let owner = app.operator().with_header("Idempotency-Key", "now");
    let path = "/v1/admin/audit/checkpoints";
    let first = owner.post(path, json!({"reason": "before the audit"})).await.expect(201);
    let again = owner.post(path, json!({"reason": "before the audit"})).await.expect(201);
    assert_eq!(first.json, again.json);
    let told = owner.get("/v1/admin/audit?action=audit.checkpoint").await.expect(200);
    let rows = told.json["data"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["reason"]), (1, &json!("before the audit")));
    assert_eq!((&rows[0]["seq"], &rows[0]["hash"]), (&first.json["seq"], &first.json["hash"]), "it covers its own row");
    let found = owner.get("/v1/admin/audit/verify").await.expect(200);
    assert_eq!((&found.json["whole"], &found.json["checkpoints"]["agreeing"]), (&json!(true), &json!(1)));
}

#[actix_web::test]
async fn a_proof_holds_without_the_server_and_a_changed_one_does_not() {
    let app = TestApp::start().await;
    app.tenant().await;
    let owner = app.operator();
    owner.get("/v1/admin/audit/proof?from=1").await.refused(Code::ValidationFailed);
    let last = made_now(&app).await["seq"].as_i64().unwrap();
    app.tenant().await;
    let key = owner.get("/v1/admin/audit/key").await.expect(200).text_at("/key");
    let proof = owner.get("/v1/admin/audit/proof?from=2&to=3").await.expect(200);
    assert_eq!(proof.header("content-type"), Some("application/jsonl"));
    let found = check_proof(&proof.text, Some(key.parse().unwrap())).unwrap();
    assert_eq!((found.whole, found.from, found.to), (true, 2, last), "it goes on to the checkpoint");
    let forged = check_proof(&proof.text.replace("ACME", "ACNE"), None).unwrap();
    assert!(!forged.whole && forged.first_bad.is_some());
    let later = format!("/v1/admin/audit/proof?from=1&to={}", last + 1);
    for path in [later.as_str(), "/v1/admin/audit/proof?from=0", "/v1/admin/audit/proof?from=3&to=2"] {
        owner.get(path).await.refused(Code::ValidationFailed);
    }
}

#[actix_web::test]
async fn the_log_is_filtered_by_time_and_by_request() {
    let app = TestApp::start().await;
    let owner = app.operator();
    let org = json!({"name": "Early", "country": "GB"});
    let early = owner.post("/v1/admin/orgs", org).await.expect(201);
    app.advance(Duration::from_secs(3600));
    let late = owner.post("/v1/admin/orgs", json!({"name": "Late", "country": "GB"})).await.expect(201);
    let targets = async |query: &str| -> Vec<String> {
        let list = owner.get(&format!("/v1/admin/audit?action=org.create&{query}")).await.expect(200);
        let rows = list.json["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["target"].as_str().unwrap().to_owned()).collect()
    };
    let (early_id, late_id) = (early.text_at("/id"), late.text_at("/id"));
    assert_eq!(targets("since=2026-03-28T15:00:00Z").await, std::slice::from_ref(&late_id));
    assert_eq!(targets("until=2026-03-28T15:00:00Z").await, [early_id]);
    let request = late.header("x-request-id").unwrap();
    assert_eq!(targets(&format!("request_id={request}")).await, [late_id]);
    owner.get("/v1/admin/audit?since=noon").await.refused(Code::ValidationFailed);
}

/// The log cannot be erased: no reason that comes to it may name a person, whichever order it is given with.
#[actix_web::test]
async fn a_reason_that_names_somebody_is_refused_with_every_order() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let operator = app.operator();
    let rows = async || app.operator().get("/v1/admin/audit?limit=200").await.expect(200).json["data"].clone();
    let before = rows().await;
    let named = ["asked by +44 7400 555777", "for Ann (ann@mail.example)"];
    for reason in named {
        let money = json!({"amount": "1.00", "currency": "USD", "reason": reason});
        let orders = [
            (format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org), money),
            (format!("/v1/admin/orgs/{}/keys", acme.org), json!({"name": "n", "mode": "live", "reason": reason})),
            ("/v1/admin/erasures".to_owned(), json!({"to": "+447400555778", "reason": reason})),
            ("/v1/admin/pause".to_owned(), json!({"scope": "all", "reason": reason})),
        ];
        for (path, body) in orders {
            let refusal = operator.post(&path, body).await.refused(Code::ValidationFailed);
            let said = refusal.json["field_errors"]["reason"][0].as_str().unwrap_or_default();
            assert!(said.contains("write the message's id"), "{path}: {}", refusal.text);
            assert!(!refusal.text.contains("555777") && !refusal.text.contains("ann@"), "{}", refusal.text);
        }
        // Where there is no body it stands in the query.
        let escaped = reason.replace('+', "%2B").replace(' ', "%20").replace('@', "%40");
        let path = format!("/v1/admin/orgs/{}/limits/org.minute?reason={escaped}", acme.org);
        let refusal = operator.delete(&path).await;
        assert_eq!(refusal.status, 400, "{}", refusal.text);
        assert!(refusal.json["field_errors"]["reason"].is_array(), "{}", refusal.text);
    }
    assert_eq!(rows().await, before, "nothing was done");
    let ticket = json!({"amount": "1.00", "currency": "USD", "reason": "ticket 447400555777"});
    operator.post(&format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org), ticket).await.expect(201);
}
