//! First run and invitations: a password chosen by a one-time link.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::visitor::{cookies, visitor};
use super::{Notice, form, of_query, see_other, shown};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::Raw;
use crate::secret::Secret;
use crate::signin::links::{self, Choice, Guest};

/// The form of a link.
#[derive(Template)]
#[template(path = "console/door/setup.html")]
struct Setup<'a> {
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
    let Some(guest) = guest(&app, &token).await? else { return gone() };
    shown(StatusCode::OK, &Setup { token: &token, known: guest.name(), name: "", problem: None }, &[])
}

pub(super) async fn choose(app: web::Data<App>, req: HttpRequest, raw: Raw) -> Result<HttpResponse> {
    let Chosen { token, name, password, again } = form(&raw)?;
    let Some(guest) = guest(&app, token.expose()).await? else { return gone() };
    let problem = |text: &str| {
        let page = Setup { token: token.expose(), known: guest.name(), name: &name, problem: Some(text) };
        shown(StatusCode::UNPROCESSABLE_ENTITY, &page, &[])
    };
    if password.expose() != again.expose() {
        return problem("The two passwords differ.");
    }
    let choice = Choice { token: token.clone(), name: name.clone(), password };
    match links::choose(&app, visitor(&app, &req)?, choice).await {
        Ok(Some(entry)) => Ok(see_other("/console/account/second-factor", &cookies(&app, &entry))),
        Ok(None) => gone(),
        Err(fault) if fault.code() == Code::ValidationFailed => problem(&said(&fault)),
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

fn gone() -> Result<HttpResponse> {
    let notice = Notice {
        title: "This link was used or has expired",
        text: "A link works once and for 24 hours. Ask an owner for another one, or run postern setup-link on the server.",
    };
    shown(StatusCode::NOT_FOUND, &notice, &[])
}

/// What is wrong with the fields, as a sentence.
pub(super) fn said(fault: &Error) -> String {
    let each = fault.fields().iter().map(|(field, faults)| {
        let field = match field.as_str() {
            "password" => "The password",
            "name" => "The name",
            "code" => "The code",
            "role" => "The role",
            other => other,
        };
        format!("{field} {}.", faults.join("; "))
    });
    each.collect::<Vec<_>>().join(" ")
}
