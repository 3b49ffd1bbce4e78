//! `POST /hooks/{provider}/status`.

use std::collections::BTreeMap;

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::OpenApi;

use super::status;
use crate::app::App;
use crate::error::Result;
use crate::http::problem::Problem;
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
        (status = 200, description = "Stored; an empty TwiML document", content_type = "text/xml"),
        (status = 204, description = "Stored"),
        (status = 400, description = "Signed, and unreadable", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The signature is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such carrier reports here", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot take it now; send it again", body = Problem, content_type = "application/problem+json"),
    ),
    security(()),
)]
pub async fn receive_status(app: web::Data<App>, req: HttpRequest, Raw(body): Raw) -> Result<HttpResponse> {
    let name: String = path_part(&req, "provider")?;
    let hook = Hook { url: public_url(&app, &req), headers: headers(&req), body: &body };
    Ok(match status::take(&app, &name, &hook).await? {
        HookReply::Empty => HttpResponse::NoContent().finish(),
        HookReply::Twiml => {
            let empty = r#"<?xml version="1.0" encoding="UTF-8"?><Response></Response>"#;
            HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/xml; charset=utf-8")).body(empty)
        }
    })
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
