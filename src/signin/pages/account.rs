//! One's own account: password, second factor, sessions, personal tokens.

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::setup::said;
use super::sign_in::slow_down;
use super::visitor::{device_cookie, device_of};
use super::{form, page, see_other, shown, words_of};
use crate::accounts::{Operator, Role, TokenView, list_operator_tokens};
use crate::app::App;
use crate::error::{Code, Result};
use crate::http::{Raw, RequestId};
use crate::ids::SessionId;
use crate::secret::Secret;
use crate::signin::cookies::{Jar, Kind};
use crate::signin::own::{self, Proof};
use crate::signin::sessions::{self, ConsoleSession, Session};
use crate::signin::{SignInState, sign_in_state};
use crate::words::Words;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(page("/account").route(web::get().to(show)))
        .service(page("/account/password").route(web::post().to(change_password)))
        .service(page("/account/sessions/end").route(web::post().to(end)))
        .service(page("/account/sessions/end-others").route(web::post().to(end_others)));
}

/// Sessions shown at most; more than anybody has.
const SESSIONS_MAX: i64 = 100;

#[derive(Template)]
#[template(path = "console/door/account.html")]
struct Account<'a> {
    words: Words,
    csrf: &'a str,
    operator: &'a Operator,
    session: SessionId,
    state: &'a SignInState,
    sessions: &'a [ConsoleSession],
    tokens: &'a [TokenView],
    /// Roles that a token may be held to.
    roles: &'a [Role],
    problem: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Passwords {
    current: Secret<String>,
    password: Secret<String>,
    again: Secret<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    id: SessionId,
}

async fn show(app: web::Data<App>, session: Session, operator: Operator, req: HttpRequest) -> Result<HttpResponse> {
    account(StatusCode::OK, &app, (words_of(req.headers()), &session, &operator), None).await
}

/// The page, with what went wrong.
pub(super) async fn account(
    status: StatusCode,
    app: &App,
    (words, session, operator): (Words, &Session, &Operator),
    problem: Option<&str>,
) -> Result<HttpResponse> {
    let (id, console, now) = (operator.id, app.config.console.clone(), app.clock.now());
    let read = app.db.read(move |conn| {
        let page = (None, SESSIONS_MAX);
        let open = sessions::list_sessions(conn, Some(id), (&console, now), page)?;
        Ok((sign_in_state(conn, id)?, open, list_operator_tokens(conn, id)?))
    });
    let (state, open, tokens) = read.await?;
    let roles: Vec<Role> = Role::ALL.iter().copied().filter(|role| role.is_within(operator.role)).collect();
    let working: Vec<TokenView> = tokens
        .into_iter()
        .filter(|token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > now))
        .collect();
    let page = Account {
        words,
        csrf: &session.csrf,
        operator,
        session: session.id,
        state: &state,
        sessions: &open,
        tokens: &working,
        roles: &roles,
        problem,
    };
    shown(status, &page, &[])
}

async fn change_password(
    app: web::Data<App>,
    session: Session,
    operator: Operator,
    request_id: RequestId,
    (req, raw): (HttpRequest, Raw),
) -> Result<HttpResponse> {
    let words = words_of(req.headers());
    let Passwords { current, password, again } = form(&raw)?;
    let whose = (words, &session, &operator);
    if password.expose() != again.expose() {
        return account(StatusCode::UNPROCESSABLE_ENTITY, &app, whose, Some(words.say("The two passwords differ.")))
            .await;
    }
    let by = own::by_self(&session, request_id.to_string(), app.clock.now());
    match own::change_password(&app, &session, &by, (current, password), device_of(&app, &req)).await {
        Ok((Proof::Right(token), device)) => {
            let session = Jar::of(&app).set(Kind::Session, token.expose(), None);
            let device = device.map(|device| device_cookie(&app, &device));
            Ok(see_other("/console/account", &[session].into_iter().chain(device).collect::<Vec<_>>()))
        }
        Ok((Proof::Wrong, _)) => {
            account(StatusCode::FORBIDDEN, &app, whose, Some(words.say("The present password is wrong."))).await
        }
        Ok((Proof::Wait(wait), _)) => {
            account(StatusCode::TOO_MANY_REQUESTS, &app, whose, Some(&slow_down(words, wait))).await
        }
        Err(fault) if fault.code() == Code::ValidationFailed => {
            account(StatusCode::UNPROCESSABLE_ENTITY, &app, whose, Some(&said(words, &fault))).await
        }
        Err(fault) => Err(fault),
    }
}

/// Ends one of one's own sessions; one that is somebody else's, or has ended, is nothing to end.
async fn end(app: web::Data<App>, session: Session, request_id: RequestId, raw: Raw) -> Result<HttpResponse> {
    let One { id } = form(&raw)?;
    let by = own::by_self(&session, request_id.to_string(), app.clock.now());
    let whose = session.operator;
    let ended = app.db.write(move |conn| {
        if sessions::find_session(conn, id)? == whose {
            sessions::end_session(conn, &by, id)?;
        }
        Ok(())
    });
    match ended.await {
        Err(fault) if fault.code() != Code::NotFound => Err(fault),
        _ => Ok(see_other("/console/account", &[])),
    }
}

async fn end_others(
    app: web::Data<App>,
    session: Session,
    request_id: RequestId,
    req: HttpRequest,
) -> Result<HttpResponse> {
    let by = own::by_self(&session, request_id.to_string(), app.clock.now());
    let device = own::end_others(&app, &session, by, device_of(&app, &req)).await?;
    let cookies: Vec<String> = device.map(|device| device_cookie(&app, &device)).into_iter().collect();
    Ok(see_other("/console/account", &cookies))
}
