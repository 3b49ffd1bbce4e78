//! First run and invitations: a password chosen by a one-time link.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::visitor::{cookies, visitor};
use super::{Notice, form, of_query, see_other, shown, words_of};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::Raw;
use crate::secret::Secret;
use crate::signin::cookies::{Jar, Kind};
use crate::signin::enter::Outcome;
use crate::signin::links::{self, Choice, Guest};
use crate::words::Words;

/// The form of a link.
#[derive(Template)]
#[template(path = "console/door/setup.html")]
struct Setup<'a> {
    words: Words,
    token: &'a str,
    /// Whose link it is; absent where a name is to be chosen.
    known: Option<&'a str>,
    name: &'a str,
    problem: Option<&'a str>,
}

/// What the form sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    token: Secret<String>,
    #[serde(default)]
    name: String,
    password: Secret<String>,
    again: Secret<String>,
}

pub(super) async fn show(app: web::Data<App>, req: HttpRequest) -> Result<HttpResponse> {
    let token = of_query(&req, "token");
    let words = words_of(req.headers());
    let Some(guest) = guest(&app, &token).await? else { return gone(words) };
    shown(StatusCode::OK, &Setup { words, token: &token, known: guest.name(), name: "", problem: None }, &[])
}

pub(super) async fn choose(app: web::Data<App>, req: HttpRequest, raw: Raw) -> Result<HttpResponse> {
    let Chosen { token, name, password, again } = form(&raw)?;
    let words = words_of(req.headers());
    let Some(guest) = guest(&app, token.expose()).await? else { return gone(words) };
    let problem = |text: &str| {
        let page = Setup { words, token: token.expose(), known: guest.name(), name: &name, problem: Some(text) };
        shown(StatusCode::UNPROCESSABLE_ENTITY, &page, &[])
    };
    if password.expose() != again.expose() {
        return problem(words.say("The two passwords differ."));
    }
    let choice = Choice { token: token.clone(), name: name.clone(), password };
    match links::choose(&app, visitor(&app, &req)?, choice).await {
        Ok(Some(Outcome::In(entry))) => Ok(see_other("/console/account/second-factor", &cookies(&app, &entry))),
        Ok(Some(Outcome::Code(pending))) => {
            Ok(see_other("/console/sign-in/code", &[Jar::of(&app).set(Kind::Pending, &pending, None)]))
        }
        Ok(_) => gone(words),
        Err(fault) if fault.code() == Code::ValidationFailed => problem(&said(words, &fault)),
        Err(fault) => Err(fault),
    }
}

impl Guest {
    fn name(&self) -> Option<&str> {
        match self {
            Guest::First => None,
            Guest::Known(operator) => Some(&operator.name),
        }
    }
}

async fn guest(app: &App, token: &str) -> Result<Option<Guest>> {
    let (ring, now, token) = (app.keyring.clone(), app.clock.now(), String::from(token));
    app.db.read(move |conn| links::guest(conn, &ring, &token, now)).await
}

fn gone(words: Words) -> Result<HttpResponse> {
    let notice = Notice {
        words,
        title: words.say("This link was used or has expired"),
        text: words.say("A link works once and for 24 hours. Ask an owner for another one, or run postern setup-link on the server."),
    };
    shown(StatusCode::NOT_FOUND, &notice, &[])
}

/// What is wrong with the fields, as sentences in the reader's language where it is one of those that can be met here.
pub(super) fn said(words: Words, fault: &Error) -> String {
    let faults = fault.fields().iter().map(|(field, faults)| format!("The {field} {}", faults.join("; ")));
    let told = faults.map(|text| match text.as_str() {
        "The password must have 12 to 256 characters" => {
            words.say("The password must have 12 to 256 characters").into()
        }
        "The password must not hold the operator's name" => {
            words.say("The password must not hold the operator's name").into()
        }
        "The password is among those that guessers try first; take another" => {
            words.say("The password is among those that guessers try first; take another").into()
        }
        "The name must have 1 to 100 printable characters" => {
            words.say("The name must have 1 to 100 printable characters").into()
        }
        "The name belongs to another operator already" => {
            words.say("The name belongs to another operator already").into()
        }
        "The code does not fit; check the clock of your device and take the next one" => {
            words.say("The code does not fit; check the clock of your device and take the next one").into()
        }
        _ => text,
    });
    told.collect::<Vec<_>>().join(". ")
}
