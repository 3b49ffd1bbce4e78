//! The desk of the fraud engine: decisions, rules, holds, settings, simulations and the kill switch, over real sockets.

mod alerts;
mod decisions;
mod holds;
mod lab;
mod pauses;
mod reports;
mod rules;
mod settings;
mod simulations;

use postern::sentinel;
use serde_json::{Value, json};

use crate::harness::actor::{Actor, Reply};
use crate::harness::app::{Tenant, TestApp};
use crate::messages::secs;

/// A tenant whose engine acts from the start, and dear messages to Latvia.
async fn guarded(app: &TestApp) -> Tenant {
    let prices = json!([{"channel": "sms", "amount": "0.07"}]);
    app.operator().put("/v1/admin/prices", prices).await.expect(200);
    let acme = app.tenant_with(json!({"plan": "enterprise", "protection": "standard"})).await;
    // What its traffic usually looks like: people who type their codes.
    for n in 0..USUAL {
        verified(app, &acme.test, &scattered(n)).await;
        app.advance(secs(20));
        sentinel::learn(&app.app).await.unwrap();
    }
    acme
}

/// Numbers of Great Britain that are no neighbours.
fn scattered(n: usize) -> String {
    format!("+447{:09}", 400_000_000 + (n * 7_907_717) % 99_000_000)
}

/// People who verify before anything else happens.
const USUAL: usize = 30;

/// Starts a verification and types its code ten seconds later.
async fn verified(app: &TestApp, caller: &Actor, to: &str) {
    let started = caller.post("/v1/verifications", json!({"to": to})).await.expect(201).text_at("/id");
    app.step().await;
    let inbox = caller.get(&format!("/v1/sandbox/messages?to=%2B{}", &to[1..])).await.expect(200);
    let said = inbox.text_at("/data/0/body");
    let code = said.split(|c: char| !c.is_ascii_digit()).max_by_key(|run| run.len()).unwrap();
    app.advance(secs(10));
    caller.post(&format!("/v1/verifications/{started}/check"), json!({ "code": code })).await.expect(200);
}

/// A Latvian mobile number for every `n` below a thousand, one after the other.
fn latvian(n: usize) -> String {
    assert!(n < 1_000);
    format!("+37120123{n:03}")
}

/// Asks for a code to the `n`th number, a second after the one before, and types nothing.
async fn pumps(app: &TestApp, caller: &Actor, n: usize) -> Reply {
    app.advance(secs(1));
    sentinel::learn(&app.app).await.unwrap();
    caller.post("/v1/verifications", json!({"to": latvian(n)})).await
}

/// Sends along the range until the guard holds it: how many went through, and the refusal that began the hold.
async fn pumped(app: &TestApp, caller: &Actor) -> (usize, Reply) {
    let mut passed = 0;
    for n in 0..200 {
        let reply = pumps(app, caller, n).await;
        match reply.status {
            201 => passed += 1,
            _ => assert!(reply.json["code"].as_str().unwrap().starts_with("fraud."), "{}", reply.text),
        }
        sentinel::keep_holds(&app.app).await.unwrap();
        if !app.read(|conn| sentinel::list_holds(conn, None, true, None, 1)).await.is_empty() {
            return (passed, reply);
        }
    }
    panic!("nobody stopped it");
}

/// The rows of a list.
async fn rows(caller: &Actor, path: &str) -> Vec<Value> {
    caller.get(path).await.expect(200).json["data"].as_array().unwrap().clone()
}

/// The latest row of the audit log that tells of `action`.
async fn audited(app: &TestApp, action: &str) -> Value {
    let log = rows(&app.operator(), "/v1/admin/audit").await;
    log.into_iter().find(|row| row["action"] == action).unwrap_or_else(|| panic!("{action} is not in the log"))
}
