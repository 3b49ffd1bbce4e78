//! Phone numbers: parsed once at the edge (a libphonenumber port), E.164 inside, masked wherever they are shown.

use rlibphonenumber::enums::{NumberLengthType, Region};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType};

use crate::secret::{Keyring, Purpose, hex};

/// An ISO 3166-1 alpha-2 country, or `001` for numbers of no country.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct Country {
    text: [u8; 3],
    len: usize,
}

impl Country {
    /// The code itself.
    pub fn as_str(&self) -> &str {
        self.text.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("001")
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not a country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a two-letter ISO 3166 country code, e.g. US")]
pub struct NotACountry;

impl std::str::FromStr for Country {
    type Err = NotACountry;

    fn from_str(text: &str) -> Result<Self, NotACountry> {
        if text == "001" {
            return Ok(Country { text: *b"001", len: 3 });
        }
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Country { text: [a.to_ascii_uppercase(), b.to_ascii_uppercase(), 0], len: 2 })
            }
            _ => Err(NotACountry),
        }
    }
}

impl serde::Serialize for Country {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Country {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

crate::text_column!(Country);

crate::text_enum! {
    /// What kind of line a number belongs to, by numbering plan.
    pub enum LineType {
        Mobile = "mobile",
        FixedLine = "fixed_line",
        FixedLineOrMobile = "fixed_line_or_mobile",
        TollFree = "toll_free",
        PremiumRate = "premium_rate",
        SharedCost = "shared_cost",
        Voip = "voip",
        Personal = "personal",
        Pager = "pager",
        Uan = "uan",
        Voicemail = "voicemail",
        Unknown = "unknown",
    }
}

/// A valid phone number. Display and Debug are masked; `e164` is the only way to the digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone {
    e164: String,
    country: Country,
    line: LineType,
}

/// Why a text is not a number that can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneFault {
    /// No digits to dial, or letters where digits belong.
    #[error("is not a phone number; give it in E.164, e.g. +14155550123")]
    NotANumber,
    /// No leading plus and no country to read it by.
    #[error("has no country code; give it in E.164 (+14155550123) or add \"country\"")]
    NoCountry,
    /// Well formed, but no such number exists in its numbering plan.
    #[error("is not a valid number in its country's numbering plan; check its length and prefix")]
    Invalid,
    /// Longer than any number can be.
    #[error("is too long for a phone number")]
    TooLong,
}

/// Longer texts are refused before they are parsed; the longest RFC 3966 form of a real number is far below.
const MAX_INPUT_CHARS: usize = 64;

/// ITU-T E.164, 6.2.1: at most 15 digits, with the plus before them. Germany's plan holds longer ones, which no carrier takes.
const MAX_E164_CHARS: usize = 16;

impl Phone {
    /// Reads a number in E.164, or in the national form of `country`.
    pub fn parse(text: &str, country: Option<Country>) -> Result<Phone, PhoneFault> {
        if text.len() > MAX_INPUT_CHARS {
            return Err(PhoneFault::TooLong);
        }
        // Extensions and tel-URI parameters name no line that a message could reach.
        if text.contains(';') || text.chars().any(|c| c.is_alphabetic() || c.is_control()) {
            return Err(PhoneFault::NotANumber);
        }
        let region = country.and_then(|c| Region::from_code(c.as_str()).ok());
        let number = PHONE_NUMBER_UTIL.parse(text, region).map_err(|fault| match fault {
            rlibphonenumber::ParseError::InvalidCountryCode if region.is_none() => PhoneFault::NoCountry,
            _ => PhoneFault::NotANumber,
        })?;
        if !number.is_valid() {
            return Err(PhoneFault::Invalid);
        }
        let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
        if e164.len() > MAX_E164_CHARS {
            return Err(PhoneFault::TooLong);
        }
        let code = number.get_region_code().map(|region| region.as_region_str().as_str().to_owned());
        Ok(Phone {
            e164,
            country: code.and_then(|c| c.parse().ok()).unwrap_or(Country { text: *b"001", len: 3 }),
            line: line_type(number.get_type()),
        })
    }

    /// Whether there is a numbering plan of `country`: two letters alone name none.
    pub fn has_plan(country: Country) -> bool {
        // Numbers of no country (001) have plans of their own.
        country.as_str() == "001"
            || Region::from_code(country.as_str())
                .is_ok_and(|region| PHONE_NUMBER_UTIL.get_example_number(region).is_ok())
    }

    /// The numbering plan's own example of a mobile number in `country`; it may be somebody's.
    pub fn example(country: Country) -> Option<Phone> {
        let region = Region::from_code(country.as_str()).ok()?;
        let number = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, PhoneNumberType::Mobile).ok()?;
        Phone::parse(&number.format_as(PhoneNumberFormat::E164), None).ok()
    }

    /// The full number, `+14155550123`: for carriers and for the owner of the message only.
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// The country whose numbering plan the number belongs to.
    pub fn country(&self) -> Country {
        self.country
    }

    /// The kind of line.
    pub fn line(&self) -> LineType {
        self.line
    }
}

/// Reads one number, so that the metadata and patterns are in memory before the first request pays for them.
pub fn warm_up() {
    let _ = Phone::parse("+14155550123", None);
}

/// Whether a number stands in `text` with its plus, or with the `00` that is dialled for it: digits behind it, and what
/// people write between digits, of which some beginning is as long as numbers of its country are. Digits without either
/// may be anything.
pub fn names_number(text: &str) -> bool {
    let begins = |at: usize, sign: &str| text.get(at + sign.len()..).is_some_and(begins_with_number);
    let stands = |at: usize| !text.get(..at).is_some_and(|before| before.ends_with(char::is_alphanumeric));
    text.match_indices(PLUSES).any(|(at, sign)| begins(at, sign))
        || text.match_indices(DIALLED).any(|(at, sign)| stands(at) && begins(at, sign))
}

/// ITU-T E.164 recommends it as the international prefix.
const DIALLED: &str = "00";

const PLUSES: [char; 2] = ['+', '\u{ff0b}'];
/// The shortest numbers there are, with their country code: those of Niue.
const SHORTEST_DIGITS: usize = 7;

fn begins_with_number(text: &str) -> bool {
    let mut number = String::from("+");
    let digits = text.chars().take_while(|c| c.is_numeric() || is_between_digits(*c)).filter(|c| c.is_numeric());
    // Whatever follows a number may be digits, too.
    digits.take(MAX_E164_CHARS - 1).enumerate().any(|(index, digit)| {
        number.push(digit);
        index + 1 >= SHORTEST_DIGITS && is_possible(&number)
    })
}

fn is_between_digits(c: char) -> bool {
    let is_invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}');
    c.is_whitespace()
        || is_invisible
        || matches!(c, '-' | '.' | '/' | '(' | ')' | '[' | ']' | '~' | '\u{2010}'..='\u{2015}')
}

fn is_possible(number: &str) -> bool {
    let possible = |number: PhoneNumber| matches!(number.is_possible_with_reason(), Ok(NumberLengthType::IsPossible));
    PHONE_NUMBER_UTIL.parse(number, None).is_ok_and(possible)
}

/// `text` with all but its first three characters after the plus and its last three hidden: `+447••••••123`.
pub fn mask(text: &str) -> String {
    let count = text.chars().count();
    let keep_front = if count > 9 { 4 } else { 1 };
    let keep_back = if count > 9 { 3 } else { 0 };
    text.chars()
        .enumerate()
        .map(|(index, c)| if index < keep_front || index + keep_back >= count { c } else { '•' })
        .collect()
}

/// The keyed hash under which guards know an address (a number in E.164 or a lower-case mail address).
pub fn address_mac(keyring: &Keyring, address: &str) -> Vec<u8> {
    let mac = keyring.mac(Purpose::Number, &[address.as_bytes()]);
    mac.iter().take(16).copied().collect()
}

/// What stands in the place of an address that was erased: a keyed hash, not the one that guards know it by, so that the
/// two cannot be joined.
pub fn pseudonym(keyring: &Keyring, address: &str) -> String {
    let mac = keyring.mac(Purpose::Number, &[b"erased", address.as_bytes()]);
    format!("{ERASED}{}", hex(mac.get(..16).unwrap_or_default()))
}

/// How every pseudonym begins: no number, mail address or user id does.
pub const ERASED: &str = "erased:";

impl std::fmt::Display for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&mask(&self.e164))
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&mask(&self.e164))
    }
}

fn line_type(kind: PhoneNumberType) -> LineType {
    match kind {
        PhoneNumberType::Mobile => LineType::Mobile,
        PhoneNumberType::FixedLine => LineType::FixedLine,
        PhoneNumberType::FixedLineOrMobile => LineType::FixedLineOrMobile,
        PhoneNumberType::TollFree => LineType::TollFree,
        PhoneNumberType::PremiumRate => LineType::PremiumRate,
        PhoneNumberType::SharedCost => LineType::SharedCost,
        PhoneNumberType::VoIP => LineType::Voip,
        PhoneNumberType::PersonalNumber => LineType::Personal,
        PhoneNumberType::Pager => LineType::Pager,
        PhoneNumberType::UAN => LineType::Uan,
        PhoneNumberType::VoiceMail => LineType::Voicemail,
        PhoneNumberType::Unknown => LineType::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_number_is_one_number() {
        let gb: Country = "GB".parse().unwrap();
        for text in [
            "+447400123456",
            "+44 7400 123456",
            "+44 (0)7400-123-456",
            "07400 123456",
            "00447400123456",
            "＋４４７４００１２３４５６",
            " +44.7400.123456 ",
        ] {
            let phone = Phone::parse(text, Some(gb)).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(phone.e164(), "+447400123456", "{text}");
            assert_eq!(phone.country().as_str(), "GB");
            assert_eq!(phone.line(), LineType::Mobile);
        }
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_reason() {
        for (text, fault) in [
            ("", PhoneFault::NotANumber),
            ("hello", PhoneFault::NotANumber),
            ("4155550123", PhoneFault::NoCountry),
            ("+1", PhoneFault::NotANumber),
            ("+447700900123", PhoneFault::Invalid),
            ("+14155550123;ext=5", PhoneFault::NotANumber),
        ] {
            assert_eq!(Phone::parse(text, None).err(), Some(fault), "{text}");
        }
        assert_eq!(Phone::parse(&"+".repeat(65), None).err(), Some(PhoneFault::TooLong));
    }

    #[test]
    fn the_magic_numbers_parse() {
        for last in 0..10 {
            assert!(Phone::parse(&format!("+1500555000{last}"), None).is_ok());
        }
    }

    #[test]
    fn a_number_shows_masked() {
        let phone = Phone::parse("+447400123456", None).unwrap();
        assert_eq!(phone.to_string(), "+447••••••456");
        assert_eq!(format!("{phone:?}"), "+447••••••456");
        assert_eq!(mask("a@b.de"), "a•••••");
    }

    #[test]
    fn a_number_is_found_in_a_text_by_its_plus() {
        for text in [
            "+447400123456",
            "asked by +44 (0)7400-123 456.",
            "tel:+1-415-555-0123;ext=1",
            "for\u{a0}+4\u{200b}47400123456, twice",
            "＋４４７４００１２３４５６",
            "2+2, and +447400123456 2 times",
            "+6834002",
        ] {
            assert!(names_number(text), "{text}");
        }
        for text in [
            "",
            "+",
            "ticket 447400123456",
            "0047 11",
            "+1 day",
            "+20 %, then +30 %",
            "from 5 to +10 000 000",
            "A+ 2026",
            "++",
            "+447400",
            "+44\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}456",
        ] {
            assert!(!names_number(text), "{text}");
        }
    }
}
