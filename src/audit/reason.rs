//! Why a change is made, as whoever makes it says. It stays in the log for good, so it may name nobody.

use crate::error::{Error, Result};
use crate::phone::names_number;
use crate::recipient::names_email;

/// Longest reason, characters.
const MAX_CHARS: usize = 500;

/// Reads a reason: trimmed; none where nothing is said. Errors: `validation_failed` where it is too long, or where a phone
/// number with its plus or a mail address stands in it.
pub fn reason(said: Option<String>) -> Result<Option<String>> {
    let Some(said) = said.map(|text| String::from(text.trim())).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if said.chars().count() > MAX_CHARS {
        return Err(Error::field("reason", format!("must have at most {MAX_CHARS} characters")));
    }
    if names_somebody(&said) {
        return Err(Error::field(
            "reason",
            "must name no phone number and no mail address, because the audit log cannot be erased; \
             write the message's id (msg_\u{2026}) or a ticket's number instead",
        ));
    }
    Ok(Some(said))
}

/// Whether a phone number with its plus or a mail address stands in a text: the log keeps no such text.
pub fn names_somebody(text: &str) -> bool {
    names_number(text) || names_email(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<String>> {
        reason(Some(String::from(text)))
    }

    #[test]
    fn a_reason_is_trimmed_and_may_be_absent() {
        assert_eq!(read("  ticket 4711 ").unwrap().as_deref(), Some("ticket 4711"));
        assert_eq!((read(" ").unwrap(), reason(None).unwrap()), (None, None));
        assert!(read(&"é".repeat(500)).is_ok());
        assert!(read(&"é".repeat(501)).is_err());
    }

    #[test]
    fn a_reason_names_nobody() {
        for text in
            ["asked by +44 7400 123456", "asked by 0044 7400 123456 today", "ann@mail.example wrote", "+447400123456"]
        {
            let fault = read(text).unwrap_err();
            assert!(!format!("{fault:?}").contains("123456") && !format!("{fault:?}").contains("ann@"), "{fault:?}");
        }
        for text in ["ticket 447400123456", "ticket 0047", "msg_01928374-aaaa", "+15 % since Monday", "@ops asked"] {
            assert!(read(text).is_ok(), "{text}");
        }
    }
}
