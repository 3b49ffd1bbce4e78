//! The pages of the door: signing in and out, first run and invitations, and an operator's own account. Rendered here,
//! without a script.

mod account;
mod prove;
mod second_factor;
mod setup;
mod sign_in;
mod tokens;
mod visitor;

pub use prove::asked as ask_for_password;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::de::DeserializeOwned;

use crate::error::{Code, Error, Language, Result};
use crate::http::query::{from_pairs, pairs};
use crate::http::{Raw, reader};
use crate::words::{Words, languages};

/// The routes, to be put into the scope `/console` behind its guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(page("/sign-in").route(web::get().to(sign_in::show)).route(web::post().to(sign_in::enter)))
        .service(
            page("/sign-in/code").route(web::get().to(sign_in::show_code)).route(web::post().to(sign_in::enter_code)),
        )
        .service(page("/sign-out").route(web::post().to(sign_in::leave)))
        .service(page("/setup").route(web::get().to(setup::show)).route(web::post().to(setup::choose)))
        .configure(account::configure)
        .configure(prove::configure)
        .configure(second_factor::configure)
        .configure(tokens::configure);
}

/// A page's resource: a method that it does not take is refused as everywhere.
fn page(path: &'static str) -> actix_web::Resource {
    web::resource(path)
}

/// A form (`application/x-www-form-urlencoded`) as a `T` that denies unknown fields. Its token is the guard's matter.
fn form<T: DeserializeOwned>(raw: &Raw) -> Result<T> {
    let text = std::str::from_utf8(&raw.0).map_err(|_| Error::field("form", "must be UTF-8"))?;
    let fields = pairs(text)?.into_iter().filter(|(name, _)| name != "csrf").collect();
    from_pairs(fields)
}

/// A value of the query; empty where it is not there.
fn of_query(req: &HttpRequest, name: &str) -> String {
    let all = pairs(req.query_string()).unwrap_or_default();
    all.into_iter().find(|(known, _)| known == name).map(|(_, value)| value).unwrap_or_default()
}

/// A page of this status with these cookies.
fn shown(status: StatusCode, template: &impl Template, cookies: &[String]) -> Result<HttpResponse> {
    let html = template.render().map_err(Error::internal)?;
    let mut response = HttpResponse::build(status);
    response.content_type("text/html; charset=utf-8");
    for cookie in cookies {
        response.append_header((header::SET_COOKIE, cookie.as_str()));
    }
    Ok(response.body(html))
}

/// On to another page, by GET, with these cookies.
pub(super) fn see_other(place: &str, cookies: &[String]) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((header::LOCATION, place));
    for cookie in cookies {
        response.append_header((header::SET_COOKIE, cookie.as_str()));
    }
    response.finish()
}

/// The words of who reads: in the language chosen in the console, else in the one their browser asks for.
fn words_of(headers: &HeaderMap) -> Words {
    Words::of(language_of(headers))
}

/// Their language.
fn language_of(headers: &HeaderMap) -> Language {
    let lines = headers.get_all(header::COOKIE).filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let view = pairs.find(|(name, _)| *name == VIEW).map(|(_, value)| value).unwrap_or_default();
    let chosen = view.split('.').find_map(|word| languages().find(|tag| *tag == word));
    let asked = || reader::language(reader::languages(headers).as_ref());
    chosen.map_or_else(asked, Language::asked_by)
}

/// The cookie in which the console keeps how it is to be shown.
const VIEW: &str = "postern_view";

/// Something that is said and no more.
#[derive(Template)]
#[template(path = "console/door/notice.html")]
struct Notice<'a> {
    words: Words,
    title: &'a str,
    text: &'a str,
}

/// The answer to a form that did not come from our own page.
pub(super) fn forged(headers: &HeaderMap) -> Result<HttpResponse> {
    let words = words_of(headers);
    let notice = Notice {
        words,
        title: words.say("That form did not come from this page"),
        text: words.say("Nothing was changed. Go back, load the page again and send it once more."),
    };
    shown(StatusCode::FORBIDDEN, &notice, &[])
}

/// What went wrong, for who followed a link to it.
pub(super) fn faulty(headers: &HeaderMap, status: StatusCode, error: Option<&Error>) -> Result<HttpResponse> {
    let language = language_of(headers);
    let code = error.map_or(if status == StatusCode::NOT_FOUND { Code::NotFound } else { Code::Internal }, Error::code);
    let mut text = error.map_or(code.sentence_in(language).into(), |error| error.sentence_in(language));
    for (field, faults) in error.into_iter().flat_map(Error::fields) {
        text = format!("{text} {field}: {}", faults.join("; ")).into();
    }
    let title = status.to_string();
    shown(status, &Notice { words: Words::of(language), title: &title, text: &text }, &[])
}

/// The place to go on to after signing in: a path of the console, or its first page where `next` is anything else.
pub fn safe_next(next: &str) -> &str {
    let rest = next.strip_prefix("/console");
    let inside = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('?'));
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if inside && plain && next.len() <= 2_000 && !next.contains("//") { next } else { "/console" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_the_console_is_gone_on_to() {
        for good in ["/console", "/console/messages?to=1&limit=2", "/console?x=1"] {
            assert_eq!(safe_next(good), good);
        }
        for bad in [
            "",
            "/",
            "//evil.example/console",
            "https://evil.example/console",
            "/console@evil.example",
            "/consoles",
            "/console/..//evil.example",
            "/\\evil.example",
            "/console/\\evil",
            "javascript:alert(1)",
            "/console\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(safe_next(bad), "/console", "{bad}");
        }
    }
}
