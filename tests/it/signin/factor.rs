//! The second factor: enrolled, asked for, taken once, and what stands in for it.

use std::time::Duration;

use postern::clock::Millis;
use postern::error::Code;
use postern::secret::hmac_sha1;

use super::{Browser, PASSWORD, audited, choose, fresh, invitation, person, value_of};
use crate::harness::app::TestApp;

const STEP: Duration = Duration::from_secs(30);

/// What an authenticator app computes from the key that it was shown.
fn code_at(key: &str, at: Millis) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: Vec<u8> = key
        .bytes()
        .filter_map(|letter| letters.iter().position(|known| *known == letter))
        .flat_map(|value| (0..5).rev().map(move |bit| u8::try_from(value >> bit & 1).unwrap()))
        .collect();
    let secret: Vec<u8> = bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
    let mac = hmac_sha1(&secret, &(at.0 / 30_000).to_be_bytes());
    let offset = usize::from(mac[19] & 15);
    let word = u32::from_be_bytes(mac[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split(from).nth(1).unwrap().split(to).next().unwrap()
}

/// Turns the second factor on; its key and the recovery codes.
async fn enrol(app: &TestApp, browser: &mut Browser) -> (String, Vec<String>) {
    let page = browser.get("/console/account/second-factor").await.expect(200).text;
    let key = between(&page, "<code class=\"key\">", "</code>").to_owned();
    assert!(page.contains(&format!("otpauth://totp/Postern:Ada?secret={}", key.replace(' ', ""))));
    let sealed = value_of(&page, "enrolment");
    let place = "/console/account/second-factor";
    let wrong = browser.submit(place, &[("enrolment", &sealed), ("code", "000000")]).await.expect(422).text;
    assert!(wrong.contains(&key), "the same key again");
    let code = code_at(&key, app.app.clock.now());
    let shown = browser.submit(place, &[("enrolment", &sealed), ("code", &code)]).await.expect(200).text;
    let codes: Vec<String> =
        shown.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 8);
    (key, codes)
}

/// Gives the password; the second factor is awaited then.
async fn half_in(browser: &mut Browser) {
    let reply = browser.sign_in("Ada", PASSWORD).await.expect(303);
    assert_eq!(reply.header("location"), Some("/console/sign-in/code?next=%2Fconsole"));
    assert!(!browser.is_in().await && browser.cookie("postern").is_none());
    assert!(browser.get("/console/sign-in/code").await.expect(200).text.contains("one-time-code"));
}

async fn give(browser: &mut Browser, code: &str) -> u16 {
    browser.send("/console/sign-in/code", &[("code", code)]).await.status
}

#[actix_web::test]
async fn a_code_is_asked_for_and_each_is_taken_once() {
    let app = fresh().await;
    let (_, mut ada) = person(&app, "Ada", "owner").await;
    let (key, codes) = enrol(&app, &mut ada).await;
    let mut browser = Browser::fresh(&app, "198.51.100.2");
    half_in(&mut browser).await;
    assert_eq!(give(&mut browser, &code_at(&key, app.app.clock.now())).await, 403, "the one that enrolled it");
    app.advance(STEP);
    let code = code_at(&key, app.app.clock.now());
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    assert_eq!(give(&mut browser, &spaced).await, 303);
    assert!(browser.is_in().await && browser.cookie("postern-code").is_none());
    // The same code by somebody who looked over the shoulder; then the one before.
    let mut thief = Browser::fresh(&app, "203.0.113.2");
    half_in(&mut thief).await;
    assert_eq!(give(&mut thief, &code).await, 403);
    assert_eq!(give(&mut thief, &code_at(&key, app.app.clock.now().minus(STEP))).await, 403);
    app.advance(Duration::from_secs(1));
    // A recovery code, once.
    assert_eq!(give(&mut thief, &codes[3]).await, 303);
    let mut again = Browser::fresh(&app, "203.0.113.3");
    half_in(&mut again).await;
    app.advance(Duration::from_secs(1));
    assert_eq!(give(&mut again, &codes[3]).await, 403);
    assert!(ada.get("/console/account").await.expect(200).text.contains("Recovery codes left: 7"));
    let told: Vec<_> = audited(&app, "signin.").await.into_iter().map(|row| row.2["factor"].clone()).collect();
    assert!(told.contains(&"code".into()) && told.contains(&"recovery".into()) && told.contains(&"password".into()));
}

#[actix_web::test]
async fn codes_cannot_be_guessed_and_a_half_sign_in_is_worth_five_minutes() {
    let app = fresh().await;
    let (_, mut ada) = person(&app, "Ada", "owner").await;
    let (key, _) = enrol(&app, &mut ada).await;
    let (mut judged, mut refused) = (0, 0);
    let end = app.app.clock.now().plus(Duration::from_secs(15 * 60));
    let mut n = 0;
    while app.app.clock.now() < end {
        n += 1;
        let mut browser = Browser::fresh(&app, &format!("203.0.113.{}", n % 200));
        // Ten passwords a quarter of an hour is no limit to somebody who has it: right ones are taken back.
        half_in(&mut browser).await;
        for guess in 0..3 {
            match give(&mut browser, &format!("{:06}", 1000 + n * 3 + guess)).await {
                403 => judged += 1,
                429 => refused += 1,
                other => panic!("{other}"),
            }
        }
        app.advance(Duration::from_secs(20));
    }
    assert!(judged <= 10 && refused > 20, "{judged} judged, {refused} refused");
    // Ada's own browser is let in meanwhile.
    let mut known = ada.clone().reopened();
    half_in(&mut known).await;
    assert_eq!(give(&mut known, &code_at(&key, app.app.clock.now())).await, 303);
    // Five minutes, one account, one password.
    let mut late = ada.reopened();
    half_in(&mut late).await;
    app.advance(Duration::from_secs(301));
    assert_eq!(give(&mut late, &code_at(&key, app.app.clock.now())).await, 403);
    let pending = late.cookie("postern-code").unwrap().clone();
    let forged = late.with_cookie("postern-code", &pending.replace(".1774", ".1999"));
    assert_eq!(give(&mut forged.clone(), &code_at(&key, app.app.clock.now())).await, 403);
    let mut none = Browser::fresh(&app, "203.0.113.250");
    assert_eq!(give(&mut none, "123456").await, 303, "back to the door");
}

#[actix_web::test]
async fn it_is_turned_off_and_codes_are_renewed_with_the_password_only() {
    let app = fresh().await;
    let (id, mut ada) = person(&app, "Ada", "owner").await;
    let (_, old) = enrol(&app, &mut ada).await;
    app.advance(Duration::from_secs(400));
    for place in ["/console/account/second-factor/remove", "/console/account/recovery-codes"] {
        let asked = ada.submit(place, &[]).await.expect(303);
        assert!(asked.header("location").unwrap().starts_with("/console/account/prove?next="));
    }
    let shown = app.operator().get(&format!("/v1/admin/operators/{id}")).await.expect(200);
    assert_eq!(
        (&shown.json["sign_in"]["second_factor"], &shown.json["sign_in"]["recovery_codes"]),
        (&true.into(), &8.into())
    );
    ada.submit("/console/account/prove", &[("password", PASSWORD)]).await.expect(303);
    let new = ada.submit("/console/account/recovery-codes", &[]).await.expect(200).text;
    assert!(!new.contains(&old[0]));
    let mut browser = Browser::fresh(&app, "198.51.100.2");
    half_in(&mut browser).await;
    assert_eq!(give(&mut browser, &old[0]).await, 403);
    ada.submit("/console/account/second-factor/remove", &[]).await.expect(303);
    browser.sign_in("Ada", PASSWORD).await.expect(303);
    assert!(browser.is_in().await);
    let verbs: Vec<_> = audited(&app, "operator.").await.into_iter().map(|row| row.0).collect();
    for verb in ["operator.second_factor.enrol", "operator.recovery_codes.renew", "operator.second_factor.remove"] {
        assert!(verbs.contains(&verb.to_owned()), "{verbs:?}");
    }
}

#[actix_web::test]
async fn a_link_stands_in_for_the_password_and_not_for_the_second_factor() {
    let app = fresh().await;
    let (id, mut ada) = person(&app, "Ada", "owner").await;
    let (key, _) = enrol(&app, &mut ada).await;
    let link = invitation(&app, &id).await;
    let new = "another long password";
    let mut browser = Browser::fresh(&app, "198.51.100.2");
    let asked = choose(&mut browser, &link, "", new).await.expect(303);
    assert_eq!(asked.header("location"), Some("/console/sign-in/code"));
    assert!(browser.cookie("postern").is_none() && browser.cookie("postern-device").is_none());
    assert!(!browser.is_in().await && !ada.is_in().await, "the old sessions end");
    assert!(browser.get("/console/sign-in/code").await.expect(200).text.contains("one-time-code"));
    assert_eq!(give(&mut browser, "000000").await, 403);
    app.advance(STEP);
    assert_eq!(give(&mut browser, &code_at(&key, app.app.clock.now())).await, 303);
    assert!(browser.is_in().await);
    assert_eq!(ada.sign_in("Ada", PASSWORD).await.status, 403);
    let half = ada.sign_in("Ada", new).await.expect(303);
    assert!(half.header("location").unwrap().starts_with("/console/sign-in/code"));
    let told = audited(&app, "signin.password").await;
    assert!(told.iter().any(|row| row.1 == id && row.2["factor"] == "link"), "{told:?}");
    // What was half signed in is over with the next password.
    app.advance(STEP);
    let other = invitation(&app, &id).await;
    choose(&mut browser, &other, "", PASSWORD).await.expect(303);
    assert_eq!(give(&mut ada, &code_at(&key, app.app.clock.now())).await, 403);
}

#[actix_web::test]
async fn a_lost_second_factor_is_taken_away_by_an_owner_and_never_for_oneself() {
    let app = fresh().await;
    let (id, mut ada) = person(&app, "Ada", "operator").await;
    enrol(&app, &mut ada).await;
    let path = format!("/v1/admin/operators/{id}/second-factor");
    app.operator().delete(&path).await.refused(Code::ValidationFailed);
    app.operator().delete(&format!("{path}?reason=x")).await.refused(Code::ValidationFailed);
    let all = app.operator().get("/v1/admin/operators").await.expect(200);
    let me = all.json["data"].as_array().unwrap().iter().find(|one| one["name"] == "first owner").unwrap();
    let mine = format!("/v1/admin/operators/{}/second-factor?reason=lost%20it", me["id"].as_str().unwrap());
    app.operator().delete(&mine).await.refused(Code::PermissionDenied);
    assert!(ada.is_in().await);
    // The console has it on the page of somebody else who has one.
    let (boss, mut grace) = person(&app, "Grace", "owner").await;
    let title = "Take away the second factor";
    assert!(grace.get(&format!("/console/system/operators/{id}")).await.expect(200).text.contains(title));
    assert!(!grace.get(&format!("/console/system/operators/{boss}")).await.expect(200).text.contains(title));

    let reason = "reason=lost%20phone%2C%20seen%20in%20person";
    let gone = app.operator().delete(&format!("{path}?{reason}")).await.expect(200);
    let state = &gone.json["sign_in"];
    assert_eq!((&state["second_factor"], &state["recovery_codes"]), (&false.into(), &0.into()));
    assert!(!ada.is_in().await);
    let again = app.operator().delete(&format!("{path}?{reason}")).await.expect(200);
    assert_eq!(again.json["sign_in"]["second_factor"], false);
    ada.sign_in("Ada", PASSWORD).await.expect(303);
    assert!(ada.is_in().await, "the password alone lets them in");
    let rows = audited(&app, "operator.second_factor.remove").await;
    assert!(rows.len() == 1 && rows[0].1 == id, "{rows:?}");
    app.operator()
        .delete("/v1/admin/operators/opr_01h455vb4pex5vsknk084sn02q/second-factor?reason=lost")
        .await
        .expect(404);
}
