//! Personal tokens for the admin API: made and revoked by whoever they belong to.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use askama::Template;
use serde::Deserialize;

use super::account::account;
use super::prove::asked;
use super::setup::said;
use super::{form, page, see_other, shown, words_of};
use crate::accounts::{Directory, Operator, Role, TokenTerms, TokenView, create_operator_token, revoke_operator_token};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::{Raw, RequestId, base_url};
use crate::ids::TokenId;
use crate::secret::Secret;
use crate::signin::own;
use crate::signin::sessions::Session;
use crate::words::Words;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(page("/account/tokens").route(web::post().to(make)))
        .service(page("/account/tokens/revoke").route(web::post().to(revoke)));
}

/// A token just made, shown once.
#[derive(Template)]
#[template(path = "console/door/token.html")]
struct Made<'a> {
    words: Words,
    token: &'a TokenView,
    secret: &'a Secret<String>,
    base: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    role: Role,
    days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    id: TokenId,
}

/// Longest life of a token made here, days.
const DAYS_MAX: u32 = 366;

async fn make(
    app: web::Data<App>,
    (session, operator): (Session, Operator),
    request_id: RequestId,
    req: actix_web::HttpRequest,
    raw: Raw,
) -> Result<HttpResponse> {
    if let Some(ask) = asked(&app, &session, "/console/account") {
        return Ok(ask);
    }
    let words = words_of(req.headers());
    let done = match form::<Wanted>(&raw) {
        Ok(wanted) => made(&app, &session, &operator, request_id.to_string(), wanted).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok((token, secret)) => {
            app.room::<Directory>().forget();
            shown(StatusCode::OK, &Made { words, token: &token, secret: &secret, base: &base_url(&req) }, &[])
        }
        Err(fault) if fault.code() == Code::ValidationFailed => {
            account(StatusCode::UNPROCESSABLE_ENTITY, &app, (words, &session, &operator), Some(&said(words, &fault)))
                .await
        }
        Err(fault) => Err(fault),
    }
}

async fn made(
    app: &App,
    session: &Session,
    operator: &Operator,
    request_id: String,
    wanted: Wanted,
) -> Result<(TokenView, Secret<String>)> {
    if !(1..=DAYS_MAX).contains(&wanted.days) {
        return Err(Error::field("days", format!("must be 1 to {DAYS_MAX}")));
    }
    let by = own::by_self(session, request_id, app.clock.now());
    let life = Duration::from_secs(u64::from(wanted.days) * 86_400);
    let role = (wanted.role != operator.role).then_some(wanted.role);
    let terms = TokenTerms { expires_at: Some(by.now.plus(life)), role, maker: Some(operator.clone()) };
    let id = operator.id;
    app.db.write(move |conn| create_operator_token(conn, &by, id, terms)).await
}

/// Revokes one of one's own tokens; one that is somebody else's is nothing to revoke.
async fn revoke(app: web::Data<App>, session: Session, request_id: RequestId, raw: Raw) -> Result<HttpResponse> {
    let One { id } = form(&raw)?;
    let by = own::by_self(&session, request_id.to_string(), app.clock.now());
    let done = app.db.write(move |conn| revoke_operator_token(conn, &by, session.operator, id).map(drop)).await;
    app.room::<Directory>().forget();
    match done {
        Err(fault) if fault.code() != Code::NotFound => Err(fault),
        _ => Ok(see_other("/console/account", &[])),
    }
}
