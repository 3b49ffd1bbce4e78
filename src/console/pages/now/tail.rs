//! The live tail: its place on the page, and its stream for the session of the browser.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;

use crate::accounts::Duty;
use crate::app::App;
use crate::console::desk::Desk;
use crate::console::markup::Markup;
use crate::error::{Code, Error, Result};
use crate::http::Query;
use crate::overview::{self, TailFilter};
use crate::words::Words;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(stream);
}

#[derive(Template)]
#[template(path = "console/now/tail.html")]
struct Section {
    words: Words,
    mode: &'static str,
    curl: String,
    statuses: &'static [&'static str],
    channels: &'static [&'static str],
}

/// The tail's place on the page; a script fills it.
///
/// # Errors
/// `internal` where it cannot be rendered.
pub(super) fn section(desk: &Desk) -> Result<Markup> {
    let path = format!("/v1/admin/tail?mode={}", desk.mode());
    Markup::of(&Section {
        words: desk.words,
        mode: desk.mode(),
        curl: desk.curl(&path).replacen("curl -s", "curl -sN", 1),
        statuses: &["accepted", "sent", "delivered", "failed", "undelivered", "unknown", "block", "challenge"],
        channels: &["sms", "whatsapp", "email"],
    })
}

/// The same stream as `/v1/admin/tail`, for the session's cookie: browsers send no token with an `EventSource`.
#[get("/tail")]
async fn stream(desk: Desk, app: Data<App>, req: HttpRequest, query: Query<TailFilter>) -> Result<HttpResponse> {
    if !desk.may(Duty::Look) {
        return Err(Error::new(Code::PermissionDenied));
    }
    let last = req.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    overview::tail(&app, desk.operator.clone(), query.0, last).await
}
