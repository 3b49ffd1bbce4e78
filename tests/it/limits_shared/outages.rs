//! Redis killed, standing still, slow and emptied: no limit gives way by more than is said, nobody waits, and all comes
//! right by itself.

use std::time::Duration;

use postern::error::Code;
use postern::{limits, worker};

use super::{Pair, admitted, ask};
use crate::harness::app::TestApp;
use crate::harness::wait::meanwhile;
use crate::messages::{code_to, number, post};

/// Longer than a busy machine takes, shorter than anybody would wait.
const TIMEOUT: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy)]
enum Fault {
    Killed,
    StandsStill,
    Slow,
}

impl Fault {
    fn begin(self, pair: &mut Pair) {
        match self {
            Fault::Killed => pair.redis.kill(),
            Fault::StandsStill => pair.redis.stop(),
            Fault::Slow => pair.redis.slow_down(2 * TIMEOUT),
        }
    }

    fn end(self, pair: &mut Pair) {
        match self {
            Fault::Killed => pair.redis.start_again(),
            Fault::StandsStill => pair.redis.go_on(),
            Fault::Slow => pair.redis.slow_down(Duration::ZERO),
        }
    }
}

async fn ready(node: &TestApp) -> String {
    // Not open for requests as a whole process would be: only what it says of the limits matters here.
    node.anonymous().get("/readyz").await.text_at("/checks/limits")
}

/// Asks a tenant of no consequence until the node has noticed.
async fn until_noticed(pair: &Pair, degraded: bool) {
    let idle = pair.tenant("key.minute", "100000/min").await;
    for (node, caller) in pair.nodes.iter().zip(pair.callers(&idle.live)) {
        let wanted = if degraded { "degraded" } else { "ok" };
        meanwhile(wanted, || async {
            ask(&caller).await.expect(200);
            (ready(node).await == wanted).then_some(())
        })
        .await;
    }
}

/// Limits counted by a calendar and by sixtieths, and one kept as a list of moments: with 10 of 40 used on either node, what
/// both let through while Redis is away and after.
async fn weather(fault: Fault) {
    let Some(mut pair) = Pair::start(TIMEOUT).await else { return };
    let calendar = pair.tenant("org.minute", "40/min").await;
    let sliding = pair.tenant("key.window", "40/1h").await;
    let list = pair.tenant("key.burst.long", "40/min").await;
    let tenants = [&calendar, &sliding, &list].map(|tenant| pair.callers(&tenant.live));
    for callers in &tenants {
        for caller in callers {
            assert_eq!(admitted(std::slice::from_ref(caller), 5).await, 5);
        }
        // Each knows what both have used.
        ask(&callers[0]).await.expect(200);
        ask(&callers[1]).await.expect(200);
    }
    fault.begin(&mut pair);
    until_noticed(&pair, true).await;
    let mut during = Vec::new();
    for callers in &tenants {
        let answered = tokio::time::timeout(Duration::from_secs(10), admitted(callers, 100));
        during.push(answered.await.expect("requests are answered while Redis is away"));
    }
    // Of 28 left, of which one node has heard one less, 14 each; of a list each has its share of the whole.
    assert!((27..=29).contains(&during[0]) && (27..=29).contains(&during[1]), "{fault:?}: {during:?}");
    assert_eq!(during[2], 40 - 12, "{fault:?}: each has its half of the whole, of which six are used");
    codes_are_guarded_all_the_same(&pair).await;

    fault.end(&mut pair);
    until_noticed(&pair, false).await;
    for (callers, during) in tenants.iter().zip(&during) {
        // The first word of each node brings what it has counted meanwhile.
        let first = admitted(&callers[..1], 1).await + admitted(&callers[1..], 1).await;
        let all = 12 + during + first + admitted(callers, 100).await;
        // A server that was killed forgot the list's first twelve, and only that.
        let most = if matches!(fault, Fault::Killed) { 40 + 12 } else { 41 };
        assert!((40..=most).contains(&all), "{fault:?}: {all} of 40");
    }
    let metrics = postern::health::recorder().unwrap().render();
    assert!(metrics.contains("postern_limiter_degraded 0"), "{metrics}");
}

/// Three codes to a number in five minutes, whatever the weather.
async fn codes_are_guarded_all_the_same(pair: &Pair) {
    let acme = pair.nodes[0].tenant().await;
    let [one, other] = pair.callers(&acme.live);
    for caller in [&one, &other, &one] {
        post(caller, code_to(&number(1))).await.expect(202);
    }
    post(&other, code_to(&number(1))).await.refused(Code::OtpNumberLimit);
}

#[actix_web::test]
async fn redis_is_killed() {
    postern::health::recorder();
    weather(Fault::Killed).await;
}

#[actix_web::test]
async fn redis_stands_still() {
    postern::health::recorder();
    weather(Fault::StandsStill).await;
}

#[actix_web::test]
async fn redis_is_slow() {
    postern::health::recorder();
    weather(Fault::Slow).await;
}

#[actix_web::test]
async fn an_emptied_redis_is_told_the_hour_and_the_day_by_the_nodes() {
    let Some(pair) = Pair::start(Duration::from_secs(5)).await else { return };
    for (policy, limit) in [("key.daily", "40/day"), ("key.window", "40/1h"), ("key.minute", "40/min")] {
        let acme = pair.tenant(policy, limit).await;
        let callers = pair.callers(&acme.live);
        assert_eq!(admitted(&callers, 30).await, 30);
        ask(&callers[0]).await.expect(200);
        ask(&callers[1]).await.expect(200);
        pair.redis.flush();
        // The second knows of 32, the first of 31.
        ask(&callers[1]).await.expect(200);
        assert_eq!(admitted(&callers, 60).await, 7, "{policy}");
    }
    // A list of moments is forgotten: its window is a minute at most.
    let acme = pair.tenant("key.burst.long", "40/min").await;
    let callers = pair.callers(&acme.live);
    assert_eq!(admitted(&callers, 40).await, 40);
    pair.redis.flush();
    pair.nodes[0].advance(Duration::from_secs(1));
    assert_eq!(admitted(&callers, 60).await, 40);
}

#[actix_web::test]
async fn a_node_that_starts_knows_the_day_though_redis_forgot_it() {
    let Some(pair) = Pair::start(Duration::from_secs(5)).await else { return };
    let acme = pair.tenant("key.daily", "40/day").await;
    let callers = pair.callers(&acme.live);
    assert_eq!(admitted(&callers, 20).await, 20);
    for (node, caller) in pair.nodes.iter().zip(&callers) {
        ask(caller).await.expect(200);
        worker::save_windows(&node.app).await.unwrap();
    }
    let rows = pair.nodes[0].read(limits::store::load).await;
    assert!(rows.len() >= 4, "each node has a row of its own: {rows:?}");
    pair.redis.flush();
    let config = pair.nodes[0].app.config.clone();
    let fresh = pair.nodes[0]
        .another_with(|own| (own.node.redis_url, own.limits) = (config.node.redis_url, config.limits))
        .await;
    assert_eq!(admitted(&[acme.live.at(&fresh.base)], 40).await, 18);
}
