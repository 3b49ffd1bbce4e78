//! Errors as HTTP: ours, actix's own, and panics, all turned into the registry's.

use std::any::Any;

use actix_web::body::BoxBody;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

use super::problem::{Dialect, Problem, render, status_of};
use crate::error::{Code, Error, Result};

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status_of(self.code())
    }

    /// What stands where no frame is: `frame` writes it anew with the request's id, address and dialect.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let body = render(self, &Problem::of(self, ""), Dialect::Canonical);
        HttpResponse::build(self.status_code())
            .insert_header((header::CONTENT_TYPE, Dialect::Canonical.content_type()))
            .body(body)
    }
}

/// The answer to a path that is no route: the application's default service.
///
/// # Errors
/// Always `not_found`.
pub async fn no_such_route() -> Result<HttpResponse> {
    Err(Error::new(Code::NotFound).detail("There is no such route; check the path in the reference."))
}

/// The registry's error for a response that is one: the error it was made of, or what its status says where actix
/// answered with a bare status. A response with a body of its own (it has a Content-Type) is left alone.
pub(super) fn find_error<B>(response: &HttpResponse<B>) -> Option<Error> {
    let status = response.status();
    match response.error() {
        Some(error) => Some(from_actix(error)),
        None if status.as_u16() >= 400 && !response.headers().contains_key(header::CONTENT_TYPE) => {
            Some(Error::new(code_of(status)))
        }
        None => None,
    }
}

/// Our error inside actix's, or the registry's nearest to a foreign one. Foreign texts may echo the request, so that
/// only those of our own faults are kept, for the log.
pub(super) fn from_actix(error: &actix_web::Error) -> Error {
    if let Some(ours) = error.as_error::<Error>() {
        return ours.clone();
    }
    let code = code_of(error.as_response_error().status_code());
    match code {
        Code::Internal => Error::internal(error),
        _ => Error::new(code),
    }
}

/// What is left of a panic: an `internal` whose cause goes to the log, digits masked, since a panic's text was written
/// for programmers and may quote anything.
pub(super) fn from_panic(payload: &(dyn Any + Send)) -> Error {
    let text = payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text");
    let masked: String = text.chars().take(500).map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
    Error::internal(format_args!("panic: {masked}"))
}

/// The registry's nearest code to a status of 400 or more.
pub(super) fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Code::RequestTimeout,
        StatusCode::PAYLOAD_TOO_LARGE => Code::PayloadTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        StatusCode::TOO_MANY_REQUESTS => Code::RateLimited,
        StatusCode::SERVICE_UNAVAILABLE => Code::Overloaded,
        other if other.is_client_error() => Code::MalformedRequest,
        _ => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_error_keeps_its_meaning_and_loses_its_text() {
        let too_large = from_actix(&actix_web::error::ErrorPayloadTooLarge("secret 4711"));
        assert_eq!((too_large.code(), too_large.cause_text()), (Code::PayloadTooLarge, None));
        let teapot = from_actix(&actix_web::error::ErrorImATeapot("x"));
        assert_eq!(teapot.code(), Code::MalformedRequest);
        assert_eq!(from_actix(&actix_web::error::ErrorBadGateway("x")).code(), Code::Internal);
        assert_eq!(from_actix(&Error::new(Code::KeyRevoked).into()).code(), Code::KeyRevoked);
    }

    #[test]
    fn a_panics_text_reaches_the_log_without_its_digits() {
        let error = from_panic(&String::from("no +14155550123"));
        assert_eq!(error.cause_text(), Some("panic: no +###########"));
        assert!(!error.sentence().contains("no +"));
    }
}
