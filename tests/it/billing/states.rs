//! What an organization's papers allow: subscription, verified business, free allowance; a change of plan now or later.

use postern::error::Code;
use postern::worker;
use serde_json::{Value, json};

use crate::harness::app::{Tenant, TestApp};
use crate::messages::{accepted, code_to, notice_to, number, post, secs};

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
    let org = change(&app, &acme, json!({"plan": "free", "plan_when": "now"})).await;
    assert_eq!((&org["plan"], &org["next_plan"]), (&json!("free"), &Value::Null));
    // An enterprise's own limits outlive it: an override stands above the plan.
    let path = format!("/v1/admin/orgs/{}/limits/sms.plan", acme.org);
    app.operator().put(&path, json!({"limit": "777/min"})).await.expect(200);
    assert!(acme.live.get("/v1/limits").await.expect(200).text.contains("777"));
}
