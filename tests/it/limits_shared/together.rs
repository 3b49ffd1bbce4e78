//! Two nodes and a Redis that answers: they are as one.

use std::time::Duration;

use postern::config::SeveralNodes;
use postern::error::Code;
use serde_json::json;

use super::{Pair, admitted, apart, ask, tenant};
use crate::harness::wait::meanwhile;

/// No outage: a busy machine may take its time.
const PATIENT: Duration = Duration::from_secs(5);

#[actix_web::test]
async fn two_nodes_at_once_let_exactly_the_limit_through() {
    let Some(pair) = Pair::start(PATIENT).await else { return };
    let cases = [
        ("key.burst.short", "40/1s"),
        ("key.burst.long", "40/min"),
        ("key.minute", "40/min"),
        ("key.window", "40/1h"),
        ("key.daily", "40/day"),
        ("band.read", "40/min"),
        ("org.minute", "40/min"),
    ];
    for (policy, limit) in cases {
        let acme = pair.tenant(policy, limit).await;
        let mut callers = pair.callers(&acme.live).to_vec();
        if policy == "org.minute" {
            callers.extend(pair.callers(&acme.test));
        }
        assert_eq!(admitted(&callers, 120).await, 40, "{policy}");
        let denied = ask(&callers[1]).await;
        assert_eq!(denied.text_at("/policy"), policy);
    }
    assert!(pair.nodes.iter().all(|node| !node.app.door.is_degraded()));
}

#[actix_web::test]
async fn a_wait_told_by_one_node_is_exact_at_the_other() {
    let Some(pair) = Pair::start(PATIENT).await else { return };
    let acme = pair.tenant("key.burst.medium", "3/10s").await;
    let [one, other] = pair.callers(&acme.live);
    for caller in [&one, &other, &one] {
        ask(caller).await.expect(200);
        pair.nodes[0].advance(Duration::from_secs(2));
    }
    // Sent at 0, 2 and 4 s; it is 6 s.
    let denied = ask(&other).await.refused(Code::RateLimited);
    assert_eq!((denied.header("retry-after"), denied.json["usage"].as_u64()), (Some("4"), Some(3)));
    pair.nodes[0].advance(Duration::from_millis(3_999));
    ask(&one).await.refused(Code::RateLimited);
    ask(&other).await.refused(Code::RateLimited);
    pair.nodes[0].advance(Duration::from_millis(1));
    ask(&one).await.expect(200);
    ask(&other).await.refused(Code::RateLimited);
}

#[actix_web::test]
async fn the_meter_counts_what_the_nodes_refuse_without_asking() {
    let Some(pair) = Pair::start(PATIENT).await else { return };
    let acme = pair.tenant("key.burst.short", "2/1s").await;
    let path = format!("/v1/admin/orgs/{}/limits/key.daily", acme.org);
    pair.nodes[0].operator().put(&path, json!({"limit": "30/day"})).await.expect(200);
    assert_eq!(admitted(&pair.callers(&acme.live), 20).await, 2);
    let meter = format!("postern:{{{}}}:key.daily:*", acme.org);
    // What is refused from memory is told within a second, or with the next request.
    meanwhile("all twenty", || async {
        let kept = pair.redis.value(&meter)?;
        (kept.split(' ').nth(1) == Some("20")).then_some(())
    })
    .await;
}

#[actix_web::test]
async fn a_look_takes_nothing_and_shows_what_both_have_used() {
    let Some(pair) = Pair::start(PATIENT).await else { return };
    let acme = pair.tenant("key.window", "50/1h").await;
    let [one, other] = pair.callers(&acme.live);
    assert_eq!(admitted(&[one.clone(), other.clone()], 20).await, 20);
    for used in [21, 22] {
        let shown = other.get("/v1/limits").await.expect(200);
        let rows = shown.json["data"].as_array().unwrap_or_else(|| panic!("{}", shown.text));
        let row = rows.iter().find(|row| row["policy"] == "key.window").unwrap();
        assert_eq!(row["used"].as_u64().or(row["usage"].as_u64()), Some(used), "{row}");
    }
}

#[actix_web::test]
async fn a_plan_changed_at_one_node_acts_at_the_other_within_a_second() {
    let Some(pair) = Pair::start(PATIENT).await else { return };
    let acme = pair.tenant("key.minute", "100/min").await;
    let [_, other] = pair.callers(&acme.live);
    assert_eq!(ask(&other).await.expect(200).header("x-ratelimit-limit"), Some("100"));
    let path = format!("/v1/admin/orgs/{}/limits/key.minute", acme.org);
    pair.nodes[0].operator().put(&path, json!({"limit": "30/min"})).await.expect(200);
    meanwhile("the new limit", async || (ask(&other).await.header("x-ratelimit-limit") == Some("30")).then_some(()))
        .await;
}

#[actix_web::test]
async fn without_redis_each_node_holds_to_its_share() {
    let Some(nodes) = apart(SeveralNodes::Divide).await else { return };
    let acme = tenant(&nodes[0], "key.minute", "41/min").await;
    let [one, other] = [0, 1].map(|node| acme.live.at(&nodes[node].base));
    assert_eq!(admitted(std::slice::from_ref(&one), 50).await, 20);
    assert_eq!(admitted(&[other], 50).await, 20);
    // The other is gone for a minute: the whole limit again.
    nodes[1].app.nodes.leave(&nodes[1].app.db).await.unwrap();
    nodes[0].advance(Duration::from_secs(60));
    nodes[0].app.nodes.beat(&nodes[0].app.db).await.unwrap();
    assert_eq!(admitted(&[one], 50).await, 41);
}
