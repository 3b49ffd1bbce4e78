//! Commands that call a running server: `listen`, `trigger`, `tail`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{Folder, postern, run};
use crate::harness::app::{Tenant, TestApp};
use crate::harness::fake_carrier::FakeCarrier;
use crate::harness::process::Server;
use crate::harness::wait::meanwhile;

/// The binary at work, with what it prints.
struct Working {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    _folder: Folder,
}

impl Working {
    fn start(base: &str, key: &str, args: &[&str]) -> Working {
        let folder = Folder::fresh();
        let mut command = postern(&folder.0, &[("POSTERN_URL", base), ("POSTERN_API_KEY", key)]);
        let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let out: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in out {
            let lines = Arc::clone(&lines);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    lines.lock().unwrap().push(line);
                }
            });
        }
        Working { child, lines, _folder: folder }
    }

    fn said(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits for a line with all of `words`, and gives it.
    async fn says(&self, words: &[&str]) -> String {
        let found = |line: &String| words.iter().all(|word| line.contains(word));
        meanwhile(&format!("a line with {words:?}"), || async { self.said().into_iter().find(found) }).await
    }

    /// Ctrl-C, and how it ended.
    async fn interrupt(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let child = &mut self.child;
        meanwhile("its end", || std::future::ready(child.try_wait().unwrap())).await.code()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        // It has ended already where the test got as far as `interrupt`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A key of an organization, as its owner holds it.
async fn key(app: &TestApp, tenant: &Tenant, members: Value) -> String {
    let path = format!("/v1/admin/orgs/{}/keys", tenant.org);
    let mut body = json!({"name": "cli", "mode": "test"});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    app.operator().post(&path, body).await.expect(201).text_at("/secret")
}

async fn send(tenant: &Tenant, app: &TestApp) -> String {
    let body = json!({"to": "+15005550000", "body": "hi", "kind": "transactional"});
    let id = tenant.test.post("/v1/messages", body).await.expect(202).text_at("/id");
    app.step().await;
    id
}

#[actix_web::test]
async fn listen_forwards_every_event_signed_and_ends_by_ctrl_c() {
    let (app, receiver) = (TestApp::start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let secret = key(&app, &tenant, json!({})).await;
    let listening = Working::start(&app.base, &secret, &["listen", "--forward-to", &receiver.url("/hooks?a=b")]);
    let signing = listening.says(&["Signing secret: whsec_"]).await;
    let signing = signing.trim_start_matches("Signing secret: ");
    let id = send(&tenant, &app).await;
    let line = listening.says(&["message.delivered", "evt_", "201", " ms"]).await;
    assert!(line.contains(" -> "), "{line}");
    tenant.test.post("/v1/sandbox/events", json!({"type": "verification.created"})).await.expect(201);
    listening.says(&["verification.created", "201"]).await;
    let posts = receiver.hand_offs();
    let kinds: Vec<_> = posts.iter().map(|post| post.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["message.delivered", "verification.created"]);
    assert_eq!(posts[0].json()["data"]["id"], *id);
    for post in &posts {
        assert_eq!(post.path, "/hooks?a=b");
        let at = post.header("webhook-timestamp").unwrap().parse().unwrap();
        let signer = standardwebhooks::Webhook::new(signing).unwrap();
        let signature = signer.sign(post.header("webhook-id").unwrap(), at, &post.body).unwrap();
        assert_eq!(post.header("webhook-signature"), Some(&*signature));
    }
    assert_eq!(listening.interrupt().await, Some(0));
    for _ in 0..10 {
        tenant.test.post("/v1/listeners", json!({})).await.expect(201);
    }
    assert_eq!(receiver.calls(), 2, "each once");
}

#[actix_web::test]
async fn listen_takes_a_filter_and_a_secret_and_tells_what_the_application_answers() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let secret = key(&app, &tenant, json!({})).await;
    // Nobody is there.
    let to = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let signing = postern::webhooks::fresh_secret();
    let signing = signing.expose().as_str();
    let listening =
        ["listen", "--forward-to", &to, "--events", "message.delivered,message.failed", "--secret", signing];
    let listening = Working::start(&app.base, &secret, &listening);
    listening.says(&[signing]).await;
    tenant.test.post("/v1/sandbox/events", json!({"type": "message.sent"})).await.expect(201);
    send(&tenant, &app).await;
    listening.says(&["message.delivered", "no connection"]).await;
    assert!(!listening.said().iter().any(|line| line.contains("message.sent")), "{:?}", listening.said());
}

#[actix_web::test]
async fn trigger_makes_an_event_happen() {
    let (app, receiver) = (TestApp::start().await, FakeCarrier::start());
    let tenant = app.tenant().await;
    let secret = key(&app, &tenant, json!({})).await;
    let folder = Folder::fresh();
    let trigger = |args: &[&str]| {
        let mut command = postern(&folder.0, &[("POSTERN_URL", &app.base), ("POSTERN_API_KEY", &secret)]);
        command.arg("trigger").args(args).output().unwrap()
    };
    let alone = trigger(&["verification.approved"]);
    assert!(alone.status.success() && String::from_utf8_lossy(&alone.stderr).contains("nobody listens"));
    let listening = Working::start(&app.base, &secret, &["listen", "--forward-to", &receiver.url("/")]);
    listening.says(&["Signing secret"]).await;
    let made = trigger(&["message.failed", "--set", "metadata.order=7", "--set", "error_code=provider.rejected"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((&made["listeners"], &made["type"]), (&json!(1), &json!("message.failed")));
    listening.says(&["message.failed", made["id"].as_str().unwrap()]).await;
    let told = receiver.hand_offs()[0].json();
    assert_eq!(told, made["payload"]);
    assert_eq!((&told["data"]["metadata"], &told["data"]["test"]), (&json!({"order": 7}), &json!(true)));
    for wrong in [&["message.eaten"][..], &["message.sent", "--set", "x"], &[]] {
        assert_eq!(trigger(wrong).status.code(), Some(1), "{wrong:?}");
    }
    let list = trigger(&["--list"]).stdout;
    let list = String::from_utf8_lossy(&list).into_owned();
    assert!(list.lines().any(|line| line == "verification.created") && !list.contains("webhook.test"), "{list}");
}

#[actix_web::test]
async fn tail_shows_what_happens_masked_and_filtered() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let secret = key(&app, &tenant, json!({})).await;
    let reader = key(&app, &tenant, json!({"scopes": ["messages:read"]})).await;
    let operator = app.operator().post("/v1/admin/operators", json!({"name": "t", "role": "viewer"})).await.expect(201);
    let path = format!("/v1/admin/operators/{}/tokens", operator.text_at("/id"));
    let token = app.operator().post(&path, json!({})).await.expect(201).text_at("/secret");
    let all = Working::start(&app.base, &secret, &["tail"]);
    let narrow = Working::start(&app.base, &reader, &["tail", "--status", "delivered", "--channel", "sms", "--json"]);
    let every = Working::start(&app.base, &token, &["tail", "--since", "1000d"]);
    // Events are heard from when the listener is there.
    let listens = || async {
        let made = tenant.test.post("/v1/sandbox/events", json!({"type": "spend_cap.reached"})).await.expect(201);
        (made.json["listeners"] == 1).then_some(())
    };
    meanwhile("the listener", listens).await;
    let id = send(&tenant, &app).await;
    let made = tenant.test.post("/v1/sandbox/events", json!({"type": "message.failed"})).await.expect(201);
    let made = made.text_at("/payload/data/id");
    tenant.test.post("/v1/verifications", json!({"to": "+15005550000"})).await.expect(201);
    let blocked = json!({"to": "+447911123456", "body": "Your code is 1", "kind": "otp"});
    for _ in 0..4 {
        tenant.test.post("/v1/messages", blocked.clone()).await;
    }
    postern::messages::write_refusals(&app.app).await.unwrap();
    for one in [&all, &every] {
        one.says(&["message.accepted", &id, "sms", "+150•••••000"]).await;
        one.says(&["message.delivered", &id]).await;
        one.says(&["decision.block"]).await;
    }
    all.says(&["event verification.created", "vrf_"]).await;
    for one in [&all, &every] {
        one.says(&["event message.failed", &made]).await;
    }
    every.says(&[&tenant.org]).await;
    every.says(&["event verification.created", "vrf_", &tenant.org]).await;
    let line: Value = serde_json::from_str(&narrow.says(&["message.delivered", &id]).await).unwrap();
    assert_eq!((&line["to"], &line["org_id"]), (&json!("+150•••••000"), &json!(null)));
    let said = narrow.said();
    assert!(said.iter().all(|line| line.contains("message.delivered")), "{said:?}");
    for one in [all, narrow, every] {
        let said = one.said().join("\n");
        assert!(!said.contains("5005550000") && !said.contains("7911123456") && !said.contains("hi\n"), "{said}");
        assert_eq!(
            said.matches(&format!("message.delivered  {id}")).count() + said.matches("{").count().min(1),
            1,
            "{said}"
        );
        assert_eq!(one.interrupt().await, Some(0));
    }
}

#[actix_web::test]
async fn what_is_wrong_is_said_with_what_to_do() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let reader = key(&app, &tenant, json!({"scopes": ["messages:read"]})).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let folder = Folder::fresh();
    let stranger = format!("pst_test_{}", "a".repeat(40));
    let listen = ["listen", "--forward-to", "localhost:1"];
    for (args, server, key, said) in [
        (&listen[..], &*app.base, None, "POSTERN_API_KEY"),
        (&listen, &nobody, Some(&*reader), "nobody answers at http://127.0.0.1:"),
        (&listen, &app.base, Some(&stranger), "does not take the key"),
        (&listen, &app.base, Some(&reader), "lacks the scope webhooks:write"),
        (&["tail", "--events"], &app.base, Some(&reader), "lacks the scope webhooks:write"),
        (&["trigger", "message.sent"], &app.base, Some(&reader), "lacks the scope webhooks:write"),
        (&["listen", "--forward-to", "ftp://x"], &app.base, Some(&reader), "--forward-to takes an http"),
        (
            &["listen", "--forward-to", "localhost:1", "--secret", "whsec_?"],
            &app.base,
            Some(&reader),
            "--secret must be",
        ),
    ] {
        let mut command = postern(&folder.0, &[("POSTERN_URL", server)]);
        command.args(args).args(key.into_iter().flat_map(|key| ["--key", key]));
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        assert!(text.contains(said), "{args:?}: {text}");
        assert!(!text.contains("aaaa") && !text.contains(&reader), "no key is printed: {text}");
    }
    // The variables of these commands are no fault of a server's configuration.
    let mut checked = postern(&folder.0, &[("POSTERN_URL", &app.base), ("POSTERN_API_KEY", "x")]);
    assert_eq!(checked.args(["config", "check"]).output().unwrap().status.code(), Some(0));
    assert_eq!(run(&folder.0, &["listen", "--help"]).status.code(), Some(0));
}

#[actix_web::test]
async fn listen_outlives_its_server() {
    let folder = Folder::fresh();
    let bind = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let org = super::json(&folder.0, &["org", "create", "ACME", "--plan", "pro", "--country", "GB"]);
    let made = super::json(&folder.0, &["key", "create", "--org", org["id"].as_str().unwrap(), "--mode", "test"]);
    let secret = made["secret"].as_str().unwrap();
    let env = [
        ("POSTERN_BIND".to_owned(), bind),
        ("POSTERN_METRICS_BIND".to_owned(), "off".to_owned()),
        ("POSTERN_SERVER_DRAIN_DELAY".to_owned(), "0s".to_owned()),
    ];
    let log = folder.0.join("log");
    let mut server = Server::spawn(&folder.0, &log, &env);
    server.ready().await;
    let receiver = FakeCarrier::start();
    let listening = Working::start(&server.base, secret, &["listen", "--forward-to", &receiver.url("/")]);
    listening.says(&["Signing secret"]).await;
    let caller = crate::harness::actor::Actor::anonymous(&server.base).with_token(secret);
    caller.post("/v1/sandbox/events", json!({"type": "message.sent"})).await.expect(201);
    listening.says(&["message.sent", "201"]).await;
    // An answer that waits does not hold the end up.
    let from = std::time::Instant::now();
    server.signal("TERM");
    meanwhile("the server's end", || std::future::ready(server.exit())).await;
    assert!(from.elapsed().as_secs() < 10, "{:?}", from.elapsed());
    listening.says(&["nobody answers", "trying again"]).await;
    let mut server = Server::spawn(&folder.0, &log, &env);
    server.ready().await;
    caller.afresh().post("/v1/sandbox/events", json!({"type": "message.failed"})).await.expect(201);
    listening.says(&["message.failed", "201"]).await;
    listening.says(&["answers again"]).await;
    // Killed before it was told that the event has been heard: it is not told twice.
    server.kill();
    let mut server = Server::spawn(&folder.0, &log, &env);
    server.ready().await;
    caller.afresh().post("/v1/sandbox/events", json!({"type": "message.expired"})).await.expect(201);
    listening.says(&["message.expired", "201"]).await;
    assert!(!listening.said().iter().any(|line| line.contains("not heard")), "{:?}", listening.said());
    assert_eq!((receiver.calls(), listening.interrupt().await), (3, Some(0)));
}
