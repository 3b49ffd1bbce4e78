//! Good and bad documents, and what is said about them.

use serde::Deserialize;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Send {
    to: String,
    count: Option<u8>,
    channel: Option<Way>,
    client: Option<Client>,
    messages: Vec<Client>,
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    ip: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    Sms,
    Email,
}

fn read(body: &str) -> Result<Send> {
    decode(&Tree::parse(body.as_bytes()).unwrap())
}

fn fault(body: &str) -> String {
    let error = read(body).unwrap_err();
    let fields: Vec<String> =
        error.fields().iter().map(|(field, whys)| format!("{field} {}", whys.join(", "))).collect();
    match fields.is_empty() {
        true => error.sentence().to_owned(),
        false => fields.join("; "),
    }
}

#[test]
fn a_good_body_is_read_whole() {
    let send =
        read(r#"{"to":"+1","count":3,"channel":"sms","client":{"ip":"x"},"metadata":{"a":"b"},"idempotency_key":"k"}"#);
    let want = Send {
        to: "+1".into(),
        count: Some(3),
        channel: Some(Way::Sms),
        client: Some(Client { ip: "x".into() }),
        messages: vec![],
        metadata: [("a".into(), "b".into())].into(),
    };
    assert_eq!(send.unwrap(), want);
}

#[test]
fn a_fault_names_the_path_and_never_the_value() {
    assert_eq!(fault(r#"{"to":4711}"#), "to must be a string, not a number");
    assert_eq!(fault(r#"{"to":null}"#), "to must be a string, not null");
    assert_eq!(fault(r#"{"count":300}"#), "count must be a whole number from 0 to 255");
    assert_eq!(fault(r#"{"count":1.5}"#), "count must be a whole number from 0 to 255, not a number with a fraction");
    assert_eq!(fault(r#"{"count":"4711"}"#), "count must be a whole number from 0 to 255, not a string");
    assert_eq!(fault(r#"{"channel":"4711"}"#), "channel must be one of sms, email");
    assert_eq!(fault(r#"{"channel":7}"#), "channel must be a string, not a number");
    assert_eq!(fault(r#"{"messages":[{"ip":"a"},{"ip":["4711"]}]}"#), "messages[1].ip must be a string, not an array");
    assert_eq!(fault(r#"{"messages":{}}"#), "messages must be an array, not an object");
    assert_eq!(fault(r#"{"metadata":{"a":1}}"#), "metadata.a must be a string, not a number");
}

#[test]
fn unknown_and_missing_fields_are_named_where_they_belong() {
    assert_eq!(fault(r#"{"client":{}}"#), "client.ip is required");
    assert_eq!(fault(r#"{"messages":[{"ip":"a","port":1}]}"#), "messages[0].port is not a field here; known are ip");
    assert!(fault(r#"{"tо":"x"}"#).starts_with("t? is not a field here; known are to, count"));
    assert_eq!(
        fault(r#"{"client":{"ip":"a","idempotency_key":"k"}}"#),
        "client.idempotency_key is not a field here; known are ip"
    );
}

#[test]
fn several_faults_are_told_together() {
    let body = r#"{"to":7,"count":-1,"channel":"fax","client":{"ip":1,"port":2},"messages":[{"ip":1},{"ip":2}],"x":0}"#;
    let error = read(body).unwrap_err();
    let fields: Vec<&str> = error.fields().keys().map(String::as_str).collect();
    assert_eq!(fields, ["channel", "client.ip", "client.port", "count", "messages[0].ip", "to", "x"]);
    let many: String = (0..100).map(|n| format!("\"a{n}\":1,")).collect();
    assert_eq!(read(&format!("{{{many}\"to\":\"x\"}}")).unwrap_err().fields().len(), 8);
}

#[test]
fn the_root_must_be_an_object() {
    assert_eq!(fault("[]"), "The body must be an object, not an array.");
    assert_eq!(fault("4711"), "The body must be an object, not a number.");
    assert_eq!(fault(r#"{"client":[["x"]]}"#), "client must be an object, not an array");
}

#[test]
fn a_loose_text_stands_for_what_is_wanted() {
    let loose = |field: &str, text: &str| Tree::Map([(field.into(), Tree::Loose(text.into()))].into());
    assert_eq!(decode::<Send>(&loose("count", "7")).unwrap().count, Some(7));
    assert_eq!(decode::<Send>(&loose("to", "7")).unwrap().to, "7");
    assert_eq!(decode::<Send>(&loose("channel", "email")).unwrap().channel, Some(Way::Email));
    let error = decode::<Send>(&loose("count", "4711")).unwrap_err();
    assert_eq!(error.fields()["count"], ["must be a whole number from 0 to 255"]);
}
