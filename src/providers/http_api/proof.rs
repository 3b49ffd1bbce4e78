//! Whose a callback is: a secret token in its address or header, or an HS256 token over its body. Constant in time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::callback::find;
use crate::providers::{Hook, HookFault, form};
use crate::secret::{Secret, hmac_sha256, same};

/// The query parameter that carries the token of a callback address.
const TOKEN: &str = "token";

/// `address` with the token that proves a callback.
pub fn with_token(address: &str, token: &Secret<String>) -> String {
    format!("{address}?{}", form::encode(&[(TOKEN, token.expose())]))
}

/// Checks that a callback carries `token`, in its address (`?token=…`) or as `Authorization: Bearer …`. Errors: not
/// here where no token is configured, for then nobody could be believed.
pub fn check_token(hook: &Hook<'_>, token: Option<&Secret<String>>) -> Result<(), HookFault> {
    let expected = token.ok_or(HookFault::NotHere)?;
    let query = form::decode(hook.query().as_bytes()).ok_or(HookFault::Signature)?;
    let claimed = find(&query, TOKEN).or_else(|| bearer(hook)).ok_or(HookFault::Signature)?;
    if same(claimed.as_bytes(), expected.expose().as_bytes()) { Ok(()) } else { Err(HookFault::Signature) }
}

/// What stands behind `Authorization: Bearer`.
pub fn bearer<'a>(hook: &'a Hook<'_>) -> Option<&'a str> {
    let (scheme, token) = hook.headers.get("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The claims of a token signed with HS256 under `key`; `None` where it is not, or says another algorithm (RFC 7515,
/// section 5.2; RFC 8725, section 3.1).
pub fn claims_of_hs256(token: &str, key: &[u8]) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let right = same(&URL_SAFE_NO_PAD.decode(signature).ok()?, &hmac_sha256(key, signed.as_bytes()));
    (right && read(head)?.get("alg")?.as_str()? == "HS256").then(|| read(claims))?
}

/// The bytes that hex digits of either case write.
pub fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let (pairs, []) = digits.as_deref()?.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(head: &str, key: &[u8]) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(r#"{"jti":"1"}"#));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac_sha256(key, signed.as_bytes())))
    }

    #[test]
    fn only_hs256_under_our_key_is_believed() {
        let good = token(r#"{"alg":"HS256","typ":"JWT"}"#, b"key");
        assert_eq!(claims_of_hs256(&good, b"key").unwrap()["jti"], "1");
        assert_eq!(claims_of_hs256(&good, b"other"), None);
        let (signed, _) = good.rsplit_once('.').unwrap();
        for bad in [token(r#"{"alg":"none"}"#, b"key"), format!("{signed}."), format!("{good}x"), String::from("..")] {
            assert_eq!(claims_of_hs256(&bad, b"key"), None, "{bad}");
        }
    }
}
