//! The lab against a running server: it finds out what the guard does, and leaves nothing behind.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;

use super::rows;
use crate::harness::app::TestApp;
use crate::harness::wait::pause;
use crate::messages::secs;

fn lab(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command.current_dir(std::env::temp_dir()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).arg("lab").args(args).output().unwrap()
}

#[actix_web::test]
async fn a_burst_against_a_server_is_stopped_scored_and_cleaned_up() {
    let app = TestApp::start().await;
    let owner = app.operator();
    owner.put("/v1/admin/prices", json!([{"channel": "sms", "amount": "0.07"}])).await.expect(200);
    let ada = owner.post("/v1/admin/operators", json!({"name": "Ada", "role": "operator"})).await.expect(201);
    let path = format!("/v1/admin/operators/{}/tokens", ada.text_at("/id"));
    let token = owner.post(&path, json!({})).await.expect(201).text_at("/secret");
    let base = app.base.clone();
    let run = tokio::task::spawn_blocking(move || {
        lab(&["A1", "--server", &base, "--operator-token", &token, "--attempts", "60", "--rate", "20"])
    });
    // The server's clock is in the test's hand: a second for each attempt.
    while !run.is_finished() {
        app.advance(secs(1));
        pause(Duration::from_millis(50)).await;
    }
    let output = run.await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("let through, ") && said.contains("precision 1.000"), "{said}");
    assert!(said.contains("money lost: ") && !said.contains("money lost: 0\n"), "{said}");
    let orgs = rows(&owner, "/v1/admin/orgs").await;
    assert_eq!((orgs.len(), &orgs[0]["status"], &orgs[0]["name"]), (1, &json!("suspended"), &json!("postern lab A1")));
    assert_eq!(app.acme.calls(), 0, "nothing reached a carrier");
}

#[test]
fn servers_on_other_machines_and_unknown_scenarios_are_refused() {
    let far = lab(&["A1", "--server", "http://192.0.2.1:8080", "--operator-token", "x"]);
    assert_eq!(far.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&far.stderr).contains("--yes-really"));
    let unknown = lab(&["A7", "--server", "http://127.0.0.1:1", "--operator-token", "x"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("A1, A3, A5, L3 and L4"));
}
