//! What operators are told by mail: at once, then at most once in a while with a count, and never with a full number.

use postern::alerts::mail_due;
use postern::config::{AlertKind, Config};
use postern::sentinel;
use serde_json::json;

use super::{guarded, latvian, pumped};
use crate::harness::app::TestApp;
use crate::harness::fake_smtp::SmtpFault;
use crate::messages::secs;

fn told(config: &mut Config) {
    config.alerts.email = vec!["ops@example.com".to_owned(), "night@example.com".to_owned()];
}

async fn pause(app: &TestApp, verb: &str) {
    let what = json!({"scope": "country", "value": "LV", "reason": "pumped"});
    app.operator().post(&format!("/v1/admin/{verb}"), what).await.expect(200);
}

#[actix_web::test]
async fn a_hold_is_mailed_to_every_operator_without_a_number() {
    let app = TestApp::start_with(told).await;
    let acme = guarded(&app).await;
    pumped(&app, &acme.test).await;
    sentinel::keep_holds(&app.app).await.unwrap();
    assert_eq!(mail_due(&app.app).await.unwrap(), 1);
    let letters = app.post.letters();
    let to: Vec<_> = letters.iter().flat_map(|letter| letter.to.clone()).collect();
    assert_eq!(to, ["ops@example.com", "night@example.com"]);
    let text = &letters[0].data;
    assert!(text.contains("Subject: [Postern] The fraud guard holds block") && text.contains(&acme.org), "{text}");
    assert!((0..200).all(|n| !text.contains(&latvian(n)[1..])), "{text}");
    assert_eq!(mail_due(&app.app).await.unwrap(), 0);
}

#[actix_web::test]
async fn what_happens_again_is_counted_and_mailed_once_in_a_while() {
    let app = TestApp::start_with(told).await;
    let other = app.another_with(told).await;
    pause(&app, "pause").await;
    assert_eq!((mail_due(&other.app).await.unwrap(), mail_due(&app.app).await.unwrap()), (1, 0), "one process mails");
    for verb in ["resume", "pause", "resume"] {
        pause(&app, verb).await;
    }
    app.advance(secs(14 * 60));
    assert_eq!(mail_due(&app.app).await.unwrap(), 0);
    app.advance(secs(60));
    assert_eq!(mail_due(&app.app).await.unwrap(), 1);
    let letters = app.post.letters();
    assert_eq!((letters.len(), other.post.letters().len()), (2, 2));
    assert!(letters[0].data.contains("Live messages were resumed: country/LV, 3 times"), "{}", letters[0].data);
}

#[actix_web::test]
async fn what_nobody_wants_to_hear_is_forgotten_and_a_mail_that_fails_is_no_fault() {
    let silent = TestApp::start().await;
    pause(&silent, "pause").await;
    assert_eq!(mail_due(&silent.app).await.unwrap(), 0);
    let chosen = |config: &mut Config| {
        told(config);
        config.alerts.events = vec![AlertKind::FraudHold];
    };
    let app = TestApp::start_with(chosen).await;
    pause(&app, "pause").await;
    assert_eq!(mail_due(&app.app).await.unwrap(), 0);
    let app = TestApp::start_with(told).await;
    app.post.fail(Some(SmtpFault::Reply("MAIL", "550 no")));
    pause(&app, "pause").await;
    assert_eq!((mail_due(&app.app).await.unwrap(), app.post.letters().len()), (1, 0));
}

#[actix_web::test]
async fn a_mail_that_is_refused_is_sent_again_with_longer_waits_and_over_a_restart() {
    let app = TestApp::start_with(told).await;
    app.post.fail(Some(SmtpFault::Reply("MAIL", "451 later")));
    pause(&app, "pause").await;
    assert_eq!((mail_due(&app.app).await.unwrap(), app.post.letters().len()), (1, 0));
    app.post.fail(None);
    app.advance(secs(59));
    mail_due(&app.app).await.unwrap();
    assert_eq!(app.post.letters().len(), 0, "not before its time");
    // Another process takes it up, with a mail server that says no as well.
    let other = app.another_with(told).await;
    other.post.fail(Some(SmtpFault::Reply("MAIL", "550 no")));
    app.advance(secs(1));
    assert_eq!((mail_due(&other.app).await.unwrap(), mail_due(&app.app).await.unwrap()), (0, 0), "nothing new");
    assert_eq!((app.post.letters().len(), other.post.letters().len()), (0, 0), "one process tries");
    app.advance(secs(299));
    mail_due(&app.app).await.unwrap();
    assert_eq!(app.post.letters().len(), 0);
    app.advance(secs(1));
    mail_due(&app.app).await.unwrap();
    let letters = app.post.letters();
    let to: Vec<_> = letters.iter().flat_map(|letter| letter.to.clone()).collect();
    assert_eq!(to, ["ops@example.com", "night@example.com"]);
    assert!(letters[0].data.contains("Live messages were paused: country/LV."), "{}", letters[0].data);
    app.advance(secs(86_400));
    mail_due(&app.app).await.unwrap();
    assert_eq!(app.post.letters().len(), 2, "once each");
}

#[actix_web::test]
async fn a_mail_is_given_up_after_a_day_or_where_the_address_is_none() {
    let app = TestApp::start_with(told).await;
    app.post.fail(Some(SmtpFault::Reply("MAIL", "451 later")));
    pause(&app, "pause").await;
    for minutes in [0, 1, 5, 15, 60, 180, 420, 750] {
        app.advance(secs(minutes * 60));
        mail_due(&app.app).await.unwrap();
    }
    app.post.fail(None);
    app.advance(secs(30 * 86_400));
    mail_due(&app.app).await.unwrap();
    assert_eq!(app.post.letters().len(), 0);

    let app = TestApp::start_with(told).await;
    app.post.fail(Some(SmtpFault::Reply("RCPT", "550 5.1.1 no such user")));
    pause(&app, "pause").await;
    mail_due(&app.app).await.unwrap();
    app.post.fail(None);
    app.advance(secs(30 * 86_400));
    mail_due(&app.app).await.unwrap();
    assert_eq!(app.post.letters().len(), 0);
}

#[actix_web::test]
async fn a_spend_cap_is_mailed_as_it_fills() {
    let app = TestApp::start_with(told).await;
    let acme = guarded(&app).await;
    let caps = json!([{"scope": "org", "window": "1h", "amount": "0.14"}]);
    app.operator().put(&format!("/v1/admin/orgs/{}/caps", acme.org), caps).await.expect(200);
    acme.test.post("/v1/verifications", json!({"to": latvian(7)})).await.expect(201);
    assert_eq!(mail_due(&app.app).await.unwrap(), 1);
    assert!(app.post.letters()[0].data.contains("50 % of a spend cap is spent"), "{}", app.post.letters()[0].data);
}
