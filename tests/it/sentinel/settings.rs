//! What an organization chooses of the fraud guard itself.

use postern::error::Code;
use serde_json::json;

use super::{audited, rows};
use crate::harness::app::TestApp;
use crate::messages::{code_to, notice_to, number, post};

const SETTINGS: &str = "/v1/fraud/settings";

#[actix_web::test]
async fn a_new_organization_is_asked_where_its_users_are_and_learns_until_it_chooses_a_level() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "enterprise", "countries": ["GB"]})).await;
    let first = acme.live.get(SETTINGS).await.expect(200).json;
    assert!(first["hint"].as_str().unwrap().starts_with("Only GB is open"), "{first}");
    assert_eq!((&first["protection"], first["learning_until"].is_string()), (&json!("standard"), true));
    post(&acme.live, notice_to("+37120123456")).await.refused(Code::DestinationNotAllowed);
    let choice = json!({"countries": ["GB", "LV"], "country_modes": {"LV": "step_up"}, "protection": "strict"});
    let chosen = acme.live.patch(SETTINGS, choice).await.expect(200).json;
    assert_eq!((&chosen["hint"], &chosen["learning_until"]), (&json!(null), &json!(null)));
    assert_eq!(acme.test.get(SETTINGS).await.expect(200).json, chosen, "one set for both worlds");
    post(&acme.live, code_to("+37120123456")).await.refused(Code::FraudChallengeRequired);
    post(&acme.live, code_to(&number(1))).await.expect(202);
    let told = audited(&app, "org.update").await;
    assert!(told["actor"].as_str().unwrap().starts_with("key_"), "{told}");
    assert_eq!((&told["after"]["protection"], &told["target"]), (&json!("strict"), &json!(acme.org)));
    // What is absent stays.
    let kept = acme.live.patch(SETTINGS, json!({"templates": {"signup": "strict"}})).await.expect(200).json;
    assert_eq!((&kept["country_modes"]["LV"], &kept["templates"]["signup"]), (&json!("step_up"), &json!("strict")));
    for bad in [json!({"protection": "none"}), json!({"countries": ["*", "GB"]}), json!({"keys": {"x": "off"}})] {
        acme.live.patch(SETTINGS, bad).await.refused(Code::ValidationFailed);
    }
}

#[actix_web::test]
async fn lowering_the_protection_is_told_and_raising_it_is_not() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "enterprise", "protection": "standard"})).await;
    let hook = json!({"url": "https://example.com/hooks", "events": ["fraud.protection_lowered"]});
    acme.live.post("/v1/webhooks", hook).await.expect(201);
    for (change, told) in [
        (json!({"protection": "strict"}), 0),
        (json!({"country_modes": {"NG": "block"}}), 0),
        (json!({"templates": {"signup": "monitor"}}), 1),
        (json!({"country_modes": {}}), 2),
        (json!({"protection": "off"}), 3),
    ] {
        acme.live.patch(SETTINGS, change.clone()).await.expect(200);
        assert_eq!(rows(&acme.live, "/v1/events").await.len(), told, "{change}");
    }
    let latest = rows(&acme.live, "/v1/events").await[0].clone();
    assert_eq!(latest["payload"]["data"]["what"], json!(["protection"]), "{latest}");
}

#[actix_web::test]
async fn caps_are_shown_as_operators_set_them() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let caps = json!([{"scope": "country", "value": "*", "window": "1d", "amount": "50"}]);
    app.operator().put(&format!("/v1/admin/orgs/{}/caps", acme.org), caps).await.expect(200);
    let shown = acme.live.get(SETTINGS).await.expect(200).json;
    assert_eq!(
        shown["caps"][0]["limit"]["amount"].as_str().map(|amount| amount.starts_with("50")),
        Some(true),
        "{shown}"
    );
}
