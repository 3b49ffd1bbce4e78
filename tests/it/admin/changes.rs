//! Changes: audited with who, what, before, after and why; done once; refused as a whole.

use postern::error::Code;
use serde_json::{Value, json};

use crate::accounts::house::House;

async fn audit_rows(house: &House) -> Vec<Value> {
    let reply = house.owner().get("/v1/admin/audit?limit=200").await.expect(200);
    reply.json["data"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn every_change_is_told_with_who_what_before_after_and_why() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let operator = house.with_role("operator").await;
    let path = format!("/v1/admin/orgs/{org}");
    let body = json!({"kyb_status": "verified", "reason": "papers seen"});
    let reply = operator.patch(&path, body).await.expect(200);
    let rows = audit_rows(&house).await;
    let row = &rows[0];
    assert_eq!((row["action"].as_str(), row["target"].as_str()), (Some("org.update"), Some(org.as_str())));
    assert_eq!(row["reason"], "papers seen");
    assert!(row["actor"].as_str().is_some_and(|who| who.starts_with("opr_")));
    assert_eq!((&row["before"]["kyb_status"], &row["after"]["kyb_status"]), (&json!("unverified"), &json!("verified")));
    assert_eq!(row["request_id"].as_str(), reply.header("x-request-id"));
    assert_eq!(row["seq"].as_u64(), u64::try_from(rows.len()).ok());
    let verdict = house.owner().get("/v1/admin/audit/verify").await.expect(200);
    assert_eq!((&verdict.json["whole"], &verdict.json["rows"]), (&json!(true), &row["seq"]));
    let about = house.owner().get(&format!("/v1/admin/audit?target={org}")).await.expect(200);
    assert_eq!(about.json["data"].as_array().map(Vec::len), Some(2), "{}", about.text);
}

#[actix_web::test]
async fn a_change_is_made_once_for_an_idempotency_key() {
    let house = House::fresh().await;
    let owner = house.owner().with_header("Idempotency-Key", "k-1");
    let body = json!({"name": "ACME", "country": "GB"});
    let first = owner.post("/v1/admin/orgs", body.clone()).await.expect(201);
    let again = owner.post("/v1/admin/orgs", body).await.expect(201);
    assert_eq!((&first.text, first.header("location")), (&again.text, again.header("location")));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), (None, Some("true")));
    let other = json!({"name": "Other", "country": "GB"});
    owner.post("/v1/admin/orgs", other).await.refused(Code::IdempotencyMismatch);
    let made: Vec<_> = audit_rows(&house).await.into_iter().filter(|row| row["action"] == "org.create").collect();
    assert_eq!(made.len(), 1);
    let bad = owner.with_header("Idempotency-Key", "k-2");
    bad.post("/v1/admin/orgs", json!({"name": "", "country": "GB"})).await.refused(Code::ValidationFailed);
    bad.post("/v1/admin/orgs", json!({"name": "Good", "country": "GB"})).await.expect(201);
}

#[actix_web::test]
async fn fields_that_are_nobodys_to_set_are_refused_by_name_and_change_nothing() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let key = house.made_key(&org, json!({"name": "k", "mode": "test"})).await.text_at("/id");
    let before = audit_rows(&house).await.len();
    let cases = [
        ("POST", String::from("/orgs"), json!({"name": "n", "country": "GB"})),
        ("PATCH", format!("/orgs/{org}"), json!({"name": "n"})),
        ("POST", format!("/orgs/{org}/keys"), json!({"name": "n", "mode": "live"})),
        ("POST", format!("/keys/{key}/rotate"), json!({})),
        ("PUT", String::from("/plans/free"), json!({"policies": {}})),
        ("PUT", format!("/orgs/{org}/limits/sms.plan"), json!({"limit": "9/min"})),
        ("POST", String::from("/operators"), json!({"name": "n", "role": "viewer"})),
    ];
    for (method, path, body) in cases {
        for field in ["id", "balance", "tenant_id", "org_id", "hash", "prefix", "secret", "created_at"] {
            let mut body = body.clone();
            body[field] = json!("org_01h455vb4pex5vsknk084sn02q");
            let path = format!("/v1/admin{path}");
            let reply = house.owner().call(method, &path, Some(body)).await.refused(Code::ValidationFailed);
            assert!(reply.json["field_errors"].get(field).is_some(), "{method} {path} {field}: {}", reply.text);
        }
    }
    assert_eq!(audit_rows(&house).await.len(), before, "nothing was changed");
}

#[actix_web::test]
async fn wrong_values_are_refused_by_field() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let cases = [
        ("/orgs", json!({"name": " ", "country": "GB"}), "name"),
        ("/orgs", json!({"name": "n", "country": "GBR"}), "country"),
        ("/orgs", json!({"name": "n", "country": "GB", "countries": ["*", "GB"]}), "countries"),
        ("/orgs", json!({"name": "n", "country": "GB", "plan": "gold"}), "plan"),
        ("/orgs", json!({"name": "n", "country": "GB", "locale": "en_GB"}), "locale"),
        ("/orgs", json!({"name": "n", "country": "GB", "max_code_ttl": "25h"}), "max_code_ttl"),
        ("/orgs", json!({"name": "n", "country": "GB", "reason": "x".repeat(501)}), "reason"),
        ("KEYS", json!({"name": "n", "mode": "prod"}), "mode"),
        ("KEYS", json!({"name": "n", "mode": "live", "scopes": []}), "scopes"),
        ("KEYS", json!({"name": "n", "mode": "live", "scopes": ["messages:*"]}), "scopes"),
        ("KEYS", json!({"name": "n", "mode": "live", "expires_at": "2020-01-01T00:00:00Z"}), "expires_at"),
        ("/operators", json!({"name": "n", "role": "root"}), "role"),
        ("/operators", json!({"name": "first owner", "role": "viewer"}), "name"),
    ];
    for (path, body, field) in cases {
        let path = path.replace("KEYS", &format!("/orgs/{org}/keys"));
        let reply = house.owner().post(&format!("/v1/admin{path}"), body).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"].get(field).is_some(), "{field}: {}", reply.text);
    }
    for (path, body) in [
        ("sms.plan", json!({"limit": "0/min"})),
        ("sms.plan", json!({"limit": "1/min", "expires_at": "2020-01-01T00:00:00Z"})),
        ("platform.number", json!({"limit": "unlimited"})),
    ] {
        let path = format!("/v1/admin/orgs/{org}/limits/{path}");
        house.owner().put(&path, body).await.refused(Code::ValidationFailed);
    }
}

#[actix_web::test]
async fn an_id_that_is_nobodys_is_not_found_however_it_looks() {
    let house = House::fresh().await;
    let owner = house.owner();
    for id in ["org_01h455vb4pex5vsknk084sn02q", "key_01h455vb4pex5vsknk084sn02q", "1", "%27%20or%201=1"] {
        owner.get(&format!("/v1/admin/orgs/{id}")).await.refused(Code::NotFound);
        owner.patch(&format!("/v1/admin/orgs/{id}"), json!({})).await.refused(Code::NotFound);
        owner.get(&format!("/v1/admin/orgs/{id}/keys")).await.refused(Code::NotFound);
        owner.get(&format!("/v1/admin/orgs/{id}/limits")).await.refused(Code::NotFound);
        owner.delete(&format!("/v1/admin/keys/{id}")).await.refused(Code::NotFound);
        owner.post(&format!("/v1/admin/keys/{id}/rotate"), json!({})).await.refused(Code::NotFound);
        owner.post(&format!("/v1/admin/operators/{id}/tokens"), json!({})).await.refused(Code::NotFound);
        owner.put(&format!("/v1/admin/plans/{id}"), json!({"policies": {}})).await.refused(Code::NotFound);
    }
    let org = house.org("ACME").await;
    let path = format!("/v1/admin/orgs/{org}/limits/no.such.policy");
    owner.put(&path, json!({"limit": "1/min"})).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn lists_come_in_pages_newest_first() {
    let house = House::fresh().await;
    let mut made = Vec::new();
    for number in 0..5 {
        made.insert(0, house.org(&format!("org {number}")).await);
        house.advance(std::time::Duration::from_millis(1));
    }
    let (mut seen, mut path) = (Vec::new(), String::from("/v1/admin/orgs?limit=2"));
    loop {
        let page = house.owner().get(&path).await.expect(200);
        seen.extend(page.json["data"].as_array().unwrap().iter().map(|org| org["id"].as_str().unwrap().to_owned()));
        if page.json["has_more"] == json!(false) {
            break;
        }
        path = format!("/v1/admin/orgs?limit=2&cursor={}", page.text_at("/next_cursor"));
    }
    assert_eq!(seen, made);
    let found = house.made_key(&made[0], json!({"name": "k", "mode": "live"})).await;
    let path = format!("/v1/admin/keys?prefix={}", found.text_at("/prefix"));
    let search = house.owner().get(&path).await.expect(200);
    assert_eq!(
        (search.json["data"].as_array().map(Vec::len), search.text_at("/data/0/id")),
        (Some(1), found.text_at("/id"))
    );
}

#[actix_web::test]
async fn a_route_is_paused_for_a_reason_in_the_body() {
    let house = House::fresh().await;
    let routes = house.owner().get("/v1/admin/routes").await.expect(200);
    let path = format!("/v1/admin/routes/{}", routes.text_at("/data/0/id"));
    let paused = house.owner().post(&format!("{path}/pause"), json!({"reason": "the carrier asked"})).await.expect(200);
    assert_eq!(paused.json["paused"], true);
    let resumed = house.owner().call("POST", &format!("{path}/resume?reason=again"), None).await.expect(200);
    assert_eq!(resumed.json["paused"], false);
    let unknown =
        house.owner().post(&format!("{path}/pause"), json!({"why": "x"})).await.refused(Code::ValidationFailed);
    assert!(unknown.text.contains("known are reason"), "{}", unknown.text);
    let rows = audit_rows(&house).await;
    let reasons: Vec<&Value> = rows.iter().take(2).map(|row| &row["reason"]).collect();
    assert_eq!(reasons, ["again", "the carrier asked"]);
}

#[actix_web::test]
async fn a_guard_of_numbers_is_overridden_for_a_reason_and_a_policy_by_its_name() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let put = async |policy: &str, body: Value| {
        house.owner().put(&format!("/v1/admin/orgs/{org}/limits/{policy}"), body).await
    };
    for policy in ["otp.number", "otp.ip", "check.number.day"] {
        for reason in [json!(null), json!("  ")] {
            let refused = put(policy, json!({"limit": "9/5m", "reason": reason})).await.refused(Code::ValidationFailed);
            assert!(refused.json["field_errors"]["reason"].is_array(), "{}", refused.text);
        }
        let long = put(policy, json!({"limit": "9/2d", "reason": "r"})).await.refused(Code::ValidationFailed);
        assert!(long.json["field_errors"]["limit"].is_array(), "{}", long.text);
        put(policy, json!({"limit": "9/5m", "reason": "a launch"})).await.expect(200);
    }
    put("org.minute", json!({"limit": "9/min"})).await.expect(200);
    let unknown = put("otp.nummer", json!({"limit": "9/min"})).await.refused(Code::ValidationFailed);
    assert!(unknown.text.contains("otp.number, otp.number.hour"), "{}", unknown.text);
}
