//! Every refusal is a decision with its reasons, and a flood of them costs the accepting transaction nothing.

use diesel::prelude::*;
use postern::db::Conn;
use postern::db::schema::decisions::dsl;
use postern::error::{Code, Result};
use postern::messages::write_refusals;
use serde_json::{Value, json};

use super::{accepted, code_to, notice_to, number, post};
use crate::harness::app::TestApp;

/// Code and reasons of a stored decision.
async fn stored(app: &TestApp, id: String) -> Option<(String, Value)> {
    let find = move |conn: &mut Conn| -> Result<Option<(String, String)>> {
        let query = dsl::decisions.find(id).select((dsl::code, dsl::terms));
        Ok(postern::both!(conn, c => query.first(c).optional())?)
    };
    let found = app.read(find).await;
    found.map(|(code, terms)| (code, serde_json::from_str::<Value>(&terms).unwrap()["reasons"].clone()))
}

#[actix_web::test]
async fn a_limit_that_refuses_is_a_decision_that_the_worker_writes() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for _ in 0..3 {
        accepted(&acme.live, code_to(&number(1))).await;
    }
    let id = post(&acme.live, code_to(&number(1))).await.refused(Code::OtpNumberLimit).text_at("/decision");
    assert_eq!(stored(&app, id.clone()).await, None, "the accepting transaction wrote nothing");
    assert_eq!(write_refusals(&app.app).await.unwrap(), 1);
    let (code, reasons) = stored(&app, id).await.unwrap();
    let until = app.app.clock.now().plus(super::secs(300)).rfc3339();
    let reason = json!({"rule": "otp.number", "version": 1, "observed": "3", "mode": "enforce", "limit": 3, "window_s": 300, "until": until});
    assert_eq!((code.as_str(), reasons), ("otp.number_limit", json!([reason])));
    assert_eq!(write_refusals(&app.app).await.unwrap(), 0);
}

#[actix_web::test]
async fn money_and_magic_numbers_refuse_with_their_reasons() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    app.operator().put("/v1/admin/prices", json!([{"channel": "sms", "amount": "0.04"}])).await.expect(200);
    let poor = post(&acme.live, notice_to(&number(1))).await.refused(Code::InsufficientBalance).text_at("/decision");
    let mut kept = vec![(poor, "wallet.balance")];
    for (last, code, rule) in [
        (4, Code::RecipientOptedOut, "recipient.opted_out"),
        (5, Code::FraudBlocked, "magic.number"),
        (6, Code::OtpNumberLimit, "otp.number"),
        (9, Code::InsufficientBalance, "wallet.balance"),
    ] {
        let reply = post(&acme.test, code_to(&format!("+1500555000{last}"))).await.refused(code);
        kept.push((reply.text_at("/decision"), rule));
    }
    let faulty = post(&acme.test, code_to("+15005550001")).await.refused(Code::ValidationFailed);
    assert_eq!(faulty.json["decision"], Value::Null);
    assert_eq!(write_refusals(&app.app).await.unwrap(), 3);
    for (id, rule) in kept {
        let (_, reasons) = stored(&app, id).await.unwrap();
        assert_eq!(reasons[0]["rule"], rule);
    }
}

#[actix_web::test]
async fn what_the_book_has_no_room_for_has_no_decision() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let bulk = json!({"messages": vec![code_to(&number(1)); 1_000]});
    let mut with_decision = 0;
    for _ in 0..3 {
        let reply = acme.live.post("/v1/messages/bulk", bulk.clone()).await.expect(202);
        let results = reply.json["results"].as_array().unwrap().clone();
        with_decision += results.iter().filter(|result| result["error"]["decision"].is_string()).count();
    }
    assert_eq!(with_decision, 2_000);
    assert_eq!(write_refusals(&app.app).await.unwrap(), 2_000);
    post(&acme.live, code_to(&number(1))).await.refused(Code::OtpNumberLimit).text_at("/decision");
}
