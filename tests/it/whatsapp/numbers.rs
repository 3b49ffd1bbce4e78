//! Numbers: registered by operators, seen by their organization, sent from.

use postern::error::Code;
use serde_json::{Value, json};

use super::{IDS, code_by_template, ours, own_number, register, start};
use crate::messages::{accepted, message, number, post};

#[actix_web::test]
async fn a_number_is_registered_shown_changed_and_audited() {
    let (app, _meta) = start().await;
    let acme = app.tenant().await;
    let made =
        register(&app, &acme.org, json!({"ladder": "meta2026", "tier": 2, "quality": "yellow"})).await.expect(201);
    let id = made.text_at("/id");
    assert!(id.starts_with("wan_"), "{id}");
    assert_eq!(made.header("location"), Some(format!("/v1/admin/whatsapp/numbers/{id}").as_str()));
    let own = own_number(&acme.live).await;
    assert_eq!((&own["id"], &own["tier"], &own["limit"]), (&json!(id), &json!(2), &json!(2_000)), "{own}");
    assert_eq!((&own["quality"], &own["throughput"], &own["contacts_used"]), (&json!("yellow"), &json!(80), &json!(0)));
    assert_eq!(own["phone_number"], ours());
    let path = format!("/v1/admin/whatsapp/numbers/{id}");
    let patch = json!({"tier": "unlimited", "managed_by": "operator", "throughput": 1000, "quality": "green", "reason": "agreed"});
    let changed = app.operator().patch(&path, patch).await.expect(200);
    assert_eq!(changed.json["limit"], "unlimited");
    let shown = app.operator().get(&path).await.expect(200);
    assert_eq!(shown.json, changed.json);
    let own = own_number(&acme.test).await;
    assert_eq!((&own["tier"], &own["throughput"]), (&json!(5), &json!(1000)));
    let audit = app.operator().get(&format!("/v1/admin/audit?target={id}")).await.expect(200);
    assert!(audit.text.contains("whatsapp_number.update") && !audit.text.contains(&ours()), "{}", audit.text);
    let tier = app.operator().get("/v1/admin/audit?target=acme").await.expect(200);
    assert_eq!(tier.json["data"][0]["after"]["limit"], "unlimited", "{}", tier.text);
    assert_eq!(tier.json["data"][0]["reason"], "agreed");
    app.operator().get("/v1/admin/whatsapp/numbers/wan_01h455vb4pex5vsknk084sn02q").await.refused(Code::NotFound);
    let of_org = app.operator().get(&format!("/v1/admin/whatsapp/numbers?org_id={}", acme.org)).await.expect(200);
    assert_eq!(of_org.json["data"].as_array().unwrap().len(), 1);
    let senders = acme.live.get("/v1/senders").await.expect(200);
    assert_eq!(senders.json["data"][0]["address"], ours(), "{}", senders.text);
}

#[actix_web::test]
async fn numbers_of_one_portfolio_share_its_tier_and_a_new_one_does_not_change_it() {
    let (app, _meta) = start().await;
    let (first, second) = (app.tenant().await, app.tenant().await);
    let id = register(&app, &first.org, json!({"tier": 10000})).await.expect(201).text_at("/id");
    register(&app, &second.org, json!({})).await.refused(Code::ValidationFailed);
    let another = |members: Value| {
        let mut all = json!({"phone_number": number(5_001), "phone_number_id": IDS[1]});
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        all
    };
    for (field, members) in [
        ("portfolio", json!({"tier": 1})),
        ("portfolio", json!({"ladder": "meta2026"})),
        ("portfolio", json!({"managed_by": "meta"})),
        ("portfolio", json!({"portfolio": "no blanks"})),
        ("tier", json!({"portfolio": "fresh", "tier": 5})),
        ("throughput", json!({"throughput": 5000})),
        ("phone_number", json!({"phone_number": "12"})),
        ("waba_id", json!({"waba_id": "a b"})),
    ] {
        let refused = register(&app, &second.org, another(members)).await.refused(Code::ValidationFailed);
        assert!(refused.json["field_errors"][field].is_array(), "{field}: {}", refused.text);
    }
    register(&app, &second.org, another(json!({"tier": 2}))).await.expect(201);
    app.operator().patch(&format!("/v1/admin/whatsapp/numbers/{id}"), json!({"tier": 3})).await.expect(200);
    assert_eq!(own_number(&second.live).await["limit"], 100_000);
    let taken = json!({"org_id": first.org, "channel": "whatsapp", "address": number(5_002)});
    app.operator().post("/v1/admin/senders", taken).await.expect(201);
    let theirs = another(json!({"phone_number": number(5_002)}));
    let refused = register(&app, &second.org, theirs).await.refused(Code::ValidationFailed);
    assert!(refused.text.contains("another organization"), "{}", refused.text);
}

#[actix_web::test]
async fn the_channel_is_there_where_the_organization_has_a_number_that_sends() {
    let (app, meta) = start().await;
    let acme = app.tenant().await;
    for caller in [&acme.live, &acme.test] {
        post(caller, code_by_template(&number(1))).await.refused(Code::ChannelNotEnabled);
    }
    let id = register(&app, &acme.org, json!({})).await.expect(201).text_at("/id");
    let sent = accepted(&acme.live, code_by_template(&number(1))).await;
    assert_eq!(app.step().await, 1);
    let call = &meta.hand_offs()[0];
    assert_eq!(call.path, format!("/v25.0/{}/messages", IDS[0]));
    assert_eq!(call.json()["template"]["name"], "login_otp");
    assert_eq!(message(&acme.live, &sent).await["status"], "sent");
    let tried = accepted(&acme.test, code_by_template(&number(1))).await;
    app.step().await;
    assert_eq!(message(&acme.test, &tried).await["status"], "delivered", "the sandbox takes it");
    assert_eq!(meta.calls(), 1);
    let inbox = acme.test.get("/v1/sandbox/messages").await.expect(200);
    assert_eq!(inbox.json["data"][0]["channel"], "whatsapp", "{}", inbox.text);
    let start = json!({"to": number(2), "workflow": [{"channel": "whatsapp"}, {"channel": "sms"}]});
    acme.live.post("/v1/verifications", start).await.expect(201);
    let path = format!("/v1/admin/whatsapp/numbers/{id}");
    app.operator().patch(&path, json!({"status": "paused"})).await.expect(200);
    post(&acme.live, code_by_template(&number(1))).await.refused(Code::ChannelNotEnabled);
}

#[actix_web::test]
async fn of_meta_s_carriers_only_the_number_s_own_sends_for_it() {
    let (app, meta) = start().await;
    let acme = app.tenant().await;
    let second = json!({"phone_number": number(5_001), "phone_number_id": IDS[1]});
    register(&app, &acme.org, json!({})).await.expect(201);
    register(&app, &acme.org, second).await.expect(201);
    for (n, from, id) in [(1, ours(), IDS[0]), (2, number(5_001), IDS[1])] {
        let mut body = code_by_template(&number(n));
        body["from"] = json!(from);
        accepted(&acme.live, body).await;
        app.step().await;
        assert_eq!(meta.hand_offs().last().unwrap().path, format!("/v25.0/{id}/messages"));
    }
    let mut body = code_by_template(&number(3));
    body["from"] = json!(number(5_009));
    post(&acme.live, body).await.refused(Code::ValidationFailed);
}
