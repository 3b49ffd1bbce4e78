//! `POST /hooks/{provider}/status`.

use std::collections::BTreeMap;

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::status;
use crate::accounts::count_stranger;
use crate::app::App;
use crate::error::{Code, Result};
use crate::http::refusals::refusals;
use crate::http::{MaxBody, Raw, path_part};
use crate::providers::{Hook, HookReply};

/// Largest callback, bytes: a thousand receipts in one.
const LARGEST: usize = 256 * 1024;

/// This room's part of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(receive_status))]
pub struct CallbackDocs;

/// The routes, at the root: no key guards them, their signatures do.
pub fn configure(routes: &mut ServiceConfig) {
    let status = web::resource("/hooks/{provider}/status").app_data(MaxBody(LARGEST));
    routes.service(status.route(web::post().to(receive_status)));
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
pub async fn receive_status(app: web::Data<App>, req: HttpRequest, Raw(body): Raw) -> Result<HttpResponse> {
    let name: String = path_part(&req, "provider")?;
    let hook = Hook { url: public_url(&app, &req), headers: headers(&req), body: &body };
    let taken = status::take(&app, &name, &hook).await;
    if let Err(fault) = &taken
        && matches!(fault.code(), Code::NotFound | Code::PermissionDenied)
    {
        count_stranger(&app, &req)?;
    }
    Ok(match taken? {
        HookReply::Empty => HttpResponse::NoContent().finish(),
        HookReply::Twiml => {
            let empty = r#"<?xml version="1.0" encoding="UTF-8"?><Response></Response>"#;
            HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/xml; charset=utf-8")).body(empty)
        }
    })
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

/// The address as the carrier knows it: from configuration, since any client can choose Host and X-Forwarded-*.
fn public_url(app: &App, req: &HttpRequest) -> String {
    let path = req.uri().path_and_query().map_or("/", |path| path.as_str());
    format!("{}{path}", app.config.public_url())
}

/// The first value of every header that is text.
fn headers(req: &HttpRequest) -> BTreeMap<String, String> {
    let mut first = BTreeMap::new();
    for (name, value) in req.headers() {
        if let Ok(text) = value.to_str() {
            first.entry(name.as_str().to_ascii_lowercase()).or_insert_with(|| String::from(text));
        }
    }
    first
}
