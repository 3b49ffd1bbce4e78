//! Keys: what they say, what they may do, and how they end.

use std::time::Duration;

use diesel::prelude::*;
use postern::db::schema::{api_keys, audit_log, idempotency};
use postern::error::Code;
use serde_json::json;

use super::house::House;

#[actix_web::test]
async fn an_account_shows_its_organization_and_its_key() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let made = house.made_key(&org, json!({"name": "backend", "mode": "test", "scopes": ["messages:send"]})).await;
    let secret = made.text_at("/secret");
    assert!(secret.starts_with(&format!("{}_", made.text_at("/prefix"))) && secret.starts_with("pst_test_"));
    let seen = house.anonymous().with_token(&secret).get("/v1/account").await.expect(200);
    assert_eq!(seen.text_at("/organization/id"), org);
    assert_eq!(seen.text_at("/organization/plan"), "enterprise");
    assert_eq!(seen.json["organization"]["countries"], json!(["GB"]), "its own country only");
    assert_eq!((seen.text_at("/key/mode"), seen.text_at("/key/name")), ("test".into(), "backend".into()));
    assert_eq!(seen.json["key"]["scopes"], json!(["messages:send"]));
    assert!(!seen.text.contains(&secret) && seen.json["key"].get("secret").is_none());
    let other = house.anonymous().with_header("X-API-Key", &secret).get("/v1/account").await.expect(200);
    assert_eq!(other.text_at("/organization/id"), org);
}

#[actix_web::test]
async fn what_is_no_key_is_refused_with_a_sentence() {
    let house = House::fresh().await;
    let anonymous = house.anonymous();
    let bare = anonymous.get("/v1/account").await.refused(Code::Unauthenticated);
    assert!(bare.header("www-authenticate").is_some_and(|text| text.starts_with("Bearer")));
    assert!(bare.header("x-ratelimit-remaining").is_some(), "a stranger sees its own limit");
    for (token, word) in [
        ("sk_live_4711", "pst_live_"),
        ("pst_live_AAAAAAAAAAAA_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBCCCCCC", "checksum"),
        ("", "Bearer"),
    ] {
        let reply = anonymous.with_token(token).get("/v1/account").await.refused(Code::Unauthenticated);
        assert!(reply.text_at("/detail").contains(word), "{}", reply.text);
    }
    let garbage = anonymous.with_token("x").post("/v1/account", json!("x".repeat(100_000))).await;
    garbage.refused(Code::Unauthenticated);
}

#[actix_web::test]
async fn a_revoked_key_is_refused_at_once_here_and_soon_elsewhere() {
    let house = House::fresh().await;
    let elsewhere = house.another().await;
    let org = house.org("ACME").await;
    let made = house.made_key(&org, json!({"name": "k", "mode": "live"})).await;
    let (id, secret) = (made.text_at("/id"), made.text_at("/secret"));
    house.anonymous().with_token(&secret).get("/v1/account").await.expect(200);
    let there = elsewhere.anonymous().with_token(&secret);
    there.get("/v1/account").await.expect(200);
    house.owner().delete(&format!("/v1/admin/keys/{id}?reason=leaked")).await.expect(200);
    house.anonymous().with_token(&secret).get("/v1/account").await.refused(Code::KeyRevoked);
    // The other process believes its look-up for less than a second; how long exactly is a constant with a test.
    for asked in 0.. {
        let reply = there.get("/v1/account").await;
        if reply.status == 401 {
            reply.refused(Code::KeyRevoked);
            break;
        }
        assert!(asked < 100_000, "never refused elsewhere: {}", reply.text);
    }
    house.owner().delete(&format!("/v1/admin/keys/{id}")).await.expect(200);
}

#[actix_web::test]
async fn a_rotated_key_works_beside_the_new_one_until_the_overlap_ends() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let made = house.made_key(&org, json!({"name": "k", "mode": "live", "scopes": ["wallet:read"]})).await;
    let path = format!("/v1/admin/keys/{}/rotate", made.text_at("/id"));
    house.owner().post(&path, json!({"overlap": "31d"})).await.refused(Code::ValidationFailed);
    let new = house.owner().post(&path, json!({"overlap": "1h"})).await.expect(201);
    assert_eq!(new.json["scopes"], json!(["wallet:read"]));
    assert_eq!(new.text_at("/rotated_from"), made.text_at("/id"));
    let old = house.anonymous().with_token(&made.text_at("/secret"));
    let fresh = house.anonymous().with_token(&new.text_at("/secret"));
    old.get("/v1/account").await.expect(200);
    fresh.get("/v1/account").await.expect(200);
    house.advance(Duration::from_millis(3_600_000 - 1));
    old.get("/v1/account").await.expect(200);
    house.advance(Duration::from_millis(1));
    old.get("/v1/account").await.refused(Code::KeyExpired);
    fresh.get("/v1/account").await.expect(200);
    house.owner().post(&path, json!({})).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn a_secret_is_nowhere_in_the_database() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let path = format!("/v1/admin/orgs/{org}/keys");
    let owner = house.owner().with_header("Idempotency-Key", "once");
    let made = owner.post(&path, json!({"name": "k", "mode": "live"})).await.expect(201);
    let secret = made.text_at("/secret");
    let (_, proof) = secret.rsplit_once('_').unwrap();
    let kept: Vec<u8> = house
        .read(|conn| {
            let keys: Vec<(String, Vec<u8>)> = api_keys::table.select((api_keys::prefix, api_keys::hash)).load(conn)?;
            let replies: Vec<Vec<u8>> = idempotency::table.select(idempotency::body).load(conn)?;
            let told: Vec<Option<String>> = audit_log::table.select(audit_log::after_state).load(conn)?;
            let keys = keys.into_iter().flat_map(|(prefix, hash)| [prefix.into_bytes(), hash]);
            Ok(keys.chain(replies).chain(told.into_iter().flatten().map(String::into_bytes)).flatten().collect())
        })
        .await;
    let holds = |text: &str| kept.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds(&made.text_at("/prefix")) && holds(&made.text_at("/id")), "the search itself works");
    assert!(!holds(proof) && !holds(&secret));
    let again = owner.post(&path, json!({"name": "k", "mode": "live"})).await.expect(201);
    assert_eq!((again.header("idempotent-replayed"), &again.text), (Some("true"), &made.text), "sealed, not lost");
}
