//! The id every request carries, and the id its client gave it.
//!
//! The id holds its moment (UUIDv7): what a request left behind under ids of its own that sort by time, messages,
//! decisions, verifications, is found near that moment, without an index that each of them would have to pay for.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use uuid::Uuid;

use super::settings::Settings;
use crate::clock::Millis;
use crate::secret::fill_noise;

/// The header of the id made here; on every response.
pub const HEADER: &str = "x-request-id";

/// The header of a client's own id.
pub const CLIENT_HEADER: &str = "x-client-request-id";

/// Longest client id that is kept; a longer one is ignored.
const CLIENT_ID_MAX: usize = 128;

/// A request's id (UUIDv7, made here) and, beside it, the id its client sent. An extractor, and in the request's
/// extensions for everybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    /// The id made here.
    pub id: Uuid,
    /// The client's own id: 1 to 128 visible ASCII characters.
    pub client: Option<Box<str>>,
}

impl RequestId {
    /// A fresh id of the moment `now` beside the one found in `headers`.
    pub fn fresh(headers: &HeaderMap, now: Millis) -> Self {
        RequestId { id: fresh_id(now), client: client_id(headers) }
    }
}

/// A fresh id of the moment `now`: 74 of its bits are random.
pub fn fresh_id(now: Millis) -> Uuid {
    let mut noise = [0; 10];
    fill_noise(&mut noise);
    id_at(now, noise)
}

/// The smallest id of a moment: whatever came before it sorts below, as a value and as text.
pub fn first_at(at: Millis) -> Uuid {
    id_at(at, [0; 10])
}

/// When the request with this id came; `None` for an id that was not made here.
pub fn moment_of(id: &Uuid) -> Option<Millis> {
    let (seconds, nanos) = (id.get_version_num() == 7).then(|| id.get_timestamp())??.to_unix();
    let millis = i64::try_from(seconds).ok()?.checked_mul(1_000)?;
    millis.checked_add(i64::from(nanos / 1_000_000)).map(Millis)
}

fn id_at(at: Millis, noise: [u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.0).unwrap_or(0), &noise).into_uuid()
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
        let fresh = || RequestId::fresh(req.headers(), Settings::of(req).clock.now());
        ready(Ok(known.unwrap_or_else(fresh)))
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
        RequestId::fresh(req.headers(), Millis(0)).client
    }

    #[test]
    fn a_clients_id_is_kept_only_if_short_and_visible() {
        assert_eq!(client("order-42").as_deref(), Some("order-42"));
        assert_eq!(client("two words"), None);
        assert_eq!(client(""), None);
        assert_eq!(client(&"x".repeat(128)).map(|id| id.len()), Some(128));
        assert_eq!(client(&"x".repeat(129)), None);
    }

    #[test]
    fn an_id_knows_its_moment_and_sorts_by_it() {
        let at = Millis(1_774_708_200_123);
        let id = fresh_id(at);
        assert_eq!(moment_of(&id), Some(at));
        assert!(first_at(at) <= id && id < first_at(Millis(at.0 + 1)));
        assert!(first_at(at).to_string() <= id.to_string() && id.to_string() < first_at(Millis(at.0 + 1)).to_string());
        assert_eq!(moment_of(&uuid::Builder::from_random_bytes([7; 16]).into_uuid()), None);
    }
}
