//! Answers that succeed: JSON, stored bytes given again, and pages.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use serde::Serialize;

use crate::error::{Error, Result};

/// The header that marks a stored answer given again.
pub const REPLAYED: &str = "idempotent-replayed";

/// What a page of ours may load: its own style sheet, script and images, nothing inline, nothing from elsewhere.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; \
                           connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A success as it is stored beside an idempotency key, and given again byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status, 2xx.
    pub status: u16,
    /// Where the thing made can be read, if one was made.
    pub location: Option<String>,
    /// The JSON body.
    pub body: Bytes,
}

impl Reply {
    /// A reply of `status` with `body` as JSON.
    ///
    /// # Errors
    /// `internal` where `body` cannot be written as JSON.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Result<Self> {
        let body = Bytes::from(serde_json::to_vec(body).map_err(Error::internal)?);
        Ok(Reply { status: status.as_u16(), location: None, body })
    }

    /// The same with a Location.
    #[must_use]
    pub fn at(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// The response, as given the first time.
    pub fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        response.content_type("application/json");
        if let Some(location) = self.location {
            response.insert_header((header::LOCATION, location));
        }
        response.body(self.body)
    }

    /// The response as a replay: the same, and marked.
    pub fn into_replay(self) -> HttpResponse {
        let mut response = self.into_response();
        response.headers_mut().insert(HeaderName::from_static(REPLAYED), HeaderValue::from_static("true"));
        response
    }
}

/// 200 with JSON.
///
/// # Errors
/// `internal` where `body` cannot be written as JSON.
pub fn ok(body: &impl Serialize) -> Result<HttpResponse> {
    Ok(Reply::json(StatusCode::OK, body)?.into_response())
}

/// 201 with JSON and a Location.
///
/// # Errors
/// `internal` where `body` cannot be written as JSON.
pub fn created(location: impl Into<String>, body: &impl Serialize) -> Result<HttpResponse> {
    Ok(Reply::json(StatusCode::CREATED, body)?.at(location).into_response())
}

/// 202 with JSON.
///
/// # Errors
/// `internal` where `body` cannot be written as JSON.
pub fn accepted(body: &impl Serialize) -> Result<HttpResponse> {
    Ok(Reply::json(StatusCode::ACCEPTED, body)?.into_response())
}

/// 204.
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// An HTML page with the headers that keep foreign code out of it.
pub fn page(html: impl Into<String>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .body(html.into())
}

/// A file built into the binary (style sheet, script): public, so that browsers may keep it for an hour.
pub fn asset(content_type: &'static str, bytes: &'static [u8]) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_replay_is_the_same_bytes_and_marked() {
        let reply =
            Reply::json(StatusCode::CREATED, &serde_json::json!({"id": "msg_1"})).unwrap().at("/v1/messages/msg_1");
        let (first, again) = (reply.clone().into_response(), reply.into_replay());
        assert_eq!(first.status(), again.status());
        assert_eq!(first.headers().get("location"), again.headers().get("location"));
        assert_eq!(first.headers().get("content-type"), again.headers().get("content-type"));
        assert_eq!((first.headers().get(REPLAYED), again.headers().get(REPLAYED).is_some()), (None, true));
        let bytes = |response: HttpResponse| actix_web::body::to_bytes(response.into_body());
        assert_eq!(bytes(first).await.unwrap(), bytes(again).await.unwrap());
    }

    #[test]
    fn a_page_allows_nothing_inline() {
        let page = page("<p>hello</p>");
        let policy = page.headers().get("content-security-policy").unwrap().to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    }
}
