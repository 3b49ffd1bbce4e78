//! Operators find a message by whatever somebody has in hand, follow it, and act on it.

use postern::error::Code;
use serde_json::{Value, json};

use crate::accounts::house::House;
use crate::harness::actor::Actor;
use crate::harness::app::{Tenant, TestApp};
use crate::messages::{accepted, carrier_id, code_to, notice_to, number, secs, status};

/// The ids that a search finds, newest first.
async fn found(app: &TestApp, query: &str) -> Vec<String> {
    let page = app.operator().get(&format!("/v1/admin/messages?{query}")).await.expect(200);
    page.json["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn trace(app: &TestApp, id: &str) -> Value {
    app.operator().get(&format!("/v1/admin/messages/{id}")).await.expect(200).json
}

fn kinds(trace: &Value) -> Vec<&str> {
    trace["timeline"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect()
}

/// A message that was delivered, one that was refused, and one that waits.
async fn three(app: &TestApp, tenant: &Tenant) -> [String; 3] {
    let keyed = tenant.live.with_header("Idempotency-Key", "order-4711");
    let delivered = accepted(&keyed, notice_to(&number(1))).await;
    app.step().await;
    app.advance(secs(2));
    app.acme_reports(&carrier_id(1), "DELIVRD").await.expect(204);
    let test = accepted(&tenant.test, code_to(&number(2))).await;
    let waits = json!({"to": number(3), "body": "later", "kind": "marketing",
        "scheduled_for": app.app.clock.now().plus(secs(3_600)).rfc3339()});
    let waiting = accepted(&tenant.live, waits).await;
    [delivered, test, waiting]
}

#[actix_web::test]
async fn a_message_is_found_by_every_id_and_by_what_it_is_like() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant_with(json!({"name": "Zebra"})).await);
    let [delivered, test, waiting] = three(&app, &acme).await;
    let foreign = accepted(&other.live, notice_to(&number(1))).await;
    let request = trace(&app, &delivered).await["request_id"].as_str().unwrap().to_owned();
    let decision = trace(&app, &delivered).await["decision"]["id"].as_str().unwrap().to_owned();
    for word in [&delivered, &request, &decision, &carrier_id(1), &"order-4711".to_owned()] {
        assert_eq!(found(&app, &format!("q={word}")).await, [delivered.as_str()], "{word}");
    }
    let plus = number(1).replace('+', "%2B");
    assert_eq!(found(&app, &format!("q={plus}")).await, [foreign.as_str(), &delivered]);
    assert_eq!(found(&app, &format!("q={plus}%20tenant:zebra")).await, [foreign.as_str()]);
    assert_eq!(found(&app, "q=tenant:nobody").await, [""; 0]);
    assert_eq!(found(&app, "q=status:delivered").await, found(&app, "status=delivered").await);
    assert_eq!(found(&app, "status=delivered").await, [delivered.as_str()]);
    assert_eq!(found(&app, "mode=test").await, [test.as_str()]);
    assert_eq!(found(&app, &format!("mode=live&q={test}")).await, [test.as_str()], "an id is found in either world");
    assert_eq!(found(&app, &format!("org_id={}&kind=marketing&country=gb", acme.org)).await, [waiting.as_str()]);
    assert_eq!(found(&app, "carrier=acme&channel=sms").await, [delivered.as_str()]);
    // A day is looked at where nothing is said; an id is found however old.
    app.advance(secs(86_400 * 2));
    assert_eq!(found(&app, "").await, [""; 0]);
    assert_eq!(found(&app, &format!("q={delivered}")).await, [delivered.as_str()]);
    assert_eq!(found(&app, &format!("q={}", carrier_id(1))).await, [delivered.as_str()]);
    assert_eq!(found(&app, "since=3d").await.len(), 4);
    for bad in ["since=32d", "q=a%20b", "q=status:lost", "country=ZZZ", "nonsense=1", "since=1h&until=2h"] {
        app.operator().get(&format!("/v1/admin/messages?{bad}")).await.refused(Code::ValidationFailed);
    }
}

#[actix_web::test]
async fn rows_show_masked_numbers_latency_and_whether_a_code_was_used_and_pages_follow() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let start = acme.test.post("/v1/verifications", json!({"to": number(5)})).await.expect(201);
    app.advance(secs(1));
    app.step().await;
    let inbox = acme.test.get("/v1/sandbox/messages").await.expect(200).text_at("/data/0/body");
    let code: String = inbox.chars().filter(char::is_ascii_digit).take(6).collect();
    let check = format!("/v1/verifications/{}/check", start.text_at("/id"));
    assert_eq!(acme.test.post(&check, json!({"code": code})).await.expect(200).text_at("/status"), "approved");
    for n in 10..14 {
        accepted(&acme.live, notice_to(&number(n))).await;
    }
    let by_id = format!("/v1/admin/messages?q={}", start.text_at("/id"));
    let row = app.operator().get(&by_id).await.expect(200).json["data"][0].clone();
    assert_eq!((&row["verified"], &row["latency_ms"], &row["org_name"]), (&json!(true), &json!(1_000), &json!("ACME")));
    let page = app.operator().get("/v1/admin/messages?limit=3&mode=live").await.expect(200);
    assert!(!page.text.contains("7400120") && page.text.contains('•'), "{}", page.text);
    assert_eq!(page.json["data"][0]["verified"], Value::Null);
    let next = format!("/v1/admin/messages?limit=3&mode=live&cursor={}", page.text_at("/next_cursor"));
    let rest = app.operator().get(&next).await.expect(200);
    assert_eq!((rest.json["data"].as_array().unwrap().len(), &rest.json["has_more"]), (1, &json!(false)));
    let counts = app.operator().get("/v1/admin/messages/histogram?since=2h").await.expect(200).json;
    assert_eq!(counts["totals"], json!({"queued": 4, "delivered": 1}), "{counts}");
    let bars = counts["bars"].as_array().unwrap();
    let sum: i64 = bars.iter().filter_map(|bar| bar["counts"]["queued"].as_i64()).sum();
    assert!(sum == 4 && bars.len() <= 49, "{counts}");
    let verified = trace(&app, row["id"].as_str().unwrap()).await;
    assert!(kinds(&verified).contains(&"verification.approved"), "{verified}");
}

#[actix_web::test]
async fn a_trace_tells_the_whole_story_in_order() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let hook = json!({"url": "https://example.com/hooks", "events": ["*"]});
    acme.live.post("/v1/webhooks", hook).await.expect(201);
    let prices = json!([{"channel": "sms", "amount": "0.05"}]);
    app.operator().put("/v1/admin/prices", prices).await.expect(200);
    let top = json!({"amount": "10", "reference": "r", "mode": "live"});
    app.operator().post(&format!("/v1/admin/orgs/{}/wallet/topups", acme.org), top).await.expect(201);
    let [delivered, _, waiting] = three(&app, &acme).await;
    let told = trace(&app, &delivered).await;
    let story = kinds(&told);
    let at =
        |kind: &str| story.iter().position(|step| *step == kind).unwrap_or_else(|| panic!("no {kind} in {story:?}"));
    let order =
        ["message.accepted", "attempt.started", "attempt.accepted", "ledger.settle", "receipt", "message.delivered"];
    for pair in order.windows(2) {
        assert!(at(pair[0]) < at(pair[1]) || pair == ["attempt.accepted", "ledger.settle"], "{story:?}");
    }
    for kind in ["limit.counted", "decision", "ledger.hold", "message.sent", "webhook.event", "webhook.pending"] {
        at(kind);
    }
    assert_eq!(told["has_idempotency_key"], true);
    assert_eq!((&told["body_state"], &told["actions"]), (&json!("kept"), &json!(["resend"])));
    let waits = told["timeline"].as_array().unwrap().iter().map(|step| step["after_ms"].as_i64().unwrap());
    assert!(waits.clone().all(|ms| ms >= 0) && waits.max() == Some(2_000), "{told}");
    assert!(!told.to_string().contains(&number(1)[1..]), "{told}");
    assert_eq!(trace(&app, &waiting).await["actions"], json!(["cancel", "resend"]));
    app.operator().get("/v1/admin/messages/msg_01h455vb4pex5vsknk084sn02q").await.refused(Code::NotFound);
    let again = accepted(&acme.test, notice_to(&number(1))).await;
    let related = app.operator().get(&format!("/v1/admin/messages/{delivered}/related")).await.expect(200);
    assert_eq!((related.text_at("/data/0/id"), related.json["data"].as_array().unwrap().len()), (again, 1));
}

#[actix_web::test]
async fn support_calls_back_and_blocks_but_only_operators_resend_and_reveal() {
    let house = House::fresh().await;
    let acme = house.tenant().await;
    let [delivered, code, waiting] = three(&house, &acme).await;
    let (viewer, support, operator) =
        (house.with_role("viewer").await, house.with_role("support").await, house.with_role("operator").await);
    let path = |id: &str, verb: &str| format!("/v1/admin/messages/{id}/{verb}");
    let why = json!({"reason": "ticket 4711"});
    viewer.post(&path(&waiting, "cancel"), why.clone()).await.refused(Code::PermissionDenied);
    assert_eq!(support.post(&path(&waiting, "cancel"), why.clone()).await.expect(200).text_at("/status"), "canceled");
    assert_eq!(status(&acme.live, &waiting).await, "canceled");
    support.post(&path(&waiting, "cancel"), why.clone()).await.refused(Code::MessageNotCancelable);
    for verb in ["resend", "reveal"] {
        support.post(&path(&delivered, verb), why.clone()).await.refused(Code::PermissionDenied);
    }
    let sent = operator.post(&path(&delivered, "resend"), why.clone()).await.expect(201);
    assert_ne!(sent.text_at("/id"), delivered);
    house.step().await;
    assert_eq!(house.acme.hand_offs().last().unwrap().json()["text"], "Doors open at 8");
    let refusal = operator.post(&path(&code, "resend"), why.clone()).await.refused(Code::ValidationFailed);
    assert!(refusal.text.contains("codes are not kept"), "{}", refusal.text);
    operator.post(&path(&waiting, "resend"), why.clone()).await.refused(Code::ValidationFailed);
    let block = json!({"reason": "pumped", "expires_at": house.app.clock.now().plus(secs(600)).rfc3339()});
    let blocked = support.post(&path(&delivered, "block"), block).await.expect(201);
    assert!(!blocked.text.contains(&number(1)), "{}", blocked.text);
    acme.live.post("/v1/messages", notice_to(&number(1))).await.refused(Code::FraudBlocked);
    house.advance(secs(601));
    accepted(&acme.live, notice_to(&number(1))).await;
}

#[actix_web::test]
async fn a_look_at_a_number_is_told_to_the_audit_log_and_codes_are_shown_to_nobody() {
    let house = House::fresh().await;
    let acme = house.tenant().await;
    let [delivered, code, _] = three(&house, &acme).await;
    let operator = house.with_role("operator").await.with_header("Idempotency-Key", "look");
    let path = format!("/v1/admin/messages/{delivered}/reveal");
    operator.post(&path, json!({"reason": " "})).await.refused(Code::ValidationFailed);
    operator.post(&path, json!({})).await.refused(Code::ValidationFailed);
    for _ in 0..2 {
        let shown = operator.post(&path, json!({"reason": "the carrier asks"})).await.expect(200);
        assert_eq!((shown.text_at("/to"), shown.text_at("/body")), (number(1), "Doors open at 8".to_owned()));
    }
    let audit = house.owner().get("/v1/admin/audit?action=message.reveal").await.expect(200);
    assert_eq!((audit.json["data"].as_array().unwrap().len(), audit.text_at("/data/0/target")), (1, delivered));
    assert_eq!(audit.text_at("/data/0/reason"), "the carrier asks");
    assert!(!audit.text.contains(&number(1)), "{}", audit.text);
    let path = format!("/v1/admin/messages/{code}/reveal");
    let shown = house.owner().post(&path, json!({"reason": "why not"})).await.expect(200);
    assert_eq!((&shown.json["body"], &shown.json["body_state"]), (&Value::Null, &json!("code")));
    assert!(!shown.text.contains("481516"));
}

/// What a message says goes after `retention.bodies`; the message stays.
#[actix_web::test]
async fn texts_go_before_their_messages_do() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let [delivered, _, waiting] = three(&app, &acme).await;
    postern::worker::sweep(&app.app).await.unwrap();
    assert_eq!(trace(&app, &delivered).await["body_state"], "kept");
    app.advance(app.app.config.retention.bodies + secs(1));
    postern::worker::sweep(&app.app).await.unwrap();
    let told = trace(&app, &delivered).await;
    assert_eq!(
        (&told["body_state"], &told["actions"], &told["status"]),
        (&json!("erased"), &json!([]), &json!("delivered"))
    );
    assert_eq!(trace(&app, &waiting).await["body_state"], "kept", "what waits is not over");
    reveal_is_empty(&app.operator(), &delivered).await;
}

async fn reveal_is_empty(operator: &Actor, id: &str) {
    let path = format!("/v1/admin/messages/{id}/reveal");
    let shown = operator.post(&path, json!({"reason": "a check"})).await.expect(200);
    assert_eq!((shown.text_at("/to"), &shown.json["body"]), (number(1), &Value::Null));
}

#[actix_web::test]
async fn a_wrong_verdict_is_reported_and_kept_with_its_rules() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let refused = acme.live.post("/v1/messages", code_to("+449098790000")).await.refused(Code::FraudBlocked);
    postern::messages::write_refusals(&app.app).await.unwrap();
    let path = format!("/v1/admin/decisions/{}/false-positive", refused.text_at("/decision"));
    let told = app.operator().post(&path, json!({"reason": "our own staff"})).await.expect(200);
    assert_eq!(told.text_at("/outcome"), "false_positive");
    let audit = app.operator().get("/v1/admin/audit?action=decision.false_positive").await.expect(200);
    assert_eq!(audit.text_at("/data/0/reason"), "our own staff");
    assert!(!audit.json["data"][0]["after"]["rules"].as_array().unwrap().is_empty(), "{}", audit.text);
    let sent = accepted(&acme.live, notice_to(&number(7))).await;
    let passed = trace(&app, &sent).await["decision"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/admin/decisions/{passed}/false-positive");
    app.operator().post(&path, json!({"reason": "nothing to report"})).await.refused(Code::ValidationFailed);
}
