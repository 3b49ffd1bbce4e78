//! Reading callbacks. Whatever a carrier adds or invents never makes one unreadable; what is missing may. Pure.

use serde_json::Value;

use crate::providers::{Hook, HookFault, Inbound, Receipt, ReceiptState, Report, form};
use crate::terms::Channel;

/// Longest id of a carrier's: those of WhatsApp have grown to a hundred and more.
const LONGEST_ID: usize = 256;

/// Longest status or error code of a carrier's.
const LONGEST_WORD: usize = 64;

/// The fewest digits of a whole number; shorter ones are short codes.
const FEWEST_DIGITS: usize = 7;

/// Names and values of a query or a form, in their order.
pub type Params = Vec<(String, String)>;

/// What a table says of `word`, whatever its case.
pub fn look_up<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, found)| *found)
}

/// The value of a parameter that is not empty.
pub fn find<'a>(params: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    let found = params.iter().find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// The body as JSON.
pub fn as_json(body: &[u8]) -> Result<Value, HookFault> {
    serde_json::from_slice(body).map_err(|_| HookFault::Malformed)
}

/// The parameters of a callback, of its body (a form, or a flat JSON object) and else of its query.
pub fn json_params(hook: &Hook<'_>) -> Result<Params, HookFault> {
    let is_json = hook.headers.get("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    match (hook.body, is_json) {
        ([], _) => form::decode(hook.query().as_bytes()),
        (body, false) => form::decode(body),
        (body, true) => match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => {
                Some(map.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect())
            }
            _ => None,
        },
    }
    .ok_or(HookFault::Malformed)
}

/// The text at a JSON pointer.
pub fn text_at<'a>(json: &'a Value, pointer: &str) -> Option<&'a str> {
    json.pointer(pointer)?.as_str()
}

/// A text or a whole number at a JSON pointer, fit to be an id: carriers write ids as either.
pub fn word_at(json: &Value, pointer: &str) -> Option<String> {
    scalar(json.pointer(pointer)?).filter(|word| is_plain(word, LONGEST_ID))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn is_plain(word: &str, longest: usize) -> bool {
    !word.is_empty() && word.len() <= longest && !word.chars().any(char::is_control)
}

/// What a receipt says, in the carrier's words.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard<'a> {
    /// The carrier's id of the hand-off.
    pub id: Option<&'a str>,
    /// Our reference.
    pub reference: Option<&'a str>,
    /// The carrier's status.
    pub status: Option<&'a str>,
    /// What the status means; none where it means nothing to us.
    pub state: Option<ReceiptState>,
    /// The carrier's error code.
    pub error: Option<&'a str>,
}

impl Heard<'_> {
    /// The receipt. Errors: malformed without an id or a status, or where one of them is too long to be one.
    pub fn report(self) -> Result<Report, HookFault> {
        let (Some(id), Some(status)) = (self.id, self.status) else { return Err(HookFault::Malformed) };
        if !is_plain(id, LONGEST_ID) || !is_plain(status, LONGEST_WORD) {
            return Err(HookFault::Malformed);
        }
        let short = |text: Option<&str>| text.filter(|text| is_plain(text, LONGEST_WORD)).map(String::from);
        Ok(Report::Receipt(Receipt {
            provider_id: String::from(id),
            reference: short(self.reference),
            state: self.state,
            status: String::from(status),
            error_code: short(self.error),
            cause: None,
            forms: None,
        }))
    }
}

/// A message to us. Errors: malformed where it has no id, sender or originator.
pub fn inbound(
    channel: Channel,
    id: Option<&str>,
    (from, to): (Option<&str>, Option<&str>),
    text: &str,
) -> Result<Report, HookFault> {
    let (Some(id), Some(from), Some(to)) = (id, from, to) else { return Err(HookFault::Malformed) };
    if ![id, from, to].iter().all(|word| is_plain(word, LONGEST_ID)) {
        return Err(HookFault::Malformed);
    }
    Ok(Report::Inbound(Inbound {
        provider_id: String::from(id),
        channel,
        from: with_plus(from),
        to: with_plus(to),
        text: String::from(text),
        sent_at: None,
    }))
}

/// E.164 with the plus, where it is a number.
fn with_plus(number: &str) -> String {
    let whole = number.len() >= FEWEST_DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
    if whole { format!("+{number}") } else { String::from(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_their_plus_and_names_and_short_codes_do_not() {
        let cases = [("447700900123", "+447700900123"), ("+447700900123", "+447700900123"), ("24680", "24680")];
        for (raw, shown) in cases.into_iter().chain([("ACME", "ACME"), ("GB.1234", "GB.1234")]) {
            assert_eq!(with_plus(raw), shown);
        }
    }

    #[test]
    fn a_word_that_is_too_long_or_not_plain_makes_a_receipt_unreadable() {
        let long = "x".repeat(LONGEST_ID + 1);
        for (id, status) in [("", "sent"), ("a\nb", "sent"), (&*long, "sent"), ("a", ""), ("a", &long)] {
            let heard = Heard { id: Some(id), status: Some(status), ..Heard::default() };
            assert_eq!(heard.report(), Err(HookFault::Malformed), "{id:?} {status:?}");
        }
    }
}
