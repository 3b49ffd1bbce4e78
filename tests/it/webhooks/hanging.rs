//! T15: receivers that hang, fail and throttle hold nobody else up.

use std::time::{Duration, Instant};

use postern::terms::Mode;
use postern::webhooks::{self, EventType, NewEvent};
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

/// The types that the fifty ask for, two endpoints each: both sick in the same way.
const KINDS: usize = 25;

#[actix_web::test]
async fn ten_thousand_events_for_the_sick_hold_up_nobody_who_is_well() {
    let app = TestApp::start_with(|config| {
        opened(config);
        config.outbound.webhook_concurrency = 32;
    })
    .await;
    let (theirs, mine) = (app.tenant().await, app.tenant().await);
    let sick: Vec<FakeCarrier> = (0..5).map(|_| FakeCarrier::start()).collect();
    // Those that hang come last: what they hold is their own organization's.
    sick[0].always(Script::Answer(410, vec![], vec![]));
    sick[1].always(Script::throttled(1));
    sick[2].always(Script::Answer(500, vec![], vec![]));
    sick[3].always(Script::Drip(Duration::from_millis(500)));
    sick[4].always(Script::HangAfter);
    let kinds: Vec<EventType> = EventType::ALL.iter().take(KINDS).copied().collect();
    let mut hanging = String::new();
    for n in 0..50 {
        let url = sick[n % 5].url(&format!("/{n}"));
        let made =
            theirs.live.post("/v1/webhooks", json!({"url": url, "events": [kinds[n % KINDS]]})).await.expect(201);
        if n == 4 {
            hanging = made.text_at("/id");
        }
    }
    let well = FakeCarrier::start();
    mine.live.post("/v1/webhooks", json!({"url": well.url("/")})).await.expect(201);
    let (stop, stopped) = watch::channel(false);
    let running = actix_web::rt::spawn(webhooks::run(app.app.clone(), stopped));
    let happen = async |org: &str, kinds: Vec<EventType>| {
        let (owner, now) = ((org.parse().unwrap(), Mode::Live), app.app.clock.now());
        app.write(move |conn| {
            let new = |kind: &EventType| NewEvent { owner, kind: *kind, data: Box::new(|| json!({"id": "x"})) };
            webhooks::emit(conn, &kinds.iter().map(new).collect::<Vec<_>>(), now)
        })
        .await;
    };
    let hundred = async |from: usize| happen(&theirs.org, (0..100).map(|n| kinds[(from + n) % KINDS]).collect()).await;
    hundred(0).await;
    // From here on all that their organization may have at once is held by calls that drip and hang, for 15 s each.
    let held = || async { (sick[3].calls() + sick[4].calls() >= 8).then_some(()) };
    wait::meanwhile("calls that hold", held).await;
    let mut took = Vec::new();
    for round in 0..100 {
        // A hundred of theirs, then one of ours: ten thousand by the end.
        hundred(round).await;
        let from = Instant::now();
        happen(&mine.org, vec![EventType::MessageSent]).await;
        wait::meanwhile("our event", || async { (well.hand_offs().len() > round).then_some(()) }).await;
        took.push(from.elapsed());
    }
    took.sort();
    assert!(took[98] < Duration::from_secs(2), "p99 {:?}, longest {:?}", took[98], took[99]);
    assert_eq!(well.calls(), 100, "each once");
    let waiting = format!("/v1/webhooks/{hanging}/deliveries?status=pending&limit=100");
    let waiting = theirs.live.get(&waiting).await.expect(200);
    assert_eq!(waiting.json["data"].as_array().unwrap().len(), 100, "what waits is in the database");
    // An endpoint that is gone gets nothing further: its kinds are no more than a few calls.
    let gone = sick[0].calls();
    assert!(gone <= 10 * 8, "{gone}");
    stop.send(true).unwrap();
    running.await.unwrap();
}
