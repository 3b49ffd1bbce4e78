//! Tests of the whole configuration: file and environment in, values or every fault out.

use super::*;

fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
    let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Config::load(Source { name: String::from("postern.toml"), text: text.to_owned(), env, ..Source::default() })
}

fn faults(text: &str, env: &[(&str, &str)]) -> String {
    load(text, env).unwrap_err().to_string()
}

#[test]
fn nothing_written_gives_the_documented_defaults() {
    let config = load("", &[]).unwrap();
    assert_eq!(config.server.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url().as_str(), "http://127.0.0.1:8080");
    assert_eq!(config.database_url().to_string(), "sqlite://data/postern.db");
    assert_eq!(config.server.max_body, Size(1 << 20));
    assert_eq!(config.carriers.len(), 1);
    assert!(config.carrier(SANDBOX).is_some());
}

#[test]
fn the_values_for_tests_are_good() {
    let config = Config::for_tests();
    assert_eq!(config.server.bind.port(), 0);
    assert_ne!(config.node.data_dir, Config::for_tests().node.data_dir);
}

#[test]
fn a_variable_overrules_the_file() {
    let config = load("[server]\nbind = \"127.0.0.1:1\"\n", &[("POSTERN_BIND", "127.0.0.1:2")]).unwrap();
    assert_eq!(config.server.bind.port(), 2);
}

#[test]
fn the_database_follows_the_data_directory() {
    let config = load("", &[("POSTERN_DATA_DIR", "/var/lib/postern")]).unwrap();
    assert_eq!(config.database_url().to_string(), "sqlite:///var/lib/postern/postern.db");
}

#[test]
fn every_fault_is_reported_at_once_with_place_and_hint() {
    let text = "\
redis_url = \"http://h\"
retention = 3
[server]
bnid = \"127.0.0.1:8080\"
bind = \"127.0.0.1\"
workers = 0
body_timeout = \"10\"
max_body = \"1GB\"
public_url = \"otp.example.com\"
trusted_proxies = [\"10.0.0.0/40\", \"::1\"]
[dispatch]
lease = \"5s\"
[databse]
url = \"mysql://h/d\"
";
    let shown = faults(text, &[("POSTERN_LOG_FORMAT", "jsn"), ("POSTERN_BNID", "x"), ("POSTERN_ACTIVATIONS", "yes")]);
    for expected in [
        "the configuration has 14 faults:",
        "postern.toml:1: redis_url is not a plain redis or rediss URL\n      hint: write \"redis://",
        "postern.toml:2: retention is a number, not a table",
        "postern.toml:4: server.bnid is not a known key\n      hint: did you mean bind?",
        "postern.toml:5: server.bind = \"127.0.0.1\" is not an address with a port",
        "postern.toml:6: server.workers",
        "postern.toml:7: server.body_timeout = \"10\" is not a duration",
        "postern.toml:8: server.max_body = \"1GB\" is not a size",
        "postern.toml:9: server.public_url is not a URL",
        "postern.toml:10: server.trusted_proxies = \"10.0.0.0/40\" is not a CIDR",
        "postern.toml:12: dispatch.lease = 5s is not longer than",
        "postern.toml:13: databse is not a known key\n      hint: did you mean database?",
        "POSTERN_LOG_FORMAT: log.format = \"jsn\" is not known\n      hint: did you mean \"json\"?",
        "POSTERN_BNID: is not a known variable\n      hint: did you mean POSTERN_BIND?",
        "POSTERN_ACTIVATIONS: activations = \"yes\" is not known",
    ] {
        assert!(shown.contains(expected), "{expected}\nnot in\n{shown}");
    }
}

#[test]
fn a_key_in_the_wrong_place_is_told_its_home() {
    assert!(faults("readers = 4\n", &[]).contains("it belongs under [database]"));
}

#[test]
fn broken_toml_is_reported_by_line_beside_the_other_faults() {
    let shown = faults("[server]\nbind = \"127.0.0.1:8080\nworkers = 2\n[log]\nformat = \"xml\"\n", &[]);
    assert!(shown.contains("postern.toml:2: is not TOML"), "{shown}");
    assert!(shown.contains("postern.toml:5: log.format"), "{shown}");
}

#[test]
fn keys_are_checked_against_each_other() {
    let shown = faults("[dispatch]\nlease = \"10s\"\n[metrics]\nbind = \"127.0.0.1:8080\"\n", &[]);
    assert!(shown.contains("postern.toml:2: dispatch.lease = 10s is not longer than"), "{shown}");
    assert!(shown.contains("postern.toml:4: metrics.bind"), "{shown}");
}

#[test]
fn postgres_needs_a_secret_key() {
    let shown = faults("", &[("POSTERN_DATABASE_URL", "postgres://app:hunter2@h/d")]);
    assert!(shown.contains("secret_key is missing") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn variables_of_an_orchestrator_are_not_ours() {
    load("", &[("POSTERN_SERVICE_HOST", "10.0.0.1"), ("POSTERN_PORT", "tcp://10.0.0.1:80")]).unwrap();
}

const CARRIERS: &str = r#"
[[carriers]]
name = "acme"
kind = "twilio"
account_sid = "AC00000000000000000000000000000000"
from = "+15005550006"

[[carriers]]
name = "gateway"
kind = "http"
url = "https://sms.example.com/send/{id}?key=urlsecret"
headers = { Authorization = "Bearer headersecret" }
body = '{"to":"{to}","text":"{text}","password":"bodysecret"}'
[carriers.receipt]
secret = "receiptsecret-receiptsecret"
status_map = { DELIVRD = "delivered" }

[[carriers]]
name = "centre"
kind = "smpp"
host = "smpp.example.com"
system_id = "me"
password = "mysecret"

[[carriers]]
name = "mail"
kind = "smtp"
host = "smtp.example.com"
username = "u"
password = "mailsecret"
from = "Example <no-reply@example.com>"
"#;

#[test]
fn carriers_of_every_kind_are_read() {
    let config = load(CARRIERS, &[("POSTERN_CARRIER_ACME_AUTH_TOKEN", "twiliosecret")]).unwrap();
    let names: Vec<&str> = config.carriers.iter().map(|carrier| carrier.name.as_str()).collect();
    assert_eq!(names, ["sandbox", "acme", "gateway", "centre", "mail"]);
    let Some(CarrierKind::Twilio(twilio)) = config.carrier("acme").map(|carrier| &carrier.kind) else { panic!() };
    assert_eq!(twilio.auth_token.expose(), "twiliosecret");
    let Some(CarrierKind::Http(http)) = config.carrier("gateway").map(|carrier| &carrier.kind) else { panic!() };
    let fill = Fill { to: "+1", from: "", text: "a \"b\"", id: "msg_1" };
    assert_eq!(http.call.render_url(&fill), "https://sms.example.com/send/msg_1?key=urlsecret");
    assert!(http.call.render_body(&fill).unwrap().contains(r#""text":"a \"b\"""#));
    assert_eq!(http.receipt.as_ref().unwrap().status_map["DELIVRD"], ReceiptStatus::Delivered);
}

#[test]
fn debug_of_a_configuration_shows_no_secret() {
    let env = [
        ("POSTERN_CARRIER_ACME_AUTH_TOKEN", "twiliosecret"),
        ("POSTERN_OPERATOR_TOKEN", "operatorsecret-operatorsecret"),
        ("POSTERN_SECRET_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
        ("POSTERN_DATABASE_URL", "postgres://app:dbsecret@h/d"),
    ];
    let shown = format!("{:#?}", load(CARRIERS, &env).unwrap());
    assert!(shown.contains("acme"));
    for secret in ["BwcH", "[7, 7"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    for secret in ["twilio", "operator", "db", "url", "header", "body", "receipt", "my", "mail"] {
        assert!(!shown.contains(&format!("{secret}secret")), "{secret}secret in {shown}");
    }
}

#[test]
fn faults_of_carriers_name_the_carrier_and_quote_no_secret() {
    let text = r#"
[[carriers]]
name = "acme"
kind = "twilio"
auth_tokn = "hunter2"
[[carriers]]
name = "Bad Name"
kind = "sandbox"
[[carriers]]
name = "gateway"
kind = "http"
url = "https://{to}.example.com/"
method = "PSOT"
body = '{"to":{to}}'
headers = { "bad name" = "hunter2" }
[[carriers]]
name = "mail"
kind = "smpt"
[[carriers]]
name = "sandbox"
kind = "sandbox"
[[carriers]]
name = "out"
kind = "smtp"
host = "smtp.example.com"
tls = "none"
username = "u"
password = "hunter2"
from = "nobody"
channels = ["sms"]
"#;
    let shown = faults(text, &[]);
    for expected in [
        "postern.toml:5: carriers.acme.auth_tokn is not a known key\n      hint: did you mean auth_token?",
        "postern.toml:2: carriers.acme.account_sid is missing",
        "postern.toml:7: carriers.Bad Name.name = \"Bad Name\" is not a carrier's name",
        "postern.toml:12: carriers.gateway.url has a placeholder in its host",
        "postern.toml:13: carriers.gateway.method = \"PSOT\" is not known\n      hint: did you mean \"POST\"?",
        "carriers.gateway.headers",
        "postern.toml:18: carriers.mail.kind = \"smpt\" is not known\n      hint: did you mean \"smpp\"?",
        "postern.toml:19: carriers.sandbox.name is taken",
        "carriers.out.from = \"nobody\" is not a mail address",
    ] {
        assert!(shown.contains(expected), "{expected}\nnot in\n{shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn faults_of_an_smpp_carrier_say_what_fits() {
    let text = r#"
[[carriers]]
name = "centre"
kind = "smpp"
host = "smpp.example.com"
system_id = "longer than fifteen"
password = "hunter2-and-more"
ca_file = "ca.pem"
recipient = "international"
gsm7_data_coding = 256
binds = 0
"#;
    let shown = faults(text, &[]);
    for expected in [
        "carriers.centre.system_id = \"longer than fifteen\" does not fit SMPP\n      hint: write up to 15 ASCII",
        "carriers.centre.recipient = \"international\" is not a type and a plan\n      hint: write a type and a plan, e.g. \"1/1\"",
        "carriers.centre.gsm7_data_coding = 256 is out of range",
        "carriers.centre.binds = 0 is out of range",
    ] {
        assert!(shown.contains(expected), "{expected}\nnot in\n{shown}");
    }
    let good = text.replace("longer than fifteen", "me").replace("international", "1/1").replace("256", "1");
    let shown = faults(&good.replace("binds = 0", "binds = 2"), &[]);
    assert!(shown.contains("carriers.centre.ca_file stands beside tls"), "{shown}");
    assert!(
        shown.contains("carriers.centre.password is longer than 8 octets") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[test]
fn carriers_may_come_from_one_variable() {
    let text = r#"[{ name = "staging", kind = "sandbox", channels = ["sms"] }]"#;
    let config = load("", &[("POSTERN_CARRIERS", text)]).unwrap();
    assert_eq!(config.carrier("staging").unwrap().channels, [crate::terms::Channel::Sms]);
    assert!(faults("", &[("POSTERN_CARRIERS", "acme")]).contains("POSTERN_CARRIERS: carriers is not a TOML value"));
}

/// The default file with every commented key in force, but for those named.
fn uncommented(skip: &[&str]) -> String {
    let live = |line: &str| {
        let word = line.strip_prefix('#')?;
        let begins = word.starts_with(|c: char| c.is_ascii_lowercase() || c == '[');
        (begins && !skip.iter().any(|key| word.starts_with(&format!("{key} =")))).then(|| word.to_owned())
    };
    default_file().lines().map(|line| live(line).unwrap_or_else(|| line.to_owned())).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_default_file_changes_nothing_as_it_stands() {
    let untouched = format!("{:?}", load("", &[]).unwrap());
    assert_eq!(format!("{:?}", load(&default_file(), &[]).unwrap()), untouched);
}

#[test]
fn every_line_of_the_default_file_is_good_once_uncommented() {
    let placeholders = ["secret_key", "operator_token", "webhook_secret", "payment_secret"];
    let shared = ["messaging_service_sid", "ca_file"];
    let text =
        uncommented(&[placeholders.as_slice(), shared.as_slice()].concat()).replace("\"…\"", "\"a-key-of-sixteen\"");
    let config = load(&text, &[]).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
    let defaults = load("", &[]).unwrap();
    assert_eq!(format!("{:?}", config.retention), format!("{:?}", defaults.retention));
    assert_eq!(format!("{:?}", config.dispatch), format!("{:?}", defaults.dispatch));
    assert_eq!(config.carriers.len(), 13);
}

#[test]
fn placeholders_for_secrets_are_refused_as_they_stand() {
    let shown = faults(&uncommented(&["messaging_service_sid"]), &[]);
    assert!(shown.contains("secret_key is not 32 bytes") && shown.contains("operator_token is shorter"), "{shown}");
}

#[test]
fn every_key_has_a_variable_of_its_own() {
    let mut seen = std::collections::BTreeSet::new();
    for key in print::keys() {
        assert!(key.env.starts_with("POSTERN_"), "{}", key.name);
        assert!(seen.insert(key.env), "{} twice", key.env);
        assert!(!source::is_foreign(key.env), "{}", key.env);
    }
}

#[test]
fn the_documented_default_file_is_the_code_s_own() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/postern.default.toml");
    assert_eq!(
        std::fs::read_to_string(kept).unwrap(),
        default_file(),
        "run `postern config print > docs/postern.default.toml`"
    );
}
