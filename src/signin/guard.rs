//! The guard of the console: who is signed in, and that a form was sent by our own page; and the headers of every page.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, web};

use crate::app::App;
use crate::config::Switch;
use crate::error::{Code, Error, Result};
use crate::http::query::{encoded, pairs};
use crate::http::{Raw, base_url};
use crate::signin::cookies::{Jar, Kind};
use crate::signin::pages::{self, see_other};
use crate::signin::sessions::{self, Session, Use};

/// Pages that are there for who is not signed in.
const OPEN: &[&str] = &["/console/sign-in", "/console/sign-in/code", "/console/setup"];
/// Style sheets and scripts: they say nothing.
const ASSETS: &str = "/console/assets/";

/// What an open page asks again and again by itself.
const TAIL: &str = "/console/tail";

/// The header in which a script sends what a form has in its field `csrf`.
const TOKEN_HEADER: &str = "x-csrf-token";
const TOKEN_FIELD: &str = "csrf";

/// Lets operators in to `/console`: cookie to `Session` and `Operator`, both in the request's extensions, where the admin
/// API's own guard finds the operator. Who is not signed in is sent to the door. A request that changes something must
/// come from our own page, and carry the session's token in the field `csrf` of its form or in `X-CSRF-Token`.
///
/// # Errors
/// What the route answers; a refusal is a response.
pub async fn console_guard(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match admit(&mut req).await {
        Ok(None) => Ok(next.call(req).await?.map_into_boxed_body()),
        Ok(Some(instead)) => Ok(req.into_response(instead)),
        Err(fault) => Ok(req.error_response(fault)),
    }
}

/// `None` where the request may go on, or the answer in its place.
async fn admit(req: &mut ServiceRequest) -> Result<Option<HttpResponse>> {
    let app = req.app_data::<web::Data<App>>().cloned().ok_or_else(|| Error::internal("no app beside the routes"))?;
    if app.config.console.enabled == Switch::Off {
        return Err(Error::new(Code::NotFound));
    }
    let changes = !matches!(*req.method(), Method::GET | Method::HEAD);
    if changes && !is_own(req) {
        return pages::forged(req.headers()).map(Some);
    }
    let path = req.path();
    if OPEN.contains(&path) || path.starts_with(ASSETS) {
        return Ok(None);
    }
    let token = Jar::of(&app).read(Kind::Session, req.headers());
    let found = match token {
        Some(token) => sessions::resolve(&app, &token, if path == TAIL { Use::Page } else { Use::Person }).await?,
        None => None,
    };
    let Some((session, operator)) = found else { return Ok(Some(to_the_door(req, changes))) };
    if changes && !carries_token(req, &session).await? {
        return pages::forged(req.headers()).map(Some);
    }
    req.extensions_mut().insert(operator);
    req.extensions_mut().insert(session);
    Ok(None)
}

/// To sign in, and back to where they wanted to go, unless that would have changed something.
fn to_the_door(req: &ServiceRequest, changes: bool) -> HttpResponse {
    // What was searched for may be a number: it does not go into another address.
    let searches = req.query_string().split('&').any(|pair| pair.starts_with("q="));
    let whole = req.uri().path_and_query().map_or("/console", |path| path.as_str());
    let wanted = if searches { req.path() } else { whole };
    if changes || wanted == "/console" {
        return see_other("/console/sign-in", &[]);
    }
    see_other(&format!("/console/sign-in?next={}", encoded(wanted)), &[])
}

/// Whether a request that changes something comes from a page of this server: by what the browser says of it, or, where it
/// says nothing (an old one, or plain http), by its origin.
fn is_own(req: &ServiceRequest) -> bool {
    let text = |name: HeaderName| req.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return matches!(site.as_str(), "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN) else { return false };
    let bare = |url: &str| url.split("://").nth(1).and_then(|rest| rest.split('/').next()).map(str::to_ascii_lowercase);
    let (origin, base) = (bare(&origin), bare(&base_url(req.request())));
    let host = text(header::HOST).map(|host| host.to_ascii_lowercase());
    origin.is_some() && (origin == base || origin == host)
}

/// Whether the session's token came along. The body of a form is read here and put back.
async fn carries_token(req: &mut ServiceRequest, session: &Session) -> Result<bool> {
    if let Some(token) = req.headers().get(TOKEN_HEADER) {
        return Ok(session.is_own_form(token.to_str().unwrap_or_default()));
    }
    let kind = req.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Ok(false);
    }
    let Raw(bytes) = req.extract::<Raw>().await?;
    let is_own = std::str::from_utf8(&bytes).is_ok_and(|text| is_token_of(session, text));
    req.set_payload(Payload::from(bytes));
    Ok(is_own)
}

/// Whether `form` (`application/x-www-form-urlencoded`) holds the session's token in its field `csrf`, once.
pub fn is_token_of(session: &Session, form: &str) -> bool {
    let Ok(pairs) = pairs(form) else { return false };
    let mut tokens = pairs.iter().filter(|(name, _)| name == TOKEN_FIELD);
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) => session.is_own_form(token),
        _ => false,
    }
}

/// What a page of the console may load: its own style sheets, scripts, images and answers; nothing inline, nothing from
/// elsewhere, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'";

/// Puts the headers on every answer under `/console`: stands outside `console_guard`, so that refusals have them too.
///
/// # Errors
/// What the route answers.
pub async fn headers(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let https = req.app_data::<web::Data<App>>().is_some_and(|app| app.config.public_url().is_https());
    let reader = wants_page(&req).then(|| req.headers().clone());
    let mut response = next.call(req).await?.map_into_boxed_body();
    if let Some(headers) = reader.filter(|_| is_fault(&response)) {
        let error = response.response().error().and_then(|fault| fault.as_error::<Error>()).cloned();
        let page = pages::faulty(&headers, response.status(), error.as_ref())?;
        response = response.into_response(page);
    }
    stamp(response.headers_mut(), https);
    Ok(response)
}

/// Whether a browser asks for a page; scripts and programs ask for something else.
fn wants_page(req: &ServiceRequest) -> bool {
    let accept = req.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    req.method() == Method::GET && accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Whether an answer is a fault that is no page yet.
fn is_fault(response: &ServiceResponse<BoxBody>) -> bool {
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    !is_page && (response.status().is_client_error() || response.status().is_server_error())
}

fn stamp(headers: &mut HeaderMap, https: bool) {
    let mut put = |name, value| drop(headers.insert(name, HeaderValue::from_static(value)));
    put(header::CONTENT_SECURITY_POLICY, POLICY);
    put(header::X_FRAME_OPTIONS, "DENY");
    // Not no-referrer: browsers would send `Origin: null` with our own forms, and over plain http nothing else is there to
    // tell them from forged ones. Other sites learn nothing either way.
    put(header::REFERRER_POLICY, "same-origin");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if https {
        put(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
