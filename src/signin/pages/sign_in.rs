//! Signing in and out.

use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::visitor::{cookies, visitor};
use super::{form, of_query, safe_next, see_other, shown, words_of};
use crate::accounts::{Operator, count_stranger};
use crate::app::App;
use crate::audit::{Actor, By};
use crate::error::{Code, Error, Result};
use crate::http::query::encoded;
use crate::http::{Raw, RequestId};
use crate::secret::Secret;
use crate::signin::cookies::{Jar, Kind};
use crate::signin::devices;
use crate::signin::enter::{self, Outcome};
use crate::signin::sessions::{self, Session};
use crate::words::Words;

/// The form of the door.
#[derive(Template)]
#[template(path = "console/door/sign_in.html")]
struct SignIn<'a> {
    words: Words,
    next: &'a str,
    name: &'a str,
    problem: Option<&'a str>,
}

/// The form of the second factor.
#[derive(Template)]
#[template(path = "console/door/code.html")]
struct CodeForm<'a> {
    words: Words,
    next: &'a str,
    problem: Option<&'a str>,
}

/// What the form of the door sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    name: String,
    password: Secret<String>,
    #[serde(default)]
    next: String,
}

/// What the form of the second factor sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecondFactor {
    code: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn show(req: HttpRequest) -> Result<HttpResponse> {
    let next = of_query(&req, "next");
    let words = words_of(req.headers());
    shown(StatusCode::OK, &SignIn { words, next: safe_next(&next), name: "", problem: None }, &[])
}

pub(super) async fn enter(app: web::Data<App>, req: HttpRequest, raw: Raw) -> Result<HttpResponse> {
    let Credentials { name, password, next } = form(&raw)?;
    let (next, name) = (safe_next(&next), name.trim());
    let (words, visitor) = (words_of(req.headers()), visitor(&app, &req)?);
    let again = |status, problem: &str| shown(status, &SignIn { words, next, name, problem: Some(problem) }, &[]);
    // Cheap and in memory, before the database or a password's hash is asked for anything. A device that has signed in
    // before has counters of its own.
    if !devices::may_be_known(&app.keyring, visitor.device.as_deref(), app.clock.now())
        && let Err(fault) = count_stranger(&app, &req)
    {
        return waiting(again(StatusCode::TOO_MANY_REQUESTS, &slow_down(words, wait_of(&fault)))?, wait_of(&fault));
    }
    let outcome = match enter::enter(&app, visitor, String::from(name), password).await {
        // Too many passwords wait to be judged.
        Err(fault) if fault.code() == Code::Overloaded => Outcome::Wait(Duration::from_secs(1)),
        outcome => outcome?,
    };
    match outcome {
        Outcome::In(entry) => Ok(see_other(next, &cookies(&app, &entry))),
        Outcome::Code(pending) => {
            let place = format!("/console/sign-in/code?next={}", encoded(next));
            Ok(see_other(&place, &[Jar::of(&app).set(Kind::Pending, &pending, None)]))
        }
        Outcome::Wrong => again(StatusCode::FORBIDDEN, words.say("The name or the password is wrong.")),
        Outcome::Wait(wait) => waiting(again(StatusCode::TOO_MANY_REQUESTS, &slow_down(words, wait))?, wait),
    }
}

pub(super) async fn show_code(app: web::Data<App>, req: HttpRequest) -> Result<HttpResponse> {
    let next = of_query(&req, "next");
    match Jar::of(&app).read(Kind::Pending, req.headers()) {
        Some(_) => shown(
            StatusCode::OK,
            &CodeForm { words: words_of(req.headers()), next: safe_next(&next), problem: None },
            &[],
        ),
        None => Ok(see_other("/console/sign-in", &[])),
    }
}

pub(super) async fn enter_code(app: web::Data<App>, req: HttpRequest, raw: Raw) -> Result<HttpResponse> {
    let SecondFactor { code, next } = form(&raw)?;
    let next = safe_next(&next);
    let Some(pending) = Jar::of(&app).read(Kind::Pending, req.headers()) else {
        return Ok(see_other("/console/sign-in", &[]));
    };
    let words = words_of(req.headers());
    let again = |status, problem: &str| shown(status, &CodeForm { words, next, problem: Some(problem) }, &[]);
    match enter::enter_code(&app, visitor(&app, &req)?, &pending, code).await? {
        Outcome::In(entry) => Ok(see_other(next, &cookies(&app, &entry))),
        Outcome::Wait(wait) => waiting(again(StatusCode::TOO_MANY_REQUESTS, &slow_down(words, wait))?, wait),
        Outcome::Wrong | Outcome::Code(_) => {
            let text = words.say("The code is wrong, or the sign-in took too long. Each code works once.");
            again(StatusCode::FORBIDDEN, text)
        }
    }
}

/// Ends the session. Its cookie goes, the device stays known.
pub(super) async fn leave(
    app: web::Data<App>,
    session: Session,
    operator: Operator,
    request_id: RequestId,
) -> Result<HttpResponse> {
    let by =
        By { request_id: Some(request_id.to_string()), ..By::local(Actor::Operator(operator.id), app.clock.now()) };
    let ended = app.db.write(move |conn| sessions::end_session(conn, &by, session.id)).await;
    match ended {
        Err(fault) if fault.code() != Code::NotFound => Err(fault),
        _ => Ok(see_other("/console/sign-in", &[Jar::of(&app).drop(Kind::Session)])),
    }
}

/// Says in the answer how long to wait.
fn waiting(mut response: HttpResponse, wait: Duration) -> Result<HttpResponse> {
    let value = header::HeaderValue::from(seconds(wait));
    response.headers_mut().insert(header::RETRY_AFTER, value);
    Ok(response)
}

/// That it was too often, and how long to wait.
pub(super) fn slow_down(words: Words, wait: Duration) -> String {
    let text = words
        .say("Too many attempts. Try again in {n} s; a browser that has signed in before does not wait for others.");
    text.replace("{n}", &seconds(wait).to_string())
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn wait_of(fault: &Error) -> Duration {
    Duration::from_secs(fault.retry_after_s().unwrap_or(60))
}
