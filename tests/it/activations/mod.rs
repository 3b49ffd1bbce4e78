//! The activations room through its public interface: the API, the text endpoint, and messages as a carrier brings them.

mod classic;
mod crash;
mod doors;
mod fixtures;
mod inbound;
mod orders;
mod supply;

use std::time::Duration;

use serde_json::{Value, json};

use crate::callbacks::twilio_signature;
use crate::harness::actor::{Actor, Reply};
use crate::harness::app::{TWILIO_TOKEN, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

/// The `n`th number that operators of these tests own; set aside for fiction.
fn owned(n: usize) -> String {
    format!("+447700900{n:03}")
}

/// A service with these members beside the usual ones.
pub async fn service(app: &TestApp, code: &str, members: Value) {
    let mut body = json!({"name": "Any other"});
    body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap_or_default());
    app.operator().put(&format!("/v1/admin/services/{code}"), body).await.expect(200);
}

/// Numbers `range` for `services`, with these members.
pub async fn supply(app: &TestApp, range: std::ops::Range<usize>, services: &[&str], members: Value) -> Reply {
    let number = |n| {
        let mut body = json!({"phone_number": owned(n), "country": "GB", "services": services});
        body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap_or_default());
        body
    };
    let list: Vec<Value> = range.map(number).collect();
    app.operator().post("/v1/admin/numbers", json!(list)).await.expect(201)
}

/// The secret of a new activation key with these members.
pub async fn text_key(app: &TestApp, org: &str, members: Value) -> String {
    let mut body = json!({"name": "bot", "mode": "live", "kind": "activation"});
    body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap_or_default());
    app.operator().post(&format!("/v1/admin/orgs/{org}/keys"), body).await.expect(201).text_at("/secret")
}

/// What the text endpoint answers to this query.
async fn ask(app: &TestApp, key: &str, query: &str) -> Reply {
    app.anonymous().get(&format!("/stubs/handler_api.php?api_key={key}&{query}")).await
}

/// Live money of an organization.
async fn fund(app: &TestApp, org: &str, amount: &str) {
    let body = json!({"amount": amount, "currency": "USD", "reason": "test"});
    app.operator().post(&format!("/v1/admin/orgs/{org}/wallet/adjustments"), body).await.expect(201);
}

/// A message to one of the operator's numbers, as the carrier `twilio` brings it.
pub async fn comes(app: &TestApp, id: usize, (from, to): (&str, &str), text: &str) -> Reply {
    let escaped = |text: &str| text.replace('%', "%25").replace('+', "%2B").replace(' ', "+").replace('#', "%23");
    let form = format!("MessageSid=SM{id}&From={}&To={}&Body={}", escaped(from), escaped(to), escaped(text));
    let address = format!("{}/hooks/twilio/inbound", app.app.config.public_url());
    let caller = app.anonymous().with_header("X-Twilio-Signature", &twilio_signature(TWILIO_TOKEN, &address, &form));
    caller.send("POST", "/hooks/twilio/inbound", FORM, form.into_bytes()).await.expect(200)
}

async fn order(caller: &Actor, service: &str) -> Reply {
    caller.post("/v1/activations", json!({"service": service})).await
}

async fn act(caller: &Actor, id: &str, action: &str) -> Reply {
    caller.post(&format!("/v1/activations/{id}/{action}"), json!({})).await
}

async fn shown(caller: &Actor, id: &str) -> Value {
    caller.get(&format!("/v1/activations/{id}")).await.expect(200).json
}

/// What the worker does about what has run out.
async fn expire(app: &TestApp) -> usize {
    postern::activations::run_expiry(&app.app).await.unwrap()
}

/// An error in the dialect of these routes.
#[track_caller]
fn refused(reply: &Reply, code: postern::error::Code) {
    assert_eq!(
        (reply.status, reply.json["code"].as_str()),
        (code.entry().status, Some(code.as_str())),
        "{}",
        reply.text
    );
    assert_eq!(reply.json["error"], reply.json["code"], "{}", reply.text);
    assert_eq!(reply.json["message"], reply.json["detail"], "{}", reply.text);
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

const MINUTE: Duration = Duration::from_secs(60);
