//! The published examples of two IETF drafts, as they are: idempotency keys, and a 429 with its rate headers.

use std::collections::BTreeMap;

use diesel::prelude::*;
use postern::db::Conn;
use postern::db::schema::idempotency::dsl;
use postern::error::{Code, Result};
use serde_json::{Value, json};

use super::{accepted, code_to, count, number, post};
use crate::harness::app::TestApp;

/// Marks every key as one whose first request still runs.
fn still_running(conn: &mut Conn) -> Result<usize> {
    let running = (dsl::status.eq(0), dsl::location.eq(None::<String>), dsl::body.eq(Vec::new()));
    Ok(postern::both!(conn, c => diesel::update(dsl::idempotency).set(running).execute(c))?)
}

#[actix_web::test]
async fn every_case_of_the_idempotency_table_is_answered_as_it_says() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../fixtures/http/idempotency_cases.json")).unwrap();
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let key = cases[0]["key"].as_str().unwrap().to_owned();
    let caller = acme.live.with_header("Idempotency-Key", &key);
    let (ours, other) = (code_to(&number(1)), code_to(&number(2)));
    let first = post(&caller, ours.clone()).await;
    for case in &cases {
        let name = case["case"].as_str().unwrap();
        match name {
            "first" => assert_eq!(Some(u64::from(first.status)), case["expect"].as_u64()),
            "retry, same body, finished" => {
                let again = post(&caller, ours.clone()).await;
                assert_eq!((again.status, &again.text), (first.status, &first.text));
                assert_eq!(again.header("idempotent-replayed"), Some("true"));
            }
            "retry while first still running" => {
                assert_eq!(app.write(still_running).await, 1);
                let refused = post(&caller, ours.clone()).await.refused(Code::IdempotencyInFlight);
                assert_eq!(Some(u64::from(refused.status)), case["expect"].as_u64());
                assert_eq!(refused.header("retry-after"), Some("1"));
            }
            "same key, other body" => {
                let refused = post(&caller, other.clone()).await;
                assert_eq!(Some(u64::from(refused.status)), case["expect_seed_1"].as_u64());
                assert_eq!(refused.json["code"], case["seed_code"]);
            }
            // No route requires a key; where one did, this would be a 400.
            "key missing where required" => drop(accepted(&acme.live, code_to(&number(3))).await),
            "unquoted key (not an sf-string)" => {
                let bare = case["key"].as_str().unwrap_or(key.trim_matches('"'));
                assert!(!bare.contains('"'));
                let refused = post(&acme.live.with_header("Idempotency-Key", bare), other.clone()).await;
                assert_eq!(refused.json["code"], "idempotency.key_mismatch", "the same key without its quotes");
            }
            unknown => panic!("{unknown} has no place in this test yet"),
        }
    }
    assert_eq!(count(&acme.live).await, 2);
}

/// The items of a list of structured fields, each with its parameters.
fn listed(line: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let item = |text: &str| {
        let mut parts = text.split(';').map(str::to_owned);
        let name = parts.next().unwrap().trim_matches('"').to_owned();
        let parameters = parts.map(|part| part.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap());
        (name, parameters.collect())
    };
    line.split(", ").map(item).collect()
}

/// What a 429 must hold together, in the example as on our wire: the policy without anything left is the one that the
/// single headers show.
fn is_consistent(status: u16, header: impl Fn(&str) -> String, body: &Value) {
    assert_eq!((status, header("content-type").as_str()), (429, "application/problem+json"));
    let (policies, limits) = (listed(&header("ratelimit-policy")), listed(&header("ratelimit")));
    assert_eq!(policies.keys().collect::<Vec<_>>(), limits.keys().collect::<Vec<_>>());
    assert!(policies.values().all(|parameters| parameters.contains_key("q") && parameters.contains_key("w")));
    let wait = header("retry-after");
    let (name, _) = limits.iter().find(|(_, left)| left["r"] == "0" && left["t"] == wait).unwrap();
    assert_eq!(
        (policies[name]["q"].clone(), "0".to_owned()),
        (header("x-ratelimit-limit"), header("x-ratelimit-remaining"))
    );
    assert!(header("x-ratelimit-reset").parse::<u64>().is_ok() && header("x-request-id").len() == 36);
    assert!(["type", "title", "status", "detail"].iter().all(|member| body.get(*member).is_some()), "{body}");
    assert_eq!(body["status"], 429);
}

#[actix_web::test]
async fn a_429_has_the_form_of_the_draft_s_example() {
    let example = include_str!("../../fixtures/http/problem_quota_exceeded.http").replace("\r\n", "\n");
    let (head, body) = example.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let shown: BTreeMap<String, String> =
        lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect();
    is_consistent(status, |name| shown[name].clone(), &serde_json::from_str(body).unwrap());

    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "free"})).await;
    accepted(&acme.live, code_to(&number(1))).await;
    let refused = post(&acme.live, code_to(&number(2))).await.refused(Code::SmsPlanCap);
    is_consistent(refused.status, |name| refused.headers[name].clone(), &refused.json);
    let missing: Vec<&String> = shown.keys().filter(|name| !refused.headers.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
