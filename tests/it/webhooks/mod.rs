//! Webhooks: what is told to whom, signed, retried, replayed; and where no customer's address may lead.

mod deliveries;
mod endpoints;
mod guard;
mod hanging;
mod listeners;
mod operators;

use postern::config::Config;
use postern::webhooks;
use serde_json::{Value, json};

use crate::harness::actor::{Actor, Reply};
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::{FakeCarrier, HandOff};

/// Receivers of these tests listen on the loopback, which an operator must open.
fn opened(config: &mut Config) {
    config.outbound.allow = vec!["127.0.0.0/8".parse().unwrap()];
}

async fn start() -> TestApp {
    TestApp::start_with(opened).await
}

/// An endpoint at `receiver` for every event: the answer that shows its secret.
async fn endpoint(caller: &Actor, receiver: &FakeCarrier) -> Reply {
    caller.post("/v1/webhooks", json!({"url": receiver.url("/hook")})).await.expect(201)
}

/// A transactional message, handed over.
async fn sent_message(app: &TestApp, caller: &Actor) -> String {
    let body = json!({"to": "+447911123456", "body": "hello there", "kind": "transactional", "metadata": {"n": "7"}});
    let id = caller.post("/v1/messages", body).await.expect(202).text_at("/id");
    assert_eq!(app.step().await, 1);
    id
}

/// One step: everything due is delivered and answered.
async fn deliver(app: &TestApp) -> usize {
    webhooks::deliver_due(&app.app).await.unwrap()
}

/// The latest delivery in an endpoint's log.
async fn latest(caller: &Actor, endpoint: &str) -> Value {
    caller.get(&format!("/v1/webhooks/{endpoint}/deliveries")).await.expect(200).json["data"][0].clone()
}

/// What the official crate signs `post` with.
fn signature(secret: &str, post: &HandOff) -> String {
    let at = post.header("webhook-timestamp").unwrap().parse().unwrap();
    let signer = standardwebhooks::Webhook::new(secret).unwrap();
    signer.sign(post.header("webhook-id").unwrap(), at, &post.body).unwrap()
}
