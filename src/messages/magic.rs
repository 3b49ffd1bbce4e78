//! The magic numbers of test keys: each forces one outcome (api reference, "Magic numbers").

use std::time::Duration;

use crate::error::{Code, Error, PolicyHit};
use crate::fraud::{Action, Reason, Verdict};
use crate::limits::Policy;

/// All but the last digit of every magic number.
const STEM: &str = "+1500555000";

/// Whether `address` is one of the magic numbers; they are outside the rules on countries and lines.
pub fn is_magic(address: &str) -> bool {
    address.strip_prefix(STEM).is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// The verdict that a magic number asks for, where it is one of those that the screen refuses.
pub fn verdict(address: &str) -> Option<Verdict> {
    let (code, rule, last) = match address.strip_prefix(STEM)? {
        "4" => (Code::RecipientOptedOut, "recipient.opted_out", "4"),
        "5" => (Code::FraudBlocked, "magic.number", "5"),
        _ => return None,
    };
    let reasons = vec![Reason::enforced(rule, format!("test number 000{last}"))];
    Some(Verdict { action: Action::Block, reasons, code: Some(code) })
}

/// The refusal that a magic number asks for before anything is decided, or of the limits and the wallet.
pub fn refusal(address: &str) -> Option<Error> {
    match address.strip_prefix(STEM)? {
        "1" => Some(Error::field(
            "to",
            "is not a valid number in its country's numbering plan; check its length and prefix",
        )),
        "6" => Some(Error::new(Code::OtpNumberLimit).retry_after(Duration::from_secs(300)).policy(PolicyHit {
            policy: Policy::OtpNumber.as_str().into(),
            limit: 3,
            usage: 3,
            window_s: 300,
        })),
        "9" => Some(Error::new(Code::InsufficientBalance)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ten_are_magic() {
        assert!((0..10).all(|last| is_magic(&format!("+1500555000{last}"))));
        for other in ["+15005550010", "+1500555000", "+14155550000", ""] {
            assert!(!is_magic(other), "{other}");
        }
    }

    #[test]
    fn five_of_them_are_refused() {
        let codes: Vec<Option<Code>> = (0..10)
            .map(|last| format!("+1500555000{last}"))
            .map(|to| verdict(&to).and_then(|v| v.code).or(refusal(&to).map(|error| error.code())))
            .collect();
        let expected = [
            None,
            Some(Code::ValidationFailed),
            None,
            None,
            Some(Code::RecipientOptedOut),
            Some(Code::FraudBlocked),
            Some(Code::OtpNumberLimit),
            None,
            None,
            Some(Code::InsufficientBalance),
        ];
        assert_eq!(codes, expected);
    }
}
