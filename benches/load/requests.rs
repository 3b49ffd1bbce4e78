//! Requests rendered once: only the digits that make one unlike the others are written anew.

/// The first of the numbers that are used: British mobiles from +44 7100 000000 on, all of them valid.
pub const FIRST_NUMBER: u64 = 447_100_000_000;
/// How many of them there are.
pub const NUMBERS: u64 = 300_000_000;

/// A request with places for numbers.
#[derive(Clone)]
pub struct Request {
    bytes: Vec<u8>,
    slots: Vec<usize>,
}

/// Digits of a place: a number in E.164 without its plus has as many.
const WIDTH: usize = 12;
/// What stands in a text where a place is to be.
pub const SLOT: &str = "000000000000";

impl Request {
    /// A request; every [`SLOT`] in `headers` and `body` is a place, in order.
    pub fn new(line: &str, key: &str, headers: &str, body: &str) -> Request {
        let content = match body {
            "" => String::new(),
            body => format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()),
        };
        let text = format!(
            "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n{headers}{content}\r\n{body}"
        );
        let slots = text.match_indices(SLOT).map(|(at, _)| at).collect();
        Request { bytes: text.into_bytes(), slots }
    }

    /// Writes `number` into the place `slot`.
    pub fn put(&mut self, slot: usize, number: u64) {
        let Some(at) = self.slots.get(slot) else { return };
        let Some(place) = self.bytes.get_mut(*at..*at + WIDTH) else { return };
        let mut rest = number;
        for digit in place.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
    }

    /// The bytes as they are now.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A message: the places are the idempotency key and the number.
pub fn message(key: &str) -> Request {
    let body = format!(r#"{{"to":"+{SLOT}","channel":"sms","body":"Your code is 123456"}}"#);
    Request::new("POST /v1/messages", key, &format!("Idempotency-Key: load-{SLOT}\r\n"), &body)
}

/// A bulk of `size`: the places are the idempotency key and the numbers.
pub fn bulk(key: &str, size: usize) -> Request {
    let one = format!(r#"{{"to":"+{SLOT}","channel":"sms","body":"Your code is 123456"}}"#);
    let body = format!(r#"{{"messages":[{}]}}"#, vec![one; size].join(","));
    Request::new("POST /v1/messages/bulk", key, &format!("Idempotency-Key: bulk-{SLOT}\r\n"), &body)
}

/// The start of a verification: the place is the number.
pub fn start(key: &str) -> Request {
    Request::new("POST /v1/verifications", key, "", &format!(r#"{{"to":"+{SLOT}"}}"#))
}

/// A check by number with a code of six digits: the places are number and code (its last six digits).
pub fn check(key: &str, number: u64, code: &str) -> Request {
    Request::new("POST /v1/verifications/check", key, "", &format!(r#"{{"to":"+{number}","code":"{code}"}}"#))
}

/// A request without a body or a place.
pub fn get(path: &str, key: &str) -> Request {
    Request::new(&format!("GET {path}"), key, "", "")
}

/// The text of the member `name` in a JSON object that has it once.
pub fn member<'a>(body: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once(&format!("\"{name}\":\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_places_change() {
        let mut request = message("k");
        request.put(0, 7);
        request.put(1, FIRST_NUMBER + 1);
        let text = String::from_utf8(request.bytes().to_vec()).unwrap();
        assert!(text.contains("Idempotency-Key: load-000000000007\r\n"), "{text}");
        assert!(text.ends_with(r#"{"to":"+447100000001","channel":"sms","body":"Your code is 123456"}"#), "{text}");
        assert!(text.contains("Content-Length: 67\r\n"), "{text}");
    }

    #[test]
    fn a_member_is_read_from_a_body() {
        assert_eq!(member(br#"{"id":"msg_1","to":"x"}"#, "id"), Some("msg_1"));
        assert_eq!(member(b"{}", "id"), None);
    }
}
