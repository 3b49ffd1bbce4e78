//! Idempotency against a model: a long random walk over keys, bodies, callers, places and time.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::secs;
use crate::harness::actor::{Actor, Reply};
use crate::harness::app::TestApp;

const STEPS: usize = 1_000;

/// Where a key may stand.
#[derive(Debug, Clone, Copy)]
enum Place {
    Header,
    XHeader,
    Body,
    All,
    Quoted,
}

/// What is asked for under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// One of a few good messages.
    Good(u8),
    /// The same with its members the other way round.
    Turned(u8),
    /// 400 whatever the state.
    Faulty,
    /// 402 by a magic number.
    Poor,
    /// 429 by a magic number.
    Limited,
    /// A bulk of one.
    Bulk(u8),
}

#[derive(Debug, Clone)]
enum Step {
    Ask { caller: usize, key: u8, place: Place, want: Want },
    TwoKeys { caller: usize },
    Pass { minutes: u64 },
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![Just(Place::Header), Just(Place::XHeader), Just(Place::Body), Just(Place::All), Just(Place::Quoted)]
}

fn want() -> impl Strategy<Value = Want> {
    prop_oneof![
        6 => (0u8..3).prop_map(Want::Good),
        3 => (0u8..3).prop_map(Want::Turned),
        1 => Just(Want::Faulty),
        1 => Just(Want::Poor),
        1 => Just(Want::Limited),
        2 => (0u8..3).prop_map(Want::Bulk),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => (0usize..4, 0u8..6, place(), want())
            .prop_map(|(caller, key, place, want)| Step::Ask { caller, key, place, want }),
        1 => (0usize..4).prop_map(|caller| Step::TwoKeys { caller }),
        3 => (1u64..400).prop_map(|minutes| Step::Pass { minutes }),
    ]
}

/// Keys of every permitted kind, the shortest and the longest among them.
fn key(n: u8) -> String {
    match n {
        0 => "k".into(),
        1 => "x".repeat(255),
        2 => "018f3c1e-7b1a-7c3e-9d5f-1a2b3c4d5e6f".into(),
        3 => "a/b?c=d&e=%20;f,g:h@i!".into(),
        n => format!("key-{n}"),
    }
}

fn body(want: Want) -> (&'static str, String) {
    let to = |n: u8| format!("+4474001230{n:02}");
    match want {
        Want::Good(n) => ("/v1/messages", format!(r#"{{"to":"{}","body":"é {n}","kind":"transactional"}}"#, to(n))),
        Want::Turned(n) => {
            ("/v1/messages", format!(r#"{{ "kind":"transactional","body":"\u00e9 {n}", "to":"{}" }}"#, to(n)))
        }
        Want::Faulty => ("/v1/messages", r#"{"to":"nobody","body":"x"}"#.into()),
        Want::Poor => ("/v1/messages", r#"{"to":"+15005550009","body":"x"}"#.into()),
        Want::Limited => ("/v1/messages", r#"{"to":"+15005550006","body":"x"}"#.into()),
        Want::Bulk(n) => (
            "/v1/messages/bulk",
            format!(r#"{{"messages":[{{"to":"{}","body":"é {n}","kind":"transactional"}}]}}"#, to(n)),
        ),
    }
}

async fn ask(caller: &Actor, key: &str, place: Place, want: Want) -> Reply {
    let (path, mut text) = body(want);
    let mut caller = caller.clone();
    if matches!(place, Place::Header | Place::All) {
        caller = caller.with_header("Idempotency-Key", key);
    }
    if matches!(place, Place::Quoted) {
        caller = caller.with_header("Idempotency-Key", &format!("\"{key}\""));
    }
    if matches!(place, Place::XHeader | Place::All) {
        caller = caller.with_header("X-Idempotency-Key", key);
    }
    if matches!(place, Place::Body | Place::All) {
        text = text.replacen('{', &format!(r#"{{"idempotency_key":{},"#, json!(key)), 1);
    }
    caller.send("POST", path, "application/json", text.into_bytes()).await
}

/// What the room should remember: for each owner and key, what was asked, what was answered, and until when.
#[derive(Default)]
struct Model(BTreeMap<(usize, u8), (Want, String, i64)>);

/// Members in another order are the same request.
fn same(one: Want, other: Want) -> bool {
    let plain = |want| if let Want::Turned(n) = want { Want::Good(n) } else { want };
    plain(one) == plain(other)
}

impl Model {
    fn check(&mut self, owner: (usize, u8), want: Want, reply: &Reply, now: i64) -> Result<(), String> {
        let known = self.0.get(&owner).filter(|(.., until)| *until > now).cloned();
        let refusal = match want {
            Want::Faulty => Some((400, "validation_failed")),
            Want::Poor => Some((402, "wallet.insufficient_balance")),
            Want::Limited => Some((429, "otp.number_limit")),
            _ => None,
        };
        let got = (reply.status, reply.json["code"].as_str().unwrap_or_default());
        let replayed = reply.header("idempotent-replayed") == Some("true");
        match (known, refusal) {
            // What is wrong in itself may be told before the key is looked at.
            (Some(_), Some(wanted)) if want == Want::Faulty => {
                (got == wanted || got == (409, "idempotency.key_mismatch")).then_some(()).ok_or("a faulty repeat")?;
            }
            (Some((first, text, _)), _) if same(first, want) => {
                if got.0 != 202 || reply.text != text || !replayed {
                    return Err(format!("no replay: {got:?} {}", reply.text));
                }
            }
            (Some(_), _) => {
                if got != (409, "idempotency.key_mismatch") {
                    return Err(format!("no mismatch: {got:?}"));
                }
            }
            (None, Some(wanted)) => {
                if got != wanted || replayed {
                    return Err(format!("wanted {wanted:?}, got {got:?}"));
                }
            }
            (None, None) => {
                if got.0 != 202 || replayed {
                    return Err(format!("not fresh: {got:?} {}", reply.text));
                }
                self.0.insert(owner, (want, reply.text.clone(), now + 86_400_000));
            }
        }
        Ok(())
    }
}

#[actix_web::test]
async fn a_thousand_random_steps_do_what_the_model_says() {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    // Two keys of one organization and mode are one owner: rotating a key in mid-retry must not send twice.
    let rotated = app.key(&acme.org, json!({"mode": "test"})).await;
    let callers = [(0, acme.test), (0, rotated), (1, acme.live), (2, other.test)];
    app.route(&[("sms", "acme", 1)]).await;
    let mut model = Model::default();
    let mut told: Vec<String> = Vec::new();
    for number in 0..STEPS {
        let step = step().new_tree(&mut runner).unwrap().current();
        told.push(format!("{number}: {step:?}"));
        match step {
            Step::Pass { minutes } => app.advance(secs(minutes * 60)),
            Step::TwoKeys { caller } => {
                let caller =
                    callers[caller].1.with_header("Idempotency-Key", "a").with_header("X-Idempotency-Key", "b");
                caller.post("/v1/messages", json!({"to": "+447400123000", "body": "x"})).await.expect(400);
            }
            // A live key knows no magic numbers.
            Step::Ask { caller: 2, want: Want::Poor | Want::Limited, .. } => {}
            Step::Ask { caller, key: k, place, want } => {
                let (owner, actor) = &callers[caller];
                let reply = ask(actor, &key(k), place, want).await;
                let now = app.app.clock.now().0;
                if let Err(why) = model.check((*owner, k), want, &reply, now) {
                    panic!("{why}; last steps:\n{}", told[told.len().saturating_sub(12)..].join("\n"));
                }
            }
        }
        // The door counts a second; time must pass for so many requests.
        app.advance(std::time::Duration::from_millis(250));
    }
    assert!(model.0.len() > 10, "the walk went nowhere");
}

#[actix_web::test]
async fn a_key_of_256_characters_or_of_none_is_refused() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let good = |key: Value| json!({"to": "+447400123456", "body": "x", "idempotency_key": key});
    for bad in [json!("x".repeat(256)), json!(""), json!("ключ"), json!("a b"), json!(7), json!({}), json!(["k"])] {
        let reply = acme.live.post("/v1/messages", good(bad.clone())).await.expect(400);
        assert!(reply.json["field_errors"]["idempotency_key"].is_array(), "{bad}: {}", reply.text);
    }
    acme.live.post("/v1/messages", good(json!("x".repeat(255)))).await.expect(202);
    acme.live.post("/v1/messages", good(Value::Null)).await.expect(202);
}

#[actix_web::test]
async fn a_key_lasts_a_day_to_the_millisecond() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let caller = acme.live.with_header("Idempotency-Key", "k");
    let body = json!({"to": "+447400123456", "body": "x"});
    let first = caller.post("/v1/messages", body.clone()).await.expect(202);
    app.advance(secs(86_400) - std::time::Duration::from_millis(1));
    assert_eq!(caller.post("/v1/messages", body.clone()).await.expect(202).text, first.text);
    app.advance(std::time::Duration::from_millis(1));
    assert_ne!(caller.post("/v1/messages", body).await.expect(202).text, first.text);
}
