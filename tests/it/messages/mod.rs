//! The messages room through its public interface, time in hand, carriers on real sockets.

mod bulk;
mod cancel;
mod caps;
mod coals;
mod decisions;
mod dispatch;
mod dry_run;
mod failures;
mod http_fixtures;
mod idempotency;
mod key_model;
mod limits;
mod magic;
mod money;
mod read;
mod receipts;
mod scheduled;
mod send;
mod windows;

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::actor::{Actor, Reply};
use crate::harness::app::{ACME_SECRET, TestApp};
use postern::secret::hmac_sha256;

/// A valid British mobile number for every `n` below 10,000.
pub fn number(n: usize) -> String {
    assert!(n < 10_000);
    format!("+44740012{n:04}")
}

/// A one-time code to `to`.
pub fn code_to(to: &str) -> Value {
    json!({"to": to, "body": "Your code is 481516"})
}

/// A message that no OTP guard counts.
pub fn notice_to(to: &str) -> Value {
    json!({"to": to, "body": "Doors open at 8", "kind": "transactional"})
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub async fn post(caller: &Actor, body: Value) -> Reply {
    caller.post("/v1/messages", body).await
}

/// Sends and gives the id of what was accepted.
pub async fn accepted(caller: &Actor, body: Value) -> String {
    post(caller, body).await.expect(202).text_at("/id")
}

pub async fn message(caller: &Actor, id: &str) -> Value {
    caller.get(&format!("/v1/messages/{id}")).await.expect(200).json
}

pub async fn status(caller: &Actor, id: &str) -> String {
    message(caller, id).await["status"].as_str().unwrap().to_owned()
}

/// The kinds of a message's timeline, first to last.
pub async fn timeline(caller: &Actor, id: &str) -> Vec<String> {
    let reply = caller.get(&format!("/v1/messages/{id}/events")).await.expect(200);
    let steps = reply.json["data"].as_array().unwrap().clone();
    steps.iter().map(|step| step["kind"].as_str().unwrap().to_owned()).collect()
}

/// How many messages the organization has, by its own list.
pub async fn count(caller: &Actor) -> usize {
    let page = caller.get("/v1/messages?limit=200").await.expect(200);
    assert_eq!(page.json["has_more"], false, "more than a page");
    page.json["data"].as_array().unwrap().len()
}

/// A receipt of the carrier `acme`, signed.
pub async fn receipt(app: &TestApp, id: &str, word: &str) -> Reply {
    let body = json!({"id": id, "status": word}).to_string();
    let mac = hmac_sha256(ACME_SECRET.as_bytes(), body.as_bytes());
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    let caller = app.anonymous().with_header("X-Signature", &hex);
    caller.send("POST", "/hooks/acme/status", "application/json", body.into_bytes()).await
}

/// The carrier's id of its n-th call, counted from one.
pub fn carrier_id(n: usize) -> String {
    format!("SM{n:032x}")
}

/// Steps until nothing is due; waits for a carrier's room (a quarter of a second) but for nothing longer.
pub async fn drain(app: &TestApp) -> usize {
    let mut handed = 0;
    for _ in 0..200 {
        match app.step().await {
            0 => match postern::messages::until_next(&app.app).await.unwrap() {
                Some(wait) if wait <= Duration::from_millis(250) => app.advance(wait),
                _ => return handed,
            },
            more => handed += more,
        }
    }
    panic!("dispatch never comes to rest");
}
