//! Secrets, codes and numbers go through every path at the loudest log level; then everything that is written down is
//! searched for them.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postern::clock::Clock;
use postern::config::{Config, DatabaseUrl, SecretKey};
use postern::privacy::run_erasures;
use postern::secret::{Secret, hmac_sha256};
use postern::trials::run_trials;
use postern::{recent, start};
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use crate::activations;
use crate::harness::Backend;
use crate::harness::actor::Actor;
use crate::harness::app::{ACME_SECRET, START, TWILIO_TOKEN, TestApp};
use crate::harness::fake_carrier::Script;
use crate::signin::{self, Browser};

const CODE: &str = "918273";
const TEXT: &str = "CANARYTEXT 918273";
const NUMBER: &str = "+447400123456";
const NATIONAL: &str = "7400123456";
const MAIL_PASSWORD: &str = "a mail password";
/// Of 32 bytes, and how the configuration writes it.
const SERVER_KEY: [&str; 2] = ["CANARY-SERVER-KEY-OF-32-BYTES-OK", "Q0FOQVJZLVNFUlZFUi1LRVktT0YtMzItQllURVMtT0s="];
const DSN_PASSWORD: &str = "canary-of-the-database";
const OWNER_TOKEN: &str = "an owner's token of my own choice";

/// What tracing wrote, all of it.
#[derive(Clone, Default)]
struct Ink(Arc<Mutex<Vec<u8>>>);

impl Write for Ink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Ink {
    type Writer = Ink;

    fn make_writer(&'a self) -> Ink {
        self.clone()
    }
}

impl Ink {
    /// Takes everything down from here on; the only test of the process that does.
    fn start() -> Ink {
        let ink = Ink::default();
        let lines = tracing_subscriber::fmt::layer().json().with_writer(ink.clone());
        let registry = tracing_subscriber::registry().with(EnvFilter::new("trace")).with(lines).with(recent::layer());
        tracing::subscriber::set_global_default(registry).unwrap();
        ink
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

fn search(place: &str, text: &str, canaries: &[String]) {
    // The moment of a log line may well hold six digits in a row that somebody chose as a code.
    let text = &without_moments(text);
    for canary in canaries {
        if let Some(at) = text.find(canary.as_str()) {
            let (from, to) = (text.floor_char_boundary(at.saturating_sub(300)), text.ceil_char_boundary(at + 60));
            panic!("{place} holds the canary {canary}: …{}…", &text[from..to]);
        }
    }
}

fn without_moments(text: &str) -> String {
    let mut parts = text.split("\"timestamp\":\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + part.split_once('"').map_or(part, |(_, rest)| rest))
}

/// Requests that go wrong with a canary in every field.
fn faulty() -> Vec<Value> {
    let with = |name: &str, value: Value| {
        let mut body = json!({"to": NUMBER, "body": TEXT});
        body[name] = value;
        body
    };
    vec![
        with("to", json!(format!("{NATIONAL}{CODE}"))),
        with("to", json!({ CODE: NUMBER })),
        with("body", json!(format!("{TEXT}\u{7}"))),
        with("body", json!([TEXT])),
        with("from", json!(format!("{CODE}{CODE}"))),
        with("ttl", json!(CODE)),
        with("country", json!(CODE)),
        with("channel", json!(CODE)),
        with("scheduled_for", json!(CODE)),
        with("fallback", json!([NUMBER, CODE])),
        with("client", json!({"ip": NUMBER})),
        with("metadata", json!({"code": [CODE]})),
        with("template", json!({"name": CODE, "params": {"code": CODE}})),
        json!({"to": NUMBER, "template": {"name": "login", "params": {"code": TEXT, "other": CODE}}}),
        with("idempotency_key", json!(format!("{CODE} {CODE}"))),
    ]
}

/// Every path a live message can take; gives back what clients were told.
async fn walk(app: &TestApp, live: &Actor) -> Vec<String> {
    let mut told = Vec::new();
    app.route(&[("sms", "acme", 1), ("sms", "twilio", 2), ("email", "post", 1)]).await;
    for body in faulty() {
        told.push(live.post("/v1/messages", body).await.expect(400).text);
    }
    let echo = json!({"code": 21211, "message": format!("'{TEXT}' to {NUMBER} was refused <script>")});
    let scripts = [
        Script::Accept,
        Script::json(400, echo.clone()),
        Script::json(500, echo),
        Script::throttled(1),
        Script::HangAfter,
        Script::ResetAfter,
        Script::Truncated,
        Script::Answer(200, vec![], TEXT.as_bytes().to_vec()),
    ];
    for script in scripts {
        app.acme.next(script.clone());
        app.twilio.next(script);
        let mut body = json!({"to": NUMBER, "body": TEXT, "kind": "transactional"});
        body["fallback"] = json!([{"channel": "email", "to": "ann@example.com"}]);
        let id = live.post("/v1/messages", body).await.expect(202).text_at("/id");
        for _ in 0..6 {
            app.step().await;
            app.advance(Duration::from_secs(2));
        }
        told.push(live.get(&format!("/v1/messages/{id}/events")).await.expect(200).text);
    }
    for n in 0..4 {
        let code = json!({"to": NUMBER, "body": TEXT, "idempotency_key": format!("key-{n}")});
        told.push(without_number(&live.post("/v1/messages", code).await.text));
    }
    app.step().await;
    let started = live.post("/v1/verifications", json!({"to": "+447400123457"})).await.expect(201).text_at("/id");
    app.step().await;
    told.push(live.post(&format!("/v1/verifications/{started}/check"), json!({"code": CODE})).await.expect(200).text);
    told.push(live.post("/v1/verifications/check", json!({"to": NUMBER, "code": CODE})).await.text);
    told.push(app.anonymous().with_token(&format!("pst_live_{CODE}")).get("/v1/account").await.expect(401).text);
    told.push(app.anonymous().get(&format!("/v1/messages?to={NATIONAL}&key={CODE}")).await.expect(401).text);
    let stub = format!("/stubs/handler_api.php?api_key=pst_live_{CODE}&action={CODE}&id={NATIONAL}");
    told.push(app.anonymous().get(&stub).await.expect(200).text);
    told.push(app.anonymous().get(&format!("/{NATIONAL}/{CODE}")).await.expect(404).text);
    receipts(app).await;
    rent(app, live).await;
    told
}

/// A code that comes to a rented number: its renter's alone, sealed wherever it is kept, the answer to a keyed call as well.
async fn rent(app: &TestApp, live: &Actor) {
    activations::service(app, "ot", json!({})).await;
    activations::supply(app, 100..101, &["ot"], json!({})).await;
    let made = live.post("/v1/activations", json!({"service": "ot"})).await.expect(201);
    activations::comes(app, 77, ("ACME", &made.text_at("/phone_number")), TEXT).await;
    let path = format!("/v1/activations/{}/complete", made.text_at("/id"));
    let done = live.with_header("Idempotency-Key", "rent").post(&path, json!({})).await.expect(200);
    assert_eq!(done.text_at("/code"), CODE);
}

/// An operator comes in and goes, with a password and a code that are wrong at first; gives back what must be nowhere:
/// the password, the link, every cookie.
async fn door(app: &TestApp) -> Vec<String> {
    let id = signin::operator(app, "Ada", "owner").await;
    let link = signin::invitation(app, &id).await;
    let mut browser = Browser::fresh(app, "198.51.100.1");
    browser.get(&link).await.expect(200);
    signin::choose(&mut browser, &link, "", "canary-too-short-of").await.expect(303);
    let mut words = vec!["canary-too-short-of".to_owned(), link.split("token=").nth(1).unwrap().to_owned()];
    let second = "canary-of-a-second-password";
    let fields = [("current", "canary-too-short-of"), ("password", second), ("again", second)];
    browser.submit("/console/account/password", &fields).await.expect(303);
    browser.sign_in("canary-in-the-name", "canary-that-is-wrong").await.expect(403);
    browser.sign_in("Ada", "canary-that-is-wrong").await.expect(403);
    browser.sign_in("Ada", second).await.expect(303);
    words.extend([second, "canary-that-is-wrong", "canary-in-the-name"].map(str::to_owned));
    words.push(browser.cookie("postern").unwrap().clone());
    words.push(browser.cookie("postern-device").unwrap().clone());
    words.push(browser.csrf().await);
    words
}

/// What a start says, to whoever reads it, where the database does not answer.
async fn a_database_that_is_not_there() -> String {
    let mut config = Config::for_tests();
    let url = format!("postgres://postern:{DSN_PASSWORD}@127.0.0.1:1/postern");
    config.database.url = Some(DatabaseUrl::Postgres(Secret::new(url)));
    let shown = format!("{config:?}");
    let fault = start::wire(config, Clock::manual(START)).await.err().unwrap();
    tracing::error!(error = %fault, cause = fault.cause_text(), "the start failed: {fault:?}");
    format!("{shown} {fault} {fault:?} {:?}", fault.cause_text())
}

/// The owner of a message may see its number.
fn without_number(text: &str) -> String {
    text.replace(NUMBER, "")
}

async fn receipts(app: &TestApp) {
    let body = json!({"id": "SM1", "status": format!("STAT-{CODE}"), "to": NUMBER}).to_string();
    let mac = hmac_sha256(ACME_SECRET.as_bytes(), body.as_bytes());
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    for signature in [hex.as_str(), "00"] {
        let caller = app.anonymous().with_header("X-Signature", signature);
        caller.send("POST", "/hooks/acme/status", "application/json", body.clone().into_bytes()).await;
    }
    let form = format!("MessageSid=SM1&MessageStatus=delivered&To={NATIONAL}&Body={CODE}");
    app.anonymous().send("POST", "/hooks/twilio/status", "application/x-www-form-urlencoded", form.into_bytes()).await;
}

#[actix_web::test]
async fn no_canary_is_written_down_anywhere() {
    let ink = Ink::start();
    let app = TestApp::start_with(|config| {
        config.outbound.total_timeout = Duration::from_millis(400);
        config.node.secret_key = SecretKey::parse(SERVER_KEY[1]);
    })
    .await;
    let org = app.tenant().await.org;
    let path = format!("/v1/admin/orgs/{org}/keys");
    let key = app.operator().post(&path, json!({"name": "k", "mode": "live"})).await.expect(201).text_at("/secret");
    let live = app.anonymous().with_token(&key);
    let mut told = walk(&app, &live).await;
    told.push(a_database_that_is_not_there().await);
    told.extend(operators(&app).await);
    let at_the_door = door(&app).await;
    let taken = app.acme.hand_offs();
    assert!(taken.iter().any(|call| String::from_utf8_lossy(&call.body).contains(TEXT)), "the canary never flew");

    let secrets: Vec<String> =
        [&key, OWNER_TOKEN, ACME_SECRET, TWILIO_TOKEN, MAIL_PASSWORD, SERVER_KEY[0], SERVER_KEY[1], DSN_PASSWORD]
            .into_iter()
            .map(str::to_owned)
            .collect();
    let of_the_door = at_the_door.into_iter();
    let words: Vec<String> =
        secrets.iter().cloned().chain([CODE, "CANARYTEXT"].map(str::to_owned)).chain(of_the_door).collect();
    let all: Vec<String> = words.iter().cloned().chain([NATIONAL.to_owned()]).collect();
    told.iter().for_each(|text| search("an answer", &without_number(text), &all));
    let log = ink.text();
    assert!(log.contains("handed over"), "the log is empty");
    search("the log", &log, &all);
    support_bundle(&app, &all).await;
    search("the configuration's Debug", &format!("{:?} {:?}", app.app.config, app.app.config.carriers), &secrets);
    if let Some(recorder) = postern::health::recorder() {
        search("a metric", &recorder.render(), &all);
    }
    if Backend::server().is_none() {
        search_files(&app, &words);
    }
    forget(&app).await;
    search("the log after an erasure", &ink.text(), &all);
}

/// What operators are shown of it all, numbers masked; a look at one of them is told to the audit log.
async fn operators(app: &TestApp) -> Vec<String> {
    let operator = app.operator();
    let mut told = Vec::new();
    let found = operator.get(&format!("/v1/admin/messages?q=%2B44{NATIONAL}%20since:7d&limit=200")).await.expect(200);
    for row in found.json["data"].as_array().unwrap() {
        let path = format!("/v1/admin/messages/{}", row["id"].as_str().unwrap());
        told.push(operator.get(&path).await.expect(200).text);
        told.push(operator.get(&format!("{path}/related")).await.expect(200).text);
        let body = operator.post(&format!("{path}/reveal"), json!({"reason": "a canary"})).await.expect(200);
        assert_eq!(body.text_at("/to"), NUMBER);
        assert!(!body.text.contains(CODE) || body.json["body_state"] == "kept", "{}", body.text);
    }
    assert!(told.len() > 8, "too little was found: {}", found.text);
    told.push(found.text);
    told.push(operator.get("/v1/admin/activity?since=2026-03-28T00:00:00Z").await.expect(200).text);
    for bad in [format!("q=%2B{NATIONAL}{NATIONAL}"), format!("q={NATIONAL}%20{CODE}"), format!("status={CODE}")] {
        told.push(operator.get(&format!("/v1/admin/messages?{bad}")).await.expect(400).text);
    }
    app.acme.next(Script::json(400, json!({"message": format!("{CODE} to {NUMBER} was refused")})));
    let test = json!({"to": NUMBER, "reason": "a canary"});
    told.push(operator.post("/v1/admin/carriers/acme/test", test).await.expect(202).text);
    assert_eq!(run_trials(&app.app).await.unwrap(), 1);
    told.push(operator.get("/v1/admin/carrier-tests").await.expect(200).text);
    let naming = json!({"to": NUMBER, "reason": format!("for {NUMBER}")});
    told.push(operator.post("/v1/admin/erasures", naming).await.expect(400).text);
    told.push(operator.get("/v1/admin/audit?limit=200").await.expect(200).text);
    told
}

/// The log lines in a support bundle, and all the rest of it.
async fn support_bundle(app: &TestApp, canaries: &[String]) {
    let mut bundle = app.operator().get("/v1/admin/system/support-bundle").await.expect(200).json;
    let log = bundle["log"].take();
    let lines: Vec<&str> = log.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(lines.len() > 100, "the bundle has {} lines of the log", lines.len());
    lines.iter().for_each(|line| search("the log in a bundle", line, canaries));
    search("a bundle", &bundle.to_string(), canaries);
}

/// The number is erased: after that it is in no file either, nor in a copy of it.
async fn forget(app: &TestApp) {
    let order = json!({"to": NUMBER, "reason": "a canary"});
    let id = app.operator().post("/v1/admin/erasures", order).await.expect(201).text_at("/id");
    while run_erasures(&app.app).await.unwrap() == 0 {
        app.advance(Duration::from_secs(60));
        app.step().await;
    }
    let proof = app.operator().get(&format!("/v1/admin/erasures/{id}")).await.expect(200);
    assert_eq!(proof.text_at("/status"), "done");
    if Backend::server().is_none() {
        search_files(app, &[NATIONAL.to_owned()]);
    }
}

/// The database's file and its log: the numbers are columns of their own there, codes and secrets must not be.
fn search_files(app: &TestApp, canaries: &[String]) {
    let DatabaseUrl::Sqlite(path) = app.app.config.database_url() else { return };
    for suffix in ["", "-wal"] {
        let file = format!("{}{suffix}", path.display());
        let bytes = std::fs::read(&file).unwrap();
        search(&file, &String::from_utf8_lossy(&bytes), canaries);
    }
}
