//! The pace: a limit makes contacts wait until its window opens, and nothing else waits behind them.

use std::time::Duration;

use postern::error::Code;
use serde_json::json;

use super::{act, draft, feed, progress, shown};
use crate::harness::app::TestApp;
use crate::messages::{code_to, drain, number, post, secs};

#[actix_web::test]
async fn contacts_beyond_the_plan_take_exactly_the_windows_they_should() {
    let app = TestApp::start().await;
    // 60 a minute, of which a bulk takes four fifths.
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let id = draft(&acme.live, 0..500).await;
    act(&acme.live, &id, "start").await;
    for window in 0..11 {
        let expected = if window < 10 { 48 } else { 20 };
        assert_eq!(feed(&app).await, expected, "window {window}");
        assert_eq!((feed(&app).await, drain(&app).await), (0, expected), "window {window}");
        if window < 10 {
            let next = app.app.clock.now().plus(secs(60)).rfc3339();
            assert_eq!(shown(&acme.live, &id).await["next_at"], next);
            app.advance(secs(59));
            assert_eq!(feed(&app).await, 0, "window {window}");
            app.advance(secs(1));
        }
    }
    let told = progress(&acme.live, &id).await;
    assert_eq!((&told["status"], &told["messages"]), (&json!("completed"), &json!({"sent": 500})));
    assert_eq!(told["errors"], json!({}), "waiting is no error");
    // Every contact once.
    let mut to: Vec<String> = app.acme.hand_offs().iter().map(|call| call.json()["to"].to_string()).collect();
    to.sort();
    to.dedup();
    assert_eq!((to.len(), app.acme.calls()), (500, 500));
}

#[actix_web::test]
async fn a_code_is_never_behind_a_broadcast() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let id = draft(&acme.live, 0..100).await;
    act(&acme.live, &id, "start").await;
    assert_eq!(feed(&app).await, 48);
    // Neither by the plan, which keeps a fifth for single sends, nor in the queue.
    post(&acme.live, code_to(&number(200))).await.expect(202);
    assert_eq!(postern::messages::dispatch_once(&app.app, 1).await.unwrap(), 1);
    assert_eq!(app.acme.hand_offs()[0].json()["to"], number(200));
    for n in 201..212 {
        post(&acme.live, code_to(&number(n))).await.expect(202);
    }
    post(&acme.live, code_to(&number(212))).await.refused(Code::SmsPlanCap);
}

#[actix_web::test]
async fn contacts_wait_in_the_broadcast_and_not_in_the_queue() {
    let app = TestApp::start_with(|config| config.dispatch.broadcast_ahead = 10).await;
    let acme = app.tenant().await;
    let id = draft(&acme.live, 0..30).await;
    act(&acme.live, &id, "start").await;
    assert_eq!((feed(&app).await, feed(&app).await), (10, 0));
    assert_eq!(act(&acme.live, &id, "pause").await["status"], "paused");
    app.advance(secs(1));
    assert_eq!((drain(&app).await, feed(&app).await), (10, 0), "paused is paused");
    acme.live.post(&format!("/v1/broadcasts/{id}/pause"), json!({})).await.refused(Code::BroadcastNotEditable);
    act(&acme.live, &id, "resume").await;
    assert_eq!((feed(&app).await, drain(&app).await), (10, 10));
    let told = act(&acme.live, &id, "cancel").await;
    assert_eq!((&told["status"], &told["waiting"], &told["accepted"]), (&json!("canceled"), &json!(10), &json!(20)));
    app.advance(secs(60));
    assert_eq!((feed(&app).await, drain(&app).await, app.acme.calls()), (0, 0, 20));
    acme.live.post(&format!("/v1/broadcasts/{id}/resume"), json!({})).await.refused(Code::BroadcastNotEditable);
}

#[actix_web::test]
async fn a_broadcast_survives_the_process_and_two_never_send_one_contact_twice() {
    let app = TestApp::start_with(|config| config.dispatch.broadcast_ahead = 100_000).await;
    let other = app.another_with(|config| config.dispatch.broadcast_ahead = 100_000).await;
    let acme = app.tenant().await;
    let [one, two] = [draft(&acme.test, 0..700).await, draft(&acme.test, 700..1_400).await];
    for id in [&one, &two] {
        act(&acme.test, id, "start").await;
    }
    // SMS of test keys count in their own plan: one window of it, then the next ones, by both processes at once.
    let mut settled = 0;
    for _ in 0..6 {
        let (here, there) = tokio::join!(feed(&app), feed(&other));
        assert!(here + there <= 240, "a bulk's share of 300 a minute");
        settled += here + there;
        app.advance(Duration::from_secs(60));
    }
    assert_eq!(settled, 1_400);
    for id in [&one, &two] {
        let told = progress(&acme.test, id).await;
        assert_eq!((&told["status"], &told["accepted"]), (&json!("completed"), &json!(700)));
    }
}
