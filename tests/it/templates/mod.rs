//! Organizations' own templates through their routes: written, reviewed, sent, changed.

mod codes;
mod fallback;
mod meta;
mod review;
mod sending;

use postern::config::{Config, Source};
use serde_json::{Value, json};

use super::harness::actor::{Actor, Reply};
use super::harness::app::TestApp;
use super::harness::fake_carrier::{FakeCarrier, Script};

/// Makes a template for SMS in English, with these members besides or instead.
async fn make(caller: &Actor, members: Value) -> Reply {
    let mut body = json!({"name": "hello", "channel": "sms", "locale": "en", "category": "utility", "body": "Hi"});
    body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap());
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    caller.post("/v1/templates", body).await
}

/// Makes one and hands it in; its id.
async fn handed_in(caller: &Actor, members: Value) -> String {
    let id = make(caller, members).await.expect(201).text_at("/id");
    caller.post(&format!("/v1/templates/{id}/submit"), json!({})).await.expect(200);
    id
}

/// Makes one that an operator approved; its id.
async fn approved(app: &TestApp, caller: &Actor, members: Value) -> String {
    let id = handed_in(caller, members).await;
    approve(app, &id).await;
    id
}

async fn approve(app: &TestApp, id: &str) -> Reply {
    app.operator().post(&format!("/v1/admin/templates/{id}/approve"), json!({})).await.expect(200)
}

async fn show(caller: &Actor, id: &str) -> Reply {
    caller.get(&format!("/v1/templates/{id}")).await.expect(200)
}

/// A template for codes on WhatsApp.
fn on_whatsapp(name: &str) -> Value {
    json!({"name": name, "channel": "whatsapp", "category": "authentication", "body": null})
}

/// The business account of the fixtures.
const WABA: &str = "900100200300400";
const SECRET: &str = "fixture-app-secret-0001";

/// A server with the carrier `meta`, the route of every WhatsApp message, at `graph`.
async fn with_meta(graph: &FakeCarrier) -> TestApp {
    let taken = std::fs::read(format!("{}/tests/fixtures/meta/send_response_200.json", env!("CARGO_MANIFEST_DIR")));
    graph.always(Script::Answer(200, vec![("Content-Type", "application/json".into())], taken.unwrap()));
    let text = format!(
        "[[carriers]]\nname = \"meta\"\nkind = \"meta\"\nbase_url = \"{}\"\naccess_token = \"t\"\nwaba_id = \"{WABA}\"\n\
         phone_number_id = \"800100200300401\"\napp_secret = \"{SECRET}\"\nverify_token = \"fixture-verify-token\"\n",
        graph.url("")
    );
    let source = Source { name: "tests".to_owned(), text, ..Source::default() };
    let more = Config::load(source).unwrap_or_else(|faults| panic!("{faults}")).carriers;
    let app =
        TestApp::start_with(|config| config.carriers.extend(more.into_iter().filter(|one| one.name == "meta"))).await;
    app.route(&[("sms", "acme", 1), ("email", "post", 1), ("whatsapp", "meta", 1)]).await;
    app
}

/// Tells the server what Meta would, signed.
async fn meta_says(app: &TestApp, body: &str) {
    let mac = postern::secret::hmac_sha256(SECRET.as_bytes(), body.as_bytes());
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    let meta = app.anonymous().with_header("X-Hub-Signature-256", &format!("sha256={hex}"));
    meta.send("POST", "/hooks/meta", "application/json", body.as_bytes().to_vec()).await.expect(204);
}
