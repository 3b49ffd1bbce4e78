//! One key, one message, one hand-off, one charge, however many ask at once.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use postern::error::Code;
use serde_json::json;

use super::{accepted, code_to, count, drain, notice_to, number, post, secs};
use crate::harness::actor::Reply;
use crate::harness::app::TestApp;

#[actix_web::test]
async fn two_hundred_at_once_with_one_key_make_one_message() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let caller = acme.live.with_header("Idempotency-Key", "one");
    let (ours, other) = (code_to(&number(1)), code_to(&number(2)));
    let replies: Vec<Reply> =
        join_all((0..200).map(|n| post(&caller, if n % 10 == 9 { other.clone() } else { ours.clone() }))).await;
    let mut accepted = BTreeSet::new();
    for reply in &replies {
        match reply.status {
            202 => drop(accepted.insert((reply.text.clone(), reply.header("location").map(str::to_owned)))),
            409 => assert!(
                ["idempotency.in_flight", "idempotency.key_mismatch"].contains(&reply.json["code"].as_str().unwrap())
            ),
            other => panic!("{other}: {}", reply.text),
        }
    }
    assert_eq!(accepted.len(), 1, "{accepted:?}");
    let fresh = replies.iter().filter(|r| r.status == 202 && r.header("idempotent-replayed").is_none()).count();
    assert_eq!(fresh, 1, "one took effect, the others were replayed");
    drain(&app).await;
    assert_eq!((count(&acme.live).await, app.acme.hand_offs().len()), (1, 1));
    let winner = accepted.first().unwrap().0.clone();
    let body = if winner.contains(&number(1)) { ours } else { other };
    for reply in join_all((0..50).map(|_| post(&caller, body.clone()))).await {
        assert_eq!((reply.status, reply.text), (202, winner.clone()), "the first has finished: no conflict any more");
    }
}

#[actix_web::test]
async fn two_processes_with_one_key_make_one_message() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let acme = app.tenant().await;
    let here = acme.live.with_header("Idempotency-Key", "one");
    let there = here.at(&other.base);
    let replies = join_all((0..60).map(|n| post(if n % 2 == 0 { &here } else { &there }, code_to(&number(1))))).await;
    let texts: BTreeSet<String> = replies.iter().filter(|r| r.status == 202).map(|r| r.text.clone()).collect();
    assert_eq!(texts.len(), 1);
    assert!(replies.iter().all(|r| r.status == 202 || r.json["code"] == "idempotency.in_flight"), "{replies:?}");
    assert_eq!(count(&acme.live).await, 1);
}

#[actix_web::test]
async fn many_keys_at_once_each_make_one() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let sends = (0..150).map(|n| {
        let caller = acme.live.with_header("Idempotency-Key", &format!("k{}", n / 3));
        async move { post(&caller, notice_to(&number(n / 3))).await }
    });
    for reply in join_all(sends).await {
        assert!(reply.status == 202 || reply.json["code"] == "idempotency.in_flight", "{}", reply.text);
    }
    assert_eq!(count(&acme.live).await, 50);
}

#[actix_web::test]
async fn a_replay_is_the_first_answer_whatever_has_happened_since() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let caller = acme.live.with_header("Idempotency-Key", "k");
    let mut body = code_to(&number(1));
    body["scheduled_for"] = json!(app.app.clock.now().plus(secs(60)).rfc3339());
    let first = post(&caller, body.clone()).await.expect(202);
    app.advance(secs(120));
    drain(&app).await;
    app.route(&[]).await;
    let again = post(&caller, body.clone()).await.expect(202);
    assert_eq!((&again.text, again.header("location")), (&first.text, first.header("location")));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    assert!(again.header("x-ratelimit-limit").is_some());
    body["body"] = json!("another text");
    let other = post(&caller, body).await;
    assert!(other.status == 409 || other.status == 400, "{}", other.text);
}

#[actix_web::test]
async fn a_replay_costs_no_message_limit() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let caller = acme.live.with_header("Idempotency-Key", "k");
    for _ in 0..20 {
        accepted(&caller, code_to(&number(1))).await;
    }
    accepted(&acme.live, code_to(&number(1))).await;
    accepted(&acme.live, code_to(&number(1))).await;
    post(&acme.live, code_to(&number(1))).await.refused(Code::OtpNumberLimit);
}

#[actix_web::test]
async fn spellings_of_one_number_are_one_request() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let caller = acme.live.with_header("Idempotency-Key", "k");
    let first = post(&caller, code_to("+447400123456")).await.expect(202);
    let again = post(&caller, code_to("+44 7400 123456")).await.expect(202);
    assert_eq!(first.text, again.text);
    assert_eq!(count(&acme.live).await, 1);
}

#[actix_web::test]
async fn a_bulk_under_a_key_is_one_bulk() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let body = json!({"idempotency_key": "b", "messages": [code_to(&number(1)), code_to("x"), code_to(&number(2))]});
    let replies = join_all((0..30).map(|_| acme.live.post("/v1/messages/bulk", body.clone()))).await;
    let texts: BTreeSet<&str> = replies.iter().filter(|r| r.status == 202).map(|r| r.text.as_str()).collect();
    assert_eq!((texts.len(), count(&acme.live).await), (1, 2));
    let refused = json!({"mode": "all_or_nothing", "idempotency_key": "c", "messages": [code_to("x")]});
    for _ in 0..2 {
        acme.live.post("/v1/messages/bulk", refused.clone()).await.refused(Code::ValidationFailed);
    }
    let good = json!({"mode": "all_or_nothing", "idempotency_key": "c", "messages": [code_to(&number(3))]});
    acme.live.post("/v1/messages/bulk", good).await.expect(202);
}
