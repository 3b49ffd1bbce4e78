//! How a broadcast ends before its contacts do: money, a key, a template, its owner, time.

use std::time::Duration;

use postern::broadcasts::{Halt, halt};
use postern::error::Code;
use postern::ids::OrgId;
use postern::terms::Channel;
use serde_json::json;

use super::{act, draft, draft_with, feed, progress, shown};
use crate::harness::app::TestApp;
use crate::messages::{drain, number};

#[actix_web::test]
async fn an_empty_wallet_pauses_and_nobody_is_lost() {
    let app = TestApp::start().await;
    let operator = app.operator();
    operator.put("/v1/admin/prices", json!([{"channel": "sms", "country": "GB", "amount": "0.04"}])).await.expect(200);
    let acme = app.tenant().await;
    let adjust = format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org);
    let pay = |amount: &str| json!({"amount": amount, "currency": "USD", "reason": "prepaid"});
    operator.post(&adjust, pay("0.10")).await.expect(201);
    let id = draft(&acme.live, 0..5).await;
    act(&acme.live, &id, "start").await;
    assert_eq!(feed(&app).await, 2);
    let told = shown(&acme.live, &id).await;
    assert_eq!((&told["status"], &told["reason"]), (&json!("paused"), &json!("wallet.insufficient_balance")));
    assert_eq!((&told["waiting"], &told["refused"]), (&json!(3), &json!(0)));
    operator.post(&adjust, pay("1.00")).await.expect(201);
    act(&acme.live, &id, "resume").await;
    assert_eq!((feed(&app).await, drain(&app).await), (3, 5));
    let told = shown(&acme.live, &id).await;
    assert_eq!((&told["status"], &told["reason"]), (&json!("completed"), &json!(null)));
}

#[actix_web::test]
async fn a_key_that_is_gone_pauses_and_another_one_resumes() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let operator = app.operator();
    let key = json!({"name": "short", "mode": "live"});
    let made = operator.post(&format!("/v1/admin/orgs/{}/keys", acme.org), key).await.expect(201);
    let short = app.anonymous().with_token(&made.text_at("/secret"));
    let id = draft(&short, 0..3).await;
    act(&short, &id, "start").await;
    operator.delete(&format!("/v1/admin/keys/{}", made.text_at("/id"))).await;
    assert_eq!(feed(&app).await, 0);
    let told = shown(&acme.live, &id).await;
    assert_eq!((&told["status"], &told["reason"]), (&json!("paused"), &json!("key_revoked")));
    act(&acme.live, &id, "resume").await;
    assert_eq!(feed(&app).await, 3);
}

#[actix_web::test]
async fn a_suspended_organization_sends_nothing_more() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let id = draft(&acme.live, 0..3).await;
    act(&acme.live, &id, "start").await;
    let org = format!("/v1/admin/orgs/{}", acme.org);
    app.operator().patch(&org, json!({"status": "suspended"})).await.expect(200);
    assert_eq!(feed(&app).await, 0);
    app.operator().patch(&org, json!({"status": "active"})).await.expect(200);
    let told = shown(&acme.live, &id).await;
    assert_eq!((&told["status"], &told["reason"]), (&json!("paused"), &json!("organization.suspended")));
}

#[actix_web::test]
async fn what_may_not_go_on_stops_whatever_it_concerns_and_nothing_else() {
    let app = TestApp::start_with(|config| config.dispatch.broadcast_ahead = 2).await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    let hook = json!({"url": "https://example.com/hooks", "events": ["broadcast.stopped"]});
    acme.live.post("/v1/webhooks", hook).await.expect(201);
    let running = draft(&acme.live, 0..5).await;
    let waiting = draft(&acme.live, 0..5).await;
    let mail = json!({"channel": "email", "body": "x", "contacts": [{"to": "ann@example.com"}]});
    let mail = acme.live.post("/v1/broadcasts", mail).await.expect(201).text_at("/id");
    let foreign = draft(&other.live, 0..5).await;
    for (caller, id) in [(&acme.live, &running), (&acme.live, &mail), (&other.live, &foreign)] {
        act(caller, id, "start").await;
    }
    let at = app.app.clock.now().plus(Duration::from_secs(60)).rfc3339();
    acme.live.post(&format!("/v1/broadcasts/{waiting}/schedule"), json!({"at": at})).await.expect(200);
    feed(&app).await;
    let (org, now): (OrgId, _) = (acme.org.parse().unwrap(), app.app.clock.now());
    let stopped = app.write(move |conn| halt(conn, org, Halt::Channel(Channel::Sms), "whatsapp.quality", now)).await;
    assert_eq!(stopped, 2);
    for id in [&running, &waiting] {
        let told = shown(&acme.live, id).await;
        assert_eq!((&told["status"], &told["reason"]), (&json!("stopped"), &json!("whatsapp.quality")));
    }
    assert_eq!(shown(&acme.live, &mail).await["status"], "completed");
    assert_eq!(shown(&other.live, &foreign).await["status"], "running");
    app.advance(Duration::from_secs(120));
    drain(&app).await;
    feed(&app).await;
    assert_eq!(progress(&acme.live, &running).await["accepted"], 2);
    acme.live.post(&format!("/v1/broadcasts/{running}/resume"), json!({})).await.refused(Code::BroadcastNotEditable);
    let events = acme.live.get("/v1/events").await.expect(200);
    assert_eq!(events.json["data"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn a_template_or_an_originator_stops_its_own_broadcasts() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let template =
        json!({"template": {"name": "login", "params": {"code": "481516"}}, "contacts": [{"to": number(1)}]});
    let by_template = acme.live.post("/v1/broadcasts", template).await.expect(201).text_at("/id");
    let by_sender = draft_with(&acme.live, 0..2, json!({"from": "ACME"})).await;
    let plain = draft(&acme.live, 0..2).await;
    for id in [&by_template, &by_sender, &plain] {
        act(&acme.live, id, "start").await;
    }
    let (org, now): (OrgId, _) = (acme.org.parse().unwrap(), app.app.clock.now());
    let stop = async |what: Halt<'static>| app.write(move |conn| halt(conn, org, what, "template.paused", now)).await;
    assert_eq!(stop(Halt::Template("signup")).await, 0);
    assert_eq!(stop(Halt::Template("login")).await, 1);
    assert_eq!(shown(&acme.live, &by_template).await["status"], "stopped");
    // Who leaves the choice of the originator open may be sent from any of them.
    assert_eq!(stop(Halt::Sender(Channel::Sms, "ACME")).await, 2);
}

#[actix_web::test]
async fn contacts_are_kept_as_long_as_messages() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let [ended, open, forgotten] =
        [draft(&acme.live, 0..3).await, draft(&acme.live, 3..6).await, draft(&acme.live, 6..9).await];
    act(&acme.live, &ended, "start").await;
    feed(&app).await;
    drain(&app).await;
    let day = Duration::from_secs(86_400);
    app.advance(day * 60);
    act(&acme.live, &open, "start").await;
    act(&acme.live, &open, "pause").await;
    app.advance(day * 31);
    postern::worker::sweep(&app.app).await.unwrap();
    for id in [&ended, &forgotten] {
        acme.live.get(&format!("/v1/broadcasts/{id}")).await.refused(Code::NotFound);
    }
    let left = acme.live.get(&format!("/v1/broadcasts/{open}/contacts")).await.expect(200);
    assert_eq!(left.json["data"].as_array().unwrap().len(), 3);
    assert!(!left.text.contains(&number(0)));
}

/// What a broadcast told goes after `retention.bodies`, once it has ended; one that may still go on needs it.
#[actix_web::test]
async fn texts_of_broadcasts_go_before_their_contacts() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let [ended, called_off, held] =
        [draft(&acme.live, 0..3).await, draft(&acme.live, 3..903).await, draft(&acme.live, 903..906).await];
    act(&acme.live, &ended, "start").await;
    feed(&app).await;
    drain(&app).await;
    act(&acme.live, &called_off, "cancel").await;
    act(&acme.live, &held, "start").await;
    act(&acme.live, &held, "pause").await;
    assert_eq!(sealed_of(&app, &called_off).await, (true, 900), "nothing is gone before its time");
    app.advance(app.app.config.retention.bodies + Duration::from_secs(1));
    postern::worker::sweep(&app.app).await.unwrap();
    assert_eq!(sealed_of(&app, &ended).await, (false, 0));
    assert_eq!(sealed_of(&app, &called_off).await, (false, 0));
    assert_eq!(sealed_of(&app, &held).await, (true, 3));
    assert_eq!(shown(&acme.live, &called_off).await["waiting"], 900, "what became of it stays");
    let contacts = acme.live.get(&format!("/v1/broadcasts/{called_off}/contacts")).await.expect(200);
    assert_eq!(
        (&contacts.json["data"][0]["to"], &contacts.json["data"][0]["status"]),
        (&json!(number(3)), &json!("waiting"))
    );
    act(&acme.live, &held, "resume").await;
    assert_eq!(feed(&app).await, 3, "what was held goes on");
}

/// Whether a broadcast still has its text, and how many of its contacts have something of their own.
async fn sealed_of(app: &TestApp, id: &str) -> (bool, i64) {
    use diesel::prelude::*;
    use postern::db::schema::{broadcast_contacts, broadcasts};
    let id = id.to_owned();
    app.read(move |conn| {
        let said: Vec<u8> = broadcasts::table.filter(broadcasts::id.eq(&id)).select(broadcasts::said).first(conn)?;
        let own = broadcast_contacts::table
            .filter(broadcast_contacts::broadcast_id.eq(&id))
            .filter(broadcast_contacts::own.is_not_null());
        Ok((!said.is_empty(), own.count().get_result(conn)?))
    })
    .await
}
