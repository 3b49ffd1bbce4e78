//! Carriers' callbacks over a socket: believed by signature, stored before they are answered.

use std::sync::mpsc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App as Site, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use postern::app::{App, Ground};
use postern::both;
use postern::clock::{Clock, Millis};
use postern::config::{Config, Source};
use postern::db::schema::receipts;
use postern::db::{Conn, Db};
use postern::error::Code;
use postern::secret::{Keyring, hmac_sha1, hmac_sha256};

use crate::harness::Backend;
use crate::harness::actor::{Actor, Reply};

const CARRIERS: &str = r#"
[server]
public_url = "https://otp.example/base"

[[carriers]]
name = "tw"
kind = "twilio"
account_sid = "AC00000000000000000000000000000001"
auth_token = "token"
from = "ACME"

[[carriers]]
name = "acme"
kind = "http"
url = "https://sms.acme.example/send"
body = '{"to":"{to}","text":"{text}"}'

[carriers.receipt]
secret = "0123456789abcdef"
signature_prefix = "sha256="
status_map = { DELIVRD = "delivered" }
"#;

const FORM: &str = "application/x-www-form-urlencoded";
const DELIVERED: &str = "MessageSid=SM1&MessageStatus=delivered&To=%2B447700900123&New+One=a+b&Empty=";

struct Desk {
    caller: Actor,
    db: Db,
    backend: Backend,
}

/// The room's routes alone, behind the frame, on a database whose locks are waited for shortly.
fn start() -> Desk {
    let (backend, clock) = (Backend::fresh(), Clock::manual(Millis(1_000_000)));
    let mut settings = backend.settings();
    settings.patience.lock = Duration::from_millis(200);
    let db = Db::open(&settings, clock.clone()).unwrap();
    let source = Source { name: String::from("postern.toml"), text: String::from(CARRIERS), ..Source::default() };
    let config = Config::load(source).unwrap();
    let carriers = postern::providers::carriers(&config, &db, &clock).unwrap();
    let keyring = Keyring::new([7; 32]);
    let app = web::Data::new(App::new(Ground { config, clock, db: db.clone(), keyring, carriers }).unwrap());
    let site = move || {
        Site::new()
            .app_data(app.clone())
            .configure(postern::callbacks::configure)
            .default_service(web::to(postern::http::fault::no_such_route))
            .wrap(from_fn(postern::http::frame))
    };
    let server = HttpServer::new(site).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", server.addrs()[0]);
    actix_web::rt::spawn(server.run());
    Desk { caller: Actor::anonymous(&base), db, backend }
}

impl Desk {
    /// A form signed as Twilio signs for this address.
    async fn twilio(&self, path: &str, form: &str) -> Reply {
        let signature = twilio_signature("token", &format!("https://otp.example/base{path}"), form);
        let caller = self.caller.with_header("X-Twilio-Signature", &signature);
        caller.send("POST", path, FORM, form.as_bytes().to_vec()).await
    }

    async fn generic(&self, body: &str) -> Reply {
        let mac = hmac_sha256(b"0123456789abcdef", body.as_bytes());
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let caller = self.caller.with_header("X-Signature", &format!("sha256={hex}"));
        caller.send("POST", "/hooks/acme/status", "application/json", body.as_bytes().to_vec()).await
    }

    async fn stored(&self) -> Vec<(String, String, Option<String>)> {
        let rows = |conn: &mut Conn| {
            let columns = (receipts::provider_id, receipts::status, receipts::message_id);
            let query = receipts::table.select(columns).order((receipts::provider_id, receipts::status));
            Ok(both!(conn, c => query.load(c))?)
        };
        self.db.read(rows).await.unwrap()
    }
}

/// The address, then each decoded pair in order of its name.
pub fn twilio_signature(token: &str, url: &str, form: &str) -> String {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(form).unwrap().into_inner();
    let sorted: std::collections::BTreeSet<(String, String)> = pairs.into_iter().collect();
    let text = sorted.iter().fold(String::from(url), |text, (name, value)| text + name + value);
    STANDARD.encode(hmac_sha1(token.as_bytes(), text.as_bytes()))
}

#[actix_web::test]
async fn a_signed_receipt_is_stored_once_however_often_it_comes() {
    let site = start();
    for _ in 0..3 {
        let reply = site.twilio("/hooks/tw/status", DELIVERED).await.expect(200);
        assert!(reply.text.ends_with("<Response></Response>"), "{}", reply.text);
        assert_eq!(reply.header("content-type"), Some("text/xml; charset=utf-8"));
    }
    site.twilio("/hooks/tw/status?tenant=7", "MessageSid=SM1&MessageStatus=someday").await.expect(200);
    let found = site.stored().await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|(id, _, message)| id == "SM1" && message.is_none()), "parked: {found:?}");
}

#[actix_web::test]
async fn several_receipts_of_a_generic_carrier_are_stored() {
    let site = start();
    let body = r#"[{"id":"a","status":"DELIVRD"},{"id":7,"status":"ENROUTE"}]"#;
    assert_eq!(site.generic(body).await.expect(204).text, "");
    assert_eq!(site.stored().await.len(), 2);
}

#[actix_web::test]
async fn nothing_unsigned_is_stored() {
    let site = start();
    let post = |caller: Actor, path: &'static str, body: &'static str| async move {
        caller.send("POST", path, FORM, body.as_bytes().to_vec()).await
    };
    let right = twilio_signature("token", "https://otp.example/base/hooks/tw/status", DELIVERED);
    let signed = site.caller.with_header("X-Twilio-Signature", &right);
    let signed_for_host = twilio_signature("token", "https://evil.example/base/hooks/tw/status", DELIVERED);
    let forwarded = site.caller.with_header("X-Forwarded-Host", "evil.example");
    for (name, reply) in [
        ("no header", post(site.caller.clone(), "/hooks/tw/status", DELIVERED).await),
        ("blank", post(site.caller.with_header("X-Twilio-Signature", ""), "/hooks/tw/status", DELIVERED).await),
        ("no body", post(signed.clone(), "/hooks/tw/status", "").await),
        ("another body", post(signed.clone(), "/hooks/tw/status", "MessageSid=SM2&MessageStatus=delivered").await),
        ("another query", post(signed.clone(), "/hooks/tw/status?a=1", DELIVERED).await),
        ("not a form", post(signed.clone(), "/hooks/tw/status", "%zz=1").await),
        (
            "another host",
            post(forwarded.with_header("X-Twilio-Signature", &signed_for_host), "/hooks/tw/status", DELIVERED).await,
        ),
        ("another carrier", post(signed.clone(), "/hooks/acme/status", DELIVERED).await),
    ] {
        assert_eq!(reply.status, 403, "{name}: {}", reply.text);
        reply.refused(Code::PermissionDenied);
    }
    assert!(site.stored().await.is_empty());
}

#[actix_web::test]
async fn a_proxys_headers_do_not_change_the_signed_address() {
    let site = start();
    let right = twilio_signature("token", "https://otp.example/base/hooks/tw/status", DELIVERED);
    let caller = site.caller.with_header("X-Twilio-Signature", &right).with_header("X-Forwarded-Host", "evil.example");
    caller.send("POST", "/hooks/tw/status", FORM, DELIVERED.into()).await.expect(200);
}

#[actix_web::test]
async fn what_is_signed_and_unreadable_is_malformed() {
    let site = start();
    for form in ["MessageSid=SM1", "MessageStatus=delivered", "MessageSid=&MessageStatus=sent", "a=1"] {
        site.twilio("/hooks/tw/status", form).await.refused(Code::MalformedRequest);
    }
    for body in ["{", "{}", "7", r#"{"id":"a"}"#] {
        site.generic(body).await.refused(Code::MalformedRequest);
    }
    assert!(site.stored().await.is_empty());
}

#[actix_web::test]
async fn who_reports_nothing_here_is_not_found() {
    let site = start();
    for path in ["/hooks/nobody/status", "/hooks/sandbox/status", "/hooks/tw/other"] {
        site.caller.send("POST", path, FORM, Vec::new()).await.refused(Code::NotFound);
    }
    site.caller.get("/hooks/tw/status").await.refused(Code::MethodNotAllowed);
    site.caller.send("POST", "/hooks/tw/status", FORM, vec![b'a'; 300_000]).await.refused(Code::PayloadTooLarge);
}

#[actix_web::test]
async fn while_the_database_stalls_the_carrier_is_asked_to_come_again() {
    let site = start();
    let (started, has_started) = mpsc::channel();
    let (release, held) = mpsc::channel::<()>();
    let other = site.backend.open(Clock::manual(Millis(1_000_000)));
    let stall = actix_web::rt::spawn(async move {
        let hold = move |conn: &mut Conn| {
            if let Conn::Pg(c) = conn {
                diesel::sql_query("LOCK TABLE receipts IN ACCESS EXCLUSIVE MODE").execute(c)?;
            }
            started.send(()).unwrap();
            held.recv().unwrap();
            Ok(())
        };
        other.write(hold).await.unwrap();
    });
    actix_web::rt::task::spawn_blocking(move || has_started.recv().unwrap()).await.unwrap();
    site.twilio("/hooks/tw/status", DELIVERED).await.refused(Code::Overloaded);
    release.send(()).unwrap();
    stall.await.unwrap();
    assert!(site.stored().await.is_empty());
    site.twilio("/hooks/tw/status", DELIVERED).await.expect(200);
    assert_eq!(site.stored().await.len(), 1);
}
