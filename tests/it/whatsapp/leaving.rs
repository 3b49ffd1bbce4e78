//! Numbers that are removed or move to another portfolio: what was counted stays counted.

use postern::error::Code;
use serde_json::json;

use super::{code_by_template, ours, own_number, register, start};
use crate::messages::{number, post};

#[actix_web::test]
async fn a_number_is_removed_once_it_sends_no_more_and_its_window_stays() {
    let (app, _meta) = start().await;
    let acme = app.tenant().await;
    let id = register(&app, &acme.org, json!({})).await.expect(201).text_at("/id");
    post(&acme.live, code_by_template(&number(1))).await.expect(202);
    let path = format!("/v1/admin/whatsapp/numbers/{id}");
    let refused = app.operator().delete(&path).await.refused(Code::ValidationFailed);
    assert!(refused.text.contains("paused first"), "{}", refused.text);
    app.operator().patch(&path, json!({"status": "paused"})).await.expect(200);
    let gone = app.operator().delete(&format!("{path}?reason=sold")).await.expect(200);
    assert_eq!((gone.text_at("/id"), gone.text_at("/status")), (id.clone(), "paused".into()));
    app.operator().get(&path).await.refused(Code::NotFound);
    app.operator().delete(&path).await.refused(Code::NotFound);
    assert_eq!(acme.live.get("/v1/senders").await.expect(200).json["data"], json!([]));
    post(&acme.live, code_by_template(&number(2))).await.refused(Code::ChannelNotEnabled);
    let audit = app.operator().get(&format!("/v1/admin/audit?target={id}")).await.expect(200);
    let newest = &audit.json["data"][0];
    assert_eq!((&newest["action"], &newest["reason"]), (&json!("whatsapp_number.remove"), &json!("sold")));
    assert!(!audit.text.contains(&ours()), "{}", audit.text);
    register(&app, &acme.org, json!({})).await.expect(201);
    assert_eq!(own_number(&acme.live).await["contacts_used"], 1, "no fresh window by coming back");
}

#[actix_web::test]
async fn a_number_that_moves_has_the_other_portfolio_s_tier_and_leaves_its_contacts_behind() {
    let (app, _meta) = start().await;
    let acme = app.tenant().await;
    let id = register(&app, &acme.org, json!({})).await.expect(201).text_at("/id");
    post(&acme.live, code_by_template(&number(1))).await.expect(202);
    let path = format!("/v1/admin/whatsapp/numbers/{id}");
    let to_other = json!({"portfolio": "other", "ladder": "meta2026", "tier": 2, "managed_by": "operator"});
    let moved = app.operator().patch(&path, to_other.clone()).await.expect(200);
    assert_eq!((moved.text_at("/portfolio"), &moved.json["limit"]), ("other".into(), &json!(2_000)));
    assert_eq!(own_number(&acme.live).await["contacts_used"], 0);
    post(&acme.live, code_by_template(&number(1))).await.expect(202);
    assert_eq!(own_number(&acme.live).await["contacts_used"], 1, "counted there from its next message on");
    app.operator().patch(&path, json!({"portfolio": "acme"})).await.expect(200);
    assert_eq!(own_number(&acme.live).await["contacts_used"], 1, "and still where it was");
    let wrong = json!({"portfolio": "other", "tier": 3});
    app.operator().patch(&path, wrong).await.refused(Code::ValidationFailed);
    app.operator().patch(&path, json!({"portfolio": "no blanks"})).await.refused(Code::ValidationFailed);
    let audit = app.operator().get(&format!("/v1/admin/audit?target={id}")).await.expect(200);
    assert_eq!(audit.json["data"][0]["after"]["portfolio"], "acme", "{}", audit.text);
}
