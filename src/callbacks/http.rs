//! `/hooks/{provider}/{status,inbound}` and `/hooks/meta`.

use std::collections::BTreeMap;

use actix_web::http::{Method, header};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::take;
use crate::accounts::count_stranger;
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::query::pairs;
use crate::http::refusals::refusals;
use crate::http::{MaxBody, Raw, path_part};
use crate::providers::{Hook, HookKind, HookReply};

/// Largest callback, bytes: a thousand receipts in one.
const LARGEST: usize = 256 * 1024;

/// Largest webhook of Meta's, bytes. Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/guides/set-up-webhooks>:
/// "Webhooks payloads can be up to 3MB".
const LARGEST_OF_META: usize = 3 * 1024 * 1024;

/// This room's part of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(
    receive_status,
    receive_status_by_get,
    receive_inbound,
    receive_inbound_by_get,
    receive_meta,
    verify_meta
))]
pub struct CallbackDocs;

/// The routes, at the root: no key guards them, their signatures do.
pub fn configure(routes: &mut ServiceConfig) {
    let meta = web::resource("/hooks/meta").app_data(MaxBody(LARGEST_OF_META));
    routes.service(meta.route(web::post().to(receive_meta)).route(web::get().to(verify_meta)));
    let status = web::resource("/hooks/{provider}/status").app_data(MaxBody(LARGEST));
    routes.service(status.route(web::post().to(receive_status)).route(web::get().to(receive_status_by_get)));
    let inbound = web::resource("/hooks/{provider}/inbound").app_data(MaxBody(LARGEST));
    routes.service(inbound.route(web::post().to(receive_inbound)).route(web::get().to(receive_inbound_by_get)));
}

/// Delivery receipts of a carrier, signed as that carrier signs.
#[utoipa::path(
    post,
    tag = "Inbound",
    path = "/hooks/{provider}/status",
    params(("provider" = String, Path, description = "The carrier's name in the configuration", example = "acme")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "Whatever the carrier sends; a form or JSON"),
    responses(
        (status = 200, description = "Stored; an empty TwiML document", content_type = "text/xml", body = String, example = "<Response></Response>"),
        (status = 204, description = "Stored"),
        Refusals,
    ),
    security(()),
)]
pub async fn receive_status(app: Data<App>, req: HttpRequest, Raw(body): Raw) -> Result<HttpResponse> {
    receive(&app, &req, HookKind::Status, &body).await
}

/// Delivery receipts, from a carrier that reports by GET: everything stands in the query.
#[utoipa::path(
    get,
    tag = "Inbound",
    path = "/hooks/{provider}/status",
    params(("provider" = String, Path, description = "The carrier's name in the configuration", example = "acme")),
    responses(
        (status = 200, description = "Stored; an empty TwiML document", content_type = "text/xml", body = String, example = "<Response></Response>"),
        (status = 204, description = "Stored"),
        Refusals,
    ),
    security(()),
)]
pub async fn receive_status_by_get(app: Data<App>, req: HttpRequest) -> Result<HttpResponse> {
    receive(&app, &req, HookKind::Status, &[]).await
}

/// Messages that people sent to a number of ours, signed as the carrier signs.
///
/// STOP and START, in many languages, end and renew the consent to
/// everything but codes.
#[utoipa::path(
    post,
    tag = "Inbound",
    path = "/hooks/{provider}/inbound",
    params(("provider" = String, Path, description = "The carrier's name in the configuration", example = "acme")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "Whatever the carrier sends; a form or JSON"),
    responses(
        (status = 200, description = "Stored; an empty TwiML document", content_type = "text/xml", body = String, example = "<Response></Response>"),
        (status = 204, description = "Stored"),
        Refusals,
    ),
    security(()),
)]
pub async fn receive_inbound(app: Data<App>, req: HttpRequest, Raw(body): Raw) -> Result<HttpResponse> {
    receive(&app, &req, HookKind::Inbound, &body).await
}

/// Messages that people sent, from a carrier that reports by GET: everything stands in the query.
#[utoipa::path(
    get,
    tag = "Inbound",
    path = "/hooks/{provider}/inbound",
    params(("provider" = String, Path, description = "The carrier's name in the configuration", example = "acme")),
    responses(
        (status = 200, description = "Stored; an empty TwiML document", content_type = "text/xml", body = String, example = "<Response></Response>"),
        (status = 204, description = "Stored"),
        Refusals,
    ),
    security(()),
)]
pub async fn receive_inbound_by_get(app: Data<App>, req: HttpRequest) -> Result<HttpResponse> {
    receive(&app, &req, HookKind::Inbound, &[]).await
}

/// Everything that Meta reports of the WhatsApp numbers, signed with the app's secret.
#[utoipa::path(
    post,
    tag = "Inbound",
    path = "/hooks/meta",
    request_body(content = String, content_type = "application/json", description = "As Meta sends it"),
    responses((status = 204, description = "Stored"), Refusals),
    security(()),
)]
pub async fn receive_meta(app: Data<App>, req: HttpRequest, Raw(body): Raw) -> Result<HttpResponse> {
    let hook = Hook { kind: HookKind::Status, url: public_url(&app, &req), headers: headers(&req), body: &body };
    let taken = take::take_shared(&app, &hook).await;
    count_disbelieved(&app, &req, &taken)?;
    taken.map(|()| HttpResponse::NoContent().finish())
}

/// Meta's handshake: whether the address is ours. Not signed; the verify token of the configuration is the proof.
#[utoipa::path(
    get,
    tag = "Inbound",
    path = "/hooks/meta",
    params(
        ("hub.mode" = String, Query, description = "`subscribe`"),
        ("hub.verify_token" = String, Query, description = "The token of the configuration"),
        ("hub.challenge" = String, Query, description = "Given back"),
    ),
    responses(
        (status = 200, description = "The challenge", content_type = "text/plain", body = String, example = "1158201444"),
        HandshakeRefusals,
    ),
    security(()),
)]
pub async fn verify_meta(app: Data<App>, req: HttpRequest) -> Result<HttpResponse> {
    let query = pairs(req.query_string())?;
    let answer = app.carriers.iter().filter(|carrier| carrier.is_meta()).find_map(|carrier| carrier.handshake(&query));
    let refused = || Error::new(Code::PermissionDenied).detail("The verify token is not that of a configured carrier.");
    let answer = answer.ok_or_else(refused);
    count_disbelieved(&app, &req, &answer)?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8")).body(answer?))
}

async fn receive(app: &App, req: &HttpRequest, kind: HookKind, body: &[u8]) -> Result<HttpResponse> {
    let name: String = path_part(req, "provider")?;
    let posts_only = app.carriers.find(&name).is_some_and(|carrier| !carrier.calls_back_by_get());
    if req.method() == Method::GET && posts_only {
        return Ok(HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "POST")).finish());
    }
    let hook = Hook { kind, url: public_url(app, req), headers: headers(req), body };
    let taken = take::take(app, &name, &hook).await;
    count_disbelieved(app, req, &taken)?;
    Ok(match taken? {
        HookReply::Empty => HttpResponse::NoContent().finish(),
        HookReply::Twiml => {
            let empty = r#"<?xml version="1.0" encoding="UTF-8"?><Response></Response>"#;
            HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/xml; charset=utf-8")).body(empty)
        }
    })
}

/// Who guesses is a stranger, and strangers are counted.
fn count_disbelieved<T>(app: &App, req: &HttpRequest, taken: &Result<T>) -> Result<()> {
    match taken {
        Err(fault) if matches!(fault.code(), Code::NotFound | Code::PermissionDenied) => count_stranger(app, req),
        _ => Ok(()),
    }
}

/// What the route may refuse with.
struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[
            Code::MalformedRequest,
            Code::PermissionDenied,
            Code::NotFound,
            Code::MethodNotAllowed,
            Code::RequestTimeout,
            Code::PayloadTooLarge,
            Code::RateLimited,
            Code::Internal,
            Code::Overloaded,
            Code::StorageFull,
        ])
    }
}

/// What the handshake may refuse with.
struct HandshakeRefusals;

impl IntoResponses for HandshakeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[
            Code::MalformedRequest,
            Code::PermissionDenied,
            Code::MethodNotAllowed,
            Code::RateLimited,
            Code::Internal,
        ])
    }
}

/// The address as the carrier knows it: from configuration, since any client can choose Host and X-Forwarded-*.
fn public_url(app: &App, req: &HttpRequest) -> String {
    let path = req.uri().path_and_query().map_or("/", |path| path.as_str());
    format!("{}{path}", app.config.public_url())
}

/// The value of every header that is text and says one thing: a signature that comes twice with two values is none.
fn headers(req: &HttpRequest) -> BTreeMap<String, String> {
    let mut values: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (name, value) in req.headers() {
        if let Ok(text) = value.to_str() {
            let known = values.entry(name.as_str().to_ascii_lowercase()).or_insert_with(|| Some(String::from(text)));
            if known.as_deref() != Some(text) {
                *known = None;
            }
        }
    }
    values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
