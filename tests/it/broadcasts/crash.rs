//! A process that dies between the claim of contacts and their acceptance, and right before its commit.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::contact;
use crate::harness::actor::Actor;
use crate::harness::process::Server;
use crate::harness::town::Town;
use crate::harness::wait::meanwhile;

/// Three steps.
const CONTACTS: usize = 450;

async fn status(live: &Actor, id: &str) -> Value {
    live.get(&format!("/v1/broadcasts/{id}")).await.expect(200).json
}

async fn died(server: &mut Server) {
    meanwhile("the death in a step", || {
        let gone = server.exit();
        async move { gone }
    })
    .await;
}

#[actix_web::test]
async fn a_process_that_dies_in_a_step_loses_and_doubles_no_contact() {
    let town = Town::found().await;
    let mut server = town.serve_with(&[("FAILPOINTS", "broadcast.after_claim=2*abort")]).await;
    let live = town.live(&server);
    let contacts: Vec<Value> = (0..CONTACTS).map(contact).collect();
    let made = json!({"body": "Hi {name}", "contacts": contacts});
    let id = live.post("/v1/broadcasts", made).await.expect(201).text_at("/id");
    live.post(&format!("/v1/broadcasts/{id}/start"), json!({})).await.expect(200);
    died(&mut server).await;
    // What it had claimed comes up again when the claim ends; this one dies with the whole step undone.
    server = town.serve_with(&[("FAILPOINTS", "broadcast.before_commit=abort")]).await;
    died(&mut server).await;
    server = town.serve_with(&[("FAILPOINTS", "broadcast.before_commit=error")]).await;
    let live = town.live(&server);
    let told = meanwhile("the end of the broadcast", async || {
        let told = status(&live, &id).await;
        (told["status"] == "completed").then_some(told)
    })
    .await;
    assert_eq!((&told["accepted"], &told["refused"], &told["waiting"]), (&json!(CONTACTS), &json!(0), &json!(0)));
    assert!(server.said().contains("the failpoint broadcast.before_commit"));
    // What a process had in hand when it died is unknown and never goes again; every contact has its one message.
    let messages = live.get(&format!("/v1/broadcasts/{id}/progress")).await.expect(200).json["messages"].clone();
    let counted: u64 = messages.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted, CONTACTS as u64, "{messages}");
    let sent = || messages_handed(&town);
    meanwhile("the last messages at the carrier", || {
        let many = (sent().len() > CONTACTS / 2).then_some(());
        async move { many }
    })
    .await;
    assert!(sent().values().all(|count| *count == 1), "a contact was sent to twice");
}

/// How often each number was sent to.
fn messages_handed(town: &Town) -> BTreeMap<String, usize> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for call in town.acme.hand_offs() {
        *seen.entry(call.json()["to"].to_string()).or_default() += 1;
    }
    seen
}
