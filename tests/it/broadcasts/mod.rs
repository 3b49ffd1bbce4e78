//! The broadcasts room through its public interface, time in hand, steps by hand.

mod crash;
mod ends;
mod pacing;
mod sheets;
mod tier;
mod whole;

use serde_json::{Value, json};

use crate::harness::actor::Actor;
use crate::harness::app::TestApp;
use crate::messages::number;

/// A contact that fills `{name}`.
fn contact(n: usize) -> Value {
    json!({"to": number(n), "params": {"name": format!("N{n}")}})
}

/// A draft with contacts of these numbers, its members beside or instead of the usual ones.
async fn draft_with(caller: &Actor, range: std::ops::Range<usize>, members: Value) -> String {
    let mut body = json!({"name": "Spring", "body": "Hi {name}"});
    body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap_or_default());
    let id = caller.post("/v1/broadcasts", body).await.expect(201).text_at("/id");
    let contacts: Vec<Value> = range.map(contact).collect();
    caller.post(&format!("/v1/broadcasts/{id}/contacts"), json!({"contacts": contacts})).await.expect(200);
    id
}

async fn draft(caller: &Actor, range: std::ops::Range<usize>) -> String {
    draft_with(caller, range, json!({})).await
}

async fn act(caller: &Actor, id: &str, action: &str) -> Value {
    caller.post(&format!("/v1/broadcasts/{id}/{action}"), json!({})).await.expect(200).json
}

async fn shown(caller: &Actor, id: &str) -> Value {
    caller.get(&format!("/v1/broadcasts/{id}")).await.expect(200).json
}

async fn progress(caller: &Actor, id: &str) -> Value {
    caller.get(&format!("/v1/broadcasts/{id}/progress")).await.expect(200).json
}

/// Every step that is due; how many contacts were settled.
async fn feed(app: &TestApp) -> usize {
    postern::broadcasts::run_steps(&app.app, 10_000).await.unwrap()
}
