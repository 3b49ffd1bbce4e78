//! Who messages come from: identities, countries' rules, and that a person always sees the same one.

use std::collections::BTreeMap;

use postern::error::Code;
use postern::routing::senders::{Owner, owner_of};
use postern::terms::Channel;
use serde_json::{Value, json};

use super::{put_routes, sms};
use crate::harness::app::TestApp;
use crate::messages::{accepted, drain, notice_to, number, post};

async fn register(app: &TestApp, body: Value) -> String {
    app.operator().post("/v1/admin/senders", body).await.expect(201).text_at("/id")
}

fn from(to: &str, from: &str) -> Value {
    let mut body = notice_to(to);
    body["from"] = json!(from);
    body
}

/// Who the messages that `acme` took came from, by recipient.
fn seen(app: &TestApp) -> BTreeMap<String, Vec<String>> {
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for call in app.acme.hand_offs() {
        let text = |name: &str| call.json()[name].as_str().unwrap().to_owned();
        seen.entry(text("to")).or_default().push(text("from"));
    }
    seen
}

#[actix_web::test]
async fn a_person_always_sees_the_same_one_and_all_are_used() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for n in 1..=3 {
        register(&app, json!({"org_id": acme.org, "channel": "sms", "address": format!("+44740000000{n}")})).await;
    }
    for _ in 0..2 {
        let messages: Vec<Value> = (0..60).map(|n| notice_to(&number(n))).collect();
        acme.live.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
        drain(&app).await;
    }
    let seen = seen(&app);
    assert_eq!(seen.len(), 60);
    for (to, senders) in &seen {
        assert!(senders.len() == 2 && senders[0] == senders[1], "{to}: {senders:?}");
    }
    let used: std::collections::BTreeSet<_> = seen.values().map(|senders| senders[0].clone()).collect();
    assert_eq!(used.len(), 3, "{used:?}");
}

#[actix_web::test]
async fn a_country_that_is_none_is_told() {
    let app = TestApp::start().await;
    let route = json!([{"channel": "sms", "country": "UK", "carrier": "acme"}]);
    let reply = app.operator().put("/v1/admin/routes", route).await.refused(Code::ValidationFailed);
    assert!(reply.json["field_errors"]["[0].country"].is_array(), "{}", reply.text);
    let sender = json!({"channel": "sms", "address": "ACME", "country": "XX"});
    let reply = app.operator().post("/v1/admin/senders", sender).await.refused(Code::ValidationFailed);
    assert!(reply.json["field_errors"]["country"].is_array(), "{}", reply.text);
}

#[actix_web::test]
async fn nobody_sends_from_what_is_another_organization_s() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    register(&app, json!({"org_id": acme.org, "channel": "sms", "address": "+447400000001"})).await;
    let reply = post(&other.live, from(&number(1), "+447400000001")).await.refused(Code::ValidationFailed);
    assert!(reply.json["field_errors"]["from"].is_array(), "{}", reply.text);
    post(&acme.live, from(&number(1), "+447400000001")).await.expect(202);
}

#[actix_web::test]
async fn where_any_is_registered_from_must_be_one_of_them() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    post(&acme.live, from(&number(1), "ACME")).await.expect(202);
    register(&app, json!({"org_id": acme.org, "channel": "sms", "address": "ACME", "country": "GB"})).await;
    post(&acme.live, from(&number(2), "ACME")).await.expect(202);
    let told = |reply: crate::harness::actor::Reply| reply.json["field_errors"]["from"][0].as_str().unwrap().to_owned();
    let unknown = post(&acme.live, from(&number(3), "OTHER")).await.refused(Code::ValidationFailed);
    assert!(told(unknown).contains("GET /v1/senders"));
    let abroad = post(&acme.live, from("+4915112345678", "ACME")).await.refused(Code::ValidationFailed);
    assert!(told(abroad).contains("another country"));
    // Another organization has none and asks for what it likes; a mail address is another channel's.
    post(&other.live, from(&number(4), "OTHER")).await.expect(202);
    register(&app, json!({"channel": "sms", "address": "+447400000001"})).await;
    post(&other.live, from(&number(5), "OTHER")).await.refused(Code::ValidationFailed);
    post(&other.live, from(&number(5), "+447400000001")).await.expect(202);
    let bulk = json!({"messages": [from(&number(6), "ACME"), from(&number(7), "OTHER")]});
    let bulk = acme.live.post("/v1/messages/bulk", bulk).await.expect(202);
    assert_eq!((&bulk.json["accepted"], &bulk.json["rejected"]), (&json!(1), &json!(1)), "{}", bulk.text);
}

#[actix_web::test]
async fn a_country_s_rule_is_told_by_its_name() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let refused = async |to: &str| {
        let reply = post(&acme.live, from(to, "ACME")).await.refused(Code::ValidationFailed);
        reply.json["field_errors"]["from"][0].as_str().unwrap().to_owned()
    };
    assert!(refused("+14155550123").await.contains("numbers_only"));
    assert!(refused("+6581234567").await.contains("registered_only"));
    post(&acme.live, from("+14155550123", "+14155550100")).await.expect(202);
    // A magic number of test mode is in no country.
    post(&acme.test, from("+15005550000", "ACME")).await.expect(202);
    register(&app, json!({"org_id": acme.org, "channel": "sms", "address": "ACME", "country": "SG"})).await;
    post(&acme.live, from("+6581234567", "ACME")).await.expect(202);
    let body = json!({"channel": "sms", "address": "ACME", "country": "US"});
    let never = app.operator().post("/v1/admin/senders", body).await.refused(Code::ValidationFailed);
    assert!(never.json["field_errors"]["address"][0].as_str().unwrap().contains("numbers_only"), "{}", never.text);
}

#[actix_web::test]
async fn one_that_a_single_carrier_knows_goes_by_that_carrier() {
    let app = TestApp::start().await;
    put_routes(&app, json!([sms("twilio", 1), sms("acme", 2)])).await;
    let acme = app.tenant().await;
    let body = json!({"org_id": acme.org, "channel": "sms", "address": "+447400000001", "carrier": "acme"});
    register(&app, body).await;
    accepted(&acme.live, from(&number(1), "+447400000001")).await;
    accepted(&acme.live, notice_to(&number(2))).await;
    drain(&app).await;
    assert_eq!(seen(&app), [(number(1), vec!["+447400000001".to_owned()])].into());
    let by_the_other = &app.twilio.hand_offs()[0].form();
    assert_eq!((by_the_other["To"].clone(), by_the_other["From"].as_str()), (number(2), "+15005550006"));
}

#[actix_web::test]
async fn a_tenant_sees_its_own_and_the_shared_and_nobody_else_s() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    let own = register(&app, json!({"org_id": acme.org, "channel": "sms", "address": "ACME"})).await;
    let shared = register(&app, json!({"channel": "email", "address": "No-Reply@Example.com"})).await;
    let ids = async |caller: &crate::harness::actor::Actor| {
        let page = caller.get("/v1/senders").await.expect(200).json["data"].clone();
        let rows = page.as_array().unwrap().clone();
        rows.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row["shared"] == true)).collect::<Vec<_>>()
    };
    assert_eq!(ids(&acme.live).await, [(shared.clone(), true), (own.clone(), false)]);
    assert_eq!(ids(&other.live).await, [(shared, true)]);
    let owners = app
        .read(|conn| {
            let of = [(Channel::Sms, "ACME"), (Channel::Email, "no-reply@example.com"), (Channel::Email, "ACME")];
            of.iter()
                .map(|(channel, address)| owner_of(conn, *channel, address))
                .collect::<postern::error::Result<Vec<_>>>()
        })
        .await;
    assert_eq!(owners, [Some(Owner { org_id: acme.org.parse().ok() }), Some(Owner { org_id: None }), None]);
}

#[actix_web::test]
async fn an_address_has_one_owner_and_is_told_masked_to_the_audit_log() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    let body = |org: &str| json!({"org_id": org, "channel": "sms", "address": "+44 7400 000001", "reason": "bought"});
    let keyed = app.operator().with_header("Idempotency-Key", "sender-1");
    let made = keyed.post("/v1/admin/senders", body(&acme.org)).await.expect(201);
    assert_eq!(keyed.post("/v1/admin/senders", body(&acme.org)).await.expect(201).text, made.text);
    assert_eq!(made.text_at("/address"), "+447400000001");
    let path = made.header("location").unwrap().to_owned();
    for owner in [&acme.org, &other.org] {
        let again = app.operator().post("/v1/admin/senders", body(owner)).await.refused(Code::ValidationFailed);
        assert!(again.json["field_errors"]["address"].is_array(), "{}", again.text);
    }
    assert_eq!(app.operator().get(&path).await.expect(200).text, made.text);
    let of_other = app.operator().get(&format!("/v1/admin/senders?org_id={}", other.org)).await.expect(200);
    assert_eq!(of_other.json["data"], json!([]));
    app.operator().call("DELETE", &format!("{path}?reason=sold"), None).await.expect(200);
    app.operator().get(&path).await.refused(Code::NotFound);
    app.operator().delete(&path).await.refused(Code::NotFound);
    app.operator().post("/v1/admin/senders", body(&other.org)).await.expect(201);
    let audit = app.operator().get("/v1/admin/audit").await.expect(200);
    let actions: Vec<_> = audit.json["data"].as_array().unwrap().iter().take(3).map(|row| &row["action"]).collect();
    assert_eq!(actions, ["sender.create", "sender.remove", "sender.create"]);
    assert!(!audit.text.contains("+447400000001") && audit.text.contains("+447••••••001"), "{}", audit.text);
}

#[actix_web::test]
async fn what_cannot_be_a_sender_is_told_by_field() {
    let app = TestApp::start().await;
    let org = "org_01h455vb4pex5vsknk084sn02q";
    for (field, body) in [
        ("address", json!({"channel": "sms", "address": "TWELVE CHARS"})),
        ("address", json!({"channel": "whatsapp", "address": "ACME"})),
        ("address", json!({"channel": "email", "address": "ACME"})),
        ("carrier", json!({"channel": "sms", "address": "ACME", "carrier": "nobody"})),
        ("carrier", json!({"channel": "sms", "address": "ACME", "carrier": "post"})),
        ("org_id", json!({"channel": "sms", "address": "ACME", "org_id": org})),
    ] {
        let refused = app.operator().post("/v1/admin/senders", body).await.refused(Code::ValidationFailed);
        assert!(refused.json["field_errors"][field].is_array(), "{field}: {}", refused.text);
    }
}
