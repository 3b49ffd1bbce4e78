//! The fraud engine in the way of real requests: what it stops, whom it spares, what it says, and what a restart and another
//! process know.

use postern::audit::{Actor, By};
use postern::error::Code;
use postern::sentinel;
use serde_json::{Value, json};

use crate::harness::actor::{Actor as Caller, Reply};
use crate::harness::app::TestApp;
use crate::harness::fake_smtp::SmtpFault;
use crate::messages::{accepted, code_to, drain, number, post, secs, status};

/// A mobile number of Latvia, in one block of a thousand.
fn latvian(n: usize) -> String {
    assert!(n < 1_000);
    format!("+371201234{n:02}", n = n % 100).replace("1234", &format!("12{:02}", n / 100 + 10))
}

/// Numbers of Great Britain that are no neighbours.
fn scattered(n: usize) -> String {
    format!("+447{:09}", 400_000_000 + (n * 7_907_717) % 99_000_000)
}

async fn guarded(app: &TestApp) -> crate::harness::app::Tenant {
    app.tenant_with(json!({"plan": "enterprise", "protection": "standard"})).await
}

async fn start(caller: &Caller, to: &str, client: Value) -> Reply {
    caller.post("/v1/verifications", json!({"to": to, "client": client})).await
}

/// Starts a verification and types its code ten seconds later.
async fn verified(app: &TestApp, caller: &Caller, to: &str) -> Reply {
    let reply = start(caller, to, json!({})).await;
    if reply.status != 201 {
        return reply;
    }
    app.step().await;
    let path = format!("/v1/sandbox/messages?to={}", to.replace('+', "%2B"));
    let text = caller.get(&path).await.expect(200).text_at("/data/0/body");
    let code: String = text.split(|c: char| !c.is_ascii_digit()).max_by_key(|run| run.len()).unwrap().into();
    app.advance(secs(10));
    caller.post(&format!("/v1/verifications/{}/check", reply.text_at("/id")), json!({ "code": code })).await
}

/// Thirty people who verify, half a minute apart: what an organization's traffic usually looks like.
async fn usual(app: &TestApp, caller: &Caller, from: usize) -> usize {
    let mut approved = 0;
    for n in from..from + 30 {
        approved += usize::from(verified(app, caller, &scattered(n)).await.json["status"] == "approved");
        app.advance(secs(20));
        sentinel::learn(&app.app).await.unwrap();
    }
    approved
}

/// A burst along one range, two a second, nobody types: how many went out before the first refusal, and the replies.
async fn pumped(app: &TestApp, caller: &Caller, many: usize) -> (usize, Vec<Reply>) {
    let mut replies = Vec::new();
    for n in 0..many {
        let client = json!({"ip": format!("198.51.100.{}", n % 5)});
        replies.push(start(caller, &latvian(n), client).await);
        app.advance(secs(1));
        sentinel::learn(&app.app).await.unwrap();
    }
    let leaked = replies.iter().position(|reply| reply.status != 201).unwrap_or(many);
    (leaked, replies)
}

fn refused(replies: &[Reply]) -> usize {
    replies.iter().filter(|reply| reply.status == 403).count()
}

#[actix_web::test]
async fn a_burst_along_a_range_is_held_and_everybody_else_goes_on() {
    let app = TestApp::start().await;
    let acme = guarded(&app).await;
    assert_eq!(usual(&app, &acme.test, 0).await, 30, "everybody typed their code");
    let (leaked, replies) = pumped(&app, &acme.test, 60).await;
    assert!(leaked <= 20, "{leaked} went out");
    assert!(refused(&replies) >= 35, "{}", refused(&replies));
    let codes = [Code::FraudBlocked.as_str(), Code::FraudChallengeRequired.as_str()];
    let last = replies.last().unwrap();
    assert!(codes.contains(&last.text_at("/code").as_str()), "{}", last.text);
    assert!(last.text_at("/decision").starts_with("dec_") && !last.text.contains("log"), "{}", last.text);
    // Others are not concerned, and neither is whoever proved itself in the range before.
    assert_eq!(usual(&app, &acme.test, 100).await, 30);
    sentinel::keep_holds(&app.app).await.unwrap();
    let held = app.read(|conn| sentinel::list_holds(conn, None, true, None, 100)).await;
    assert!(held.iter().any(|hold| hold.shown.contains(":+3712012")), "{held:?}");
}

#[actix_web::test]
async fn a_new_organization_is_only_watched_until_it_chooses_a_level() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    usual(&app, &acme.test, 0).await;
    let (leaked, replies) = pumped(&app, &acme.test, 40).await;
    assert_eq!((leaked, refused(&replies)), (40, 0), "nothing is refused in the first week");
    let dry = acme.test.post("/v1/messages", json!({"to": latvian(99), "body": "481516", "dry_run": true})).await;
    assert_eq!(dry.expect(200).text_at("/decision/action"), "allow");
    let seen = acme.test.get("/v1/messages?limit=1").await.expect(200);
    let reasons = seen.json["data"][0]["decision"]["reasons"].to_string();
    assert!(reasons.contains("\"mode\":\"shadow\""), "it says what it would have done: {reasons}");
    let path = format!("/v1/admin/orgs/{}", acme.org);
    assert!(app.operator().get(&path).await.expect(200).json["learning_until"].is_string());
    app.operator().patch(&path, json!({"protection": "standard"})).await.expect(200);
    app.advance(secs(2));
    start(&acme.test, &latvian(50), json!({})).await.expect(403);
}

#[actix_web::test]
async fn a_key_that_the_caller_named_has_its_own_rate() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut send = code_to(&number(0));
    send["client"] = json!({"keys": {"account:42": "3/5m"}});
    for n in 0..3 {
        send["to"] = json!(number(n));
        post(&acme.test, send.clone()).await.expect(202);
    }
    send["to"] = json!(number(3));
    let refusal = post(&acme.test, send.clone()).await.refused(Code::FraudBlocked);
    assert!(refusal.text_at("/decision").starts_with("dec_"));
    let mut dry = send.clone();
    dry["dry_run"] = json!(true);
    let dry = post(&acme.test, dry).await.expect(200);
    assert_eq!(dry.json["decision"]["reasons"][0]["rule"], "key.velocity", "{}", dry.text);
    let mut other = send.clone();
    other["client"] = json!({"keys": {"account:43": "3/5m"}});
    post(&acme.test, other).await.expect(202);
    app.advance(secs(700));
    post(&acme.test, send.clone()).await.expect(202);
    send["client"] = json!({"keys": {"account:42": "often"}});
    let wrong = post(&acme.test, send).await.refused(Code::ValidationFailed);
    assert!(wrong.text.contains("client.keys") && wrong.text.contains("3/5m"), "{}", wrong.text);
}

#[actix_web::test]
async fn a_number_that_never_types_its_codes_gets_no_more_than_a_few() {
    let app = TestApp::start_with(|config| config.retention.sandbox = secs(86_400)).await;
    let acme = guarded(&app).await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(start(&acme.test, &scattered(1), json!({})).await.status);
        app.advance(secs(1_800));
    }
    assert_eq!(statuses, [201, 201, 201, 201, 201, 201, 403, 403]);
    // A caller that makes its own codes and never says what came of them is not judged by silence.
    for _ in 0..8 {
        post(&acme.test, code_to(&scattered(2))).await.expect(202);
        app.advance(secs(1_800));
    }
}

#[actix_web::test]
async fn a_restart_and_another_process_know_what_is_held_and_who_is_proven() {
    let app = TestApp::start().await;
    let acme = guarded(&app).await;
    usual(&app, &acme.test, 0).await;
    let (_, replies) = pumped(&app, &acme.test, 40).await;
    assert!(refused(&replies) > 10);
    sentinel::keep_holds(&app.app).await.unwrap();
    app.advance(secs(2));
    let other = app.another().await;
    sentinel::learn(&other.app).await.unwrap();
    let there = acme.test.at(&other.base);
    start(&there, &latvian(55), json!({})).await.expect(403);
    assert_eq!(start(&there, &scattered(3), json!({})).await.status, 201, "proven before");
    // What is released in one process is released in the other, too.
    let by = By::local(Actor::System, app.app.clock.now());
    app.write(move |conn| {
        for hold in sentinel::list_holds(conn, None, true, None, 100)? {
            sentinel::release(conn, &by, hold.id)?;
        }
        Ok(())
    })
    .await;
    sentinel::learn(&other.app).await.unwrap();
    start(&there, &latvian(56), json!({})).await.expect(201);
}

#[actix_web::test]
async fn a_message_that_would_fall_back_to_a_held_number_does_not() {
    let app = TestApp::start().await;
    let acme = guarded(&app).await;
    let mut refused = false;
    for n in 0..40 {
        refused |= post(&acme.live, code_to(&latvian(n))).await.status == 403;
    }
    assert!(refused, "neighbours in a burst need another channel, whatever is known of the organization");
    drain(&app).await;
    let calls = app.acme.calls();
    app.post.fail(Some(SmtpFault::Reply("RCPT", "550 5.1.1 no such user")));
    let to = |sms: String| {
        json!({"to": "ann@example.com", "channel": "email", "subject": "Code", "body": "481516",
        "fallback": [{"channel": "sms", "to": sms}]})
    };
    let held = accepted(&acme.live, to(latvian(61))).await;
    let free = accepted(&acme.live, to(scattered(7))).await;
    drain(&app).await;
    assert_eq!((status(&acme.live, &held).await, status(&acme.live, &free).await), ("failed".into(), "sent".into()));
    assert_eq!(app.acme.calls(), calls + 1);
}

#[actix_web::test]
async fn a_bulk_that_is_refused_whole_leaves_no_trace_in_the_engine() {
    let app = TestApp::start().await;
    let acme = guarded(&app).await;
    let keys = json!({"keys": {"form:1": "1000/1h"}});
    let item = |to: String| json!({"to": to, "body": "481516", "client": keys});
    let row: Vec<Value> = (0..8).map(|n| item(latvian(n))).collect();
    let mut bad = row.clone();
    bad.push(json!({"to": "+15005550009", "body": "481516"}));
    let bulk = |messages: &[Value]| json!({"messages": messages, "mode": "all_or_nothing"});
    // Eight neighbours pass, sixteen do not: only what was sent counts.
    for _ in 0..3 {
        acme.test.post("/v1/messages/bulk", bulk(&bad)).await.refused(Code::InsufficientBalance);
    }
    acme.test.post("/v1/messages/bulk", bulk(&row)).await.expect(202);
    let next: Vec<Value> = (8..20).map(|n| item(latvian(n))).collect();
    acme.test.post("/v1/messages/bulk", bulk(&next)).await.refused(Code::FraudChallengeRequired);
}
