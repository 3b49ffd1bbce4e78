//! Operators through the admin API: roles, what a token may do, who is kept out.

use std::time::Duration;

use postern::error::Code;
use serde_json::{Value, json};

use super::{PASSWORD, fresh, operator, person};
use crate::harness::actor::Actor;
use crate::harness::app::TestApp;

/// A caller with a new token of this operator, made by `maker`.
async fn token(app: &TestApp, maker: &Actor, id: &str, members: Value) -> (Actor, Value) {
    let made = maker.post(&format!("/v1/admin/operators/{id}/tokens"), members).await.expect(201);
    (app.anonymous().with_token(&made.text_at("/secret")), made.json)
}

#[actix_web::test]
async fn the_last_owner_stays_one() {
    let app = fresh().await;
    let owner = app.operator();
    let first = owner.get("/v1/admin/operators").await.expect(200).text_at("/data/0/id");
    let path = format!("/v1/admin/operators/{first}");
    let refused = owner.patch(&path, json!({"role": "viewer"})).await.refused(Code::ValidationFailed);
    assert!(refused.json["field_errors"]["role"][0].as_str().unwrap().contains("last owner"));
    owner.patch(&path, json!({"disabled": true})).await.refused(Code::ValidationFailed);
    owner.patch(&path, json!({"name": "Root", "reason": "known by that"})).await.expect(200);
    let second = operator(&app, "Ada", "owner").await;
    let (ada, _) = token(&app, &owner, &second, json!({})).await;
    owner.patch(&format!("/v1/admin/operators/{second}"), json!({"disabled": true})).await.expect(200);
    owner.patch(&path, json!({"role": "viewer"})).await.refused(Code::ValidationFailed);
    owner.patch(&format!("/v1/admin/operators/{second}"), json!({"disabled": false})).await.expect(200);
    owner.patch(&path, json!({"role": "viewer"})).await.expect(200);
    owner.patch(&path, json!({"role": "owner"})).await.refused(Code::PermissionDenied);
    ada.patch(&path, json!({"role": "owner"})).await.expect(200);
    ada.patch(&path, json!({"name": "Ada"})).await.refused(Code::ValidationFailed);
    ada.patch(&path, json!({"name": " "})).await.refused(Code::ValidationFailed);
    owner.get("/v1/admin/operators/opr_01h455vb4pex5vsknk084sn02q").await.refused(Code::NotFound);
}

#[actix_web::test]
async fn a_disabled_operator_is_out_by_every_door() {
    let app = fresh().await;
    let (id, mut browser) = person(&app, "Ada", "operator").await;
    let (ada, _) = token(&app, &app.operator(), &id, json!({})).await;
    ada.get("/v1/admin/orgs").await.expect(200);
    let path = format!("/v1/admin/operators/{id}");
    let shown = app.operator().patch(&path, json!({"disabled": true, "reason": "left"})).await.expect(200);
    assert!(shown.json["disabled_at"].is_string());
    ada.get("/v1/admin/orgs").await.refused(Code::KeyRevoked);
    assert!(!browser.is_in().await);
    browser.sign_in("Ada", PASSWORD).await.expect(403);
    app.operator().patch(&path, json!({"disabled": false})).await.expect(200);
    ada.get("/v1/admin/orgs").await.expect(200);
    assert!(!browser.is_in().await, "a session that ended stays so");
    browser.sign_in("Ada", PASSWORD).await.expect(303);
    // A role that changes acts on what is open.
    app.operator().patch(&path, json!({"role": "viewer"})).await.expect(200);
    assert!(browser.get("/console/account").await.expect(200).text.contains("Ada</strong>, viewer"));
    ada.post("/v1/admin/orgs", json!({"name": "n", "country": "GB"})).await.refused(Code::PermissionDenied);
}

#[actix_web::test]
async fn a_token_may_be_narrower_than_its_operator_and_never_wider() {
    let app = fresh().await;
    let id = operator(&app, "Ada", "operator").await;
    let (full, _) = token(&app, &app.operator(), &id, json!({})).await;
    let (narrow, made) = token(&app, &full, &id, json!({"role": "viewer"})).await;
    assert_eq!(made["role"], "viewer");
    let new = json!({"name": "n", "country": "GB"});
    full.post("/v1/admin/orgs", new.clone()).await.expect(201);
    narrow.get("/v1/admin/orgs").await.expect(200);
    narrow.post("/v1/admin/orgs", new.clone()).await.refused(Code::PermissionDenied);
    let path = format!("/v1/admin/operators/{id}/tokens");
    for role in ["owner", "auditor"] {
        let refused = full.post(&path, json!({"role": role})).await.refused(Code::ValidationFailed);
        assert!(refused.json["field_errors"]["role"].is_array());
    }
    // It makes none that may more, or that lasts longer.
    narrow.post(&path, json!({"role": "operator"})).await.refused(Code::ValidationFailed);
    let (child, made) = token(&app, &narrow, &id, json!({})).await;
    assert_eq!(made["role"], "viewer");
    child.post("/v1/admin/orgs", new).await.refused(Code::PermissionDenied);
    let end = app.app.clock.now().plus(Duration::from_secs(3600)).rfc3339();
    let (short, _) = token(&app, &full, &id, json!({"expires_at": end})).await;
    let (_, made) = token(&app, &short, &id, json!({})).await;
    assert_eq!(made["expires_at"], end);
    let later = app.app.clock.now().plus(Duration::from_secs(7200)).rfc3339();
    short.post(&path, json!({"expires_at": later})).await.refused(Code::ValidationFailed);
    // The lesser of both counts, whatever becomes of the operator.
    app.operator().patch(&format!("/v1/admin/operators/{id}"), json!({"role": "auditor"})).await.expect(200);
    full.get("/v1/admin/audit").await.expect(200);
    narrow.get("/v1/admin/audit").await.refused(Code::PermissionDenied);
}

#[actix_web::test]
async fn everybody_has_tokens_of_their_own() {
    let app = fresh().await;
    let (id, mut browser) = person(&app, "Ada", "viewer").await;
    let other = operator(&app, "Grace", "viewer").await;
    let page = browser.submit("/console/account/tokens", &[("role", "viewer"), ("days", "30")]).await.expect(200).text;
    let secret = page.split("<code class=\"key\">").nth(1).unwrap().split('<').next().unwrap();
    let ada = app.anonymous().with_token(secret);
    ada.get("/v1/admin/orgs").await.expect(200);
    for (role, days) in [("owner", "30"), ("viewer", "0"), ("viewer", "1000"), ("king", "1")] {
        browser.submit("/console/account/tokens", &[("role", role), ("days", days)]).await.expect(422);
    }
    let (again, made) = token(&app, &ada, &id, json!({})).await;
    let path = format!("/v1/admin/operators/{id}/tokens");
    let of_grace = format!("/v1/admin/operators/{other}/tokens");
    ada.post(&of_grace, json!({})).await.refused(Code::PermissionDenied);
    ada.delete(&format!("{of_grace}/tok_01h455vb4pex5vsknk084sn02q")).await.refused(Code::PermissionDenied);
    ada.delete(&format!("{path}/{}", made["id"].as_str().unwrap())).await.expect(200);
    again.get("/v1/admin/orgs").await.refused(Code::KeyRevoked);
    let shown = browser.get("/console/account").await.expect(200).text;
    let tokens = shown.split("tokens-title").nth(2).unwrap();
    browser.submit("/console/account/tokens/revoke", &[("id", &super::value_of(tokens, "id"))]).await.expect(303);
    ada.get("/v1/admin/orgs").await.refused(Code::KeyRevoked);
    // Six minutes later the password is asked for.
    app.advance(Duration::from_secs(360));
    let asked = browser.submit("/console/account/tokens", &[("role", "viewer"), ("days", "30")]).await.expect(303);
    assert_eq!(asked.header("location"), Some("/console/account/prove?next=%2Fconsole%2Faccount"));
}

#[actix_web::test]
async fn sessions_of_others_are_an_owners_matter() {
    let app = fresh().await;
    let (ada, mut browser) = person(&app, "Ada", "support").await;
    let (grace, _) = person(&app, "Grace", "support").await;
    let (caller, _) = token(&app, &app.operator(), &grace, json!({})).await;
    let own = caller.get("/v1/admin/sessions").await.expect(200);
    assert_eq!(own.text_at("/data/0/operator_id"), grace);
    assert_eq!(own.json["data"].as_array().unwrap().len(), 1);
    caller.get(&format!("/v1/admin/sessions?operator_id={ada}")).await.refused(Code::PermissionDenied);
    let list = app.operator().get(&format!("/v1/admin/sessions?operator_id={ada}")).await.expect(200);
    let of_ada = list.text_at("/data/0/id");
    // The same answer for one that is somebody else's and for one that never was.
    for id in [of_ada.as_str(), "ses_01h455vb4pex5vsknk084sn02q"] {
        let refused = caller.delete(&format!("/v1/admin/sessions/{id}")).await.refused(Code::PermissionDenied);
        assert_eq!(refused.json["field_errors"]["required_role"], json!(["owner"]));
    }
    assert!(browser.is_in().await);
    caller.delete(&format!("/v1/admin/sessions/{}", own.text_at("/data/0/id"))).await.expect(204);
    app.operator().delete(&format!("/v1/admin/sessions/{of_ada}")).await.expect(204);
    assert!(!browser.is_in().await);
}
