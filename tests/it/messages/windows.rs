//! The limiters against a list of server timestamps: many at once, bulk among them, and a clock that jumps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use postern::clock::Millis;
use postern::error::Code;
use serde_json::{Value, json};

use super::{accepted, code_to, drain, notice_to, number, post, secs};
use crate::harness::actor::Actor;
use crate::harness::app::{START, TestApp};

/// The moments at which messages were accepted, by number, as the server wrote them.
async fn stamps(caller: &Actor) -> BTreeMap<String, Vec<i64>> {
    let mut found: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = caller.get(&format!("/v1/messages?limit=200{cursor}")).await.expect(200);
        for row in page.json["data"].as_array().unwrap() {
            // A paced message counts in the minute it goes in.
            let at = row["scheduled_for"].as_str().or(row["created_at"].as_str()).unwrap();
            let at = Millis::parse_rfc3339(at).unwrap().0;
            found.entry(row["to"].as_str().unwrap().to_owned()).or_default().push(at);
        }
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    found.values_mut().for_each(|list| list.sort_unstable());
    found
}

/// The fullest window of `span` there is.
fn fullest(stamps: &[i64], span: i64) -> usize {
    stamps.iter().map(|from| stamps.iter().filter(|at| (*from..from + span).contains(*at)).count()).max().unwrap_or(0)
}

#[actix_web::test]
async fn sixteen_at_once_never_pass_three_codes_and_always_reach_them() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let spellings = |n: usize| {
        let e164 = number(n);
        [e164.clone(), format!("+44 {}", &e164[3..]), format!("+44-{}-{}", &e164[3..7], &e164[7..])]
    };
    for round in 0..30u64 {
        let sends = (0..16usize).map(|task| {
            let (n, caller) = (task % 4, acme.live.clone());
            async move {
                let to = spellings(n)[task % 3].clone();
                match task % 5 {
                    0 => drop(caller.post("/v1/messages/bulk", json!({"messages": vec![code_to(&to); 2]})).await),
                    _ => drop(post(&caller, code_to(&to)).await),
                }
            }
        });
        join_all(sends).await;
        app.advance(Duration::from_millis(7_919 + round * 613));
    }
    for (to, list) in stamps(&acme.live).await {
        assert_eq!(fullest(&list, 300_000), 3, "{to}: {list:?}");
        assert!(fullest(&list, 3_600_000) <= 10, "{to}: {list:?}");
    }
}

#[actix_web::test]
async fn sixteen_at_once_never_pass_the_plan_s_minute_and_always_fill_it() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let mut next = 0;
    for round in 0..12u64 {
        let sends = (0..16usize).map(|task| {
            next += 10;
            let (first, caller) = (next, acme.live.clone());
            async move {
                if task % 8 == 0 {
                    let pacing = if task == 0 { "reject" } else { "plan" };
                    let messages: Vec<Value> = (0..10).map(|n| notice_to(&number(first + n))).collect();
                    let body = json!({"pacing": pacing, "messages": messages, "defaults": {"ttl": "45s"}});
                    caller.post("/v1/messages/bulk", body).await.expect(202);
                } else {
                    post(&caller, notice_to(&number(first))).await;
                }
            }
        });
        join_all(sends).await;
        app.advance(Duration::from_millis(3_331 + round * 97));
    }
    let mut all: Vec<i64> = stamps(&acme.live).await.into_values().flatten().collect();
    all.sort_unstable();
    assert_eq!(fullest(&all, 60_000), 60);
}

#[actix_web::test]
async fn each_wait_that_is_told_is_the_whole_wait() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut passed = 0;
    while passed < 18 {
        let reply = post(&acme.live, code_to(&number(1))).await;
        if reply.status == 202 {
            passed += 1;
            app.advance(Duration::from_millis(1_237));
            continue;
        }
        let told: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert_eq!(reply.json["retry_after"].as_u64(), Some(told));
        // Up to a second less would have been right; more than that is too early.
        app.advance(secs(told - 1));
        if told > 1 {
            app.app.clock.set(app.app.clock.now().minus(Duration::from_millis(1)));
            post(&acme.live, code_to(&number(1))).await.refused(Code::OtpNumberLimit);
            app.advance(Duration::from_millis(1));
        }
        app.advance(secs(1));
        post(&acme.live, code_to(&number(1))).await.expect(202);
        passed += 1;
    }
}

#[actix_web::test]
async fn the_headers_count_down_truthfully() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for left in [2, 1, 0] {
        let reply = post(&acme.live, code_to(&number(1))).await.expect(202);
        assert_eq!(reply.header("x-ratelimit-limit"), Some("3"));
        assert_eq!(reply.header("x-ratelimit-remaining"), Some(left.to_string().as_str()));
        assert!(reply.header("ratelimit-policy").unwrap().contains("\"otp.number\";q=3;w=300"));
    }
    let refused = post(&acme.live, code_to(&number(1))).await.refused(Code::OtpNumberLimit);
    let reset: i64 = refused.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert_eq!(reset, START.plus(secs(300)).as_secs_up());
}

#[actix_web::test]
async fn a_clock_set_back_opens_nothing_and_locks_nobody_out_for_longer_than_a_window() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    for _ in 0..3 {
        accepted(&acme.live, code_to(&number(1))).await;
    }
    let messages: Vec<Value> = (100..157).map(|n| notice_to(&number(n))).collect();
    acme.live.post("/v1/messages/bulk", json!({"messages": messages, "pacing": "reject"})).await.expect(202);
    app.app.clock.set(START.minus(secs(600)));
    let code = post(&acme.live, code_to(&number(1))).await.refused(Code::OtpNumberLimit);
    let plan = post(&acme.live, notice_to(&number(2))).await.refused(Code::SmsPlanCap);
    let waits = [&code, &plan].map(|reply| reply.json["retry_after"].as_u64().unwrap());
    assert!(waits[0] <= 300 && waits[1] <= 60, "{waits:?}");
    app.advance(secs(waits[1]));
    accepted(&acme.live, notice_to(&number(2))).await;
    app.advance(secs(300));
    accepted(&acme.live, code_to(&number(1))).await;
}

#[actix_web::test]
async fn jumps_of_ten_minutes_back_again_and_again_give_no_fourth_code() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut sent = 0;
    for _ in 0..12 {
        sent += usize::from(post(&acme.live, code_to(&number(1))).await.status == 202);
        app.app.clock.set(app.app.clock.now().minus(secs(600)));
        app.advance(secs(1));
    }
    assert_eq!(sent, 3);
}

#[actix_web::test]
async fn a_day_forward_frees_what_is_old_and_what_is_due_goes_or_expires_once() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut body = notice_to(&number(1));
    body["scheduled_for"] = json!(START.plus(secs(3_600)).rfc3339());
    body["ttl"] = json!("7d");
    accepted(&acme.live, body).await;
    for _ in 0..3 {
        accepted(&acme.live, code_to(&number(2))).await;
    }
    app.advance(secs(86_400));
    assert_eq!((drain(&app).await, app.acme.hand_offs().len()), (1, 1));
    for _ in 0..3 {
        accepted(&acme.live, code_to(&number(2))).await;
    }
    post(&acme.live, code_to(&number(2))).await.refused(Code::OtpNumberLimit);
}

#[actix_web::test]
async fn the_daily_quota_turns_at_midnight_once_and_not_again_when_the_clock_is_set_back() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let path = format!("/v1/admin/orgs/{}/limits/key.daily", acme.org);
    app.operator().put(&path, json!({"limit": "5/day", "reason": "a test"})).await.expect(200);
    let midnight = START.next_utc_midnight();
    app.app.clock.set(midnight.minus(secs(10)));
    let caller = app.key(&acme.org, json!({"mode": "live"})).await;
    let admitted = async || {
        let mut count = 0;
        for _ in 0..8 {
            count += usize::from(caller.get("/v1/account").await.status == 200);
        }
        count
    };
    assert_eq!(admitted().await, 5);
    app.app.clock.set(midnight);
    assert_eq!(admitted().await, 5);
    app.app.clock.set(midnight.minus(secs(5)));
    assert_eq!(admitted().await, 0, "yesterday is used up");
    app.app.clock.set(midnight.plus(secs(5)));
    assert_eq!(admitted().await, 0, "today as well");
}

#[actix_web::test]
async fn ids_stay_unique_and_lists_complete_whatever_the_clock_does() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut ids = BTreeSet::new();
    let jumps = [0i64, 0, -600, 86_400, -86_400, 3_600, -3_600, 0, 1, -1];
    for n in 0..60usize {
        ids.insert(accepted(&acme.test, notice_to(&number(n))).await);
        let now = app.app.clock.now();
        let by = jumps[n % jumps.len()];
        let jumped = Duration::from_secs(by.unsigned_abs());
        app.app.clock.set(if by < 0 { now.minus(jumped) } else { now.plus(jumped) });
    }
    assert_eq!(ids.len(), 60);
    let listed: BTreeSet<String> = {
        let page = acme.test.get("/v1/messages?limit=200").await.expect(200);
        page.json["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed, ids);
}

#[actix_web::test]
async fn a_clock_set_back_steals_no_lease_and_loses_no_message() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_to(&number(1))).await;
    let in_hand = postern::messages::claim(&app.app, 10).await.unwrap();
    app.app.clock.set(START.minus(secs(600)));
    assert_eq!(other.step().await, 0);
    for one in in_hand {
        postern::messages::hand_over(&app.app, one).await.unwrap();
    }
    assert_eq!(super::status(&acme.live, &id).await, "sent");
    let waiting = accepted(&acme.live, code_to(&number(2))).await;
    drain(&app).await;
    assert_eq!(super::status(&acme.live, &waiting).await, "sent");
}
