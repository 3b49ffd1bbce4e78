//! Verifications through their routes: codes read where a person would read them, time moved by hand.

mod checks;
mod lists;
mod races;
mod secrets;
mod starts;
mod workflows;

use serde_json::{Value, json};

use super::harness::actor::{Actor, Reply};
use super::harness::app::TestApp;

/// A mobile number of the United Kingdom.
const NUMBER: &str = "+447400123123";

/// Starts a verification of `NUMBER` by SMS, with these members besides.
async fn start(caller: &Actor, members: Value) -> Reply {
    let mut body = json!({"to": NUMBER});
    body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap());
    caller.post("/v1/verifications", body).await
}

/// Starts one, delivers it, and gives its id and code.
async fn started(app: &TestApp, caller: &Actor, members: Value) -> (String, String) {
    let id = start(caller, members).await.expect(201).text_at("/id");
    (id, latest_code(app, caller, NUMBER).await)
}

/// Delivers what is due and reads the latest code that came to `to` in the sandbox.
async fn latest_code(app: &TestApp, caller: &Actor, to: &str) -> String {
    app.step().await;
    let path = format!("/v1/sandbox/messages?to={}", to.replace('+', "%2B"));
    code_in(&caller.get(&path).await.expect(200).text_at("/data/0/body"))
}

/// The code in a text: its longest run of digits.
fn code_in(text: &str) -> String {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.max_by_key(|run| run.len()).filter(|run| run.len() >= 4).unwrap_or_else(|| panic!("no code: {text}")).into()
}

/// A code that this one is not.
fn wrong(code: &str) -> String {
    code.chars().map(|c| if c == '9' { '0' } else { char::from(u8::try_from(c).unwrap() + 1) }).collect()
}

async fn check(caller: &Actor, id: &str, code: &str) -> Reply {
    caller.post(&format!("/v1/verifications/{id}/check"), json!({ "code": code })).await
}

/// Status, validity and what is left, of a check that was answered.
#[track_caller]
fn told(reply: Reply) -> (String, bool, i64) {
    let reply = reply.expect(200);
    let members: Vec<&String> = reply.json.as_object().unwrap().keys().collect();
    assert_eq!(members, ["checks_left", "status", "valid"], "{}", reply.text);
    (reply.text_at("/status"), reply.json["valid"].as_bool().unwrap(), reply.json["checks_left"].as_i64().unwrap())
}

async fn show(caller: &Actor, id: &str) -> Reply {
    caller.get(&format!("/v1/verifications/{id}")).await.expect(200)
}

fn sends(reply: &Reply) -> usize {
    reply.json["sends"].as_array().unwrap().len()
}
