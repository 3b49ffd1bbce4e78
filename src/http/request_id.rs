//! The id every request carries, and the id its client gave it.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use uuid::Uuid;

use crate::secret::fill_noise;

/// The header of the id made here; on every response.
pub const HEADER: &str = "x-request-id";

/// The header of a client's own id.
pub const CLIENT_HEADER: &str = "x-client-request-id";

/// Longest client id that is kept; a longer one is ignored.
const CLIENT_ID_MAX: usize = 128;

/// A request's id (UUID v4, made here) and, beside it, the id its client sent. An extractor, and in the request's
/// extensions for everybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    /// The id made here.
    pub id: Uuid,
    /// The client's own id: 1 to 128 visible ASCII characters.
    pub client: Option<Box<str>>,
}

impl RequestId {
    /// A fresh id beside the one found in `headers`.
    pub fn fresh(headers: &HeaderMap) -> Self {
        let mut noise = [0; 16];
        fill_noise(&mut noise);
        RequestId { id: uuid::Builder::from_random_bytes(noise).into_uuid(), client: client_id(headers) }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl FromRequest for RequestId {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = req.extensions().get::<RequestId>().cloned();
        ready(Ok(known.unwrap_or_else(|| RequestId::fresh(req.headers()))))
    }
}

fn client_id(headers: &HeaderMap) -> Option<Box<str>> {
    let text = headers.get(CLIENT_HEADER)?.to_str().ok()?;
    let fits = (1..=CLIENT_ID_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| Box::from(text))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(value: &str) -> Option<Box<str>> {
        let req = TestRequest::default().insert_header((CLIENT_HEADER, value)).to_http_request();
        RequestId::fresh(req.headers()).client
    }

    #[test]
    fn a_clients_id_is_kept_only_if_short_and_visible() {
        assert_eq!(client("order-42").as_deref(), Some("order-42"));
        assert_eq!(client("two words"), None);
        assert_eq!(client(""), None);
        assert_eq!(client(&"x".repeat(128)).map(|id| id.len()), Some(128));
        assert_eq!(client(&"x".repeat(129)), None);
    }
}
