//! What was decided, who may see how much of it, and that it comes to the same when it is computed again.

use postern::error::Code;
use postern::messages::write_refusals;
use serde_json::{Value, json};

use super::{guarded, latvian, pumped, pumps, rows};
use crate::harness::app::TestApp;
use crate::messages::{code_to, number, post};

#[actix_web::test]
async fn a_block_and_what_was_let_through_are_shown_and_come_to_the_same_again() {
    let app = TestApp::start().await;
    let acme = guarded(&app).await;
    pumped(&app, &acme.test).await;
    let refusal = pumps(&app, &acme.test, 299).await.refused(Code::FraudBlocked);
    write_refusals(&app.app).await.unwrap();
    let blocked = refusal.text_at("/decision");
    let sent = rows(&acme.test, "/v1/messages").await[0].clone();
    let passed = sent["decision"]["id"].as_str().unwrap().to_owned();
    for (id, action, message) in [(&blocked, "block", Value::Null), (&passed, "allow", sent["id"].clone())] {
        let shown = acme.test.get(&format!("/v1/decisions/{id}")).await.expect(200).json;
        assert_eq!((&shown["action"], &shown["message_id"]), (&json!(action), &message), "{shown}");
        assert_eq!(shown["recomputed"]["same"], true, "{shown}");
        let report = app.operator().get(&format!("/v1/admin/decisions/{id}")).await.expect(200);
        let engine = &report.json["engine"];
        assert_eq!(engine["recomputed"]["same"], true, "{engine}");
        assert_eq!(engine["recomputed"]["action"], engine["action"], "{engine}");
        assert_eq!((&engine["attempt"]["country"], &engine["rule_version"]), (&json!("LV"), &json!(0)));
        assert!((0..200).all(|n| !report.text.contains(&latvian(n)[1..])), "a full number: {}", report.text);
    }
    let shown = acme.test.get(&format!("/v1/decisions/{blocked}")).await.expect(200).json;
    let hold = shown["reasons"].as_array().unwrap().iter().find(|reason| reason["rule"] == "prefix.hold").unwrap();
    assert!(hold.get("limit").is_none() && hold.get("evidence").is_none(), "{hold}");
    let seen = app.operator().get(&format!("/v1/admin/decisions/{passed}")).await.expect(200).json;
    assert!(!seen["engine"]["seen"]["groups"].as_array().unwrap().is_empty(), "{seen}");
    // A decision stays what it was, whatever the rules are later.
    let off = json!({"rules": {"prefix.hold": {"mode": "off"}, "prefix.sequence": {"mode": "off"}}});
    app.operator().put("/v1/admin/fraud/rules", off).await.expect(200);
    assert_eq!(pumps(&app, &acme.test, 300).await.status, 201);
    let again = app.operator().get(&format!("/v1/admin/decisions/{blocked}")).await.expect(200).json;
    assert_eq!((&again["engine"]["recomputed"]["same"], &again["action"]), (&json!(true), &json!("block")));
}

#[actix_web::test]
async fn lists_hold_what_was_refused_or_let_through_newest_first_in_pages() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut refused = Vec::new();
    for n in 0..3 {
        for _ in 0..3 {
            post(&acme.live, code_to(&number(n))).await.expect(202);
        }
        refused.push(post(&acme.live, code_to(&number(n))).await.refused(Code::OtpNumberLimit).text_at("/decision"));
    }
    refused.push(post(&acme.live, code_to("+449098790000")).await.refused(Code::FraudBlocked).text_at("/decision"));
    write_refusals(&app.app).await.unwrap();
    refused.reverse();
    let ids = |rows: Vec<Value>| rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(rows(&acme.live, "/v1/decisions").await), refused);
    assert_eq!(ids(rows(&acme.live, "/v1/decisions?code=fraud.blocked").await), refused[..1]);
    assert_eq!(rows(&acme.live, "/v1/decisions?action=challenge").await.len(), 0);
    assert_eq!(rows(&acme.test, "/v1/decisions").await.len(), 0, "the other world's");
    let from = app.app.clock.now().plus(std::time::Duration::from_secs(1)).rfc3339();
    assert_eq!(rows(&acme.live, &format!("/v1/decisions?created_after={from}")).await.len(), 0);
    assert_eq!(rows(&acme.live, &format!("/v1/decisions?created_before={from}")).await.len(), 4);
    let (mut path, mut seen) = (String::from("/v1/decisions?action=allow&limit=4"), Vec::new());
    loop {
        let page = acme.live.get(&path).await.expect(200).json;
        seen.extend(page["data"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/decisions?action=allow&limit=4&cursor={cursor}");
    }
    let sent = rows(&acme.live, "/v1/messages").await;
    let messages = |rows: &[Value], at: &str| rows.iter().map(|row| row[at].clone()).collect::<Vec<_>>();
    assert_eq!((seen.len(), messages(&seen, "message_id")), (9, messages(&sent, "id")));
    for bad in ["action=allow&code=fraud.blocked", "created_after=yesterday", "action=maybe"] {
        acme.live.get(&format!("/v1/decisions?{bad}")).await.refused(Code::ValidationFailed);
    }
    acme.live.get("/v1/decisions/dec_01h455vb4pex5vsknk084sn02q").await.refused(Code::NotFound);
}
