//! The transcripts of the protocol, byte for byte, in both status modes.

use std::time::Duration;

use postern::clock::Millis;
use postern::terms::Statuses;
use serde_json::{Value, json};

use super::{comes, fund, owned, service, supply, text_key};
use crate::harness::app::TestApp;
use crate::tidy::source::root;

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join("tests/fixtures/sms_activate").join(name)).unwrap()
}

/// JSON as it stands in `text`, without the blanks between.
fn minified(text: &str) -> String {
    let (mut out, mut inside, mut escaped) = (String::new(), false, false);
    for c in text.chars() {
        if inside || !c.is_whitespace() {
            out.push(c);
        }
        inside ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    out
}

/// The bytes of a call's JSON reply: what stands behind `"reply": ` up to its closing brace.
fn reply_bytes(line: &str) -> String {
    let from = line.find("\"reply\": ").unwrap() + "\"reply\": ".len();
    minified(&line[from..crate::tidy::source::closing(line, from)])
}

struct World {
    app: TestApp,
    k1: String,
    poor: String,
    other: String,
    idle: String,
    burst: String,
}

impl World {
    async fn new(statuses: Statuses) -> World {
        let app = TestApp::start_with(|config| config.numbers.statuses = statuses).await;
        app.app.clock.set(Millis::parse_rfc3339("2026-11-22T08:00:00Z").unwrap());
        for (code, name) in [("ot", "Any other"), ("wa", "WhatsApp"), ("zz", "Nothing here")] {
            service(&app, code, json!({"name": name})).await;
        }
        supply(&app, 123..128, &["ot"], json!({})).await;
        supply(&app, 201..203, &["wa"], json!({})).await;
        let (acme, rival, poor) = (app.tenant().await, app.tenant().await, app.tenant().await);
        fund(&app, &acme.org, "100.50").await;
        let small = app.tenant_with(json!({"plan": "free"})).await;
        let key = async |org: &str| text_key(&app, org, json!({"statuses": statuses})).await;
        let k1 = key(&acme.org).await;
        let (other, idle) = (key(&rival.org).await, key(&rival.org).await);
        let (poor, burst) = (key(&poor.org).await, key(&small.org).await);
        World { k1, poor, other, idle, burst, app }
    }

    fn with_keys(&self, query: &str) -> String {
        let pairs = query.split('&').map(|pair| match pair.strip_prefix("api_key=") {
            Some("k1") => format!("api_key={}", self.k1),
            Some("poor") => format!("api_key={}", self.poor),
            Some("other") => format!("api_key={}", self.other),
            Some("idle") => format!("api_key={}", self.idle),
            Some("burst") => format!("api_key={}", self.burst),
            _ => pair.to_owned(),
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    async fn get(&self, query: &str) -> crate::harness::actor::Reply {
        self.app.anonymous().get(&format!("/stubs/handler_api.php?{}", self.with_keys(query))).await
    }

    /// What has happened before a call of the list, told by its place in it.
    async fn before(&self, call: &Value) {
        let (query, state) = (call["q"].as_str().unwrap(), call["state"].as_str().unwrap_or_default());
        let app = &self.app;
        let at = |text: &str| app.app.clock.set(Millis::parse_rfc3339(text).unwrap());
        match (query, state) {
            ("api_key=poor&action=getNumber&service=ot&country=16", _) => {
                service(app, "ot", json!({"price": "0.50"})).await
            }
            ("api_key=k1&action=getNumberV2&service=ot&country=16", _) => service(app, "ot", json!({})).await,
            ("api_key=k1&action=getStatus&id=1001", "SMS arrived") => {
                at("2026-11-22T08:00:05Z");
                comes(app, 1, ("ACME", &owned(123)), "123456 is your ACME code").await;
            }
            (_, "after the cancel guard") => app.advance(Duration::from_secs(120)),
            ("api_key=k1&action=getActiveActivations", _) => {
                at("2026-11-22T08:00:00Z");
                let third = self.get("api_key=k1&action=getNumber&service=ot&country=16").await.text;
                assert_eq!(third, "ACCESS_NUMBER:1003:447700900125");
                supply(app, 301..304, &["ot"], json!({})).await;
            }
            ("api_key=k1&action=getServicesList&country=16&lang=en", _) => {
                service(app, "wa", json!({"active": false})).await
            }
            ("api_key=burst&action=getBalance", _) => {
                for _ in 0..5 {
                    self.get(query).await;
                }
            }
            _ => {}
        }
    }

    async fn call(&self, call: &Value) -> crate::harness::actor::Reply {
        let query = call["q"].as_str().unwrap();
        if call["method"] != "POST" {
            return self.get(query).await;
        }
        let path = format!("/stubs/handler_api.php?{}", self.with_keys(query));
        let body = self.with_keys(call["body"].as_str().unwrap());
        self.app
            .anonymous()
            .send("POST", path.trim_end_matches('?'), call["content_type"].as_str().unwrap(), body.into_bytes())
            .await
    }
}

async fn every_pair(statuses: Statuses) {
    let (world, text) = (World::new(statuses).await, read("transcripts.json"));
    let calls: Value = serde_json::from_str(&text).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("{\"q\"")).collect();
    let calls = calls["calls"].as_array().unwrap();
    assert_eq!((calls.len(), lines.len()), (40, 40));
    for (call, line) in calls.iter().zip(lines) {
        world.before(call).await;
        let reply = world.call(call).await;
        let meant = call["http"].as_u64().unwrap();
        let status = if statuses == Statuses::Mapped { meant } else { 200 };
        assert_eq!(u64::from(reply.status), status, "{line}\n{}", reply.text);
        assert_eq!(reply.header("x-activation-status"), Some(meant.to_string().as_str()), "{line}");
        let mut want = call["reply"].as_str().map_or_else(|| reply_bytes(line), str::to_owned);
        if let Some(list) = want.strip_prefix("{\"status\":\"success\",\"activeActivations\":") {
            // One client reads the same list under another name: it is there twice.
            let list = list.strip_suffix('}').unwrap();
            want = format!("{{\"status\":\"success\",\"activeActivations\":{list},\"data\":{list}}}");
        }
        assert_eq!(reply.text, want, "{line}");
        for header in call["headers"].as_array().into_iter().flatten() {
            assert!(reply.header(&header.as_str().unwrap().to_lowercase()).is_some(), "{header} is missing");
        }
    }
}

#[actix_web::test]
async fn every_pair_of_the_list_with_status_200() {
    every_pair(Statuses::Always200).await;
}

#[actix_web::test]
async fn every_pair_of_the_list_with_its_status() {
    every_pair(Statuses::Mapped).await;
}

#[actix_web::test]
async fn the_happy_path_of_the_transcript() {
    let world = World::new(Statuses::Always200).await;
    let mut answer: Option<crate::harness::actor::Reply> = None;
    let mut pairs = 0;
    for line in read("transcript_happy_path.txt").lines() {
        if let Some(request) = line.strip_prefix("> GET /stubs/handler_api.php?") {
            answer = Some(world.get(request).await);
        } else if let Some(want) = line.strip_prefix("< 200 ") {
            let got = answer.take().unwrap().expect(200);
            assert_eq!(got.text, want);
            pairs += 1;
        } else {
            comes(&world.app, 1, ("ACME", &owned(123)), "123456 is your ACME code").await;
        }
    }
    assert_eq!(pairs, 7);
}
