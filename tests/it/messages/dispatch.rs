//! Dispatch: who goes first, and what a worker that dies leaves behind.

use std::collections::BTreeMap;

use postern::messages::{claim, hand_over};
use serde_json::{Value, json};

use super::{accepted, code_to, drain, message, notice_to, number, secs, status};
use crate::harness::app::{Tenant, TestApp};

/// Takes the route's own cap out of the way of what is tested here.
async fn backlog(acme: &Tenant, range: std::ops::Range<usize>) {
    let messages: Vec<Value> = range.map(|n| notice_to(&number(n))).collect();
    acme.test.post("/v1/messages/bulk", json!({"messages": messages, "defaults": {"ttl": "2h"}})).await.expect(202);
}

/// Hands over what one claim of `limit` takes, and says how many that was for each organization.
async fn served(app: &TestApp, limit: usize) -> BTreeMap<String, usize> {
    let before = received(app).await;
    for one in claim(&app.app, limit).await.unwrap() {
        hand_over(&app.app, one).await.unwrap();
    }
    let after = received(app).await;
    after
        .into_iter()
        .map(|(org, n)| (org.clone(), n - before.get(&org).unwrap_or(&0)))
        .filter(|(_, n)| *n > 0)
        .collect()
}

/// What has reached the sandbox, by organization.
async fn received(app: &TestApp) -> BTreeMap<String, usize> {
    use diesel::prelude::*;
    use postern::db::schema::messages::dsl;
    let orgs: Vec<postern::ids::OrgId> = app
        .read(|conn| {
            Ok(postern::both!(conn, c => dsl::messages.filter(dsl::attempts.gt(0)).select(dsl::org_id).load(c))?)
        })
        .await;
    orgs.into_iter().fold(BTreeMap::new(), |mut counts, org| {
        *counts.entry(org.to_string()).or_insert(0) += 1;
        counts
    })
}

#[actix_web::test]
async fn one_code_goes_before_five_hundred_bulk_messages_of_another() {
    let app = TestApp::start().await;
    let (big, small) = (app.tenant().await, app.tenant().await);
    backlog(&big, 0..300).await;
    app.advance(secs(1));
    let id = accepted(&small.test, code_to(&number(9_000))).await;
    let first = served(&app, 1).await;
    assert_eq!(first, [(small.org.clone(), 1)].into());
    assert_eq!(status(&small.test, &id).await, "delivered");
}

#[actix_web::test]
async fn the_newest_code_goes_first() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(accepted(&acme.test, code_to(&number(n))).await);
        app.advance(secs(1));
    }
    for id in ids.iter().rev() {
        assert_eq!(served(&app, 1).await.len(), 1);
        assert_eq!(status(&acme.test, id).await, "delivered");
    }
}

#[actix_web::test]
async fn organizations_share_each_claim_whatever_their_backlogs() {
    let app = TestApp::start().await;
    let (big, small) = (app.tenant().await, app.tenant().await);
    backlog(&big, 0..200).await;
    app.advance(secs(1));
    backlog(&small, 500..510).await;
    let first = served(&app, 20).await;
    assert_eq!(first, [(big.org.clone(), 10), (small.org.clone(), 10)].into());
}

#[actix_web::test]
async fn a_claim_smaller_than_the_number_of_organizations_starves_none() {
    let app = TestApp::start().await;
    let mut orgs = Vec::new();
    for n in 0..6 {
        let acme = app.tenant().await;
        backlog(&acme, n * 100..n * 100 + 40).await;
        orgs.push(acme.org);
    }
    let mut served_by_org = BTreeMap::new();
    for _ in 0..12 {
        for (org, n) in served(&app, 2).await {
            *served_by_org.entry(org).or_insert(0) += n;
        }
    }
    assert!(orgs.iter().all(|org| served_by_org.get(org).is_some_and(|n| *n >= 2)), "{served_by_org:?}");
}

#[actix_web::test]
async fn what_a_dead_worker_had_in_hand_becomes_unknown_when_its_lease_ends() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_to(&number(1))).await;
    let dying = app.another().await;
    let in_hand = claim(&dying.app, 10).await.unwrap();
    assert_eq!((in_hand.len(), status(&acme.live, &id).await), (1, "sending".into()));
    let lease = app.app.config.dispatch.lease;
    app.advance(lease - std::time::Duration::from_millis(1));
    assert_eq!((app.step().await, status(&acme.live, &id).await), (0, "sending".into()));
    app.advance(std::time::Duration::from_millis(1));
    assert_eq!(drain(&app).await, 0);
    let seen = message(&acme.live, &id).await;
    assert_eq!((&seen["status"], &seen["error_code"]), (&json!("unknown"), &json!("dispatch.lost")));
    assert_eq!((app.acme.calls(), dying.acme.calls()), (0, 0));
}

#[actix_web::test]
async fn a_worker_that_was_only_slow_settles_what_was_given_up() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_to(&number(1))).await;
    let slow = app.another().await;
    let in_hand = claim(&slow.app, 10).await.unwrap();
    app.advance(app.app.config.dispatch.lease);
    drain(&app).await;
    assert_eq!(status(&acme.live, &id).await, "unknown");
    for one in in_hand {
        hand_over(&slow.app, one).await.unwrap();
    }
    assert_eq!((status(&acme.live, &id).await, slow.acme.hand_offs().len()), ("sent".into(), 1));
    assert_eq!((drain(&app).await, app.acme.calls()), (0, 0));
}

#[actix_web::test]
async fn a_process_does_not_give_up_what_it_still_has_in_hand() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = accepted(&acme.live, code_to(&number(1))).await;
    let in_hand = claim(&app.app, 10).await.unwrap();
    app.advance(app.app.config.dispatch.lease);
    assert_eq!(claim(&app.app, 10).await.unwrap().len(), 0);
    assert_eq!(status(&acme.live, &id).await, "sending");
    for one in in_hand {
        hand_over(&app.app, one).await.unwrap();
    }
    assert_eq!(status(&acme.live, &id).await, "sent");
}

#[actix_web::test]
async fn two_processes_never_claim_one_message_twice() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let acme = app.tenant().await;
    backlog(&acme, 0..120).await;
    let mut handed = 0;
    for _ in 0..40 {
        let (ours, theirs) = tokio::join!(claim(&app.app, 7), claim(&other.app, 7));
        let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
        handed += ours.len() + theirs.len();
        for one in ours {
            hand_over(&app.app, one).await.unwrap();
        }
        for one in theirs {
            hand_over(&other.app, one).await.unwrap();
        }
    }
    let inbox = acme.test.get("/v1/sandbox/messages?limit=200").await.expect(200);
    assert_eq!((handed, inbox.json["data"].as_array().unwrap().len()), (120, 120));
}
