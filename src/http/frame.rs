//! The one middleware around every request: its id and span, the registry's errors in the route's dialect, the rate
//! headers, a floor under panics, and the access line.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpResponse, ResponseError, web};
use futures_util::FutureExt;
use tracing::{Instrument, Span, field};

use super::client_ip::client_ip;
use super::fault;
use super::problem::{Dialect, Problem, language_of, render, status_of};
use super::rate_view::{self, Slate};
use super::reader;
use super::request_id::{self, RequestId};
use super::settings::Settings;
use super::unread::Incoming;
use super::witness::{End, Name, Seen, is_api};
use crate::clock::{Millis, whole_ms};
use crate::db;
use crate::error::{Code, Error, Language};

/// The outermost middleware: `App::wrap(from_fn(http::frame))`, wrapped last so that it is called first.
///
/// # Errors
/// Only where an inner middleware fails or something panics: actix has taken the request away by then, so that the
/// finished answer travels as an error that renders to it.
pub async fn frame(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let frame = Frame::around(&mut req);
    let span = frame.span();
    req.extensions_mut().insert(frame.id.clone());
    let inner = AssertUnwindSafe(db::as_one_request(async move { next.call(req).await }));
    let outcome = inner.catch_unwind().instrument(span.clone()).await;
    if let Some(incoming) = &frame.incoming {
        incoming.drain().await;
    }
    let _in_span = span.enter();
    match outcome {
        Ok(Ok(response)) => Ok(frame.finish(response.map_into_boxed_body(), &span)),
        Ok(Err(error)) => Err(frame.finish_without_request(fault::from_actix(&error), &span).into()),
        Err(panic) => Err(frame.finish_without_request(fault::from_panic(panic.as_ref()), &span).into()),
    }
}

/// What the frame remembers while the request is with the route.
struct Frame {
    settings: web::Data<Settings>,
    id: RequestId,
    method: &'static str,
    host: Option<HeaderValue>,
    languages: Option<HeaderValue>,
    client: IpAddr,
    dialect: Dialect,
    slate: Slate,
    name: Name,
    is_told: bool,
    at: Millis,
    incoming: Option<Incoming>,
    started: Instant,
}

impl Frame {
    fn around(req: &mut ServiceRequest) -> Self {
        let method = known_method(req.method());
        if req.method() == Method::HEAD {
            // A route that takes GET takes HEAD; the connection leaves the body out.
            req.head_mut().method = Method::GET;
        }
        let settings = req.app_data::<web::Data<Settings>>().cloned();
        let settings = settings.unwrap_or_else(|| web::Data::new(Settings::default()));
        let (at, known) = (settings.clock.now(), known_id(req));
        // What a page of ours reads is the page's business; what it changes is a request like any other.
        let is_told = is_api(req.path()) && (known.is_none() || method != "GET");
        Frame {
            settings,
            // A request that another one makes in this process has its id.
            id: known.unwrap_or_else(|| RequestId::fresh(req.headers(), at)),
            method,
            host: req.headers().get(header::HOST).cloned(),
            languages: reader::languages(req.headers()),
            client: client_ip(req.request()),
            dialect: Dialect::of_path(req.path()),
            slate: Slate::put_into(req),
            name: Name::put_into(req),
            is_told,
            at,
            incoming: Incoming::of(req),
            started: Instant::now(),
        }
    }

    fn span(&self) -> Span {
        let client = self.id.client.as_deref().map(field::display);
        tracing::info_span!(
            "request", request.id = %self.id, request.client_id = client, http.method = self.method,
            http.route = field::Empty, http.status = field::Empty, duration_ms = field::Empty,
        )
    }

    fn finish(&self, response: ServiceResponse, span: &Span) -> ServiceResponse {
        let (req, mut http) = response.into_parts();
        let error = fault::find_error(&http);
        if let Some(error) = &error {
            http = self.rewrite(http, error.clone());
        }
        self.stamp(http.headers_mut());
        // The pattern, not the path: a path may hold a number.
        let pattern = req.match_pattern();
        let route = pattern.as_deref().unwrap_or("none");
        self.note(route, http.status(), span);
        self.tell((req.path(), route), End::of(http.status(), http.headers(), error.as_ref()));
        ServiceResponse::new(req, http.map_body(|_, body| self.hold(body)))
    }

    fn finish_without_request(&self, error: Error, span: &Span) -> Framed {
        let close = must_close(error.code());
        let http = self.rewrite(HttpResponse::new(status_of(error.code())), error.clone());
        let (status, mut headers) = (http.status(), http.headers().clone());
        self.stamp(&mut headers);
        self.note("none", status, span);
        self.tell(("", "none"), End::of(status, &headers, Some(&error)));
        let body = http.into_body().try_into_bytes().unwrap_or_default();
        Framed { status, headers, body, close, incoming: self.incoming.clone() }
    }

    fn hold(&self, body: BoxBody) -> BoxBody {
        match &self.incoming {
            Some(incoming) => incoming.held_by(body),
            None => body,
        }
    }

    /// Puts the error's status, body and headers in place of what `http` had; headers such as Allow stay.
    fn rewrite(&self, mut http: HttpResponse, error: Error) -> HttpResponse {
        log_cause(&error);
        self.slate.note(&error, self.settings.clock.now());
        let error = rate_view::agree(error, &self.slate.view());
        *http.status_mut() = status_of(error.code());
        if must_close(error.code()) {
            http.head_mut().set_connection_type(ConnectionType::Close);
        }
        let headers = http.headers_mut();
        allow_head(headers);
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.dialect.content_type()));
        if let Some(seconds) = error.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if error.code().entry().status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"postern\""));
        }
        let language = reader::language(self.languages.as_ref());
        if let Some(told) = language_of(&error, self.dialect, language) {
            reader::told_in(headers, told);
        }
        http.set_body(BoxBody::new(self.body(&error, language)))
    }

    fn body(&self, error: &Error, language: Language) -> Bytes {
        let mut problem = Problem::told(error, &self.settings.base(self.host.as_ref()), language);
        problem.request_id = Some(self.id.to_string());
        render(error, &problem, self.dialect)
    }

    /// Headers of every response.
    fn stamp(&self, headers: &mut HeaderMap) {
        if let Ok(id) = HeaderValue::from_str(&self.id.to_string()) {
            headers.insert(HeaderName::from_static(request_id::HEADER), id);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        let view = Some(self.slate.view()).filter(|view| !view.is_empty());
        let view = view.unwrap_or_else(|| self.settings.strangers.view(self.client));
        rate_view::write(headers, &view, self.dialect, self.settings.clock.now());
    }

    fn note(&self, route: &str, status: StatusCode, span: &Span) {
        let status = status.as_u16();
        let elapsed = self.started.elapsed();
        let duration_ms = whole_ms(elapsed);
        span.record("http.route", route).record("http.status", status).record("duration_ms", duration_ms);
        // A target of its own: `POSTERN_LOG=info,postern::access=off` turns these lines off.
        tracing::info!(target: "postern::access", "served {} {route} with {status} in {duration_ms} ms", self.method);
        let route = route.to_owned();
        let labels = [("method", self.method.to_owned()), ("route", route.clone()), ("status", status.to_string())];
        metrics::counter!("postern_http_requests_total", &labels).increment(1);
        metrics::histogram!("postern_http_request_duration_seconds", "route" => route).record(elapsed.as_secs_f64());
    }
}

impl Frame {
    /// Tells the witness how it ended.
    fn tell(&self, (path, route): (&str, &str), end: End<'_>) {
        if !self.is_told {
            return;
        }
        // What the limits said, also where a dialect has no room for it.
        let denied = || self.slate.view().binding().filter(|verdict| verdict.denied()).map(|verdict| verdict.policy);
        let end = End { policy: if end.status == 429 { denied() } else { None }, ..end };
        self.settings.witness.tell(&Seen {
            id: &self.id,
            at: self.at,
            method: self.method,
            path,
            route,
            who: self.name.who(),
            client: self.client,
            end,
            took: self.started.elapsed(),
        });
    }
}

/// An answer that travels as an error, since the request it would belong to is gone.
struct Framed {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    close: bool,
    incoming: Option<Incoming>,
}

impl std::fmt::Debug for Framed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for Framed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "answered with {}", self.status)
    }
}

impl ResponseError for Framed {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        self.headers.iter().for_each(|header| {
            response.insert_header(header);
        });
        if self.close {
            response.force_close();
        }
        let body = BoxBody::new(self.body.clone());
        response.body(match &self.incoming {
            Some(incoming) => incoming.held_by(body),
            None => body,
        })
    }
}

/// Every fault of ours is logged here, once, with what the client must not see; the span holds the request's id.
fn log_cause(error: &Error) {
    if error.code().entry().status < 500 {
        return;
    }
    let cause = error.cause_text().unwrap_or("none given");
    match error.code() {
        Code::Internal => tracing::error!(error.code = %error.code(), error.cause = cause, "request failed: {cause}"),
        code => tracing::warn!(error.code = %code, error.cause = cause, "request refused as {code}: {cause}"),
    }
}

/// Where GET is taken, HEAD is.
fn allow_head(headers: &mut HeaderMap) {
    let Some(allowed) = headers.get(header::ALLOW).and_then(|value| value.to_str().ok()) else { return };
    if allowed.split(", ").any(|method| method == "GET")
        && let Ok(with_head) = HeaderValue::from_str(&format!("{allowed}, HEAD"))
    {
        headers.insert(header::ALLOW, with_head);
    }
}

/// After these the rest of the body is not worth reading, and a slow client must not keep its connection.
fn must_close(code: Code) -> bool {
    matches!(code, Code::RequestTimeout | Code::PayloadTooLarge)
}

fn known_id(req: &ServiceRequest) -> Option<RequestId> {
    req.extensions().get::<RequestId>().cloned()
}

/// A metric's label must come from a closed set; a method need not.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
