//! The door limits, plans, overrides, suspension, and a database that does not answer.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use postern::app::{App, Ground};
use postern::clock::Clock;
use postern::config::Config;
use postern::db::{Address, Db, Patience, Settings};
use postern::error::Code;
use postern::providers::Carriers;
use postern::secret::Keyring;
use serde_json::json;

use super::house::House;
use crate::harness::actor::Actor;
use crate::harness::app::{START, TestApp};

/// An organization on the free plan and a key of it.
async fn free(house: &House) -> (String, Actor) {
    let body = json!({"name": "small", "country": "GB"});
    let org = house.owner().post("/v1/admin/orgs", body).await.expect(201).text_at("/id");
    let caller = house.caller(&org).await;
    (org, caller)
}

#[actix_web::test]
async fn a_burst_is_refused_with_the_policy_and_an_honest_wait() {
    let house = House::fresh().await;
    let (_, caller) = free(&house).await;
    for left in (0..5).rev() {
        let reply = caller.get("/v1/account").await.expect(200);
        assert_eq!(reply.header("x-ratelimit-remaining"), Some(left.to_string().as_str()));
    }
    house.advance(Duration::from_millis(400));
    let denied = caller.get("/v1/account").await.refused(Code::RateLimited);
    assert_eq!((denied.text_at("/policy"), denied.json["limit"].as_u64()), ("key.burst.short".into(), Some(5)));
    assert_eq!(denied.header("retry-after"), Some("1"));
    house.advance(Duration::from_millis(600));
    caller.get("/v1/account").await.expect(200);
}

#[actix_web::test]
async fn the_daily_quota_has_its_own_code_and_an_override_lifts_it() {
    let house = House::fresh().await;
    let (org, caller) = free(&house).await;
    let path = format!("/v1/admin/orgs/{org}/limits/key.daily");
    house.owner().put(&path, json!({"limit": "2/day", "reason": "test"})).await.expect(200);
    caller.get("/v1/account").await.expect(200);
    caller.get("/v1/account").await.expect(200);
    let denied = caller.get("/v1/account").await.refused(Code::QuotaDailyExceeded);
    assert_eq!(denied.text_at("/policy"), "key.daily");
    house.owner().put(&path, json!({"limit": "unlimited"})).await.expect(200);
    caller.get("/v1/account").await.expect(200);
    house.owner().delete(&path).await.expect(204);
    house.owner().delete(&path).await.refused(Code::NotFound);
}

#[actix_web::test]
async fn an_override_ends_when_it_says_and_a_plan_acts_at_once() {
    let house = House::fresh().await;
    let (org, caller) = free(&house).await;
    let path = format!("/v1/admin/orgs/{org}/limits/key.burst.short");
    let ends = START.plus(Duration::from_secs(10)).rfc3339();
    house.owner().put(&path, json!({"limit": "1/1s", "expires_at": ends})).await.expect(200);
    let limit = async || caller.get("/v1/account").await.header("x-ratelimit-limit").map(String::from);
    assert_eq!(limit().await.as_deref(), Some("1"));
    house.advance(Duration::from_secs(10));
    assert_eq!(limit().await.as_deref(), Some("5"));
    house.owner().patch(&format!("/v1/admin/orgs/{org}"), json!({"plan": "pro"})).await.expect(200);
    house.advance(Duration::from_secs(1));
    assert_eq!(limit().await.as_deref(), Some("50"));
    let free = json!({"policies": {"key.burst.short": "7/1s"}, "reason": "offer"});
    house.owner().put("/v1/admin/plans/pro", free).await.expect(200);
    house.advance(Duration::from_secs(1));
    assert_eq!(limit().await.as_deref(), Some("7"));
}

#[actix_web::test]
async fn a_suspended_organization_is_refused_everything() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let caller = house.caller(&org).await;
    caller.get("/v1/account").await.expect(200);
    let path = format!("/v1/admin/orgs/{org}");
    house.owner().patch(&path, json!({"status": "suspended", "reason": "abuse"})).await.expect(200);
    caller.get("/v1/account").await.refused(Code::OrganizationSuspended);
    caller.get("/v1/no/such/route").await.refused(Code::OrganizationSuspended);
    house.owner().patch(&path, json!({"status": "active"})).await.expect(200);
    caller.get("/v1/account").await.expect(200);
}

#[actix_web::test]
async fn strangers_are_counted_by_address_and_keys_are_not_their_victims() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let caller = house.caller(&org).await;
    // The clock stands, so that the calendar minute does not turn within the test.
    for _ in 0..30 {
        house.anonymous().with_token("guess").get("/v1/account").await.refused(Code::Unauthenticated);
    }
    let denied = house.anonymous().get("/v1/admin/orgs").await.refused(Code::RateLimited);
    assert_eq!(denied.text_at("/policy"), "anonymous.ip");
    caller.get("/v1/account").await.expect(200);
    house.owner().get("/v1/admin/orgs").await.expect(200);
    house.advance(Duration::from_secs(60));
    house.anonymous().get("/v1/account").await.refused(Code::Unauthenticated);
}

#[actix_web::test]
async fn every_response_shows_a_limit_and_one_outside_the_guards_that_of_the_address() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let nobody = app.anonymous();
    for (caller, path) in [
        (&nobody, "/healthz"),
        (&nobody, "/readyz"),
        (&nobody, "/openapi.json"),
        (&nobody, "/docs"),
        (&nobody, "/docs/errors/otp.number_limit"),
        (&nobody, "/v1/errors"),
        (&nobody, "/no/such/page"),
        (&nobody, "/hooks/acme/status"),
        (&app.operator(), "/v1/admin/orgs"),
        (&app.operator(), "/v1/admin/orgs/org_x"),
    ] {
        let reply = caller.get(path).await;
        assert_eq!(reply.header("ratelimit-policy"), Some("\"anonymous.ip\";q=30;w=60"), "{path}: {}", reply.status);
        assert_eq!(reply.header("x-ratelimit-remaining"), Some("30"), "{path}: nothing was taken");
        assert!(reply.header("x-ratelimit-reset").is_some() && reply.header("ratelimit").is_some(), "{path}");
    }
    let own = acme.live.get("/v1/account").await.expect(200);
    assert!(!own.header("ratelimit-policy").unwrap().contains("anonymous.ip"), "{:?}", own.headers);
}

#[actix_web::test]
async fn a_forged_callback_counts_like_a_wrong_key() {
    let app = TestApp::start().await;
    let post = async |path: &str| app.anonymous().with_header("X-Signature", "00").post(path, json!({"id": "x"})).await;
    for n in 0..15 {
        post("/hooks/acme/status").await.refused(Code::PermissionDenied);
        let reply = post("/hooks/nobody/status").await.refused(Code::NotFound);
        assert_eq!(reply.header("x-ratelimit-remaining"), Some((28 - 2 * n).to_string().as_str()));
    }
    let denied = post("/hooks/acme/status").await.refused(Code::RateLimited);
    assert_eq!(denied.text_at("/policy"), "anonymous.ip");
    app.anonymous().get("/v1/account").await.refused(Code::RateLimited);
    crate::messages::receipt(&app, "nothing-of-ours", "DELIVRD").await.expect(204);
}

#[actix_web::test]
async fn head_answers_where_get_does() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for path in ["/healthz", "/openapi.json", "/docs", "/v1/account", "/v1/messages"] {
        let (get, head) = (acme.live.get(path).await.expect(200), acme.live.call("HEAD", path, None).await.expect(200));
        assert_eq!((head.text.as_str(), head.header("content-type")), ("", get.header("content-type")), "{path}");
        assert_eq!(head.header("content-length").map(str::to_owned), Some(get.text.len().to_string()), "{path}");
    }
    let refused = acme.live.call("HEAD", "/v1/messages/bulk", None).await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("POST")));
    let allowed = acme.live.call("PATCH", "/v1/messages", None).await;
    assert_eq!((allowed.status, allowed.header("allow")), (405, Some("GET, POST, HEAD")));
}

#[actix_web::test]
async fn a_database_that_does_not_answer_is_no_wrong_key() {
    let house = House::fresh().await;
    let org = house.org("ACME").await;
    let secret = house.made_key(&org, json!({"name": "k", "mode": "live"})).await.text_at("/secret");
    let dark = in_the_dark();
    let caller = Actor::anonymous(&dark.0).with_token(&secret);
    let reply = caller.get("/v1/account").await.refused(Code::Overloaded);
    assert!(reply.header("retry-after").is_some());
    assert!(!reply.text.contains("folder"), "no driver's text: {}", reply.text);
}

/// A server whose database cannot be opened, and the way to stop it.
fn in_the_dark() -> (String, Stop) {
    let patience = Patience {
        lock: Duration::from_millis(100),
        statement: Duration::from_secs(1),
        answer: Duration::from_secs(9),
    };
    let address = Address::parse("sqlite:///no/such/folder/postern.db").unwrap();
    let clock = Clock::manual(START);
    let db = Db::open(&Settings { address, readers: 1, writers: 1, queue_depth: 8, patience }, clock.clone()).unwrap();
    let (keyring, carriers) = (Keyring::new([7; 32]), Carriers::default());
    let app = App::new(Ground { config: Config::for_tests(), clock, db, keyring, carriers }).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = postern::server::bind(Data::new(app), listener).unwrap();
    let stop = Stop(server.handle());
    actix_web::rt::spawn(server);
    (base, stop)
}

struct Stop(ServerHandle);

impl Drop for Stop {
    fn drop(&mut self) {
        drop(self.0.stop(false));
    }
}
