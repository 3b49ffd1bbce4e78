//! T16 and T17: no customer's address leads inside. A canary listens on the loopback and must never be called.

use std::time::Duration;

use postern::error::Code;
use serde_json::json;

use super::{deliver, endpoint, latest, sent_message, start};
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::{FakeCarrier, Script};

/// Hosts that mean this machine, its networks, or nothing on the public internet, in many spellings.
const HOSTS: [&str; 78] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "0",
    "0.0.0.0",
    "0x7f.1",
    "0x7f000001",
    "0X7F.0.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0177.1",
    "127.0.0.1.",
    "127.0.0.01",
    "127.0.0.0x1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "１２７.０.０.１",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "LocalHost.localdomain",
    "printer.local",
    "metadata.google.internal",
    "router.home.arpa",
    "intranet",
    "10.0.0.1",
    "10.255.255.255",
    "012.0.0.1",
    "0xa000001",
    "167772161",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.1",
    "0xc0a80001",
    "3232235521",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.43518",
    "100.64.0.1",
    "100.100.100.200",
    "0.1.2.3",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::ffff:8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[2001:db8::1]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[3fff::1]",
];

/// Whole addresses that are wrong in another way.
const URLS: [&str; 24] = [
    "file:///etc/passwd",
    "gopher://example.com/",
    "ftp://example.com/",
    "ws://example.com/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "unix:/run/x.sock",
    "jar:http://example.com!/",
    "dict://example.com:11211/",
    "ldap://example.com/",
    "https://user@example.com/",
    "https://user:pw@example.com/",
    "https://8.8.8.8@127.0.0.1/",
    "http://127.0.0.1\\@example.com/",
    "https://example.com:22/",
    "https://example.com:25/",
    "http://example.com:0/",
    "https://example.com:6/",
    "",
    "example.com",
    "//example.com/",
    "https://",
    "http://[::1/",
    "http://exa mple.com/",
];

#[actix_web::test]
async fn no_spelling_of_an_inner_address_becomes_an_endpoint() {
    let (app, canary) = (TestApp::start().await, FakeCarrier::start());
    let caller = app.tenant().await.live;
    let made = caller.post("/v1/webhooks", json!({"url": "https://example.com/hooks"})).await.expect(201);
    let path = format!("/v1/webhooks/{}", made.text_at("/id"));
    let port = canary.url("").rsplit(':').next().unwrap().to_owned();
    let at_canary = HOSTS.iter().map(|host| format!("http://{host}:{port}/"));
    let all: Vec<String> = at_canary.chain(URLS.iter().map(|url| (*url).to_owned())).collect();
    for url in all {
        let reply = caller.post("/v1/webhooks", json!({"url": url})).await;
        assert_eq!(reply.status, 422, "{url}: {}", reply.text);
        reply.refused(Code::WebhookUrlForbidden);
        caller.patch(&path, json!({"url": url})).await.refused(Code::WebhookUrlForbidden);
    }
    let list = caller.get("/v1/webhooks").await.expect(200);
    assert_eq!(
        (list.json["data"].as_array().unwrap().len(), list.text_at("/data/0/url")),
        (1, "https://example.com/hooks".to_owned())
    );
    assert_eq!((deliver(&app).await, canary.calls()), (0, 0));
}

#[actix_web::test]
async fn an_address_that_is_closed_again_is_not_called_at_any_try() {
    let (open, canary) = (start().await, FakeCarrier::start());
    let closed = open.another().await;
    let tenant = open.tenant().await;
    let id = endpoint(&tenant.live, &canary).await.text_at("/id");
    sent_message(&open, &tenant.live).await;
    tenant.live.post(&format!("/v1/webhooks/{id}/test"), json!({})).await.expect(202);
    assert_eq!(deliver(&closed).await, 2);
    let told = latest(&tenant.live, &id).await;
    assert_eq!((&told["error"], &told["http_status"]), (&json!("url_forbidden"), &json!(null)));
    for wait_s in [6, 400, 2_000] {
        open.advance(Duration::from_secs(wait_s));
        assert!(deliver(&closed).await > 0);
    }
    assert_eq!(canary.calls(), 0, "neither first tries, tests nor retries");
    open.advance(Duration::from_secs(8_000));
    assert!(deliver(&open).await > 0 && canary.calls() > 0, "the canary sings when it is reached");
}

#[actix_web::test]
async fn a_name_is_judged_by_what_it_leads_to_and_a_redirect_is_not_followed() {
    let canary = FakeCarrier::start();
    let elsewhere = TestApp::start_with(|config| config.outbound.allow = vec!["10.9.8.0/24".parse().unwrap()]).await;
    let caller = elsewhere.tenant().await.live;
    let url = canary.url("/").replace("127.0.0.1", "localhost");
    let id = caller.post("/v1/webhooks", json!({"url": url})).await.expect(201).text_at("/id");
    caller.post(&format!("/v1/webhooks/{id}/test"), json!({})).await.expect(202);
    assert_eq!(deliver(&elsewhere).await, 1);
    assert_eq!((latest(&caller, &id).await["error"].clone(), canary.calls()), (json!("url_forbidden"), 0));

    let (app, receiver) = (start().await, FakeCarrier::start());
    let caller = app.tenant().await.live;
    let id = endpoint(&caller, &receiver).await.text_at("/id");
    for status in [301, 302, 303, 307, 308] {
        receiver.next(Script::Answer(status, vec![("Location", canary.url("/"))], vec![]));
        caller.post(&format!("/v1/webhooks/{id}/test"), json!({})).await.expect(202);
        assert!(deliver(&app).await > 0);
        assert_eq!(latest(&caller, &id).await["http_status"], status);
        caller.patch(&format!("/v1/webhooks/{id}"), json!({"status": "disabled"})).await.expect(200);
        deliver(&app).await;
        app.advance(Duration::from_secs(10));
        deliver(&app).await;
        caller.patch(&format!("/v1/webhooks/{id}"), json!({"status": "enabled"})).await.expect(200);
    }
    assert_eq!(canary.calls(), 0);
}
