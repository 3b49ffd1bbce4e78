//! Recorded traffic under changed rules: by the API and by the command line, to the same hash.

use std::process::Command;

use postern::error::Code;
use postern::messages::write_refusals;
use postern::sentinel;
use serde_json::{Value, json};

use super::{USUAL, guarded, latvian, pumped, pumps, rows, scattered, verified};
use crate::harness::app::TestApp;
use crate::messages::secs;

const SIMULATIONS: &str = "/v1/admin/fraud/simulations";

/// Asks for a simulation, lets it run and shows it.
async fn simulated(app: &TestApp, spec: Value) -> Value {
    let asked = app.operator().post(SIMULATIONS, spec).await.expect(202);
    assert_eq!(asked.text_at("/state"), "queued");
    let path = format!("{SIMULATIONS}/{}", asked.text_at("/id"));
    assert_eq!(asked.header("location").map(|at| at.ends_with(&path)), Some(true));
    sentinel::run_simulations(&app.app).await.unwrap();
    app.operator().get(&path).await.expect(200).json
}

/// The command line over the same database.
fn by_command(app: &TestApp, args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command.current_dir(&app.app.config.node.data_dir).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("POSTERN_DATABASE_URL", app.url());
    // The one of the tests; PostgreSQL wants one named.
    command.env("POSTERN_SECRET_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
    let output = command.arg("simulate").args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[actix_web::test]
async fn what_a_guard_would_have_stopped_is_told_from_what_was_recorded() {
    let app = TestApp::start().await;
    let prices = json!([{"channel": "sms", "amount": "0.07"}]);
    app.operator().put("/v1/admin/prices", prices).await.expect(200);
    let acme = app.tenant_with(json!({"plan": "enterprise", "protection": "monitor"})).await;
    std::fs::create_dir_all(&app.app.config.node.data_dir).unwrap();
    let from = app.app.clock.now().rfc3339();
    for n in 0..25 {
        verified(&app, &acme.test, &scattered(n)).await;
    }
    for n in 0..60 {
        pumps(&app, &acme.test, n).await.expect(201);
    }
    let to = app.app.clock.now().plus(secs(1)).rfc3339();
    let spec = json!({"from": from, "to": to, "mode": "test", "level_before": "monitor", "org_id": acme.org});
    let done = simulated(&app, spec.clone()).await;
    assert_eq!(done["state"], "done", "{done}");
    let (result, report) = (&done["result"], &done["result"]["report"]);
    assert_eq!((&result["rule_version"], &result["skipped"], &result["is_cut"]), (&json!(0), &json!(0), &json!(false)));
    assert_eq!((&report["attempts"], &report["stopped_before"]), (&json!(85), &json!(0)));
    assert!(report["added"].as_u64().unwrap() > 20, "{report}");
    assert_eq!((&report["verified_users_lost"], &report["removed"]), (&json!(0), &json!(0)));
    let again = simulated(&app, spec).await;
    assert_eq!(again["result"], *result);
    let args = ["--from", &from, "--to", &to, "--mode", "test", "--level-before", "monitor", "--org", &acme.org];
    assert_eq!(by_command(&app, &args), *result, "the same, hash and all");
    let off = json!({"changes": {"prefix.hold": {"mode": "off"}}, "from": from, "to": to, "mode": "test", "level_before": "monitor"});
    let off = simulated(&app, off).await;
    assert_eq!(off["result"]["report"]["added"], 0, "{off}");
    assert_ne!(off["result"]["report"]["hash"], report["hash"]);
    assert_eq!(rows(&app.operator(), SIMULATIONS).await.len(), 3);
}

#[actix_web::test]
async fn what_the_engine_refused_is_replayed_too() {
    let app = TestApp::start().await;
    let from = app.app.clock.now().rfc3339();
    let acme = guarded(&app).await;
    let (passed, _) = pumped(&app, &acme.test).await;
    for n in 200..210 {
        pumps(&app, &acme.test, n).await.refused(Code::FraudBlocked);
    }
    write_refusals(&app.app).await.unwrap();
    let refused = rows(&acme.test, "/v1/decisions?limit=200").await.len();
    let to = app.app.clock.now().plus(secs(1)).rfc3339();
    let spec = json!({"changes": {"prefix.hold": {"mode": "off"}}, "from": from, "to": to, "mode": "test"});
    let report = simulated(&app, spec).await["result"]["report"].clone();
    assert_eq!(report["attempts"], json!(USUAL + passed + refused));
    assert!(report["removed"].as_u64().unwrap() >= 10 && report["added"] == 0, "{report}");
    assert!(report["money_saved"].as_str().unwrap().starts_with('-'), "{report}");
    assert!(!report.to_string().contains(&latvian(1)[1..]));
}

#[actix_web::test]
async fn a_simulation_that_makes_no_sense_is_refused() {
    let app = TestApp::start().await;
    let (from, to) = ("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z");
    for (spec, field) in [
        (json!({"from": to, "to": from}), "to"),
        (json!({"from": from, "to": to, "changes": {"prefix.hold": {"parameters": {"x": 1}}}}), "changes"),
        (json!({"from": "yesterday", "to": to}), "from"),
    ] {
        let reply = app.operator().post(SIMULATIONS, spec).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"][field].is_array(), "{field}: {}", reply.text);
    }
    for _ in 0..20 {
        app.operator().post(SIMULATIONS, json!({"from": from, "to": to})).await.expect(202);
    }
    app.operator().post(SIMULATIONS, json!({"from": from, "to": to})).await.refused(Code::Overloaded);
}
