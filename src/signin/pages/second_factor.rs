//! The second factor of one's own account: enrolled with a picture and a first code, taken away, recovery codes renewed.

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;

use super::prove::asked;
use super::setup::said;
use super::{form, page, see_other, shown, words_of};
use crate::accounts::Operator;
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::{Raw, RequestId};
use crate::secret::Secret;
use crate::signin::factor::{self, Enrolment};
use crate::signin::own;
use crate::signin::sessions::Session;
use crate::signin::{SignInState, sign_in_state};
use crate::words::Words;

const PLACE: &str = "/console/account/second-factor";

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(page("/account/second-factor").route(web::get().to(show)).route(web::post().to(enrol)))
        .service(page("/account/second-factor/remove").route(web::post().to(remove)))
        .service(page("/account/recovery-codes").route(web::post().to(renew)));
}

#[derive(Template)]
#[template(path = "console/door/second_factor.html")]
struct Shown<'a> {
    words: Words,
    csrf: &'a str,
    state: &'a SignInState,
    enrolment: Option<&'a Enrolment>,
    picture: &'a str,
    problem: Option<&'a str>,
}

/// Recovery codes, shown once.
#[derive(Template)]
#[template(path = "console/door/codes.html")]
struct Codes<'a> {
    words: Words,
    codes: &'a [Secret<String>],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstCode {
    enrolment: String,
    code: String,
}

async fn show(app: web::Data<App>, session: Session, operator: Operator, req: HttpRequest) -> Result<HttpResponse> {
    let words = words_of(req.headers());
    let state = app.db.read(move |conn| sign_in_state(conn, session.operator)).await?;
    if state.second_factor {
        let page = Shown { words, csrf: &session.csrf, state: &state, enrolment: None, picture: "", problem: None };
        return shown(StatusCode::OK, &page, &[]);
    }
    if let Some(ask) = asked(&app, &session, PLACE) {
        return Ok(ask);
    }
    let fresh = factor::enrolment(&app.keyring, operator.id, &operator.name);
    enrolling(StatusCode::OK, words, (&session, &state), &fresh, None)
}

fn enrolling(
    status: StatusCode,
    words: Words,
    (session, state): (&Session, &SignInState),
    enrolment: &Enrolment,
    problem: Option<&str>,
) -> Result<HttpResponse> {
    let picture = picture(words, &enrolment.uri)?;
    let page = Shown { words, csrf: &session.csrf, state, enrolment: Some(enrolment), picture: &picture, problem };
    shown(status, &page, &[])
}

/// The address as a picture that phones read. Black on white in either theme, since many do not read the reverse.
fn picture(words: Words, uri: &str) -> Result<String> {
    let code = QrCode::new(uri.as_bytes()).map_err(Error::internal)?;
    let mut drawing = code.render();
    drawing.min_dimensions(220, 220).dark_color(svg::Color("#000")).light_color(svg::Color("#fff"));
    let file = drawing.build();
    let drawn = file.split_once("<svg").map_or("", |(_, drawn)| drawn);
    let label = words.say("The same key as a QR code");
    Ok(format!("<svg class=\"qr\" role=\"img\" aria-label=\"{label}\"{drawn}"))
}

async fn enrol(
    app: web::Data<App>,
    session: Session,
    operator: Operator,
    request_id: RequestId,
    (req, raw): (HttpRequest, Raw),
) -> Result<HttpResponse> {
    let words = words_of(req.headers());
    if let Some(ask) = asked(&app, &session, PLACE) {
        return Ok(ask);
    }
    let FirstCode { enrolment, code } = form(&raw)?;
    let by = own::by_self(&session, request_id.to_string(), app.clock.now());
    let (ring, sealed) = (app.keyring.clone(), enrolment.clone());
    let done = app.db.write(move |conn| factor::enrol(conn, &ring, &by, session.operator, (&sealed, &code))).await;
    match done {
        Ok(codes) => shown(StatusCode::OK, &Codes { words, codes: &codes }, &[]),
        Err(fault) if fault.code() == Code::ValidationFailed => {
            let state = app.db.read(move |conn| sign_in_state(conn, session.operator)).await?;
            let again = factor::enrolment_again(&app.keyring, operator.id, &operator.name, &enrolment)
                .unwrap_or_else(|| factor::enrolment(&app.keyring, operator.id, &operator.name));
            enrolling(StatusCode::UNPROCESSABLE_ENTITY, words, (&session, &state), &again, Some(&said(words, &fault)))
        }
        Err(fault) => Err(fault),
    }
}

async fn remove(app: web::Data<App>, session: Session, request_id: RequestId) -> Result<HttpResponse> {
    if let Some(ask) = asked(&app, &session, PLACE) {
        return Ok(ask);
    }
    let by = own::by_self(&session, request_id.to_string(), app.clock.now());
    app.db.write(move |conn| factor::remove(conn, &by, session.operator)).await?;
    Ok(see_other("/console/account", &[]))
}

async fn renew(app: web::Data<App>, session: Session, request_id: RequestId, req: HttpRequest) -> Result<HttpResponse> {
    if let Some(ask) = asked(&app, &session, PLACE) {
        return Ok(ask);
    }
    let by = own::by_self(&session, request_id.to_string(), app.clock.now());
    let ring = app.keyring.clone();
    let codes = app.db.write(move |conn| factor::renew_codes(conn, &ring, &by, session.operator)).await?;
    shown(StatusCode::OK, &Codes { words: words_of(req.headers()), codes: &codes }, &[])
}
