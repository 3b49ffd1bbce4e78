//! The public routes of the reference: made once, served as bytes.

use std::collections::HashMap;

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get};
use utoipa::OpenApi;

use super::errors::{self, ErrorRegistry};
use super::known::KnownPaths;
use super::{document, guide, reference};
use crate::app::{App, FromApp};
use crate::error::{Code, Error, Language, Result};
use crate::http::problem::Problem;
use crate::http::{reader, reply};

/// The reference's own part of the document.
#[derive(OpenApi)]
#[openapi(
    paths(
        openapi_json,
        list_errors,
        show_reference,
        show_style,
        show_errors,
        show_error,
        show_limits,
        show_magic_numbers
    ),
    components(schemas(Problem))
)]
pub struct ReferenceDocs;

/// The routes, at the root: no key.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(openapi_json)
        // A resource and not a route: what it does not take is not handed on to the guarded scope of the same name.
        .service(web::resource("/v1/errors").route(web::get().to(list_errors)))
        .service(show_reference)
        .service(show_style)
        .service(show_errors)
        .service(show_error)
        .service(show_limits)
        .service(show_magic_numbers);
}

/// Everything that is served here, made at first use.
pub struct Site {
    openapi: Bytes,
    registry: Bytes,
    pages: HashMap<String, String>,
    known: KnownPaths,
}

impl FromApp for Site {
    fn from_app(app: &App) -> Self {
        let base = app.config.public_url().to_string();
        let document = document(&base);
        let json = |written: serde_json::Result<Vec<u8>>| Bytes::from(written.unwrap_or_default());
        Site {
            openapi: json(serde_json::to_vec(&document)),
            registry: json(serde_json::to_vec(&errors::registry(&base, Language::ENGLISH))),
            pages: pages(&document, &base),
            known: KnownPaths::of(&document),
        }
    }
}

fn pages(document: &serde_json::Value, base: &str) -> HashMap<String, String> {
    let fixed = [
        ("", reference::page(document, base)),
        ("errors", errors::all_page()),
        ("limits", guide::limits_page()),
        ("magic-numbers", guide::magic_page()),
    ];
    let fixed = fixed.into_iter().map(|(name, page)| (String::from(name), page));
    let of_codes = Code::ALL.iter().map(|code| (format!("errors/{code}"), errors::one_page(*code, base)));
    fixed.chain(of_codes).filter_map(|(name, page)| Some((name, page.ok()?))).collect()
}

/// The answer to what no route takes: 405 with Allow where the path exists for another method, else 404.
///
/// # Errors
/// `not_found`; 405 is a response, since an error has no room for Allow.
pub async fn no_such_route(app: Data<App>, req: HttpRequest) -> Result<HttpResponse> {
    match app.room::<Site>().known.allow(req.path()) {
        Some(methods) => Ok(HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, methods)).finish()),
        None => Err(Error::new(Code::NotFound).detail("There is no such route; check the path in the reference.")),
    }
}

fn page(app: &App, name: &str) -> Result<HttpResponse> {
    let site = app.room::<Site>();
    let page = site.pages.get(name).ok_or_else(|| Error::new(Code::NotFound))?;
    Ok(reply::page(page.clone()))
}

fn stored_json(bytes: &Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(bytes.clone())
}

/// This document.
#[utoipa::path(
    tag = "Reference",
    path = "/openapi.json",
    responses((status = 200, description = "OpenAPI 3.1", body = Object, example = json!({"openapi": "3.1.0"}))),
    security(()),
)]
#[get("/openapi.json")]
pub(super) async fn openapi_json(app: Data<App>) -> HttpResponse {
    stored_json(&app.room::<Site>().openapi)
}

/// List every error code, with its sentence in the language that is asked for.
#[utoipa::path(
    get,
    tag = "Reference",
    path = "/v1/errors",
    params(("Accept-Language" = Option<String>, Header, description = "The languages of who reads it.", example = "pt-BR, pt;q=0.9")),
    responses((status = 200, description = "The registry", body = ErrorRegistry)),
    security(()),
)]
pub(super) async fn list_errors(app: Data<App>, req: HttpRequest) -> Result<HttpResponse> {
    let language = reader::language(reader::languages(req.headers()).as_ref());
    let mut answer = if language.is_english() {
        stored_json(&app.room::<Site>().registry)
    } else {
        reply::ok(&errors::registry(&app.config.public_url().to_string(), language))?
    };
    reader::told_in(answer.headers_mut(), language.tag());
    Ok(answer)
}

/// The reference as a page.
#[utoipa::path(
    tag = "Reference",
    path = "/docs",
    responses((status = 200, description = "A page", content_type = "text/html", body = String, example = "<!doctype html>…")),
    security(()),
)]
#[get("/docs")]
pub(super) async fn show_reference(app: Data<App>) -> Result<HttpResponse> {
    page(&app, "")
}

/// The style sheet of the pages.
#[utoipa::path(
    tag = "Reference",
    path = "/docs/style.css",
    responses((status = 200, description = "A style sheet", content_type = "text/css", body = String, example = "body { … }")),
    security(()),
)]
#[get("/docs/style.css")]
pub(super) async fn show_style() -> HttpResponse {
    reply::asset("text/css; charset=utf-8", include_bytes!("../../templates/docs/style.css"))
}

/// Every error code on one page; the `type` of a problem is an anchor on it.
#[utoipa::path(
    tag = "Reference",
    path = "/docs/errors",
    responses((status = 200, description = "A page", content_type = "text/html", body = String, example = "<!doctype html>…")),
    security(()),
)]
#[get("/docs/errors")]
pub(super) async fn show_errors(app: Data<App>) -> Result<HttpResponse> {
    page(&app, "errors")
}

/// The page of an error code: why it happens, what to do, what it looks like.
#[utoipa::path(
    tag = "Reference",
    path = "/docs/errors/{code}",
    params(("code" = String, Path, description = "The code", example = "otp.number_limit")),
    responses(
        (status = 200, description = "A page", content_type = "text/html", body = String, example = "<!doctype html>…"),
        (status = 404, description = "There is no such code", body = Problem, content_type = "application/problem+json"),
    ),
    security(()),
)]
#[get("/docs/errors/{code}")]
pub(super) async fn show_error(app: Data<App>, code: web::Path<String>) -> Result<HttpResponse> {
    page(&app, &format!("errors/{code}"))
}

/// Limits and their headers, explained.
#[utoipa::path(
    tag = "Reference",
    path = "/docs/limits",
    responses((status = 200, description = "A page", content_type = "text/html", body = String, example = "<!doctype html>…")),
    security(()),
)]
#[get("/docs/limits")]
pub(super) async fn show_limits(app: Data<App>) -> Result<HttpResponse> {
    page(&app, "limits")
}

/// The magic numbers of test keys, explained.
#[utoipa::path(
    tag = "Reference",
    path = "/docs/magic-numbers",
    responses((status = 200, description = "A page", content_type = "text/html", body = String, example = "<!doctype html>…")),
    security(()),
)]
#[get("/docs/magic-numbers")]
pub(super) async fn show_magic_numbers(app: Data<App>) -> Result<HttpResponse> {
    page(&app, "magic-numbers")
}
