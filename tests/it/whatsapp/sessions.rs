//! Sessions: opened by what users write, whoever they say they are, and closed to the millisecond.

use std::time::Duration;

use postern::error::Code;
use serde_json::{Value, json};

use super::{IDS, change, code_by_template, hook, ours, register, secs_now, start, text_to, written};
use crate::harness::actor::{Actor, Reply};
use crate::harness::app::{Tenant, TestApp};
use crate::harness::fake_carrier::FakeCarrier;
use crate::messages::{drain, number, post, secs};

const DAY: u64 = 86_400;

async fn with_number() -> (TestApp, FakeCarrier, Tenant) {
    let (app, meta) = start().await;
    let acme = app.tenant().await;
    register(&app, &acme.org, json!({})).await.expect(201);
    (app, meta, acme)
}

async fn session(caller: &Actor, to: &str) -> Reply {
    caller.get(&format!("/v1/whatsapp/sessions/{}", to.replace('+', "%2B"))).await
}

#[actix_web::test]
async fn free_text_goes_for_24_hours_after_the_user_s_message_and_then_no_more() {
    let (app, meta, acme) = with_number().await;
    let to = number(1);
    let refused = post(&acme.live, text_to(&to)).await.refused(Code::WhatsappSessionClosed);
    assert!(refused.text.contains("has not written to you") && refused.text.contains("template"), "{}", refused.text);
    assert_eq!(session(&acme.live, &to).await.expect(200).json["open"], false);
    let at = app.app.clock.now();
    hook(&app, &written(1, &to, (&ours(), IDS[0]), secs_now(&app))).await.expect(204);
    post(&acme.live, text_to(&to)).await.expect(202);
    drain(&app).await;
    assert_eq!(meta.hand_offs()[0].json()["text"]["body"], "We open at 8");
    let open = session(&acme.live, &to).await.expect(200);
    assert_eq!(open.json["open"], true, "{}", open.text);
    assert_eq!(open.json["sessions"][0]["number"], ours());
    assert_eq!(open.json["sessions"][0]["closes_at"], at.plus(secs(DAY)).rfc3339());
    app.advance(secs(DAY) - Duration::from_millis(1));
    post(&acme.live, text_to(&to)).await.expect(202);
    app.advance(Duration::from_millis(1));
    let refused = post(&acme.live, text_to(&to)).await.refused(Code::WhatsappSessionClosed);
    assert!(refused.text.contains(&format!("closed at {}", at.plus(secs(DAY)).rfc3339())), "{}", refused.text);
    assert_eq!(session(&acme.live, &to).await.expect(200).json["open"], false);
    // A template needs no session.
    post(&acme.live, code_by_template(&to)).await.expect(202);
    post(&acme.live, text_to(&number(2))).await.refused(Code::WhatsappSessionClosed);
    session(&acme.live, "nonsense").await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn what_comes_late_opens_no_session_and_a_repeat_no_second_one() {
    let (app, _meta, acme) = with_number().await;
    let now = secs_now(&app);
    let old = written(1, &number(1), (&ours(), IDS[0]), now - 90_000);
    hook(&app, &old).await.expect(204);
    post(&acme.live, text_to(&number(1))).await.refused(Code::WhatsappSessionClosed);
    let fresh = written(2, &number(1), (&ours(), IDS[0]), now - 3_600);
    hook(&app, &fresh).await.expect(204);
    app.advance(secs(DAY - 3_700));
    hook(&app, &fresh).await.expect(204);
    post(&acme.live, text_to(&number(1))).await.expect(202);
    app.advance(secs(100));
    post(&acme.live, text_to(&number(1))).await.refused(Code::WhatsappSessionClosed);
}

#[actix_web::test]
async fn who_shows_no_number_is_known_by_an_id_that_was_seen_with_it() {
    let (app, _meta, acme) = with_number().await;
    let metadata = json!({"display_phone_number": ours().trim_start_matches('+'), "phone_number_id": IDS[0]});
    let contact =
        json!({"wa_id": number(1).trim_start_matches('+'), "user_id": "GB.1000", "profile": {"username": "a"}});
    let status = json!({"id": "wamid.X", "status": "delivered", "timestamp": secs_now(&app).to_string()});
    let seen = change("messages", json!({"metadata": metadata, "contacts": [contact], "statuses": [status]}));
    hook(&app, &seen).await.expect(204);
    let wrote = |id: &str, user: &str| {
        let message = json!({"from_user_id": user, "id": id, "timestamp": secs_now(&app).to_string(), "type": "text",
            "text": {"body": "Hello"}});
        change("messages", json!({"metadata": metadata, "contacts": [{"user_id": user}], "messages": [message]}))
    };
    hook(&app, &wrote("wamid.A", "GB.2000")).await.expect(204);
    post(&acme.live, text_to(&number(1))).await.refused(Code::WhatsappSessionClosed);
    assert_eq!(session(&acme.live, "GB.2000").await.expect(200).json["open"], true, "of a user without a number");
    hook(&app, &wrote("wamid.B", "GB.1000")).await.expect(204);
    post(&acme.live, text_to(&number(1))).await.expect(202);
    assert_eq!(session(&acme.live, &number(1)).await.expect(200).json["open"], true);
}

#[actix_web::test]
async fn an_answer_comes_from_the_number_that_was_written_to() {
    let (app, meta, acme) = with_number().await;
    let second = json!({"phone_number": number(5_001), "phone_number_id": IDS[1], "portfolio": "other"});
    register(&app, &acme.org, second).await.expect(201);
    for n in 1..=4 {
        hook(&app, &written(n, &number(n), (&number(5_001), IDS[1]), secs_now(&app))).await.expect(204);
        post(&acme.live, text_to(&number(n))).await.expect(202);
    }
    drain(&app).await;
    let from: Vec<String> = meta.hand_offs().iter().map(|call| call.path.clone()).collect();
    assert_eq!(from, vec![format!("/v25.0/{}/messages", IDS[1]); 4]);
    let mut elsewhere = text_to(&number(1));
    elsewhere["from"] = Value::from(ours());
    post(&acme.live, elsewhere).await.refused(Code::WhatsappSessionClosed);
}

#[actix_web::test]
async fn a_test_key_opens_its_sessions_by_itself() {
    let (app, _meta, acme) = with_number().await;
    post(&acme.test, text_to(&number(1))).await.refused(Code::WhatsappSessionClosed);
    let made = json!({"from": number(1), "to": ours(), "channel": "whatsapp", "body": "Hello"});
    acme.test.post("/v1/sandbox/inbound", made).await.expect(201);
    post(&acme.test, text_to(&number(1))).await.expect(202);
    post(&acme.live, text_to(&number(1))).await.refused(Code::WhatsappSessionClosed);
    // What is scheduled for after the end needs a template.
    let mut late = text_to(&number(1));
    late["scheduled_for"] = json!(app.app.clock.now().plus(secs(DAY + 60)).rfc3339());
    post(&acme.test, late).await.refused(Code::WhatsappSessionClosed);
}
