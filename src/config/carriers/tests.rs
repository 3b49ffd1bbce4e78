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
from = "ACME"
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
