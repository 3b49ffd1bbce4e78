//! Who messages of a carrier come from: what a handset can show, checked before the first message goes.

use super::super::fault::Wrong;
use crate::text::{Encoding, first_non_gsm, measure};

/// Digits of a number without its plus: E.164 has 15 at most, and none that can be written to has fewer than 7.
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Digits of a short code, as carriers give them out.
const SHORT_CODE_DIGITS: std::ops::RangeInclusive<usize> = 3..=8;
/// 3GPP TS 23.040, 9.1.2.5: the address field has ten octets, which hold eleven septets.
const WORD_SEPTETS: u32 = 11;

/// A sender that is a number, a short code or a word.
pub fn is_an_originator(from: &String) -> Result<(), Wrong> {
    if is_number(from) || is_short_code(from) || is_word(from) {
        return Ok(());
    }
    let what = format!("= {from:?} is no sender");
    let hint = match from.as_str() {
        sid if sid.starts_with("MG") && sid.len() == 34 => "write it as messaging_service_sid",
        _ if from.starts_with("whatsapp:") => "write the number alone, e.g. \"+15005550006\"",
        _ if from.contains('@') => "a mail address belongs to a carrier of mail",
        _ => {
            "write a number in E.164 (\"+15005550006\"), a short code (\"60606\") or up to 11 GSM-7 characters (\"ACME\")"
        }
    };
    Err(Wrong::new(what, hint))
}

/// The same, where there is one.
pub fn is_an_originator_if_any(from: &Option<String>) -> Result<(), Wrong> {
    from.as_ref().map_or(Ok(()), is_an_originator)
}

/// The same for SMPP, whose address fields are ASCII (SMPP 3.4, section 5.2.8).
pub fn is_an_ascii_originator_if_any(from: &Option<String>) -> Result<(), Wrong> {
    is_an_originator_if_any(from)?;
    match from {
        Some(from) if !from.is_ascii() => {
            Err(Wrong::new(format!("= {from:?} does not fit SMPP"), "write a sender in ASCII, e.g. \"ACME\""))
        }
        _ => Ok(()),
    }
}

/// The same for AWS, which takes letters, digits and hyphens only.
/// Source: <https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html>.
pub fn is_an_aws_originator_if_any(from: &Option<String>) -> Result<(), Wrong> {
    is_an_originator_if_any(from)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'+';
    match from {
        Some(from) if !from.bytes().all(plain) => {
            Err(Wrong::new(format!("= {from:?} is no sender at AWS"), "write letters, digits and - only"))
        }
        _ => Ok(()),
    }
}

/// Whether it is a number, with its plus or without.
pub fn is_number(from: &str) -> bool {
    let digits = from.strip_prefix('+').unwrap_or(from);
    NUMBER_DIGITS.contains(&digits.len()) && all_digits(digits) && !digits.starts_with('0')
}

fn is_short_code(from: &str) -> bool {
    SHORT_CODE_DIGITS.contains(&from.len()) && all_digits(from)
}

fn is_word(from: &str) -> bool {
    let shown = first_non_gsm(from).is_none() && !from.chars().any(char::is_control);
    let fits = shown && measure(from).encoding == Encoding::Gsm7 && measure(from).units <= WORD_SEPTETS;
    fits && from.trim() == from && from.chars().any(char::is_alphabetic)
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_handset_can_show_is_a_sender_and_nothing_else() {
        for good in ["+15005550006", "447700900123", "60606", "123", "ACME", "Ünser Café", "ACME & Co", "24seven", "a"]
        {
            assert!(is_an_originator(&String::from(good)).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            " ACME",
            "ACME ",
            "a sender of 21 octets",
            "ACME[1234567]",
            "Банк",
            "12",
            "+1",
            "+0123456789",
            "+1234567890123456",
            "0123456789",
            "+1500 555",
            "whatsapp:+15005550006",
            "me@example.com",
            "AC\nME",
            "---",
            "MG00000000000000000000000000000000",
        ] {
            assert!(is_an_originator(&String::from(bad)).is_err(), "{bad:?}");
        }
        // A bracket takes two of the eleven septets.
        assert!(is_an_originator(&String::from("ACME[12345")).is_ok());
        assert!(is_an_originator(&String::from("ACME[123456")).is_err());
    }

    #[test]
    fn carriers_that_take_less_say_so() {
        let some = |text: &str| Some(String::from(text));
        assert!(
            is_an_ascii_originator_if_any(&some("Ünser")).is_err() && is_an_originator_if_any(&some("Ünser")).is_ok()
        );
        assert!(
            is_an_aws_originator_if_any(&some("A B")).is_err() && is_an_aws_originator_if_any(&some("A-B")).is_ok()
        );
        assert!(
            is_an_aws_originator_if_any(&None).is_ok() && is_an_aws_originator_if_any(&some("+15005550006")).is_ok()
        );
    }
}
