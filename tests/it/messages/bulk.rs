//! `POST /v1/messages/bulk`: one request, one transaction, an outcome for each message.

use postern::error::Code;
use serde_json::{Value, json};

use super::{accepted, code_to, count, drain, notice_to, number, post, secs, status};
use crate::harness::actor::{Actor, Reply};
use crate::harness::app::TestApp;

fn notices(range: std::ops::Range<usize>) -> Vec<Value> {
    range.map(|n| notice_to(&number(n))).collect()
}

async fn bulk(caller: &Actor, body: Value) -> Reply {
    caller.post("/v1/messages/bulk", body).await
}

fn statuses(reply: &Reply, word: &str) -> usize {
    reply.json["results"].as_array().unwrap().iter().filter(|result| result["status"] == word).count()
}

fn refusals(reply: &Reply, code: &str) -> usize {
    reply.json["results"].as_array().unwrap().iter().filter(|result| result["error"]["code"] == code).count()
}

#[actix_web::test]
async fn a_bulk_takes_four_fifths_of_each_minute_of_the_plan() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let reply = bulk(&acme.live, json!({"messages": notices(0..70)})).await.expect(202);
    assert_eq!((&reply.json["accepted"], &reply.json["rejected"]), (&json!(70), &json!(0)));
    assert_eq!((statuses(&reply, "queued"), statuses(&reply, "scheduled")), (48, 22));
    let due = app.app.clock.now().plus(secs(60)).rfc3339();
    assert!((48..70).all(|n| reply.json["results"][n]["scheduled_for"] == due), "{}", reply.text);
    assert_eq!(drain(&app).await, 48);
    app.advance(secs(59));
    assert_eq!(drain(&app).await, 0);
    app.advance(secs(1));
    assert_eq!((drain(&app).await, app.acme.hand_offs().len()), (22, 70));
    let batch = acme.live.get(&format!("/v1/batches/{}", reply.text_at("/batch_id"))).await.expect(200);
    assert_eq!(batch.json["counts"], json!({"sent": 70}));
}

#[actix_web::test]
async fn a_code_passes_while_a_bulk_is_paced() {
    let app = TestApp::start().await;
    let pro = app.tenant_with(json!({"plan": "pro"})).await;
    bulk(&pro.live, json!({"messages": notices(0..120)})).await.expect(202);
    for n in 200..212 {
        app.advance(secs(4));
        accepted(&pro.live, code_to(&number(n))).await;
    }
    post(&pro.live, code_to(&number(212))).await.refused(Code::SmsPlanCap);

    let free = app.tenant_with(json!({"plan": "free"})).await;
    let reply = bulk(&free.live, json!({"messages": notices(300..305)})).await.expect(202);
    let now = app.app.clock.now();
    let goes: Vec<&Value> = (0..5).map(|n| &reply.json["results"][n]["scheduled_for"]).collect();
    let minute = |n: u64| json!(now.plus(secs(60 * n)).rfc3339());
    assert_eq!(goes, [&Value::Null, &minute(3), &minute(6), &minute(9), &minute(12)]);
    app.advance(secs(7));
    let code = json!({"to": number(400)});
    let wait =
        free.live.post("/v1/verifications", code.clone()).await.refused(Code::SmsPlanCap).json["retry_after"].clone();
    assert_eq!(wait, 53);
    app.advance(secs(53 + 8));
    free.live.post("/v1/verifications", code).await.expect(201);
}

#[actix_web::test]
async fn what_would_be_too_late_by_the_plan_is_refused_by_itself() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let body = json!({"defaults": {"ttl": "60s"}, "messages": notices(0..70)});
    let reply = bulk(&acme.live, body).await.expect(202);
    assert_eq!((statuses(&reply, "queued"), refusals(&reply, "sms.plan_cap")), (60, 10));
    assert_eq!((&reply.json["accepted"], &reply.json["rejected"]), (&json!(60), &json!(10)));
    app.advance(secs(60));
    let body = json!({"defaults": {"ttl": "61s"}, "messages": notices(100..170)});
    assert_eq!(statuses(&bulk(&acme.live, body).await.expect(202), "scheduled"), 22);
}

#[actix_web::test]
async fn with_reject_those_over_the_cap_are_refused() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let body = json!({"pacing": "reject", "messages": notices(0..70)});
    let reply = bulk(&acme.live, body).await.expect(202);
    assert_eq!((statuses(&reply, "queued"), refusals(&reply, "sms.plan_cap")), (60, 10));
    assert!(reply.json["results"][69]["error"]["retry_after"].as_u64().unwrap() == 60, "{}", reply.text);
}

#[actix_web::test]
async fn all_or_nothing_leaves_nothing_where_one_is_refused() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let body = json!({"mode": "all_or_nothing", "pacing": "reject", "messages": notices(0..61)});
    accepted(&acme.live, notice_to(&number(100))).await;
    let reply = bulk(&acme.live, body).await.refused(Code::BatchTooLargeForPlan);
    assert!(reply.text_at("/detail").contains("messages[60]"), "{}", reply.text);
    let body = json!({"mode": "all_or_nothing", "pacing": "reject", "messages": notices(0..60)});
    let reply = bulk(&acme.live, body).await.refused(Code::SmsPlanCap);
    assert!(reply.text_at("/detail").contains("messages[59]"), "{}", reply.text);
    let faulty = json!({"mode": "all_or_nothing", "messages": [notice_to(&number(1)), notice_to("nobody")]});
    let reply = bulk(&acme.live, faulty).await.refused(Code::ValidationFailed);
    assert!(reply.text.contains("messages[1]"), "{}", reply.text);
    assert_eq!(count(&acme.live).await, 1);
    app.advance(secs(60));
    let body = json!({"mode": "all_or_nothing", "pacing": "reject", "messages": notices(0..60)});
    assert_eq!(statuses(&bulk(&acme.live, body).await.expect(202), "queued"), 60, "the plan was not touched");
}

#[actix_web::test]
async fn a_bulk_that_no_waiting_could_pass_is_told_to_be_split() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let whole = |mut body: Value| {
        body["mode"] = json!("all_or_nothing");
        body
    };
    let codes = |n: usize| vec![code_to(&number(1)); n];
    let reply = bulk(&acme.live, whole(json!({"messages": codes(4)}))).await.refused(Code::BatchTooLargeForPlan);
    assert!(reply.text_at("/detail").contains("otp.number allows 3/5m"), "{}", reply.text);
    assert_eq!(reply.header("retry-after"), None);
    let short = json!({"messages": notices(0..61), "defaults": {"ttl": "30s"}});
    bulk(&acme.live, whole(short)).await.refused(Code::BatchTooLargeForPlan);
    accepted(&acme.live, code_to(&number(1))).await;
    bulk(&acme.live, whole(json!({"messages": codes(3)}))).await.refused(Code::OtpNumberLimit);
    let mut spread = codes(4);
    spread[3]["scheduled_for"] = json!(app.app.clock.now().plus(secs(900)).rfc3339());
    app.advance(secs(300));
    bulk(&acme.live, whole(json!({"messages": spread}))).await.expect(202);
    let partial = json!({"pacing": "reject", "messages": codes(4)});
    assert_eq!(refusals(&bulk(&acme.live, partial).await.expect(202), "otp.number_limit"), 4);
}

#[actix_web::test]
async fn a_faulty_message_is_refused_alone_and_defaults_fill_in() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let body = json!({
        "defaults": {"body": "hello", "kind": "transactional", "country": "GB", "metadata": {"run": "1"}},
        "messages": [{"to": "07400 120001"}, {"to": "x"}, {"to": number(2), "body": "own"}, {"to": number(3), "ttl": "1s"}],
    });
    let reply = bulk(&acme.live, body).await.expect(202);
    assert_eq!((&reply.json["accepted"], &reply.json["rejected"]), (&json!(2), &json!(2)));
    assert!(reply.json["results"][1]["error"]["field_errors"]["to"].is_array(), "{}", reply.text);
    assert!(reply.json["results"][3]["error"]["field_errors"]["ttl"].is_array(), "{}", reply.text);
    drain(&app).await;
    let mut said: Vec<String> = app.acme.hand_offs().iter().map(|taken| taken.json()["text"].to_string()).collect();
    said.sort();
    assert_eq!(said, ["\"hello\"", "\"own\""]);
    let list = acme.live.get(&format!("/v1/messages?batch_id={}", reply.text_at("/batch_id"))).await.expect(200);
    assert_eq!(list.json["data"].as_array().unwrap().len(), 2);
    assert_eq!(list.json["data"][0]["metadata"]["run"], "1");
}

#[actix_web::test]
async fn a_bulk_s_own_faults_are_told_and_store_nothing() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let many: Vec<Value> = vec![notice_to(&number(1)); 1_001];
    for (body, code) in [
        (json!({"messages": []}), Code::ValidationFailed),
        (json!({}), Code::ValidationFailed),
        (json!({"messages": {}}), Code::ValidationFailed),
        (json!({"messages": many}), Code::BatchTooLargeForPlan),
        (json!({"messages": [{"to": number(1), "bdy": "x"}]}), Code::ValidationFailed),
        (json!({"messages": [notice_to(&number(1))], "mode": "some"}), Code::ValidationFailed),
        (json!({"messages": [notice_to(&number(1))], "pacing": "slow"}), Code::ValidationFailed),
        (json!({"messages": [notice_to(&number(1))], "defaults": {"dry_run": true}}), Code::ValidationFailed),
        (json!({"messages": [{"to": number(1), "body": "x", "dry_run": true}]}), Code::ValidationFailed),
        (json!({"messages": [{"to": number(1), "body": "x", "idempotency_key": "k"}]}), Code::ValidationFailed),
        (json!({"messages": [notice_to(&number(1))], "defaults": {"idempotency_key": "k"}}), Code::ValidationFailed),
    ] {
        let shown: String = body.to_string().chars().take(120).collect();
        let reply = bulk(&acme.live, body).await;
        assert_eq!((reply.status, reply.json["code"].as_str()), (code.entry().status, Some(code.as_str())), "{shown}");
    }
    assert_eq!(count(&acme.live).await, 0);
}

#[actix_web::test]
async fn a_thousand_take_one_request_slot() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let used = |reply: &Reply| {
        let rows = reply.json["data"].as_array().unwrap().clone();
        rows.iter().find(|row| row["policy"] == "band.send").unwrap()["used"].as_u64().unwrap()
    };
    let mut body = json!({"defaults": {"ttl": "1h", "kind": "transactional", "body": "x"}});
    body["messages"] = (0..1_000).map(|n| json!({"to": number(n)})).collect();
    let reply = bulk(&acme.live, body).await.expect(202);
    assert_eq!((statuses(&reply, "queued"), statuses(&reply, "scheduled")), (240, 760));
    assert_eq!(used(&acme.live.get("/v1/limits").await.expect(200)), 1);
    let mut counts = 0;
    for _ in 0..5 {
        counts += drain(&app).await;
        app.advance(secs(60));
    }
    assert_eq!((counts, app.acme.hand_offs().len()), (1_000, 1_000));
}

#[actix_web::test]
async fn a_batch_counts_its_messages_by_status_to_the_end() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let messages = ["+15005550000", "+15005550002", "+15005550004", "+15005550007", "+15005550008"];
    let body = json!({"messages": messages.map(code_to)});
    let reply = bulk(&acme.test, body).await.expect(202);
    let path = format!("/v1/batches/{}", reply.text_at("/batch_id"));
    let view = acme.test.get(&path).await.expect(200);
    assert_eq!((&view.json["accepted"], &view.json["rejected"]), (&json!(4), &json!(1)));
    assert_eq!(view.json["counts"], json!({"queued": 4}));
    drain(&app).await;
    let counts = acme.test.get(&path).await.expect(200).json["counts"].clone();
    assert_eq!(counts, json!({"delivered": 1, "undelivered": 1, "sent": 1, "unknown": 1}));
    let id = reply.text_at("/results/0/id");
    assert_eq!(status(&acme.test, &id).await, "delivered");
}

#[actix_web::test]
async fn the_headers_of_a_bulk_list_each_policy_once_and_the_tightest_number() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut messages: Vec<Value> = (0..30).map(|n| code_to(&number(n))).collect();
    messages.extend([code_to(&number(7)), code_to(&number(7))]);
    let reply = bulk(&acme.live, json!({"messages": messages})).await.expect(202);
    let listed = reply.header("ratelimit-policy").unwrap();
    let mut names: Vec<&str> = listed.split(", ").filter_map(|item| item.split(';').next()).collect();
    names.sort_unstable();
    let wanted = [
        "band.send",
        "key.burst.long",
        "key.burst.medium",
        "key.burst.short",
        "key.minute",
        "key.window",
        "org.minute",
        "otp.number",
        "otp.number.day",
        "otp.number.hour",
        "platform.number",
        "sms.plan",
    ];
    assert_eq!(names, wanted.map(|name| format!("\"{name}\"")), "{listed}");
    assert!(reply.header("ratelimit").unwrap().contains("\"otp.number\";r=0;"), "{:?}", reply.headers);
    assert_eq!(reply.header("x-ratelimit-limit"), Some("3"));
}
