//! Callbacks that are believed and are not what they should be: every part of every published one replaced by what no
//! API sends, and cut at every byte. Nothing panics, nothing is taken for something else.

use postern::providers::{Carrier, HookFault, HookKind, Report};
use serde_json::{Value, json};

use super::callbacks::{carrier, read, signed};
use super::fixture;

const BODIES: [(&str, &str); 9] = [
    ("vonage_sms", "providers/vonage_sms_dlr.json"),
    ("vonage", "providers/vonage_messages_status.json"),
    ("infobip", "providers/infobip_dlr.json"),
    ("plivo", "providers/plivo_status.form"),
    ("meta", "meta/webhook_multi_entry_multi_change.json"),
    ("meta", "meta/webhook_status_failed_131026.json"),
    ("meta", "meta/webhook_message_button_inbound.json"),
    ("meta", "meta/webhook_status_sent_2026_contacts_bsuid.json"),
    ("meta", "meta/webhook_template_status_rejected.json"),
];

/// Reads it as either kind; what comes of it is sound.
fn take(carrier: &dyn Carrier, api: &str, body: &[u8]) {
    for kind in [HookKind::Status, HookKind::Inbound] {
        match read(carrier, &signed(api, kind, body)) {
            Err(fault) => assert_eq!(fault, HookFault::Malformed, "{api} {}", String::from_utf8_lossy(body)),
            Ok(reports) => reports.iter().for_each(|report| {
                let shown = format!("{report:?}");
                let (id, words) = match report {
                    // Only what is plain is in it.
                    Report::Number(_) => (&shown, String::from("a number's")),
                    Report::Receipt(one) => (&one.provider_id, one.status.clone()),
                    Report::Trouble(_) => return,
                    Report::Inbound(one) => (&one.provider_id, format!("{}{}", one.from, one.to)),
                    Report::Template(one) => (&one.id, one.name.clone()),
                };
                let plain = |text: &str| !text.is_empty() && text.len() <= 512 && !text.contains(char::is_control);
                assert!(plain(id) && plain(&words), "{api} {report:?}");
            }),
        }
    }
}

#[actix_web::test]
async fn a_believed_callback_may_hold_anything() {
    let strange = [Value::Null, json!(7), json!(-1.5), json!(true), json!(""), json!("\u{0}"), json!("ü".repeat(300))];
    for (api, name) in BODIES.iter().filter(|(_, name)| name.ends_with(".json")) {
        let (carrier, _db) = carrier(api);
        let whole: Value = serde_json::from_slice(&fixture(name)).unwrap();
        for path in paths(&whole) {
            for odd in strange.iter().chain([&json!([]), &json!({}), &json!([[{}], 7])]) {
                let mut changed = whole.clone();
                *changed.pointer_mut(&path).unwrap() = odd.clone();
                take(&*carrier, api, changed.to_string().as_bytes());
            }
        }
    }
}

#[actix_web::test]
async fn a_believed_callback_may_end_anywhere() {
    for (api, name) in BODIES {
        let (carrier, _db) = carrier(api);
        let whole = fixture(name);
        (0..whole.len()).for_each(|end| take(&*carrier, api, &whole[..end]));
    }
}

/// Every place in a value, as JSON pointers, the whole first.
fn paths(value: &Value) -> Vec<String> {
    let below = |name: &str, inner: &Value| paths(inner).into_iter().map(|path| format!("/{name}{path}")).collect();
    let inner: Vec<Vec<String>> = match value {
        Value::Object(map) => map.iter().map(|(name, inner)| below(name, inner)).collect(),
        Value::Array(rows) => rows.iter().enumerate().map(|(n, inner)| below(&n.to_string(), inner)).collect(),
        _ => Vec::new(),
    };
    std::iter::once(String::new()).chain(inner.into_iter().flatten()).collect()
}
