//! What an organization's papers allow: subscription, verified business, free allowance; a change of plan now or later.

use postern::error::Code;
use postern::worker;
use serde_json::{Value, json};

use crate::harness::app::{Tenant, TestApp};
use crate::harness::fake_carrier::Script;
use crate::messages::{accepted, carrier_id, code_to, drain, notice_to, number, post, receipt, secs};

async fn change(app: &TestApp, acme: &Tenant, members: Value) -> Value {
    app.operator().patch(&format!("/v1/admin/orgs/{}", acme.org), members).await.expect(200).json
}

#[actix_web::test]
async fn a_subscription_that_is_past_due_sends_nothing_live() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for status in ["past_due", "canceled"] {
        change(&app, &acme, json!({"subscription_status": status})).await;
        post(&acme.live, code_to(&number(1))).await.refused(Code::SubscriptionPastDue);
        acme.live.post("/v1/verifications", json!({"to": number(1)})).await.refused(Code::SubscriptionPastDue);
        accepted(&acme.test, code_to(&number(1))).await;
        acme.live.get("/v1/messages").await.expect(200);
    }
    change(&app, &acme, json!({"subscription_status": "active"})).await;
    accepted(&acme.live, code_to(&number(1))).await;
}

#[actix_web::test]
async fn names_marketing_and_whatsapp_need_a_verified_business() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "enterprise", "kyb_status": "pending"})).await;
    let with = |name: &str, value: Value| {
        let mut body = notice_to(&number(1));
        body[name] = value;
        body
    };
    let guarded = [with("from", json!("ACME")), with("kind", json!("marketing")), with("channel", json!("whatsapp"))];
    for body in &guarded {
        let reply = post(&acme.live, body.clone()).await.refused(Code::KybNotVerified);
        assert!(reply.text_at("/detail").contains("pending"), "{}", reply.text);
        assert_ne!(post(&acme.test, body.clone()).await.status, 403, "a test key reaches nobody");
    }
    accepted(&acme.live, notice_to(&number(1))).await;
    accepted(&acme.live, with("from", json!("+447400999999"))).await;
    change(&app, &acme, json!({"kyb_status": "verified"})).await;
    accepted(&acme.live, guarded[0].clone()).await;
    accepted(&acme.live, guarded[1].clone()).await;
}

#[actix_web::test]
async fn the_free_plan_s_messages_end_and_begin_anew_with_the_month() {
    let app = TestApp::start_with(|config| config.billing.free_allowance = 5).await;
    let acme = app.tenant_with(json!({"plan": "free"})).await;
    let path = format!("/v1/admin/orgs/{}/limits/sms.plan", acme.org);
    app.operator().put(&path, json!({"limit": "1000/min"})).await.expect(200);
    let messages: Vec<Value> = (0..8).map(|n| notice_to(&number(n))).collect();
    let dry = json!({"messages": messages, "dry_run": true});
    assert_eq!(acme.live.post("/v1/messages/bulk", dry).await.expect(200).json["accepted"], 5);
    let all = json!({"messages": messages, "mode": "all_or_nothing"});
    acme.live.post("/v1/messages/bulk", all).await.refused(Code::FreePlanExhausted);
    let reply = acme.live.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
    assert_eq!((&reply.json["accepted"], &reply.json["rejected"]), (&json!(5), &json!(3)));
    app.advance(secs(5));
    post(&acme.live, notice_to(&number(9))).await.refused(Code::FreePlanExhausted);
    accepted(&acme.test, notice_to(&number(9))).await;
    app.advance(secs(4 * 86_400));
    accepted(&acme.live, notice_to(&number(9))).await;
    change(&app, &acme, json!({"plan": "pro"})).await;
    for n in 10..16 {
        app.advance(secs(1));
        accepted(&acme.live, notice_to(&number(n))).await;
    }
}

#[actix_web::test]
async fn a_plan_changes_at_once_or_with_the_next_month() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let org = change(&app, &acme, json!({"plan": "enterprise", "plan_when": "next_cycle"})).await;
    assert_eq!((&org["plan"], &org["next_plan"]), (&json!("pro"), &json!("enterprise")));
    assert_eq!(org["next_plan_at"], "2026-04-01T00:00:00.000Z");
    worker::bill(&app.app).await.unwrap();
    let plan = || async { acme.live.get("/v1/account").await.expect(200).text_at("/organization/plan") };
    assert_eq!(plan().await, "pro");
    app.advance(secs(4 * 86_400));
    worker::bill(&app.app).await.unwrap();
    assert_eq!(plan().await, "enterprise");
    let path = format!("/v1/admin/orgs/{}", acme.org);
    let alone = json!({"plan_when": "next_cycle"});
    app.operator().patch(&path, alone).await.refused(Code::ValidationFailed);
    let org = change(&app, &acme, json!({"plan": "free", "plan_when": "now"})).await;
    assert_eq!((&org["plan"], &org["next_plan"]), (&json!("free"), &Value::Null));
    // An enterprise's own limits outlive it: an override stands above the plan.
    let path = format!("/v1/admin/orgs/{}/limits/sms.plan", acme.org);
    app.operator().put(&path, json!({"limit": "777/min"})).await.expect(200);
    assert!(acme.live.get("/v1/limits").await.expect(200).text.contains("777"));
}

#[actix_web::test]
async fn what_no_carrier_took_gives_back_its_part_of_the_allowance() {
    let app = TestApp::start_with(|config| config.billing.free_allowance = 3).await;
    let acme = app.tenant_with(json!({"plan": "free"})).await;
    let path = format!("/v1/admin/orgs/{}/limits/sms.plan", acme.org);
    app.operator().put(&path, json!({"limit": "1000/min"})).await.expect(200);
    let full = |n: usize| {
        let live = acme.live.clone();
        app.advance(secs(2));
        async move { post(&live, notice_to(&number(n))).await.refused(Code::FreePlanExhausted) }
    };
    let mut sent = Vec::new();
    for n in 0..3 {
        sent.push(accepted(&acme.live, notice_to(&number(n))).await);
    }
    full(3).await;
    // Called back, once; a second call back is refused and gives nothing.
    let cancel = format!("/v1/messages/{}/cancel", sent[0]);
    acme.live.call("POST", &cancel, None).await.expect(200);
    acme.live.call("POST", &cancel, None).await;
    sent.push(accepted(&acme.live, notice_to(&number(4))).await);
    full(5).await;
    // Refused by the carrier for good: that one comes back, the two that went do not.
    app.acme.next(Script::json(400, json!({})));
    drain(&app).await;
    accepted(&acme.live, notice_to(&number(6))).await;
    full(7).await;
    drain(&app).await;
    full(8).await;
}

#[actix_web::test]
async fn what_is_too_late_gives_back_its_part_and_what_failed_after_a_carrier_took_it_does_not() {
    let app = TestApp::start_with(|config| config.billing.free_allowance = 1).await;
    let acme = app.tenant_with(json!({"plan": "free"})).await;
    let path = format!("/v1/admin/orgs/{}/limits/sms.plan", acme.org);
    app.operator().put(&path, json!({"limit": "1000/min"})).await.expect(200);
    accepted(&acme.live, code_to(&number(1))).await;
    app.advance(secs(3_600));
    drain(&app).await;
    assert_eq!(app.acme.calls(), 0, "it is too late");
    accepted(&acme.live, code_to(&number(1))).await;
    drain(&app).await;
    receipt(&app, &carrier_id(1), "UNDELIV").await.expect(204);
    post(&acme.live, code_to(&number(2))).await.refused(Code::FreePlanExhausted);
    // A message of last month that ends in this one gives nothing to this one.
    let mut later = code_to(&number(3));
    app.advance(secs(32 * 86_400));
    later["scheduled_for"] = json!(app.app.clock.now().plus(secs(3 * 86_400)).rfc3339());
    let id = accepted(&acme.live, later).await;
    app.advance(secs(5 * 43_200));
    accepted(&acme.live, code_to(&number(4))).await;
    acme.live.call("POST", &format!("/v1/messages/{id}/cancel"), None).await.expect(200);
    post(&acme.live, code_to(&number(5))).await.refused(Code::FreePlanExhausted);
}
