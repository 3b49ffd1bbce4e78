//! Forms that other sites send, and places that other sites would like people to be sent to.

use postern::error::Code;

use super::{Browser, PASSWORD, fresh, person};

const FORM: &str = "application/x-www-form-urlencoded";

#[actix_web::test]
async fn a_form_needs_the_sessions_token_and_our_own_page() {
    let app = fresh().await;
    let (_, mut ada) = person(&app, "Ada", "owner").await;
    let (_, mut grace) = person(&app, "Grace", "owner").await;
    let (csrf, others) = (ada.csrf().await, grace.csrf().await);
    let place = "/console/account/sessions/end-others";
    for fields in [
        vec![],
        vec![("csrf", "")],
        vec![("csrf", others.as_str())],
        vec![("csrf", &csrf[1..])],
        vec![("csrf", csrf.as_str()), ("csrf", csrf.as_str())],
    ] {
        let refused = ada.send(place, &fields).await.expect(403);
        assert!(refused.text.contains("did not come from this page"), "{fields:?}");
    }
    // With the token, but from elsewhere; `?` is what a header that cannot be read counts as.
    for (name, value) in [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Site", "")] {
        ada.saying(name, value).send(place, &[("csrf", &csrf)]).await.expect(403);
    }
    ada.send(place, &[("csrf", &csrf)]).await.expect(303);
    ada.saying("X-CSRF-Token", &csrf).send(place, &[]).await.expect(303);
    ada.saying("X-CSRF-Token", &others).send(place, &[("csrf", &csrf)]).await.expect(403);
    // Signing in and setting up have no session yet; they are held to the rest of it.
    let mut stranger = Browser::fresh(&app, "203.0.113.4").saying("Sec-Fetch-Site", "cross-site");
    stranger.sign_in("Ada", PASSWORD).await.expect(403);
    assert!(stranger.cookie("postern").is_none());
}

#[actix_web::test]
async fn a_browser_that_does_not_say_where_it_comes_from_is_judged_by_the_origin() {
    let app = fresh().await;
    person(&app, "Ada", "owner").await;
    let fields = format!("name=Ada&password={}", PASSWORD.replace(' ', "+")).into_bytes();
    let host = app.base.strip_prefix("http://").unwrap().to_owned();
    let from = |n: usize| app.anonymous().with_header("X-Forwarded-For", &format!("203.0.113.{n}"));
    let evil = [format!("http://{host}.evil.example"), "https://evil.example".into(), "null".into(), String::new()];
    for (n, origin) in evil.iter().enumerate() {
        let actor = from(n).with_header("Origin", origin);
        actor.send("POST", "/console/sign-in", FORM, fields.clone()).await.expect(403);
    }
    from(9).send("POST", "/console/sign-in", FORM, fields.clone()).await.expect(403);
    for (n, origin) in [format!("http://{host}"), "http://localhost:8080".to_owned()].iter().enumerate() {
        let actor = from(20 + n).with_header("Origin", origin);
        actor.send("POST", "/console/sign-in", FORM, fields.clone()).await.expect(303);
    }
}

#[actix_web::test]
async fn nobody_is_sent_to_another_site() {
    let app = fresh().await;
    let (_, ada) = person(&app, "Ada", "owner").await;
    let mut browser = ada.reopened();
    for next in
        ["//evil.example", "https://evil.example/console", "/\\evil.example", "/console/\r\nX: y", "javascript:1"]
    {
        let fields = [("name", "Ada"), ("password", PASSWORD), ("next", next)];
        let reply = browser.send("/console/sign-in", &fields).await.expect(303);
        assert_eq!(reply.header("location"), Some("/console"), "{next}");
    }
    let fields = [("name", "Ada"), ("password", PASSWORD), ("next", "/console/messages?to=%2B44&limit=2")];
    let reply = browser.send("/console/sign-in", &fields).await.expect(303);
    assert_eq!(reply.header("location"), Some("/console/messages?to=%2B44&limit=2"));
    let page = browser.get("/console/sign-in?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await.expect(200);
    assert!(!page.text.contains("<script") && page.text.contains("name=\"next\" value=\"/console\""));
    let mut stranger = Browser::fresh(&app, "203.0.113.4");
    let wanted = stranger.get("/console/account?a=b&c=%22").await.expect(303);
    assert_eq!(wanted.header("location"), Some("/console/sign-in?next=%2Fconsole%2Faccount%3Fa%3Db%26c%3D%2522"));
}

#[actix_web::test]
async fn every_answer_keeps_foreign_code_out() {
    let app = fresh().await;
    let (_, mut ada) = person(&app, "Ada", "owner").await;
    let mut stranger = Browser::fresh(&app, "203.0.113.4");
    let answers = [
        stranger.get("/console/sign-in").await.expect(200),
        stranger.get("/console").await.expect(303),
        stranger.sign_in("<b>Eve", "no such person").await.expect(403),
        stranger.get("/console/setup?token=x").await.expect(404),
        ada.get("/console/account").await.expect(200),
        ada.send("/console/sign-out", &[]).await.expect(403),
        ada.get("/console/no-such-page").await.expect(404),
    ];
    for answer in answers {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{}", answer.text);
        assert!(policy.contains("frame-ancestors 'none'; object-src 'none'") && !policy.contains("unsafe"));
        let headers = ["x-frame-options", "referrer-policy", "cross-origin-opener-policy", "x-content-type-options"];
        let said: Vec<_> = headers.iter().filter_map(|name| answer.header(name)).collect();
        assert_eq!(said, ["DENY", "same-origin", "same-origin", "nosniff"]);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(
            !answer.text.contains("<script") && !answer.text.contains(" style=") && !answer.text.contains("<b>Eve")
        );
    }
}

#[actix_web::test]
async fn the_cookie_is_worth_nothing_outside_the_console() {
    let app = fresh().await;
    let (_, mut ada) = person(&app, "Ada", "owner").await;
    ada.get("/v1/admin/orgs").await.refused(Code::Unauthenticated);
    ada.send("/v1/admin/operators", &[("csrf", "x")]).await.refused(Code::Unauthenticated);
}

#[actix_web::test]
async fn a_console_that_is_off_is_not_there() {
    let app = crate::harness::app::TestApp::start_with(|config| {
        config.console.enabled = postern::config::Switch::Off;
    })
    .await;
    for path in ["/console", "/console/sign-in", "/console/setup?token=x"] {
        app.anonymous().get(path).await.refused(Code::NotFound);
    }
}
