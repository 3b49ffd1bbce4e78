//! Unique contacts: never more than the tier in any 24 hours, whoever asks, and the wait is the true one.

use std::time::Duration;

use futures_util::future::join_all;
use postern::error::Code;
use serde_json::{Value, json};

use super::{IDS, code_by_template, hook, limited_to, ours, own_number, register, secs_now, start, text_to, written};
use crate::harness::fake_carrier::Script;
use crate::messages::{accepted, drain, message, number, post, secs};

const DAY: u64 = 86_400;

#[actix_web::test]
async fn new_contacts_wait_for_the_window_and_counted_ones_are_free() {
    let (app, _meta) = start().await;
    let acme = limited_to(&app, 3).await;
    for n in 0..3 {
        let reply = post(&acme.live, code_by_template(&number(n))).await.expect(202);
        let policy = reply.header("ratelimit-policy").unwrap().to_owned();
        assert!(policy.contains("\"whatsapp.contacts\";q=3;w=86400"), "{policy}");
        app.advance(secs(600));
    }
    let refused = post(&acme.live, code_by_template(&number(3))).await.refused(Code::WhatsappTierLimit);
    assert_eq!(refused.header("retry-after"), Some((DAY - 1_800).to_string().as_str()));
    let hit = ["policy", "limit", "usage", "window_s"].map(|member| refused.json[member].clone());
    assert_eq!(hit[..3], [json!("whatsapp.contacts"), json!(3), json!(3)], "{}", refused.text);
    assert!(refused.json["decision_id"].is_string() || refused.json["decision"].is_string(), "{}", refused.text);
    // Whoever counts is free, and counts on from now.
    post(&acme.live, code_by_template(&number(0))).await.expect(202);
    assert_eq!(own_number(&acme.live).await["contacts_used"], 3);
    let limits = acme.live.get("/v1/limits").await.expect(200);
    let row = limits.json["data"].as_array().unwrap().iter().find(|row| row["policy"] == "whatsapp.contacts").cloned();
    assert_eq!(row.map(|row| row["used"].clone()), Some(json!(3)), "{}", limits.text);
    // The second was the first to be written to and not again.
    app.advance(secs(DAY - 1_200) - Duration::from_millis(1));
    post(&acme.live, code_by_template(&number(3))).await.refused(Code::WhatsappTierLimit);
    app.advance(Duration::from_millis(1));
    post(&acme.live, code_by_template(&number(3))).await.expect(202);
    let again = post(&acme.live, code_by_template(&number(4))).await.refused(Code::WhatsappTierLimit);
    assert_eq!(again.header("retry-after"), Some("600"));
}

#[actix_web::test]
async fn inside_a_session_nobody_counts() {
    let (app, _meta) = start().await;
    let acme = limited_to(&app, 1).await;
    post(&acme.live, code_by_template(&number(0))).await.expect(202);
    hook(&app, &written(1, &number(1), (&ours(), IDS[0]), secs_now(&app))).await.expect(204);
    post(&acme.live, code_by_template(&number(1))).await.expect(202);
    post(&acme.live, text_to(&number(1))).await.expect(202);
    assert_eq!(own_number(&acme.live).await["contacts_used"], 1);
    post(&acme.live, code_by_template(&number(2))).await.refused(Code::WhatsappTierLimit);
    // Test messages have a window of their own.
    post(&acme.test, code_by_template(&number(2))).await.expect(202);
    post(&acme.test, code_by_template(&number(3))).await.refused(Code::WhatsappTierLimit);
    assert_eq!(own_number(&acme.live).await["contacts_used"], 1);
}

#[actix_web::test]
async fn a_refusal_takes_nothing_and_a_failure_keeps_what_it_took() {
    let (app, meta) = start().await;
    let acme = limited_to(&app, 2).await;
    let dry = json!({"dry_run": true});
    let mut tried = code_by_template(&number(0));
    tried.as_object_mut().unwrap().extend(dry.as_object().unwrap().clone());
    post(&acme.live, tried).await.expect(200);
    assert_eq!(own_number(&acme.live).await["contacts_used"], 0);
    let three: Vec<Value> = (0..3).map(|n| code_by_template(&number(n))).collect();
    let all = json!({"mode": "all_or_nothing", "messages": three});
    acme.live.post("/v1/messages/bulk", all).await.refused(Code::BatchTooLargeForPlan);
    assert_eq!(own_number(&acme.live).await["contacts_used"], 0, "all or none");
    meta.next(Script::json(400, json!({"error": {"code": 131026, "message": "undeliverable"}})));
    let failed = accepted(&acme.live, code_by_template(&number(0))).await;
    drain(&app).await;
    assert_eq!(message(&acme.live, &failed).await["status"], "failed");
    assert_eq!(own_number(&acme.live).await["contacts_used"], 1, "Meta may have counted it");
}

#[actix_web::test]
async fn sixty_four_at_once_at_two_servers_fill_the_tier_and_never_pass_it() {
    let (app, _meta) = start().await;
    let acme = limited_to(&app, 100).await;
    let other = app.another().await;
    let there = acme.live.at(&other.base);
    let task = |task: usize| {
        let caller = if task.is_multiple_of(2) { &acme.live } else { &there };
        async move {
            let mut passed = 0;
            // Everybody writes to four of its own, and to one that all write to.
            for n in [task * 4, task * 4 + 1, 4_000] {
                passed += usize::from(post(caller, code_or_notice(&number(n))).await.status == 202 && n != 4_000);
            }
            let messages: Vec<Value> = [2, 3].map(|n| code_or_notice(&number(task * 4 + n))).into();
            let bulk = caller.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
            passed + usize::try_from(bulk.json["accepted"].as_u64().unwrap()).unwrap()
        }
    };
    let passed: usize = join_all((0..64).map(task)).await.into_iter().sum();
    let used = own_number(&acme.live).await["contacts_used"].as_u64().unwrap();
    assert_eq!(used, 100);
    // The shared contact is one of the hundred, unless it came too late.
    assert!(passed == 99 || passed == 100, "{passed}");
    app.advance(secs(DAY));
    assert_eq!(own_number(&there).await["contacts_used"], 0);
    let again = join_all((0..64).map(|n| post(&acme.live, code_or_notice(&number(1_000 + n))))).await;
    assert!(again.iter().all(|reply| reply.status == 202));
}

/// A template that no OTP guard counts.
fn code_or_notice(to: &str) -> Value {
    let mut body = code_by_template(to);
    body["kind"] = json!("transactional");
    body
}

#[actix_web::test]
async fn what_is_scheduled_counts_when_it_is_due_and_waits_for_the_window() {
    let (app, meta) = start().await;
    let acme = limited_to(&app, 1).await;
    let mut later = code_or_notice(&number(1));
    later["scheduled_for"] = json!(app.app.clock.now().plus(secs(3_600)).rfc3339());
    later["ttl"] = json!("2d");
    let id = accepted(&acme.live, later).await;
    assert_eq!(own_number(&acme.live).await["contacts_used"], 0);
    accepted(&acme.live, code_or_notice(&number(0))).await;
    drain(&app).await;
    assert_eq!(meta.calls(), 1);
    app.advance(secs(3_600));
    drain(&app).await;
    assert_eq!(meta.calls(), 1, "the tier is used up");
    app.advance(secs(DAY - 3_600));
    drain(&app).await;
    assert_eq!(meta.calls(), 2);
    assert_eq!(message(&acme.live, &id).await["status"], "sent");
    assert_eq!(own_number(&acme.live).await["contacts_used"], 1);
}

#[actix_web::test]
async fn a_fallback_to_whatsapp_counts_when_it_comes_to_that() {
    let (app, meta) = start().await;
    let acme = app.tenant().await;
    register(&app, &acme.org, json!({})).await.expect(201);
    app.acme.next(Script::json(400, json!({"error": "no such number"})));
    let mut body = code_or_notice(&number(1));
    (body["channel"], body["fallback"]) = (json!("sms"), json!(["whatsapp"]));
    let id = accepted(&acme.live, body).await;
    assert_eq!(own_number(&acme.live).await["contacts_used"], 0);
    drain(&app).await;
    assert_eq!(message(&acme.live, &id).await["status"], "sent", "{}", message(&acme.live, &id).await);
    assert_eq!(meta.calls(), 1);
    assert_eq!(own_number(&acme.live).await["contacts_used"], 1);
}

#[actix_web::test]
async fn a_workflow_passes_over_a_tier_that_is_used_up() {
    let (app, _meta) = start().await;
    let acme = limited_to(&app, 1).await;
    post(&acme.live, code_by_template(&number(0))).await.expect(202);
    let steps = json!([
        {"channel": "sms", "wait": "30s"},
        {"channel": "whatsapp", "wait": "30s"},
        {"channel": "email", "to": "ada@example.com"},
    ]);
    let started = acme.live.post("/v1/verifications", json!({"to": number(1), "workflow": steps})).await.expect(201);
    let path = format!("/v1/verifications/{}/next", started.text_at("/id"));
    assert_eq!(acme.live.post(&path, json!({})).await.expect(200).text_at("/channel"), "email");
    let first = json!({"to": number(2), "channel": "whatsapp"});
    acme.live.post("/v1/verifications", first).await.refused(Code::WhatsappTierLimit);
}
