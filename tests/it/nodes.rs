//! The processes that share a database: who is counted, for how long, and who must not start.

use std::time::Duration;

use postern::config::Role;
use postern::nodes::Place;

use crate::harness::Backend;
use crate::harness::app::TestApp;

fn counts(app: &TestApp) -> (u32, u32) {
    (app.app.nodes.serving(), app.app.nodes.working())
}

async fn beat(app: &TestApp) {
    app.app.nodes.beat(&app.app.db).await.unwrap();
}

#[actix_web::test]
async fn a_node_is_counted_by_what_it_does_until_a_minute_after_its_last_word() {
    let one = TestApp::start().await;
    let api = one.another_with(|config| config.node.role = Role::Api).await;
    let worker = one.another_with(|config| config.node.role = Role::Worker).await;
    assert_eq!(counts(&one), (1, 1), "whoever has not looked yet is alone");
    for app in [&api, &worker, &one] {
        beat(app).await;
    }
    if Backend::server().is_none() {
        assert_eq!(counts(&one), (1, 1), "the embedded database has one node");
        return;
    }
    assert_eq!(counts(&one), (2, 2));
    worker.app.nodes.leave(&worker.app.db).await.unwrap();
    beat(&one).await;
    assert_eq!(counts(&one), (2, 1));
    one.advance(Duration::from_secs(59));
    beat(&one).await;
    assert_eq!(counts(&one), (2, 1));
    one.advance(Duration::from_secs(1));
    beat(&one).await;
    assert_eq!(counts(&one), (1, 1));
}

#[actix_web::test]
async fn of_many_that_start_at_once_one_may_serve_alone() {
    let first = TestApp::start().await;
    let (second, third) = (first.another().await, first.another().await);
    let worker = first.another_with(|config| config.node.role = Role::Worker).await;
    let enter = |app: &TestApp, alone| {
        let app = app.app.clone();
        async move { app.nodes.enter(&app.db, alone).await.unwrap() }
    };
    assert_eq!(enter(&worker, false).await, Place::Taken);
    let (a, b, c) = futures_util::future::join3(enter(&first, true), enter(&second, true), enter(&third, true)).await;
    let taken = [a, b, c].iter().filter(|place| **place == Place::Taken).count();
    if Backend::server().is_none() {
        assert_eq!(taken, 3, "the embedded database knows no second node");
        return;
    }
    assert_eq!(taken, 1, "a worker does not serve, and of those that do one has the place");
    first.advance(Duration::from_secs(6));
    assert_eq!(enter(&third, true).await, Place::Taken, "three beats without a word");
    assert_eq!(enter(&third, true).await, Place::Taken, "nobody is in their own way");
    assert_eq!(enter(&first, true).await, Place::TakenBy(third.app.nodes.id()));
    assert_eq!(enter(&first, false).await, Place::Taken);
}
