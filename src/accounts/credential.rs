//! The credential of a request: found in its headers, refused with a sentence that helps where it cannot be one.

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::accounts::token::{self, Holder, NotAToken, Presented};
use crate::error::{Code, Error, Result};

/// The header beside Authorization that tenants may use.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The API key of a request: `Authorization: Bearer …` or `X-API-Key`. Errors: `unauthenticated`.
pub(super) fn api_key(headers: &HeaderMap) -> Result<Presented> {
    let text = match (bearer(headers)?, plain(headers)?) {
        (Some(one), Some(other)) if one != other => {
            return Err(refused("Two different keys came, in Authorization and in X-API-Key; send one."));
        }
        (Some(text), _) | (None, Some(text)) => text,
        (None, None) => return Err(Error::new(Code::Unauthenticated)),
    };
    let presented = token::present(text).map_err(explained)?;
    if presented.holder == Holder::Operator {
        return Err(refused("Operator tokens work under /v1/admin only; send an API key here."));
    }
    Ok(presented)
}

/// The operator token of a request: `Authorization: Bearer …`. Errors: `unauthenticated`.
pub(super) fn operator_token(headers: &HeaderMap) -> Result<Presented> {
    let text = bearer(headers)?
        .ok_or_else(|| refused("No operator token came with the request; send Authorization: Bearer with one."))?;
    match token::present(text) {
        Ok(presented) if presented.holder == Holder::Operator => Ok(presented),
        Ok(_) => Err(refused("API keys do not work under /v1/admin; send an operator token.")),
        Err(fault @ NotAToken::Checksum) => Err(explained(fault)),
        Err(NotAToken::Form) => token::present_chosen(text)
            .ok_or_else(|| refused("The token does not have the form of one; it starts with pst_opr_.")),
    }
}

/// The text behind `Bearer`; `None` where there is no Authorization at all.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>> {
    const HOW: &str = "The Authorization header must read: Bearer, one blank, the key.";
    let Some(value) = only(headers, &AUTHORIZATION)? else { return Ok(None) };
    let (scheme, text) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(|| refused(HOW))?;
    if !scheme.eq_ignore_ascii_case("bearer") || text.trim().is_empty() {
        return Err(refused(HOW));
    }
    Ok(Some(text.trim()))
}

fn plain(headers: &HeaderMap) -> Result<Option<&str>> {
    let Some(value) = only(headers, &X_API_KEY)? else { return Ok(None) };
    let text = value.to_str().map_err(|_| refused("The X-API-Key header must hold the key and nothing else."))?;
    Ok(Some(text.trim()))
}

/// A header that came twice could mean one thing to a proxy and another to us.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>> {
    let mut values = headers.get_all(name);
    let first = values.next();
    match values.next() {
        Some(_) => Err(refused("The header with the key came twice; send it once.")),
        None => Ok(first),
    }
}

fn explained(fault: NotAToken) -> Error {
    refused(fault.to_string())
}

fn refused(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::Unauthenticated).detail(detail)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .fold(TestRequest::default(), |req, pair| req.append_header(*pair))
            .to_http_request()
            .headers()
            .clone()
    }

    fn bearer_of(text: &str) -> String {
        format!("Bearer {text}")
    }

    #[test]
    fn a_key_comes_in_either_header() {
        let key = token::mint(Holder::Live).text.expose().clone();
        let found = |pairs: &[(&'static str, &str)]| api_key(&headers(pairs)).map(|presented| presented.holder);
        assert_eq!(found(&[("authorization", &bearer_of(&key))]).ok(), Some(Holder::Live));
        assert_eq!(found(&[("authorization", &format!("bearer {key}"))]).ok(), Some(Holder::Live));
        assert_eq!(found(&[("x-api-key", &key)]).ok(), Some(Holder::Live));
        assert_eq!(found(&[("x-api-key", &key), ("authorization", &bearer_of(&key))]).ok(), Some(Holder::Live));
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let (key, other) = (token::mint(Holder::Live), token::mint(Holder::Test));
        let (key, other) = (key.text.expose().clone(), other.text.expose().clone());
        let operator = token::mint(Holder::Operator).text.expose().clone();
        let why = |pairs: &[(&'static str, &str)]| {
            let fault = api_key(&headers(pairs)).expect_err("must be refused");
            assert_eq!(fault.code(), Code::Unauthenticated);
            String::from(fault.sentence())
        };
        assert!(why(&[]).contains("No valid API key"));
        assert!(why(&[("authorization", &key)]).contains("must read: Bearer"));
        assert!(why(&[("authorization", "Basic dTpw")]).contains("must read: Bearer"));
        assert!(why(&[("authorization", "Bearer ")]).contains("must read: Bearer"));
        assert!(why(&[("authorization", "Bearer sk_live_1")]).contains("pst_live_"));
        assert!(why(&[("authorization", &bearer_of(&key[..59]))]).contains("form"));
        assert!(why(&[("authorization", &bearer_of(&format!("{}!", &key[..59])))]).contains("form"));
        assert!(why(&[("authorization", &bearer_of(&operator))]).contains("/v1/admin"));
        assert!(why(&[("authorization", &bearer_of(&key)), ("x-api-key", &other)]).contains("Two different keys"));
        assert!(why(&[("x-api-key", &key), ("x-api-key", &key)]).contains("twice"));
    }

    #[test]
    fn a_chosen_operator_token_may_be_any_long_text() {
        let token = |text: &str| operator_token(&headers(&[("authorization", &bearer_of(text))]));
        assert!(token("a-long-text-of-my-own-choice").is_ok());
        assert!(token("short").is_err());
        assert!(token(token::mint(Holder::Live).text.expose()).is_err());
        assert!(token(token::mint(Holder::Operator).text.expose()).is_ok());
    }
}
