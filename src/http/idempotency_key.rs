//! The key a client marks a request with, and the fingerprint that tells two requests apart.

use actix_web::HttpRequest;

use super::tree::Tree;
use crate::error::{Error, Result};
use crate::secret::sha256;

/// The body's member that may carry the key.
pub const FIELD: &str = "idempotency_key";

/// The headers that may carry the key: the IETF draft's, and the older spelling.
const HEADERS: [&str; 2] = ["idempotency-key", "x-idempotency-key"];

/// Longest key, characters.
const KEY_MAX: usize = 255;

const WHAT_A_KEY_IS: &str = "must be 1 to 255 visible ASCII characters without blanks";

/// A client's idempotency key: 1 to 255 visible ASCII characters. Store its hash, not the key.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads a key; the quotes of a structured-field string (RFC 9651) are taken off.
    ///
    /// # Errors
    /// `validation_failed` on `idempotency_key`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim_matches([' ', '\t']);
        let bare = unquoted(text).unwrap_or_else(|| text.to_owned());
        let fits = (1..=KEY_MAX).contains(&bare.len()) && bare.bytes().all(|b| b.is_ascii_graphic());
        fits.then_some(IdempotencyKey(bare)).ok_or_else(|| Error::field(FIELD, WHAT_A_KEY_IS))
    }

    /// The key that `req` and its body carry, if any.
    ///
    /// # Errors
    /// `validation_failed` where a key is malformed, or where two different ones are given.
    pub fn find(req: &HttpRequest, body: Option<&Tree>) -> Result<Option<Self>> {
        let mut found: Option<Self> = None;
        let mut take = |key: Self| match &found {
            Some(first) if *first != key => {
                Err(Error::field(FIELD, "is given twice with different values; send one key per request"))
            }
            _ => {
                found = Some(key);
                Ok(())
            }
        };
        for value in HEADERS.iter().flat_map(|name| req.headers().get_all(*name)) {
            take(Self::parse(value.to_str().map_err(|_| Error::field(FIELD, WHAT_A_KEY_IS))?)?)?;
        }
        match body.and_then(|tree| tree.member(FIELD)) {
            Some(Tree::Text(text) | Tree::Loose(text)) => take(Self::parse(text)?)?,
            None | Some(Tree::Null) => {}
            Some(_) => return Err(Error::field(FIELD, WHAT_A_KEY_IS)),
        }
        Ok(found)
    }

    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the key: what is stored.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

impl std::fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[idempotency key]")
    }
}

/// SHA-256 over method, route template, path and query values, and the canonical body without the key: equal for two
/// requests that ask for the same. The values of the path count, or one key would cancel one message and seem to
/// have canceled another.
pub fn fingerprint(req: &HttpRequest, body: Option<&Tree>) -> [u8; 32] {
    let route = req.match_pattern().unwrap_or_else(|| req.path().to_owned());
    let body = body.map(|tree| tree.canonical(FIELD)).unwrap_or_default();
    let mut text = Vec::with_capacity(body.len() + 128);
    let mut part = |bytes: &[u8]| {
        text.extend_from_slice(bytes);
        text.push(b'\n');
    };
    part(req.method().as_str().as_bytes());
    part(route.as_bytes());
    part(req.path().as_bytes());
    part(req.query_string().as_bytes());
    part(&body);
    sha256(&text)
}

/// The content of a structured-field string; `None` where `text` is not one.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => out.push(chars.next()?),
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn found(headers: &[(&'static str, &str)], body: &str) -> Result<Option<IdempotencyKey>> {
        let req = headers.iter().fold(TestRequest::post(), |req, header| req.append_header(*header)).to_http_request();
        IdempotencyKey::find(&req, Some(&Tree::parse(body.as_bytes()).unwrap()))
    }

    #[test]
    fn a_key_is_found_in_either_header_or_in_the_body() {
        let key = |text: &str| Some(IdempotencyKey(text.into()));
        assert_eq!(found(&[("idempotency-key", "a-1")], "{}").unwrap(), key("a-1"));
        assert_eq!(found(&[("x-idempotency-key", "\"a-1\"")], "{}").unwrap(), key("a-1"));
        assert_eq!(found(&[], r#"{"idempotency_key":"a-1"}"#).unwrap(), key("a-1"));
        let all = [("idempotency-key", "\"a-1\""), ("x-idempotency-key", "a-1")];
        assert_eq!(found(&all, r#"{"idempotency_key":"a-1"}"#).unwrap(), key("a-1"));
        assert_eq!(found(&[], r#"{"idempotency_key":null}"#).unwrap(), None);
    }

    #[test]
    fn two_different_keys_in_one_request_are_refused() {
        assert!(found(&[("idempotency-key", "a"), ("x-idempotency-key", "b")], "{}").is_err());
        assert!(found(&[("idempotency-key", "a"), ("idempotency-key", "b")], "{}").is_err());
        assert!(found(&[("idempotency-key", "a")], r#"{"idempotency_key":"b"}"#).is_err());
    }

    #[test]
    fn a_key_is_short_and_visible() {
        for bad in ["", "\"\"", "two words", &"x".repeat(256), "é"] {
            assert!(IdempotencyKey::parse(bad).is_err(), "{bad}");
        }
        assert!(IdempotencyKey::parse(&"x".repeat(255)).is_ok());
        assert!(found(&[], r#"{"idempotency_key":7}"#).is_err());
    }

    #[test]
    fn the_fingerprint_sees_all_but_the_key_and_the_order_of_fields() {
        let print = |uri: &str, body: &str| {
            let req = TestRequest::post().uri(uri).to_http_request();
            fingerprint(&req, Some(&Tree::parse(body.as_bytes()).unwrap()))
        };
        let first = print("/v1/messages", r#"{"to":"a","body":"b"}"#);
        assert_eq!(first, print("/v1/messages", r#"{ "body":"b", "to":"a", "idempotency_key":"k" }"#));
        assert_ne!(first, print("/v1/messages", r#"{"to":"a","body":"c"}"#));
        assert_ne!(first, print("/v1/messages?dry_run=true", r#"{"to":"a","body":"b"}"#));
        assert_ne!(first, print("/v1/verifications", r#"{"to":"a","body":"b"}"#));
    }
}
