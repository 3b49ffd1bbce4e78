use super::super::{Config, Source};
use super::{BirdCategory, CarrierKind};

/// One carrier of each API, with the keys that have to be there.
const APIS: &str = r#"
[[carriers]]
name = "a"
kind = "vonage_sms"
api_key = "k"
api_secret = "secret-1"
from = "ACME"
callback_token = "secret-2-secret-2"
[[carriers]]
name = "b"
kind = "vonage"
channels = ["whatsapp"]
api_key = "k"
api_secret = "secret-3"
from = "+15005550006"
[[carriers]]
name = "c"
kind = "infobip"
api_key = "secret-4"
base_url = "https://x.api.infobip.com"
from = "ACME"
[[carriers]]
name = "d"
kind = "plivo"
auth_id = "MA0000000000000000AA"
auth_token = "secret-5"
from = "ACME"
[[carriers]]
name = "e"
kind = "bird"
api_key = "secret-6"
base_url = "https://eu1.platform.bird.com"
webhook_secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
[[carriers]]
name = "f"
kind = "sns"
access_key_id = "AKIDEXAMPLE"
secret_access_key = "secret-7"
region = "eu-west-1"
[[carriers]]
name = "g"
kind = "kannel"
username = "u"
password = "secret-8"
base_url = "http://127.0.0.1:13013"
[[carriers]]
name = "h"
kind = "meta"
access_token = "secret-9"
phone_number_id = "800100200300401"
app_secret = "secret-10"
verify_token = "secret-11"
"#;

fn load(text: &str) -> Result<Config, super::super::ConfigFaults> {
    Config::load(Source { name: String::from("postern.toml"), text: String::from(text), ..Source::default() })
}

#[test]
fn every_api_is_read_by_its_word_and_shows_no_secret() {
    let config = load(APIS).unwrap();
    let kinds: Vec<&str> = config.carriers.iter().skip(1).map(|carrier| carrier.kind.as_str()).collect();
    assert_eq!(kinds, ["vonage_sms", "vonage", "infobip", "plivo", "bird", "sns", "kannel", "meta"]);
    let channels = |name: &str| config.carrier(name).unwrap().channels.iter().map(|c| c.as_str()).collect::<Vec<_>>();
    assert_eq!((channels("a"), channels("b"), channels("h")), (vec!["sms"], vec!["whatsapp"], vec!["whatsapp"]));
    let Some(CarrierKind::Bird(bird)) = config.carrier("e").map(|carrier| &carrier.kind) else { panic!() };
    assert_eq!(bird.category, BirdCategory::Authentication);
    let shown = format!("{config:#?}");
    assert!(!shown.contains("secret-") && !shown.contains("MDEyMz"), "{shown}");
}

#[test]
fn what_could_not_work_is_refused_and_no_secret_is_quoted() {
    for (from, to, fault) in [
        ("secret-2-secret-2", "hunter2", "carriers.a.callback_token is shorter than 16 characters"),
        ("secret-2-secret-2", "hunter2%hunter2%20", "carriers.a.callback_token cannot stand in an address"),
        ("[\"whatsapp\"]", "[\"email\"]", "carriers.b.channels has email"),
        ("https://x.api.infobip.com", "x.api.infobip.com", "carriers.c.base_url"),
        ("MA0000000000000000AA", "MA/../x", "carriers.d.auth_id"),
        (
            "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
            "whsec_hunter2!",
            "carriers.e.webhook_secret is not a webhook secret",
        ),
        ("eu-west-1", "evil.example/", "carriers.f.region"),
        ("username = \"u\"", "", "carriers.g.username is missing"),
        ("800100200300401", "8001?x", "carriers.h.phone_number_id"),
        ("secret-11", "", "carriers.h.verify_token is empty"),
        ("kind = \"meta\"", "kind = \"mata\"", "did you mean \"meta\"?"),
    ] {
        let shown = load(&APIS.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(shown.contains(fault) && !shown.contains("hunter2") && !shown.contains("secret-"), "{fault}: {shown}");
    }
}

#[test]
fn senders_that_no_handset_could_show_are_refused() {
    for (from, to, fault) in [
        (
            "from = \"ACME\"",
            "from = \"ACME bank of the north\"",
            "carriers.a.from = \"ACME bank of the north\" is no sender",
        ),
        ("from = \"ACME\"", "from = \"\"", "carriers.a.from = \"\" is no sender"),
        ("from = \"+15005550006\"", "from = \"ACME\"", "carriers.b.from = \"ACME\" cannot send on WhatsApp"),
        ("from = \"+15005550006\"", "from = \"+1500\"", "carriers.b.from = \"+1500\" is no sender"),
        (
            "region = \"eu-west-1\"",
            "region = \"eu-west-1\"\nfrom = \"A B\"",
            "carriers.f.from = \"A B\" is no sender at AWS",
        ),
        (
            "username = \"u\"",
            "username = \"u\"\nfrom = \"me@example.com\"",
            "a mail address belongs to a carrier of mail",
        ),
    ] {
        let shown = load(&APIS.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(shown.contains(fault) && shown.contains("has 1 fault:"), "{fault}: {shown}");
    }
    let http =
        "[[carriers]]\nname = \"g\"\nkind = \"http\"\nurl = \"https://sms.example/send\"\nbody = '{\"to\":\"{to}\"}'\n";
    let odd = "from = \"a service of theirs\"\n";
    assert!(
        load(&format!("{http}{odd}")).unwrap_err().to_string().contains("carriers.g.from = \"a service of theirs\"")
    );
    assert!(load(&format!("{http}channels = [\"email\"]\n{odd}")).is_ok(), "what mail APIs want, Postern cannot know");
}

#[test]
fn a_number_at_meta_has_one_carrier() {
    let more = "[[carriers]]\nname = \"i\"\nkind = \"meta\"\naccess_token = \"t\"\nphone_number_id = \"800100200300401\"\n\
        app_secret = \"s\"\nverify_token = \"v\"\n";
    let shown = load(&format!("{APIS}{more}")).unwrap_err().to_string();
    assert!(shown.contains("carriers.i.phone_number_id is the number of the carrier h too"), "{shown}");
    assert!(load(&format!("{APIS}{}", more.replace("401", "402"))).is_ok());
}

#[test]
fn a_fault_of_one_key_hides_none_of_another() {
    let shown = load(
        r#"
[[carriers]]
name = "A"
kind = "twilio"
channels = ["email"]
max_in_flight = 0
account_sid = "AC1"
auth_tokn = "secret-1"
[[carriers]]
name = "post"
kind = "smtp"
tls = "none"
password = "secret-2"
port = 99999
host = "smtp.example.com"
[[carriers]]
name = "gateway"
kind = "http"
url = "no address"
method = "GET"
body = "{}"
success_statuses = [200, 429]
[[carriers]]
name = "centre"
kind = "smpp"
system_id = "me"
password = "longer than eight"
ca_file = "ca.pem"
from = "a sender of 21 octets"
[[carriers]]
name = "gateway"
kind = "meta"
phone_number_id = "1"
"#,
    )
    .unwrap_err()
    .to_string();
    for fault in [
        "carriers.A.name = \"A\" is not a carrier's name",
        "carriers.A.channels has email, which a carrier of kind twilio cannot carry",
        "carriers.A.max_in_flight = 0 is out of range",
        "carriers.A.account_sid is not an account SID",
        "carriers.A.auth_tokn is not a known key",
        "carriers.A.auth_token is missing",
        "carriers.A.from is missing",
        "carriers.post.tls = \"none\" would send the password in the clear",
        "carriers.post.username is missing",
        "carriers.post.port = 99999 is out of range",
        "carriers.post.from is missing",
        "carriers.gateway.url is not a URL",
        "carriers.gateway.body stands beside method = \"GET\"",
        "carriers.gateway.busy_statuses has 429",
        "carriers.centre.host is missing",
        "carriers.centre.password is longer than 8 octets",
        "carriers.centre.ca_file stands beside tls = \"none\"",
        "carriers.centre.from = \"a sender of 21 octets\" is no sender",
        "carriers.gateway.name is taken by another carrier",
        "carriers.gateway.access_token is missing",
    ] {
        assert!(shown.contains(fault), "{fault} is not in\n{shown}");
    }
    assert!(!shown.contains("secret-") && !shown.contains("longer than eight"), "{shown}");
}
