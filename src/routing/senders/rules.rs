//! What countries ask of an alphanumeric originator. A table that was compiled by hand: carriers know more and change
//! their minds, so it holds only what is the same with all of them.

use crate::phone::Country;

crate::text_enum! {
    /// A country's rule for alphanumeric originators.
    pub enum SenderRule {
        /// Not shown there: the message is dropped, or comes from a number instead.
        NumbersOnly = "numbers_only",
        /// Shown where it was registered for the country before; anything else is dropped or marked as a likely scam.
        RegisteredOnly = "registered_only",
    }
}

/// Countries that show numbers only.
///
/// Sources: "Several major markets (including Canada, China, and the United States) don't support sender ID",
/// <https://docs.aws.amazon.com/sms-voice/latest/userguide/sender-id.html>; the countries without support in
/// <https://help.twilio.com/articles/223133767-International-support-for-Alphanumeric-Sender-ID>. Puerto Rico, Guam and
/// the US Virgin Islands are served by carriers of the United States.
const NUMBERS_ONLY: [&str; 10] = ["US", "PR", "GU", "VI", "CA", "CN", "BR", "CL", "CO", "MX"];

/// Countries that show what is registered only.
///
/// Source: the registration forms of
/// <https://docs.aws.amazon.com/sms-voice/latest/userguide/registrations-country.html>. India: TRAI's TCCCPR 2018
/// (headers on the DLT). Singapore: the SSIR, since 31 January 2023, <https://www.sgnic.sg/smsregistry/overview>.
/// Ireland: ComReg's register, since July 2025, <https://www.comreg.ie/senderid>. Australia: ACMA's register, since
/// 1 July 2026, <https://www.acma.gov.au/sms-sender-id-register>. Austria, Finland and Spain have registers that protect
/// names or begin later, and are not in the list.
const REGISTERED_ONLY: [&str; 20] = [
    "AE", "AU", "BY", "EG", "ID", "IE", "IN", "JO", "KE", "KW", "KZ", "LK", "PH", "QA", "RU", "SA", "SG", "TH", "TR",
    "VN",
];

/// The rule of `country` for alphanumeric originators; `None` where they are free.
pub fn rule_of(country: Country) -> Option<SenderRule> {
    if NUMBERS_ONLY.contains(&country.as_str()) {
        return Some(SenderRule::NumbersOnly);
    }
    REGISTERED_ONLY.contains(&country.as_str()).then_some(SenderRule::RegisteredOnly)
}

/// Whether an originator that is well formed is letters and digits rather than a number or a short code: those have no
/// letters (3GPP TS 23.040, 9.1.2.5).
pub fn is_alphanumeric(address: &str) -> bool {
    address.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_a_country_and_stands_once() {
        let all: Vec<&str> = NUMBERS_ONLY.iter().chain(&REGISTERED_ONLY).copied().collect();
        let distinct: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|code| code.parse::<Country>().is_ok_and(|country| country.as_str() == *code)));
    }

    #[test]
    fn letters_make_a_name() {
        for (address, named) in [("ACME", true), ("+447400123456", false), ("60006", false), ("24seven", true)] {
            assert_eq!(is_alphanumeric(address), named, "{address}");
        }
    }
}
