//! T15: receivers that hang, fail and throttle hold nobody else up.

use std::time::{Duration, Instant};

use postern::webhooks;
use serde_json::json;
use tokio::sync::watch;

use super::{opened, sent_message};
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::{FakeCarrier, Script};
use crate::harness::wait;

#[actix_web::test]
async fn a_healthy_endpoint_is_served_beside_fifty_that_are_not() {
    let app = TestApp::start_with(|config| {
        opened(config);
        config.outbound.webhook_concurrency = 32;
    })
    .await;
    let (theirs, mine) = (app.tenant().await, app.tenant().await);
    let sick: Vec<FakeCarrier> = (0..5).map(|_| FakeCarrier::start()).collect();
    sick[0].always(Script::HangBefore);
    sick[1].always(Script::HangAfter);
    sick[2].always(Script::Answer(500, vec![], vec![]));
    sick[3].always(Script::throttled(1));
    sick[4].always(Script::Answer(410, vec![], vec![]));
    for n in 0..50 {
        let url = sick[n % 5].url(&format!("/{n}"));
        theirs.live.post("/v1/webhooks", json!({"url": url})).await.expect(201);
    }
    let well = FakeCarrier::start();
    mine.live.post("/v1/webhooks", json!({"url": well.url("/")})).await.expect(201);
    let (stop, stopped) = watch::channel(false);
    let running = actix_web::rt::spawn(webhooks::run(app.app.clone(), stopped));
    for _ in 0..10 {
        sent_message(&app, &theirs.live).await;
    }
    wait::meanwhile("calls that hang", || async { (sick[0].calls() + sick[1].calls() >= 4).then_some(()) }).await;
    let from = Instant::now();
    for _ in 0..20 {
        sent_message(&app, &mine.live).await;
    }
    wait::meanwhile("every event at the healthy one", || async { (well.hand_offs().len() >= 20).then_some(()) }).await;
    // Each call that hangs takes 15 s.
    assert!(from.elapsed() < Duration::from_secs(10), "{:?}", from.elapsed());
    stop.send(true).unwrap();
    running.await.unwrap();
}
