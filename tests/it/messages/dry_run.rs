//! `dry_run`: everything is decided, nothing is taken.

use postern::error::Code;
use serde_json::json;

use super::{accepted, code_to, count, drain, number, post};
use crate::harness::app::TestApp;

#[actix_web::test]
async fn a_dry_run_decides_and_takes_nothing() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "free"})).await;
    let mut body = code_to(&number(1));
    body["dry_run"] = json!(true);
    for _ in 0..10 {
        let reply = post(&acme.live, body.clone()).await;
        // The door counts requests of a dry run like any other.
        if reply.status == 429 {
            app.advance(super::secs(1));
            continue;
        }
        let reply = reply.expect(200);
        assert_eq!((&reply.json["dry_run"], &reply.json["decision"]["action"]), (&json!(true), &json!("allow")));
        assert_eq!(reply.json["error"], json!(null));
        assert!(!reply.text.contains("481516"));
    }
    app.advance(super::secs(1));
    assert_eq!((count(&acme.live).await, drain(&app).await), (0, 0));
    accepted(&acme.live, code_to(&number(1))).await;
}

#[actix_web::test]
async fn a_dry_run_tells_the_refusal_that_would_come() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"countries": ["GB"], "plan": "enterprise"})).await;
    for _ in 0..3 {
        accepted(&acme.live, code_to(&number(1))).await;
    }
    for (to, code) in [(number(1), "otp.number_limit"), ("+14155550123".into(), "destination.not_allowed")] {
        let mut body = code_to(&to);
        body["dry_run"] = json!(true);
        let reply = post(&acme.live, body).await.expect(200);
        assert_eq!((&reply.json["error"]["code"], &reply.json["decision"]["action"]), (&json!(code), &json!("block")));
        assert_eq!(reply.json["decision"]["reasons"].as_array().map(Vec::len), Some(1), "{}", reply.text);
        assert_eq!(reply.text_at("/error/type"), format!("http://localhost:8080/docs/errors#{code}"));
    }
    let faulty = json!({"to": "x", "body": "y", "dry_run": true});
    post(&acme.live, faulty).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn a_dry_bulk_sees_its_own_messages_and_stores_none() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let body = json!({"dry_run": true, "messages": vec![code_to(&number(1)); 4]});
    let reply = acme.live.post("/v1/messages/bulk", body).await.expect(200);
    assert_eq!((&reply.json["accepted"], &reply.json["rejected"]), (&json!(3), &json!(1)));
    assert_eq!(
        (&reply.json["dry_run"], &reply.json["batch_id"], &reply.json["error"]),
        (&json!(true), &json!(null), &json!(null))
    );
    assert!(!["bat_", "msg_", "dec_", "481516"].iter().any(|word| reply.text.contains(word)), "{}", reply.text);
    let (first, last) = (&reply.json["results"][0], &reply.json["results"][3]);
    assert_eq!(
        (&first["segments"], &first["encoding"], &first["price"]["currency"]),
        (&json!(1), &json!("gsm7"), &json!("USD"))
    );
    assert_eq!((&first["decision"]["action"], &last["decision"]["action"]), (&json!("allow"), &json!("block")));
    assert!(first["limits"].as_array().unwrap().iter().any(|limit| limit["policy"] == "otp.number"), "{first}");
    let reason = &last["decision"]["reasons"][0];
    assert_eq!(
        (&reason["rule"], &reason["observed"], &reason["limit"]),
        (&json!("otp.number"), &json!("3"), &json!(3))
    );
    let kind = last["error"]["type"].as_str().unwrap();
    assert_eq!(kind, "http://localhost:8080/docs/errors#otp.number_limit");
    assert_eq!(count(&acme.live).await, 0);
    let whole = json!({"dry_run": true, "mode": "all_or_nothing", "messages": vec![code_to(&number(1)); 4]});
    let reply = acme.live.post("/v1/messages/bulk", whole).await.expect(200);
    assert_eq!(
        (&reply.json["accepted"], reply.text_at("/error/code")),
        (&json!(0), "batch.too_large_for_plan".to_owned())
    );
    accepted(&acme.live, code_to(&number(1))).await;
}

#[actix_web::test]
async fn a_dry_run_uses_up_no_idempotency_key() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let caller = acme.live.with_header("Idempotency-Key", "k");
    let mut dry = code_to(&number(1));
    dry["dry_run"] = json!(true);
    post(&caller, dry).await.expect(200);
    accepted(&caller, code_to(&number(1))).await;
}
