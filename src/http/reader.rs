//! The language of who reads an answer: what a request asks for, and what an answer says of itself.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

use crate::error::Language;

/// The request's `Accept-Language`; several lines are one list (RFC 9110, section 5.3).
pub fn languages(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut lines = headers.get_all(header::ACCEPT_LANGUAGE);
    let first = lines.next()?.clone();
    let joined = lines.fold(None, |all: Option<Vec<u8>>, line| {
        let all = all.unwrap_or_else(|| first.as_bytes().to_vec());
        Some([all.as_slice(), b",", line.as_bytes()].concat())
    });
    joined.map_or(Some(first), |all| HeaderValue::from_bytes(&all).ok())
}

/// The language asked for most, English where nothing readable or nothing of ours is asked for.
pub fn language(asked: Option<&HeaderValue>) -> Language {
    asked.and_then(|asked| asked.to_str().ok()).map_or(Language::ENGLISH, Language::asked_by)
}

/// Says in which language an answer is, and that another reader may get another one.
pub fn told_in(headers: &mut HeaderMap, language: &'static str) {
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language));
    headers.append(header::VARY, HeaderValue::from_static("Accept-Language"));
}
