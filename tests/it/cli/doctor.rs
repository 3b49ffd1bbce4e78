//! `postern doctor` with carriers: each is named and tried, and none is handed a message.

use std::net::TcpListener;

use super::{Folder, run};
use crate::harness::fake_carrier::{FakeCarrier, Script};
use crate::harness::fake_smsc::{FakeSmsc, PASSWORD};
use crate::harness::fake_smtp::{FakeSmtp, SmtpFault};
use crate::harness::wait::meanwhile;

struct Town {
    twilio: FakeCarrier,
    acme: FakeCarrier,
    meta: FakeCarrier,
    sns: FakeCarrier,
    post: FakeSmtp,
    centre: FakeSmsc,
    folder: Folder,
}

impl Town {
    async fn start(more: &str) -> Town {
        let [twilio, acme, meta, sns] = [(); 4].map(|()| FakeCarrier::start());
        let (post, centre, folder) = (FakeSmtp::start(), FakeSmsc::start().await, Folder::fresh());
        let text = format!(
            r#"
[server]
public_url = "http://localhost:1"
[outbound]
connect_timeout = "1s"
total_timeout = "2s"
[[carriers]]
name = "tw"
kind = "twilio"
base_url = "{}"
account_sid = "AC00000000000000000000000000000000"
auth_token = "canary-token"
from = "+15005550006"
[[carriers]]
name = "gateway"
kind = "http"
url = "{}"
body = '{{"to":"{{to}}"}}'
[[carriers]]
name = "wa"
kind = "meta"
base_url = "{}"
access_token = "canary-token"
phone_number_id = "800100200300401"
app_secret = "canary-secret"
verify_token = "v"
[[carriers]]
name = "aws"
kind = "sns"
base_url = "{}"
access_key_id = "AKIDEXAMPLE"
secret_access_key = "canary-secret"
region = "eu-west-1"
[[carriers]]
name = "mail"
kind = "smtp"
host = "127.0.0.1"
port = {}
tls = "none"
username = "postern"
password = "canary-mail"
from = "no-reply@example.com"
[[carriers]]
name = "centre"
kind = "smpp"
host = "127.0.0.1"
port = {}
system_id = "me"
password = "{PASSWORD}"
{more}
"#,
            twilio.url(""),
            acme.url("/send?to={to}"),
            meta.url(""),
            sns.url(""),
            post.address().port(),
            centre.port,
        );
        std::fs::write(folder.0.join("postern.toml"), text).unwrap();
        Town { twilio, acme, meta, sns, post, centre, folder }
    }

    /// The exit code, and what was printed.
    async fn doctor(&self) -> (Option<i32>, String) {
        let path = self.folder.0.clone();
        let output = tokio::task::spawn_blocking(move || run(&path, &["doctor"])).await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(!said.contains("canary"), "no secret is shown: {said}");
        (output.status.code(), said)
    }
}

#[actix_web::test]
async fn every_carrier_is_tried_by_name_and_none_gets_a_message() {
    let town = Town::start("mode = \"transmitter_receiver\"").await;
    let (code, said) = town.doctor().await;
    for line in [
        "ok    carrier tw (twilio): lets us in (HTTP 201)",
        "ok    carrier gateway (http): answers at http://127.0.0.1:",
        "ok    carrier wa (meta): lets us in (HTTP 201)",
        "ok    carrier aws (sns): lets us in (HTTP 201)",
        "ok    carrier mail (smtp): lets us in (SMTP, nothing mailed)",
        "ok    carrier centre (smpp): lets us in (bound and unbound, 2 of 2)",
    ] {
        assert!(said.contains(line), "{line} is not in\n{said}");
    }
    assert_eq!(code, Some(0), "{said}");
    let asked = |carrier: &FakeCarrier| {
        let calls = carrier.hand_offs();
        assert_eq!(calls.len(), 1);
        format!("{} {}", calls[0].method, calls[0].path)
    };
    assert_eq!(asked(&town.twilio), "GET /2010-04-01/Accounts/AC00000000000000000000000000000000.json");
    assert_eq!(asked(&town.acme), "HEAD /");
    assert_eq!(asked(&town.meta), "GET /v25.0/800100200300401?fields=id");
    assert_eq!(asked(&town.sns), "POST /");
    assert_eq!(town.sns.hand_offs()[0].body, b"Action=GetSMSAttributes&Version=2010-03-31");
    assert_eq!((town.post.letters().len(), town.centre.submits().len()), (0, 0));
    let binds: Vec<&str> = town.centre.binds().iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(binds, ["transmitter", "receiver"]);
    meanwhile("the good-byes", async || Some(()).filter(|()| town.centre.bound() == 0)).await;
}

#[actix_web::test]
async fn a_carrier_that_refuses_is_absent_or_odd_is_told_with_what_to_do() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let more = format!(
        "[[carriers]]\nname = \"gone\"\nkind = \"smpp\"\nhost = \"127.0.0.1\"\nport = {closed}\nsystem_id = \"me\"\npassword = \"x\"\n\
         [[carriers]]\nname = \"shut\"\nkind = \"smpp\"\nhost = \"127.0.0.1\"\nport = PORT\nsystem_id = \"me\"\npassword = \"wrong\"\n"
    );
    let town = Town::start(&more).await;
    let path = town.folder.0.join("postern.toml");
    let text = std::fs::read_to_string(&path).unwrap().replace("PORT", &town.centre.port.to_string());
    std::fs::write(&path, text).unwrap();
    town.twilio.always(Script::json(401, serde_json::json!({"code": 20003})));
    town.acme.always(Script::HangAfter);
    town.meta.always(Script::json(400, serde_json::json!({"error": {"code": 100, "message": "canary-token"}})));
    let refused = "<ErrorResponse><Error><Code>AuthorizationError</Code></Error></ErrorResponse>";
    town.sns.always(Script::Answer(403, vec![], refused.into()));
    town.post.fail(Some(SmtpFault::Reply("AUTH", "535 5.7.8 no")));
    let (code, said) = town.doctor().await;
    for line in [
        "FAIL  carrier tw (twilio): does not let us in (HTTP 401)\n      hint: check its credentials",
        "FAIL  carrier gateway (http): does not answer at http://127.0.0.1:",
        "FAIL  carrier wa (meta): does not let us in to that number (HTTP 400, error 100)",
        "ok    carrier aws (sns): knows the keys, which may not read its attributes (AuthorizationError)",
        "FAIL  carrier mail (smtp): does not let us in: ",
        "ok    carrier centre (smpp): lets us in (bound and unbound, 1 of 1)",
        "FAIL  carrier gone (smpp): cannot be reached: ",
        "FAIL  carrier shut (smpp): the bind was refused: ",
    ] {
        assert!(said.contains(line), "{line} is not in\n{said}");
    }
    assert_eq!(code, Some(1));
    town.twilio.always(Script::json(500, serde_json::json!({})));
    assert!(town.doctor().await.1.contains("warn  carrier tw (twilio): answers HTTP 500"));
}
