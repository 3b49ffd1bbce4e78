//! WhatsApp through its public interface: numbers, tiers, contacts, sessions, and Meta's word on all of them.

mod contacts;
mod hooks;
mod leaving;
mod numbers;
mod reports;
mod sessions;
mod tiers;
mod users;

use postern::config::{CarrierConfig, Config, Source};
use postern::secret::hmac_sha256;
use serde_json::{Value, json};

use crate::harness::actor::{Actor, Reply};
use crate::harness::app::{Tenant, TestApp};
use crate::harness::fake_carrier::{FakeCarrier, Script};
use crate::messages::number;

/// The app's secret at Meta.
const SECRET: &str = "a secret of meta's own";
/// Meta's account in the webhooks.
const ACCOUNT: &str = "900100200300400";
/// Meta's ids of the two numbers that have a carrier.
const IDS: [&str; 2] = ["800100200300401", "800100200300402"];

/// Our number.
fn ours() -> String {
    number(5_000)
}

/// The carriers `wa` and `wb`, one for each id.
fn carriers(base: &str) -> Vec<CarrierConfig> {
    let one = |name: &str, id: &str| {
        format!(
            r#"
            [[carriers]]
            name = "{name}"
            kind = "meta"
            access_token = "a token of meta's own"
            phone_number_id = "{id}"
            app_secret = "{SECRET}"
            verify_token = "a verify token"
            otp_template = "login_otp"
            base_url = "{base}"
            "#
        )
    };
    let text = one("wa", IDS[0]) + &one("wb", IDS[1]);
    let source = Source { name: "tests".to_owned(), text, ..Source::default() };
    Config::load(source).unwrap_or_else(|faults| panic!("{faults}")).carriers
}

/// A server that reaches Meta, and what it is called with.
async fn start() -> (TestApp, FakeCarrier) {
    let meta = FakeCarrier::start();
    meta.always(Script::json(200, json!({"messages": [{"id": "wamid.X"}]})));
    let base = meta.url("");
    let app = TestApp::start_with(|config| config.carriers.extend(carriers(&base))).await;
    app.route(&[("sms", "acme", 1), ("email", "post", 1), ("whatsapp", "wa", 1), ("whatsapp", "wb", 2)]).await;
    (app, meta)
}

/// Registers our number for `org` with these members besides.
async fn register(app: &TestApp, org: &str, members: Value) -> Reply {
    let mut body = json!({"org_id": org, "phone_number": ours(), "portfolio": "acme", "phone_number_id": IDS[0]});
    body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap_or_default());
    app.operator().post("/v1/admin/whatsapp/numbers", body).await
}

/// An organization whose only number Meta allows so many new contacts.
async fn limited_to(app: &TestApp, contacts: u32) -> Tenant {
    let acme = app.tenant().await;
    register(app, &acme.org, json!({"managed_by": "meta", "waba_id": ACCOUNT})).await.expect(201);
    hook(app, &capability(json!({"max_daily_conversations_per_business": contacts}))).await.expect(204);
    acme
}

/// A webhook of Meta's, signed.
async fn hook(app: &TestApp, body: &Value) -> Reply {
    hook_text(app, &body.to_string()).await
}

async fn hook_text(app: &TestApp, body: &str) -> Reply {
    let caller = app.anonymous().with_header("X-Hub-Signature-256", &signature(body));
    caller.send("POST", "/hooks/meta", "application/json", body.as_bytes().to_vec()).await
}

fn signature(body: &str) -> String {
    signature_under(SECRET, body)
}

fn signature_under(secret: &str, body: &str) -> String {
    let mac = hmac_sha256(secret.as_bytes(), body.as_bytes());
    mac.iter().fold(String::from("sha256="), |text, byte| text + &format!("{byte:02x}"))
}

fn change(field: &str, value: Value) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "changes": [{"field": field, "value": value}]}]})
}

fn capability(value: Value) -> Value {
    change("business_capability_update", value)
}

/// `from` writes to our number of this id at Meta at `at`, seconds.
fn written(id: usize, from: &str, (to, to_id): (&str, &str), at: i64) -> Value {
    change(
        "messages",
        json!({
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": to.trim_start_matches('+'), "phone_number_id": to_id},
            "messages": [{"from": from.trim_start_matches('+'), "id": format!("wamid.IN{id}"),
                "timestamp": at.to_string(), "type": "text", "text": {"body": "Hello"}}],
        }),
    )
}

fn secs_now(app: &TestApp) -> i64 {
    app.app.clock.now().0 / 1_000
}

/// A code by template to `to`.
fn code_by_template(to: &str) -> Value {
    json!({"to": to, "channel": "whatsapp", "template": {"name": "login", "params": {"code": "481516"}}})
}

/// Free text to `to`.
fn text_to(to: &str) -> Value {
    json!({"to": to, "channel": "whatsapp", "kind": "transactional", "body": "We open at 8"})
}

/// The organization's only number as it sees it.
async fn own_number(caller: &Actor) -> Value {
    caller.get("/v1/whatsapp/numbers").await.expect(200).json["data"][0].clone()
}

/// The fixture, about our number.
fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/meta/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().replace("447700900100", ours().trim_start_matches('+'))
}
