//! Sessions: how they begin, what they are made of, how they end.

use std::time::Duration;

use postern::config::{Config, Source};
use serde_json::json;

use super::{Browser, PASSWORD, choose, fresh, invitation, operator, person};
use crate::harness::app::TestApp;

const MINUTE: Duration = Duration::from_secs(60);

#[actix_web::test]
async fn a_cookie_is_random_hidden_from_scripts_and_stored_as_a_hash() {
    let app = fresh().await;
    let (_, mut browser) = person(&app, "Ada", "viewer").await;
    let mut other = browser.clone().reopened();
    let reply = other.sign_in("Ada", PASSWORD).await.expect(303);
    let line = reply.cookies.iter().find(|line| line.starts_with("postern=")).unwrap();
    assert!(line.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{line}");
    let (one, two) = (browser.cookie("postern").unwrap(), other.cookie("postern").unwrap());
    assert!(one != two && one.len() == 43 && one.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let id = session_of(&app, two).await;
    assert!(id.is_some(), "the hash finds it");
    // Both go on: sessions are parallel.
    assert!(browser.is_in().await && other.is_in().await);
}

/// The session whose token this is, by the hash that is stored.
async fn session_of(app: &TestApp, token: &str) -> Option<String> {
    let hash = postern::secret::hex(&postern::secret::sha256(token.as_bytes()));
    let page = app.operator().get("/v1/admin/sessions").await.expect(200);
    assert!(!page.text.contains(token) && !page.text.contains(&hash));
    app.read(move |conn| {
        use diesel::prelude::*;
        use postern::db::schema::operator_sessions::dsl;
        let rows: Vec<(String, Vec<u8>)> = dsl::operator_sessions.select((dsl::id, dsl::hash)).load(conn)?;
        Ok(rows.into_iter().find(|(_, stored)| postern::secret::hex(stored) == hash).map(|(id, _)| id))
    })
    .await
}

#[actix_web::test]
async fn behind_https_the_cookie_is_bound_to_its_host_and_the_browser_to_https() {
    let env = [("POSTERN_PUBLIC_URL".to_owned(), "https://otp.example.com".to_owned())].into();
    let url = Config::load(Source { name: "tests".into(), env, ..Source::default() }).unwrap().server.public_url;
    let app = TestApp::start_with(|config| config.server.public_url = url).await;
    let id = operator(&app, "Ada", "viewer").await;
    let path = format!("/v1/admin/operators/{id}/invitations");
    let link = app.operator().post(&path, json!({})).await.expect(201).text_at("/url");
    assert!(link.starts_with("https://otp.example.com/console/setup?token="), "{link}");
    let mut browser = Browser::fresh(&app, "127.0.0.1");
    let reply = choose(&mut browser, &link, "", PASSWORD).await.expect(303);
    let line = reply.cookies.iter().find(|line| line.starts_with("__Host-postern=")).unwrap();
    assert!(line.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{line}");
    assert!(reply.cookies.iter().all(|line| line.starts_with("__Host-") && line.contains("; Secure")));
    assert_eq!(reply.header("strict-transport-security"), Some("max-age=31536000"));
    assert!(browser.is_in().await);
}

#[actix_web::test]
async fn a_cookie_set_before_the_sign_in_is_not_kept() {
    let app = fresh().await;
    let (_, mut known) = person(&app, "Ada", "viewer").await;
    let planted = "A".repeat(43);
    let mut victim = Browser::fresh(&app, "198.51.100.2").with_cookie("postern", &planted);
    victim.sign_in("Ada", PASSWORD).await.expect(303);
    assert_ne!(victim.cookie("postern"), Some(&planted));
    let mut attacker = Browser::fresh(&app, "203.0.113.1").with_cookie("postern", &planted);
    assert!(victim.is_in().await && !attacker.is_in().await);
    // A session that the browser had ends where another begins.
    let before = known.clone();
    known.sign_in("Ada", PASSWORD).await.expect(303);
    assert!(known.is_in().await && !before.clone().is_in().await);
}

#[actix_web::test]
async fn a_session_ends_after_a_rest_and_after_half_a_day() {
    let app = fresh().await;
    let (_, mut browser) = person(&app, "Ada", "viewer").await;
    app.advance(29 * MINUTE);
    assert!(browser.is_in().await);
    app.advance(29 * MINUTE);
    assert!(browser.is_in().await, "being used, it goes on");
    app.advance(30 * MINUTE);
    let gone = browser.get("/console/account").await.expect(303);
    assert_eq!(gone.header("location"), Some("/console/sign-in?next=%2Fconsole%2Faccount"));
    browser.sign_in("Ada", PASSWORD).await.expect(303);
    for _ in 0..35 {
        app.advance(20 * MINUTE);
        assert!(browser.is_in().await);
    }
    app.advance(20 * MINUTE);
    assert!(!browser.is_in().await, "twelve hours are over, however busy");
}

#[actix_web::test]
async fn a_password_change_ends_the_other_sessions_and_gives_this_one_another_token() {
    let app = fresh().await;
    let (_, mut browser) = person(&app, "Ada", "viewer").await;
    let mut other = Browser::fresh(&app, "198.51.100.2");
    other.sign_in("Ada", PASSWORD).await.expect(303);
    let new = "a wholly different sentence";
    let fields = |current: &'static str, new: &'static str| [("current", current), ("password", new), ("again", new)];
    browser.submit("/console/account/password", &fields("not the password", new)).await.expect(403);
    browser.submit("/console/account/password", &fields(PASSWORD, "short")).await.expect(422);
    assert!(other.is_in().await);
    let before = browser.clone();
    browser.submit("/console/account/password", &fields(PASSWORD, new)).await.expect(303);
    assert!(browser.is_in().await && !other.is_in().await && !before.clone().is_in().await);
    assert_eq!(other.sign_in("Ada", PASSWORD).await.status, 403);
    other.sign_in("Ada", new).await.expect(303);
}

#[actix_web::test]
async fn the_password_asked_for_once_more_renews_the_token() {
    let app = fresh().await;
    let (_, mut browser) = person(&app, "Ada", "viewer").await;
    app.advance(6 * MINUTE);
    let asked = browser.get("/console/account/second-factor").await.expect(303);
    let place = "/console/account/prove?next=%2Fconsole%2Faccount%2Fsecond-factor";
    assert_eq!(asked.header("location"), Some(place));
    browser.submit("/console/account/prove", &[("password", "wrong")]).await.expect(403);
    let before = browser.clone();
    let next = ("next", "/console/account/second-factor");
    browser.submit("/console/account/prove", &[("password", PASSWORD), next]).await.expect(303);
    assert!(browser.get("/console/account/second-factor").await.expect(200).text.contains("<svg class=\"qr\""));
    assert!(!before.clone().is_in().await);
}

#[actix_web::test]
async fn sessions_are_listed_and_ended_ones_own_and_by_an_owner_everybodys() {
    let app = fresh().await;
    let (ada, mut browser) = person(&app, "Ada", "viewer").await;
    let mut other = Browser::fresh(&app, "198.51.100.2").saying("User-Agent", "Firefox <b>1</b>");
    other.sign_in("Ada", PASSWORD).await.expect(303);
    let (_, mut grace) = person(&app, "Grace", "operator").await;
    let page = browser.get("/console/account").await.expect(200);
    assert!(page.text.contains("198.51.100.2") && page.text.contains("Firefox &#60;b&#62;1"), "{}", page.text);
    // One's own.
    let id = super::value_of(&page.text, "id");
    grace.submit("/console/account/sessions/end", &[("id", &id)]).await.expect(303);
    assert!(other.is_in().await, "somebody else's");
    browser.submit("/console/account/sessions/end", &[("id", &id)]).await.expect(303);
    assert!(!other.is_in().await && browser.is_in().await);
    other.sign_in("Ada", PASSWORD).await.expect(303);
    browser.submit("/console/account/sessions/end-others", &[]).await.expect(303);
    assert!(!other.is_in().await && browser.is_in().await);
    // Everybody's.
    let all = app.operator().get("/v1/admin/sessions?limit=1").await.expect(200);
    assert_eq!((all.json["data"].as_array().unwrap().len(), &all.json["has_more"]), (1, &json!(true)));
    let list = app.operator().get(&format!("/v1/admin/sessions?operator_id={ada}")).await.expect(200);
    let path = format!("/v1/admin/sessions/{}", list.text_at("/data/0/id"));
    app.operator().delete(&format!("{path}?reason=left%20open")).await.expect(204);
    app.operator().delete(&path).await.expect(404);
    assert!(!browser.is_in().await && grace.is_in().await);
    // And by leaving.
    grace.submit("/console/sign-out", &[]).await.expect(303);
    assert!(!grace.is_in().await && grace.cookie("postern").is_none());
    let ends = super::audited(&app, "session.end").await;
    assert_eq!(ends.len(), 4, "{ends:?}");
}

#[actix_web::test]
async fn what_is_over_is_swept_away() {
    let app = fresh().await;
    let (id, mut browser) = person(&app, "Ada", "viewer").await;
    Browser::fresh(&app, "198.51.100.3").sign_in("Eve", "no such person").await.expect(403);
    invitation(&app, &id).await;
    app.advance(Duration::from_secs(12 * 3600 + 1));
    let console = app.app.config.console.clone();
    let sweep = |now| {
        let console = console.clone();
        app.write(move |conn| postern::signin::purge_signin(conn, &console, now, 100))
    };
    // A session, and the guesses: an account, two addresses (Ada came in by a link).
    assert_eq!(sweep(app.app.clock.now()).await, 3);
    assert!(!browser.is_in().await);
    app.advance(Duration::from_secs(8 * 86_400 + 12 * 3600));
    assert_eq!(sweep(app.app.clock.now()).await, 1, "the link; an invitation replaces the one before");
    assert_eq!(sweep(app.app.clock.now()).await, 0);
}

#[actix_web::test]
async fn a_password_chosen_by_a_link_meanwhile_is_not_replaced_by_a_change_of_the_old_one() {
    let app = fresh().await;
    let (id, mut browser) = person(&app, "Ada", "viewer").await;
    let link = invitation(&app, &id).await;
    let csrf = browser.csrf().await;
    let (mine, reset) = ("what the old session wants", "what the link has chosen");
    let mut guest = Browser::fresh(&app, "198.51.100.2");
    // The proof of the old password is computed first, then the link's hash, then that of the change.
    let fields = [("csrf", csrf.as_str()), ("current", PASSWORD), ("password", mine), ("again", mine)];
    let (changed, chosen) =
        tokio::join!(browser.send("/console/account/password", &fields), choose(&mut guest, &link, "", reset));
    // Where the change came first, it has made the link useless; else the link's password stands, whatever came when.
    let (stands, lost) = if chosen.status == 303 { (reset, mine) } else { (mine, reset) };
    assert!(chosen.status == 303 || changed.status == 303, "{} {}", changed.status, chosen.status);
    let mut later = Browser::fresh(&app, "198.51.100.3");
    later.sign_in("Ada", lost).await.expect(403);
    later.sign_in("Ada", stands).await.expect(303);
    assert!(later.is_in().await);
}

/// Whether a stream ends; it is given time, since what ends it is looked at every few seconds.
async fn ends(mut stream: reqwest::Response) {
    let read = async { while stream.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(Duration::from_secs(20), read).await.expect("the tail goes on");
}

#[actix_web::test]
async fn a_live_tail_is_no_use_of_a_session_and_ends_with_it() {
    let app = fresh().await;
    let (id, mut browser) = person(&app, "Ada", "viewer").await;
    let tail = async |browser: &Browser| {
        let stream = browser.open("/console/tail?mode=live").await;
        assert_eq!(stream.headers()["content-type"], "text/event-stream; charset=utf-8");
        stream
    };
    app.advance(29 * MINUTE);
    let open = tail(&browser).await;
    app.advance(MINUTE);
    ends(open).await;
    assert!(!browser.is_in().await, "the tail alone keeps no session");
    // Ended by an owner.
    browser.sign_in("Ada", PASSWORD).await.expect(303);
    let open = tail(&browser).await;
    let list = app.operator().get(&format!("/v1/admin/sessions?operator_id={id}")).await.expect(200);
    app.operator().delete(&format!("/v1/admin/sessions/{}", list.text_at("/data/0/id"))).await.expect(204);
    ends(open).await;
    // Another role, then nothing at all; by a session, and by a token.
    let path = format!("/v1/admin/operators/{id}");
    for change in [json!({"role": "auditor"}), json!({"disabled": true})] {
        browser.sign_in("Ada", PASSWORD).await.expect(303);
        let made = app.operator().post(&format!("{path}/tokens"), json!({})).await.expect(201);
        let by_token = app.anonymous().with_token(&made.text_at("/secret")).open("/v1/admin/tail").await;
        assert_eq!(by_token.status(), 200);
        let open = tail(&browser).await;
        app.operator().patch(&path, change).await.expect(200);
        ends(open).await;
        ends(by_token).await;
    }
    app.operator().patch(&path, json!({"disabled": false})).await.expect(200);
    let made = app.operator().post(&format!("{path}/tokens"), json!({})).await.expect(201);
    let open = app.anonymous().with_token(&made.text_at("/secret")).open("/v1/admin/tail").await;
    app.operator().delete(&format!("{path}/tokens/{}", made.text_at("/id"))).await.expect(200);
    ends(open).await;
}
