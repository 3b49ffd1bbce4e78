//! Meta's word: every published webhook about numbers, in any order, however often.

use postern::error::Code;
use serde_json::{Value, json};

use super::{
    ACCOUNT, IDS, capability, change, code_by_template, fixture, hook, hook_text, limited_to, ours, own_number,
    register, start,
};
use crate::harness::actor::Actor;
use crate::harness::app::TestApp;
use crate::messages::{number, post, secs};

/// An organization with a number whose tier Meta manages.
async fn managed(app: &TestApp) -> crate::harness::app::Tenant {
    let acme = app.tenant().await;
    let members = json!({"ladder": "meta2026", "managed_by": "meta", "waba_id": ACCOUNT});
    register(app, &acme.org, members).await.expect(201);
    acme
}

async fn limit(caller: &Actor) -> Value {
    own_number(caller).await["limit"].clone()
}

#[actix_web::test]
async fn every_published_form_of_a_limit_moves_the_tier() {
    let (app, _meta) = start().await;
    let acme = managed(&app).await;
    assert_eq!(limit(&acme.live).await, 250);
    for (name, expected) in [
        ("webhook_business_capability_integer.json", json!(2_000)),
        ("webhook_business_capability_string_tier.json", json!(10_000)),
        ("webhook_business_capability_legacy_per_phone.json", json!("unlimited")),
        ("webhook_phone_quality_tier_2k_new_field_only.json", json!(2_000)),
        ("webhook_phone_quality_flagged_legacy.json", json!(10_000)),
        ("webhook_phone_quality_throughput_upgrade.json", json!("unlimited")),
    ] {
        hook_text(&app, &fixture(name)).await.expect(204);
        assert_eq!(limit(&acme.live).await, expected, "{name}");
        app.advance(secs(1));
    }
    let own = own_number(&acme.live).await;
    assert_eq!((&own["throughput"], &own["quality"]), (&json!(1_000), &json!("red")), "{own}");
    let unflagged = json!({"display_phone_number": ours(), "event": "UNFLAGGED"});
    hook(&app, &change("phone_number_quality_update", unflagged)).await.expect(204);
    assert_eq!(own_number(&acme.live).await["quality"], "yellow");
    let audit = app.operator().get("/v1/admin/audit?target=acme").await.expect(200);
    let newest = &audit.json["data"][0];
    assert_eq!((&newest["actor"], &newest["after"]["limit"]), (&json!("system"), &json!("unlimited")), "{newest}");
    assert_eq!(newest["reason"], "Meta's phone_number_quality_update");
}

#[actix_web::test]
async fn an_older_word_a_repeat_and_what_is_not_meta_s_to_say_change_nothing() {
    let (app, _meta) = start().await;
    let acme = managed(&app).await;
    let at = |secs: i64, limit: Value| {
        let mut body = capability(json!({"max_daily_conversations_per_business": limit}));
        body["entry"][0]["time"] = json!(secs);
        body
    };
    app.advance(secs(600));
    let now = super::secs_now(&app);
    hook(&app, &at(now, json!("TIER_10K"))).await.expect(204);
    hook(&app, &at(now - 60, json!("TIER_2K"))).await.expect(204);
    assert_eq!(limit(&acme.live).await, 10_000, "told later, said earlier");
    for _ in 0..5 {
        hook(&app, &at(now, json!("TIER_10K"))).await.expect(204);
    }
    let audit = app.operator().get("/v1/admin/audit?target=acme").await.expect(200);
    assert_eq!(audit.json["data"].as_array().unwrap().len(), 2, "made, and moved once: {}", audit.text);
    for silent in [json!("TIER_NOT_SET"), json!("SOMEDAY"), json!(null)] {
        hook(&app, &at(now + 1, silent)).await.expect(204);
    }
    let mut elsewhere = at(now + 1, json!(250));
    elsewhere["entry"][0]["id"] = json!("900100200300999");
    hook(&app, &elsewhere).await.expect(204);
    assert_eq!(limit(&acme.live).await, 10_000, "another account's");
    let id = own_number(&acme.live).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/admin/whatsapp/numbers/{id}");
    app.operator().patch(&path, json!({"managed_by": "operator", "tier": 3})).await.expect(200);
    app.advance(secs(10));
    hook(&app, &at(now + 10, json!(250))).await.expect(204);
    assert_eq!(limit(&acme.live).await, 10_000);
}

#[actix_web::test]
async fn a_tier_acts_at_once_on_the_keys_there_are_and_is_told() {
    let (app, _meta) = start().await;
    let acme = limited_to(&app, 1).await;
    let hooks = json!({"url": "https://example.com/hooks", "events": ["whatsapp.tier_changed", "whatsapp.quality_changed", "whatsapp.account_alert"]});
    acme.live.post("/v1/webhooks", hooks).await.expect(201);
    let band = |reply: &crate::harness::actor::Reply| {
        let policies = reply.header("ratelimit-policy").unwrap();
        let found = policies.split(", ").find(|policy| policy.starts_with("\"band.send\"")).unwrap();
        found.to_owned()
    };
    let first = post(&acme.live, code_by_template(&number(0))).await.expect(202);
    assert_eq!(band(&first), "\"band.send\";q=6000;w=60");
    post(&acme.live, code_by_template(&number(1))).await.refused(Code::WhatsappTierLimit);
    hook(&app, &capability(json!({"max_daily_conversations_per_business": "TIER_100K"}))).await.expect(204);
    let then = post(&acme.live, code_by_template(&number(1))).await.expect(202);
    assert_eq!(band(&then), "\"band.send\";q=30000;w=60");
    hook_text(&app, &fixture("webhook_phone_quality_flagged_legacy.json")).await.expect(204);
    hook_text(&app, &fixture("webhook_account_alert_limit_deferred.json")).await.expect(204);
    hook_text(&app, &fixture("webhook_account_errors_130429.json")).await.expect(204);
    let events = acme.live.get("/v1/events").await.expect(200);
    let told: Vec<&str> =
        events.json["data"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    // Newest first: the error of the number, the account's alert, the flag with a lower tier, the upgrade.
    assert_eq!(told[..2], ["whatsapp.account_alert", "whatsapp.account_alert"], "{}", events.text);
    assert_eq!(told.iter().filter(|kind| **kind == "whatsapp.tier_changed").count(), 2, "{}", events.text);
    assert_eq!(told.iter().filter(|kind| **kind == "whatsapp.quality_changed").count(), 1, "{}", events.text);
    assert!(!events.text.contains(&ours()), "masked: {}", events.text);
}

#[actix_web::test]
async fn several_entries_and_a_thousand_repeats_are_one_thing() {
    let (app, _meta) = start().await;
    let acme = managed(&app).await;
    let statuses: Vec<Value> =
        (0..1_000).map(|n| json!({"id": format!("wamid.{n}"), "status": "sent", "timestamp": "1"})).collect();
    let metadata = json!({"display_phone_number": ours(), "phone_number_id": IDS[0]});
    let mut body = change("messages", json!({"metadata": metadata, "statuses": statuses}));
    let entries = body["entry"].as_array_mut().unwrap();
    entries.push(capability(json!({"max_daily_conversations_per_business": 2_000}))["entry"][0].clone());
    entries.push(json!({"id": ACCOUNT, "changes": [{"field": "of tomorrow", "value": {"a": [1]}}, {}]}));
    for _ in 0..3 {
        hook(&app, &body).await.expect(204);
    }
    assert_eq!(limit(&acme.live).await, 2_000);
}

#[actix_web::test]
async fn an_account_that_nobody_named_is_learned() {
    let (app, _meta) = start().await;
    let acme = app.tenant().await;
    register(&app, &acme.org, json!({"managed_by": "meta"})).await.expect(201);
    let told = |account: &str, limit: u32| {
        let mut body = capability(json!({"max_daily_conversations_per_business": limit}));
        body["entry"][0]["id"] = json!(account);
        body
    };
    // Of the only portfolio that Meta manages, while no account of a number of it is known.
    hook(&app, &told("1", 10_000)).await.expect(204);
    assert_eq!(limit(&acme.live).await, 10_000);
    hook(&app, &change("phone_number_quality_update", json!({"display_phone_number": ours(), "event": "ONBOARDING"})))
        .await
        .expect(204);
    let shown = app.operator().get("/v1/admin/whatsapp/numbers").await.expect(200);
    assert_eq!(shown.json["data"][0]["waba_id"], ACCOUNT, "{}", shown.text);
    hook(&app, &told("1", 250)).await.expect(204);
    assert_eq!(limit(&acme.live).await, 10_000);
    hook(&app, &told(ACCOUNT, 250)).await.expect(204);
    assert_eq!(limit(&acme.live).await, 250);
}
