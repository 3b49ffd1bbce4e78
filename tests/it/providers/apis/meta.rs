//! WhatsApp's webhooks: every published one is believed and read, and what is not this number's is passed over.

use std::collections::BTreeMap;

use postern::providers::{HookFault, HookKind};

use super::callbacks::{Sent, carrier, headers, read, signed, told};
use super::{WAMID, fixture, json_fixture};

/// What each webhook about our numbers and account says.
fn said_of_numbers() -> BTreeMap<&'static str, Vec<String>> {
    let said_of = |text: &str| vec![String::from(text)];
    BTreeMap::from([
        (
            "webhook_business_capability_integer.json",
            said_of("account 900100200300400 Contacts(2000) Some(1795334610000)"),
        ),
        (
            "webhook_business_capability_string_tier.json",
            said_of("account 900100200300400 Contacts(10000) Some(1795334609000)"),
        ),
        (
            "webhook_business_capability_legacy_per_phone.json",
            said_of("account 900100200300400 Unlimited Some(1795334611000)"),
        ),
        (
            "webhook_phone_quality_flagged_legacy.json",
            said_of("number +447700900100 Flagged Some(Contacts(10000)) Some(1795334608000)"),
        ),
        (
            "webhook_phone_quality_tier_2k_new_field_only.json",
            said_of("number +447700900100 Other Some(Contacts(2000)) Some(1795334607000)"),
        ),
        (
            "webhook_phone_quality_throughput_upgrade.json",
            said_of("number +447700900100 Throughput Some(Unlimited) Some(1795334606000)"),
        ),
        (
            "webhook_account_alert_limit_deferred.json",
            said_of(r#"alert INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED Some("INFORMATIONAL")"#),
        ),
        (
            "webhook_account_errors_130429.json",
            vec![String::from("trouble provider.throttled"), String::from("alert error.130429 None")],
        ),
    ])
}

/// What each webhook says; those that are not named say nothing.
fn said() -> BTreeMap<&'static str, Vec<String>> {
    let mut all = said_of_numbers();
    let receipt = |rest: &str| vec![format!("{WAMID} {rest}")];
    let inbound = |text: &str| vec![format!("whatsapp +447700900123 > +447700900100: {text}")];
    let template = |rest: &str| vec![format!("template login_otp en-US of 900100200300400: {rest}")];
    let refused = "template promo_otp en of 900100200300400: State(Some(Rejected), Some(\"Parameters stand next to each other \
                   without text between them.\"))";
    all.extend([
        ("webhook_template_status_approved.json", template("State(Some(Approved), None)")),
        ("webhook_template_status_rejected.json", vec![String::from(refused)]),
        (
            "webhook_template_status_paused.json",
            template("State(Some(Paused), Some(\"Your WhatsApp message template has been paused for 3 hours.\"))"),
        ),
        ("webhook_template_status_disabled.json", template("State(Some(Disabled), None)")),
        ("webhook_template_status_pending_deletion_null_reason.json", template("State(Some(Disabled), None)")),
        ("webhook_template_quality_green_to_red.json", template("Quality(\"red\")")),
        ("webhook_status_sent_v23.json", receipt("msg_01JFIXTURE0000000000000001 Sent -")),
        ("webhook_status_sent_v24.json", receipt("msg_01JFIXTURE0000000000000001 Sent -")),
        ("webhook_status_delivered.json", receipt("- Delivered -")),
        ("webhook_status_read_without_delivered.json", receipt("- Delivered -")),
        ("webhook_status_failed_131026.json", receipt("- Failed 131026")),
        ("webhook_status_failed_131047.json", receipt("- Failed 131047")),
        ("webhook_status_failed_131049.json", receipt("- Failed 131049")),
        ("webhook_status_failed_unknown_code.json", receipt("- Failed 139999")),
        (
            "webhook_status_sent_2026_contacts_bsuid.json",
            [receipt("- Sent -"), vec![String::from("person GB.10000000000000000001 of +447700900100")]].concat(),
        ),
        ("webhook_status_delivered_2026_no_phone.json", receipt("- Delivered -")),
        ("webhook_message_text_inbound.json", inbound("STOP")),
        ("webhook_message_button_inbound.json", inbound("I didn't request a code")),
        ("webhook_message_unsupported_inbound.json", inbound("")),
        (
            "webhook_multi_entry_multi_change.json",
            [receipt("- Sent -"), receipt("- Delivered -"), template("Quality(\"yellow\")")].concat(),
        ),
    ]);
    all
}

#[actix_web::test]
async fn every_published_webhook_is_believed_and_read() {
    let (carrier, _db) = carrier("meta");
    let published = json_fixture("meta/signatures.json");
    let files = published["files"].as_object().unwrap();
    assert_eq!(files.len(), 28);
    for (name, signature) in files {
        let sent = Sent {
            kind: HookKind::Status,
            url: String::from("https://otp.example/hooks/meta"),
            headers: headers(&[("x-hub-signature-256", signature.as_str().unwrap())]),
            body: fixture(&format!("meta/{name}")),
        };
        let reports = read(&*carrier, &sent).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        assert_eq!(told(&reports), said().remove(name.as_str()).unwrap_or_default(), "{name}");
        let mut changed = sent.clone();
        *changed.body.last_mut().unwrap() ^= 1;
        assert_eq!(read(&*carrier, &changed), Err(HookFault::Signature), "{name}");
    }
}

#[actix_web::test]
async fn another_numbers_and_unknown_things_are_passed_over() {
    let (carrier, _db) = carrier("meta");
    let whole = String::from_utf8(fixture("meta/webhook_status_delivered.json")).unwrap();
    let message = String::from_utf8(fixture("meta/webhook_message_text_inbound.json")).unwrap();
    for (body, expected) in [
        (whole.replace("800100200300401", "800100200300402"), vec![]),
        (whole.replace("\"messages\"", "\"calls\""), vec![]),
        (whole.replace("\"delivered\"", "\"someday\""), vec![format!("{WAMID} - - -")]),
        (whole.replace("\"status\"", "\"state\""), vec![]),
        (whole.replace("\"statuses\":[", "\"statuses\":[7,"), vec![format!("{WAMID} - Delivered -")]),
        (
            message.replace("\"from\":\"447700900123\"", "\"from_user_id\":\"GB.1\""),
            vec![String::from("whatsapp GB.1 > +447700900100: STOP")],
        ),
        (String::from(r#"{"entry":[]}"#), vec![]),
        (String::from(r#"{"entry":[{"changes":[{}]},7]}"#), vec![]),
    ] {
        let reports = read(&*carrier, &signed("meta", HookKind::Status, body.as_bytes())).unwrap();
        assert_eq!(told(&reports), expected, "{body}");
    }
}

#[actix_web::test]
async fn the_handshake_needs_our_token() {
    let (carrier, _db) = carrier("meta");
    assert!(carrier.is_meta());
    let asked = |mode: &str, token: &str, challenge: &str| {
        let pair = |name: &str, value: &str| (String::from(name), String::from(value));
        let query = [pair("hub.mode", mode), pair("hub.challenge", challenge), pair("hub.verify_token", token)];
        carrier.handshake(&query)
    };
    assert_eq!(asked("subscribe", "fixture-verify-token", "1158201444").as_deref(), Some("1158201444"));
    for (mode, token) in [("subscribe", "wrong"), ("subscribe", ""), ("unsubscribe", "fixture-verify-token")] {
        assert_eq!(asked(mode, token, "1158201444"), None, "{mode} {token}");
    }
    assert_eq!(asked("subscribe", "fixture-verify-token", &"x".repeat(300)), None);
}
