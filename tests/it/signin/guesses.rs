//! Guessing: slowed down by account and by address, on every process, and never to the cost of a device that is known.

use std::time::Duration;

use super::{Browser, PASSWORD, audited, choose, fresh, invitation, operator, person};
use crate::harness::actor::Reply;
use crate::harness::app::TestApp;

const QUARTER: Duration = Duration::from_secs(15 * 60);

fn wait_of(reply: &Reply) -> Duration {
    Duration::from_secs(reply.header("retry-after").unwrap().parse().unwrap())
}

/// Guesses at once whenever it may, for `lasting`; how many were judged, and the waits between.
async fn guess(
    app: &TestApp,
    lasting: Duration,
    mut attempt: impl AsyncFnMut(usize) -> Reply,
) -> (usize, Vec<Duration>) {
    let end = app.app.clock.now().plus(lasting);
    let (mut judged, mut waits, mut tries) = (0, Vec::new(), 0);
    while app.app.clock.now() < end {
        tries += 1;
        let reply = attempt(tries).await;
        match reply.status {
            403 => judged += 1,
            429 => {
                waits.push(wait_of(&reply));
                app.advance(wait_of(&reply));
            }
            other => panic!("{other}: {}", reply.text),
        }
    }
    (judged, waits)
}

#[actix_web::test]
async fn ten_guesses_at_an_account_in_a_quarter_of_an_hour_from_wherever_they_come() {
    let app = fresh().await;
    let (id, ada) = person(&app, "Ada", "owner").await;
    let other = app.another_with(|config| config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let (judged, waits) = guess(&app, QUARTER, async |n| {
        let browser = Browser::fresh(&app, &format!("203.0.113.{}", n % 50));
        // Every second one asks another process.
        let mut browser = if n % 2 == 0 { browser.at(&other) } else { browser };
        browser.sign_in("Ada", &format!("a guess of number {n}")).await
    })
    .await;
    assert_eq!(judged, 10);
    let secs: Vec<u64> = waits.iter().map(Duration::as_secs).collect();
    assert_eq!(secs[..7], [1, 2, 4, 8, 16, 32, 64], "it grows");
    // In the midst of it: refused from elsewhere even with the right password, let in where the device is known.
    for n in 0..12 {
        let mut browser = Browser::fresh(&app, &format!("203.0.113.{n}"));
        while browser.sign_in("Ada", "one more").await.status == 403 {}
    }
    let mut stranger = Browser::fresh(&app, "203.0.113.99");
    let refused = stranger.sign_in("Ada", PASSWORD).await.expect(429);
    assert!(refused.text.contains("Too many attempts") && !stranger.is_in().await);
    let mut known = ada.reopened();
    known.sign_in("Ada", PASSWORD).await.expect(303);
    assert!(known.is_in().await);
    // What was refused is counted, and told with the next that was judged.
    let rows = audited(&app, "signin.").await;
    let failures: Vec<_> = rows.iter().filter(|row| row.0 == "signin.failure").collect();
    assert!(failures.len() >= 10 && failures.iter().all(|row| row.1 == id), "{rows:?}");
    assert!(failures.iter().any(|row| row.2["refused_before"].as_i64() > Some(0)));
    let last = rows.last().unwrap();
    assert_eq!((last.0.as_str(), &last.2["known_device"]), ("signin.success", &serde_json::json!(true)));
}

#[actix_web::test]
async fn a_known_device_has_a_counter_of_its_own_and_no_more_than_that() {
    let app = fresh().await;
    let (_, ada) = person(&app, "Ada", "owner").await;
    operator(&app, "Grace", "owner").await;
    let mut known = ada.reopened();
    let (judged, _) = guess(&app, QUARTER, async |n| known.sign_in("Ada", &format!("guess {n}")).await).await;
    assert_eq!(judged, 10);
    while known.sign_in("Ada", "one more").await.status == 403 {}
    known.sign_in("Ada", PASSWORD).await.expect(429);
    // It is known to one account only, and a cookie made up is nothing.
    let device = known.cookie("postern-device").unwrap().clone();
    let last = if device.ends_with('0') { '1' } else { '0' };
    let forged = format!("{}{last}", &device[..device.len() - 1]);
    let mut stranger = Browser::fresh(&app, "203.0.113.5").with_cookie("postern-device", &forged);
    for n in 0..3 {
        stranger.sign_in("Ada", &format!("guess {n}")).await.expect(403);
    }
    stranger.sign_in("Ada", PASSWORD).await.expect(429);
    app.advance(QUARTER);
    known.sign_in("Ada", PASSWORD).await.expect(303);
}

#[actix_web::test]
async fn one_address_over_many_accounts_is_slowed_down_and_learns_nothing() {
    let app = fresh().await;
    person(&app, "Ada", "owner").await;
    operator(&app, "Nobody yet", "viewer").await;
    let mut browser = Browser::fresh(&app, "203.0.113.7");
    let text = async |browser: &mut Browser, name: &str| {
        let reply = browser.sign_in(name, "a guess of some length").await.expect(403);
        reply.text.replace(name, "NAME")
    };
    let known = text(&mut browser, "Ada").await;
    assert_eq!(known, text(&mut browser, "Eve").await, "an account that nobody has");
    assert_eq!(known, text(&mut browser, "Nobody yet").await, "one without a password");
    app.advance(QUARTER);
    let (judged, _) = guess(&app, QUARTER, async |n| browser.sign_in(&format!("name {n}"), "a long guess").await).await;
    assert!((20..=30).contains(&judged), "{judged}");
    // The names that were typed are nowhere: people type passwords there.
    let rows = audited(&app, "signin.failure").await;
    assert!(rows.iter().any(|row| row.1 == "unknown") && !format!("{rows:?}").contains("name 1"));
    Browser::fresh(&app, "203.0.113.8").sign_in("Ada", PASSWORD).await.expect(303);
}

#[actix_web::test]
async fn somebody_who_is_signed_in_guesses_no_faster() {
    let app = fresh().await;
    let (_, mut browser) = person(&app, "Ada", "owner").await;
    let csrf = browser.csrf().await;
    let mut judged = 0;
    for n in 0..20 {
        let password = format!("guess {n}");
        let fields = [("csrf", csrf.as_str()), ("password", &password)];
        judged += usize::from(browser.send("/console/account/prove", &fields).await.status == 403);
        app.advance(Duration::from_secs(20));
    }
    assert!((5..=10).contains(&judged), "{judged}");
}

/// Signs in with a browser that was closed; whether its device was known.
async fn is_known(app: &TestApp, browser: &Browser, password: &str) -> bool {
    browser.clone().reopened().sign_in("Ada", password).await.expect(303);
    audited(app, "signin.success").await.last().unwrap().2["known_device"] == true
}

#[actix_web::test]
async fn a_device_is_known_for_three_months_and_forgotten_with_the_password_and_with_all_sessions() {
    let app = fresh().await;
    let (id, mut ada) = person(&app, "Ada", "owner").await;
    let mut other = Browser::fresh(&app, "203.0.113.9");
    other.sign_in("Ada", PASSWORD).await.expect(303);
    assert!(is_known(&app, &ada, PASSWORD).await && is_known(&app, &other, PASSWORD).await);
    // Whoever ends all other sessions stays known, and nobody else.
    ada.submit("/console/account/sessions/end-others", &[]).await.expect(303);
    assert!(!is_known(&app, &other, PASSWORD).await && is_known(&app, &ada, PASSWORD).await);
    other.sign_in("Ada", PASSWORD).await.expect(303);
    assert!(is_known(&app, &other, PASSWORD).await);
    let new = "a wholly different sentence";
    let fields = [("current", PASSWORD), ("password", new), ("again", new)];
    ada.submit("/console/account/password", &fields).await.expect(303);
    assert!(!is_known(&app, &other, new).await && is_known(&app, &ada, new).await);
    // One that was forgotten is no shelter: it shares the count of strangers.
    for n in 0..3 {
        Browser::fresh(&app, &format!("203.0.113.{n}")).sign_in("Ada", "a long guess").await.expect(403);
    }
    other.clone().reopened().sign_in("Ada", new).await.expect(429);
    app.advance(QUARTER);
    let link = invitation(&app, &id).await;
    choose(&mut Browser::fresh(&app, "203.0.113.8"), &link, "", PASSWORD).await.expect(303);
    assert!(!is_known(&app, &ada, PASSWORD).await);
    ada.sign_in("Ada", PASSWORD).await.expect(303);
    app.advance(Duration::from_secs(90 * 86_400 - 1));
    assert!(is_known(&app, &ada, PASSWORD).await);
    app.advance(Duration::from_secs(1));
    assert!(!is_known(&app, &ada, PASSWORD).await);
}

#[actix_web::test]
async fn guesses_are_judged_while_old_ones_are_swept_away() {
    let app = fresh().await;
    let console = app.app.config.console.clone();
    // A sweep for which every row is old, while many take them up.
    let sweeps = async {
        for _ in 0..40 {
            let (console, late) = (console.clone(), app.app.clock.now().plus(2 * QUARTER));
            app.write(move |conn| postern::signin::purge_signin(conn, &console, late, 100)).await;
        }
    };
    let guesses = futures_util::future::join_all((0..12).map(|n| {
        let app = &app;
        async move {
            let mut browser = Browser::fresh(app, "203.0.113.7");
            let mut seen = Vec::new();
            for _ in 0..2 {
                seen.push(browser.sign_in(&format!("name {n}"), "a long guess").await.status);
            }
            seen
        }
    }));
    let ((), seen) = tokio::join!(sweeps, guesses);
    assert!(seen.iter().flatten().all(|status| [403, 429].contains(status)), "{seen:?}");
    assert!(seen.iter().flatten().any(|status| *status == 403));
}
