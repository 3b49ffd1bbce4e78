//! Meta's errors and what is done about each, in an answer and in a failed status.

use std::time::Duration;

use serde_json::{Value, json};

use super::{code_or_sms_to, send_code, set_number, text_to};
use crate::harness::app::TestApp;
use crate::harness::meta::{MetaSim, carrier};
use crate::messages::{accepted, message, number, secs, status};
use crate::routing::watch;

/// How the WhatsApp number stands.
async fn circuit(app: &TestApp) -> String {
    let carriers = app.operator().get("/v1/admin/carriers").await.expect(200);
    let all = carriers.json["data"].as_array().unwrap().clone();
    all.iter().find(|one| one["name"] == "meta").unwrap()["circuit"].as_str().unwrap().to_owned()
}

/// What becomes of a message without another channel after the code came once: status, our word, the circuit.
const ANSWERED: &[(&[i64], &str, &str, &str)] = &[
    (&[0, 190, 3, 10, 200, 131_005, 131_031, 368, 131_042, 133_010], "queued", "provider.auth", "open"),
    (&[130_497, 100, 131_008, 131_009, 131_051, 132_000, 132_005, 132_012], "failed", "provider.rejected", "closed"),
    (&[4, 80_007, 130_429, 131_048, 131_064], "queued", "provider.throttled", "closed"),
    (&[131_056], "queued", "whatsapp.pair_limit", "closed"),
    (&[131_026, 131_021, 131_030, 131_062], "failed", "recipient.invalid", "closed"),
    (&[131_047], "failed", "whatsapp.session_closed", "closed"),
    (&[131_050], "failed", "recipient.opted_out", "closed"),
    (&[131_049, 130_472, 131_063], "failed", "provider.rejected", "closed"),
    (&[132_001, 132_007, 132_015, 132_016], "failed", "template.not_approved", "closed"),
    (&[131_016, 131_057, 133_004], "queued", "provider.unavailable", "closed"),
    (&[131_000], "unknown", "provider.bad_response", "closed"),
];

#[actix_web::test]
async fn each_code_in_an_answer_has_its_action() {
    for (codes, expected, word, stands) in ANSWERED {
        let (app, meta) = MetaSim::beside(|_| {}).await;
        let acme = app.tenant().await;
        for (n, code) in codes.iter().enumerate() {
            meta.set("fail", json!({ "code": code })).await;
            let id = send_code(&acme.live, &number(n)).await;
            app.step().await;
            // All routes have refused: whoever comes next finds that out.
            app.step().await;
            let seen = message(&acme.live, &id).await;
            assert_eq!((&seen["status"], &seen["error_code"]), (&json!(expected), &json!(word)), "{code}: {seen}");
            assert_eq!(circuit(&app).await, *stands, "{code}");
            if *stands == "open" {
                break;
            }
            app.advance(secs(600));
        }
    }
}

/// Every one of these in the answer stops the number at once.
#[actix_web::test]
async fn each_word_that_the_account_is_stopped_opens_the_circuit() {
    for code in [0, 3, 10, 190, 200, 299, 368, 131_005, 131_031, 131_042, 133_010] {
        let (app, meta) = MetaSim::beside(|_| {}).await;
        let acme = app.tenant().await;
        meta.set("fail", json!({ "code": code })).await;
        send_code(&acme.live, &number(1)).await;
        app.step().await;
        assert_eq!(circuit(&app).await, "open", "{code}");
    }
}

/// What becomes of a code that was accepted and then failed: our word, the circuit.
const FAILED: &[(i64, &str, &str)] = &[
    (131_026, "recipient.invalid", "closed"),
    (131_049, "provider.rejected", "closed"),
    (131_047, "whatsapp.session_closed", "closed"),
    (131_050, "recipient.opted_out", "closed"),
    (132_015, "template.not_approved", "closed"),
    (130_429, "provider.throttled", "closed"),
    (131_056, "whatsapp.pair_limit", "closed"),
    (131_000, "provider.unavailable", "closed"),
    (131_042, "provider.auth", "open"),
    (139_999, "139999", "closed"),
];

#[actix_web::test]
async fn each_code_in_a_failed_status_has_the_same_action() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    for (n, (code, word, stands)) in FAILED.iter().enumerate() {
        app.advance(secs(1_000));
        meta.set("fail", json!({"code": code, "place": "status"})).await;
        let id = send_code(&acme.live, &number(n)).await;
        app.step().await;
        assert_eq!(status(&acme.live, &id).await, "sent");
        meta.flush().await;
        // Codes are erased once they are sent: nothing is left to say again.
        let seen = message(&acme.live, &id).await;
        assert_eq!((&seen["status"], &seen["error_code"]), (&json!("failed"), &json!(word)), "{code}: {seen}");
        assert_eq!(circuit(&app).await, *stands, "{code}");
        let events = acme.live.get(&format!("/v1/messages/{id}/events")).await.expect(200).text;
        assert!(events.contains(&code.to_string()), "{code}: {events}");
        app.advance(secs(1_000));
        if *stands == "open" {
            // Set back by an operator, the number is tried again after its rest, and is well.
            set_number(&app, "connected").await;
            let id = send_code(&acme.live, &number(n + 50)).await;
            app.step().await;
            assert_eq!(
                (status(&acme.live, &id).await, circuit(&app).await),
                (String::from("sent"), String::from("closed"))
            );
        }
    }
}

#[actix_web::test]
async fn text_that_failed_for_a_passing_cause_goes_again() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    for (n, code) in [131_000, 131_016, 130_429, 131_056].into_iter().enumerate() {
        let to = number(n);
        meta.hears_from(&to).await;
        meta.set("fail", json!({"code": code, "place": "status"})).await;
        let id = accepted(&acme.live, text_to(&to)).await;
        app.step().await;
        meta.flush().await;
        assert_eq!(status(&acme.live, &id).await, "queued", "{code}");
        for _ in 0..3 {
            app.advance(secs(10));
            app.step().await;
        }
        meta.flush().await;
        assert_eq!(status(&acme.live, &id).await, "delivered", "{code}");
        let to_them = meta.sent().await.iter().filter(|sent| to.ends_with(sent["to"].as_str().unwrap())).count();
        assert_eq!(to_them, 2, "{code}");
    }
}

#[actix_web::test]
async fn while_a_number_is_stopped_codes_go_by_sms_at_once_and_operators_see_why() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    meta.set("fail", json!({"code": 131_031})).await;
    let first = accepted(&acme.live, code_or_sms_to(&number(1))).await;
    for _ in 0..3 {
        app.step().await;
    }
    let second = accepted(&acme.live, code_or_sms_to(&number(2))).await;
    app.step().await;
    app.step().await;
    assert_eq!((app.acme.hand_offs().len(), meta.sent().await.len()), (2, 0));
    for id in [first, second] {
        assert_eq!(status(&acme.live, &id).await, "sent");
    }
    watch(&app).await;
    let routes = app.operator().get("/v1/admin/routes").await.expect(200).json;
    let route = routes["data"].as_array().unwrap().iter().find(|one| one["carrier"] == "meta").unwrap().clone();
    let path = format!("/v1/admin/routes/{}/history", route["id"].as_str().unwrap());
    let history = app.operator().get(&path).await.expect(200).json;
    assert_eq!(history["data"][0]["reason"], "stopped");
    assert_eq!(history["data"][0]["detail"], json!({"last": "provider.auth"}));
}

#[actix_web::test]
async fn an_error_of_the_number_as_such_is_heeded() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    meta.set("account_error", json!({"code": 130_429})).await;
    assert_eq!(meta.flush().await, (1, 0));
    send_code(&acme.live, &number(1)).await;
    assert_eq!(app.step().await, 0, "the number is left alone for a moment");
    app.advance(secs(6));
    assert_eq!(app.step().await, 1);
    meta.set("account_error", json!({"code": 131_042})).await;
    meta.flush().await;
    assert_eq!(circuit(&app).await, "open");
}

#[actix_web::test]
async fn those_who_deliver_heed_what_another_process_was_told() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    let base = meta.base.clone();
    let other = app.another_with(|config| config.carriers.push(carrier(&base))).await;
    meta.set("account_error", json!({"code": 131_031})).await;
    meta.flush().await;
    assert_eq!((circuit(&app).await, circuit(&other).await), (String::from("open"), String::from("closed")));
    watch(&other).await;
    assert_eq!(circuit(&other).await, "open");
    // Once the rest is over an old word stops nothing, and an operator has set the number back.
    app.advance(secs(61));
    set_number(&app, "connected").await;
    // The other process looks again within a second.
    postern::messages::forget_tables(&other.app);
    send_code(&acme.live, &number(1)).await;
    assert_eq!(other.step().await, 1);
    watch(&other).await;
    assert_eq!(circuit(&other).await, "closed");
}

#[actix_web::test]
async fn a_pair_that_was_refused_waits_four_times_longer_each_time_and_others_do_not() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    meta.set("fail", json!({"code": 131_056, "times": 3, "to": &number(1)[1..]})).await;
    let id = send_code(&acme.live, &number(1)).await;
    let mut waited = Vec::new();
    let mut since = 0u64;
    while waited.len() < 4 {
        if app.step().await == 1 {
            waited.push(since);
            since = 0;
        }
        app.advance(Duration::from_secs(1));
        since += 1;
        assert!(since < 100, "{waited:?}");
    }
    assert_eq!(waited, [0, 1, 4, 16]);
    assert_eq!(status(&acme.live, &id).await, "sent");
    let other = send_code(&acme.live, &number(2)).await;
    app.step().await;
    assert_eq!(status(&acme.live, &other).await, "sent");
}

#[actix_web::test]
async fn who_wants_no_marketing_there_gets_none_elsewhere() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    let send = async |kind: &str, to: String| {
        meta.hears_from(&to).await;
        let mut body: Value = text_to(&to);
        body["kind"] = json!(kind);
        body["fallback"] = json!(["sms"]);
        meta.set("fail", json!({"code": 131_050, "place": "status"})).await;
        accepted(&acme.live, body).await;
        app.step().await;
        meta.flush().await;
        app.step().await;
        app.acme.hand_offs().len()
    };
    assert_eq!(send("marketing", number(1)).await, 0);
    assert_eq!(send("transactional", number(2)).await, 1);
}
