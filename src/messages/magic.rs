//! The magic numbers of test keys: each forces one outcome (api reference, "Magic numbers").

use std::time::Duration;

use crate::error::{Code, Error, PolicyHit};
use crate::limits::Policy;

/// All but the last digit of every magic number.
const STEM: &str = "+1500555000";

/// Whether `address` is one of the magic numbers; they are outside the rules on countries and lines.
pub fn is_magic(address: &str) -> bool {
    address.strip_prefix(STEM).is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// The refusal that a magic number asks for, where it is one of those that are refused.
pub fn refusal(address: &str) -> Option<Error> {
    match address.strip_prefix(STEM)? {
        "1" => Some(Error::field(
            "to",
            "is not a valid number in its country's numbering plan; check its length and prefix",
        )),
        "4" => Some(Error::new(Code::RecipientOptedOut)),
        "5" => Some(Error::new(Code::FraudBlocked)),
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
        let codes: Vec<Option<Code>> =
            (0..10).map(|last| refusal(&format!("+1500555000{last}")).map(|error| error.code())).collect();
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
