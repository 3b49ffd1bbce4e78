//! The password asked for once more, before something that whoever finds an open browser must not do.

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::sign_in::slow_down;
use super::{form, of_query, page, safe_next, see_other, shown, words_of};
use crate::app::App;
use crate::error::Result;
use crate::http::query::encoded;
use crate::http::{Raw, RequestId};
use crate::secret::Secret;
use crate::signin::cookies::{Jar, Kind};
use crate::signin::own::{self, Proof};
use crate::signin::sessions::Session;
use crate::words::Words;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(page("/account/prove").route(web::get().to(show)).route(web::post().to(prove)));
}

#[derive(Template)]
#[template(path = "console/door/prove.html")]
struct Prove<'a> {
    words: Words,
    csrf: &'a str,
    next: &'a str,
    problem: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    password: Secret<String>,
    #[serde(default)]
    next: String,
}

/// To the page that asks, and from there on to `next`; `None` where the password was given a moment ago.
pub fn asked(app: &App, session: &Session, next: &str) -> Option<HttpResponse> {
    if session.is_proved(app.clock.now()) {
        return None;
    }
    Some(see_other(&format!("/console/account/prove?next={}", encoded(next)), &[]))
}

async fn show(session: Session, req: HttpRequest) -> Result<HttpResponse> {
    let next = of_query(&req, "next");
    shown(
        StatusCode::OK,
        &Prove { words: words_of(req.headers()), csrf: &session.csrf, next: safe_next(&next), problem: None },
        &[],
    )
}

async fn prove(
    app: web::Data<App>,
    session: Session,
    request_id: RequestId,
    req: HttpRequest,
    raw: Raw,
) -> Result<HttpResponse> {
    let words = words_of(req.headers());
    let Given { password, next } = form(&raw)?;
    let next = safe_next(&next);
    let by = own::by_self(&session, request_id.to_string(), app.clock.now());
    let again =
        |status, problem: &str| shown(status, &Prove { words, csrf: &session.csrf, next, problem: Some(problem) }, &[]);
    match own::prove(&app, &session, &by, password).await? {
        Proof::Right(token) => Ok(see_other(next, &[Jar::of(&app).set(Kind::Session, token.expose(), None)])),
        Proof::Wrong => again(StatusCode::FORBIDDEN, words.say("The password is wrong.")),
        Proof::Wait(wait) => again(StatusCode::TOO_MANY_REQUESTS, &slow_down(words, wait)),
    }
}
