//! One-time codes: derived from the server's key, never stored, never printed, wiped after use.

use zeroize::Zeroizing;

use crate::ids::{OrgId, VerificationId};
use crate::secret::{Keyring, Purpose, same};
use crate::text::digit_value;

/// A code, or what somebody typed as one. No Debug, no Display, no Serialize; wiped when dropped.
pub struct Otp(Zeroizing<String>);

impl Otp {
    /// The ASCII digits: for the message body and the comparison only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// How many digits a code has: 4 to 10, as the phones' own autofill reads them. Below 6 a guess is too cheap for
/// NIST SP 800-63B's 20 bits, which the start of a verification should say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeLength(u8);

/// A length that no code has; completes "`code_length` …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 4 to 10")]
pub struct CodeLengthFault;

impl CodeLength {
    /// The shortest.
    pub const MIN: CodeLength = CodeLength(4);
    /// The longest.
    pub const MAX: CodeLength = CodeLength(10);

    /// A length of `digits`.
    pub fn new(digits: i64) -> Result<CodeLength, CodeLengthFault> {
        let length = u8::try_from(digits).map(CodeLength).map_err(|_| CodeLengthFault)?;
        if (Self::MIN..=Self::MAX).contains(&length) { Ok(length) } else { Err(CodeLengthFault) }
    }

    /// The number of digits.
    pub const fn digits(self) -> u8 {
        self.0
    }
}

impl Default for CodeLength {
    fn default() -> Self {
        CodeLength(6)
    }
}

/// What a code is a function of, besides the server's key: another value in any place is another code.
#[derive(Debug, Clone, Copy)]
pub struct CodeSeed<'a> {
    /// The verification.
    pub verification: VerificationId,
    /// Which code of the verification, from 0; `resend_policy: new_code` counts on.
    pub attempt: u32,
    /// Whose verification it is.
    pub org: OrgId,
    /// Where the code goes: E.164, or the mail address in lower case.
    pub destination: &'a str,
}

/// The largest multiple of 10^6 that a word of 32 bits can reach; words from here on would favour the low codes.
const WORD_LIMIT: u32 = 4_294_000_000;

/// Digits that one accepted word gives: `WORD_LIMIT` is a multiple of 10^n only up to n = 6.
const DIGITS_PER_WORD: u8 = 6;

/// The code of `seed`, every one of 10^length equally likely, leading zeros and repeated digits included.
///
/// HMAC-SHA-256 gives words of 32 bits; those not below `WORD_LIMIT` are passed over. The first accepted word modulo
/// 10^6 is the first six digits (or modulo 10^length all of a shorter code), the next one the remaining one to four.
/// When eight words are used up, the MAC is taken again over the next block number.
pub fn derive(keyring: &Keyring, seed: &CodeSeed<'_>, length: CodeLength) -> Otp {
    let first = length.digits().min(DIGITS_PER_WORD);
    let groups = [first, length.digits() - first].into_iter().filter(|width| *width > 0);
    let mut code = Zeroizing::new(String::with_capacity(usize::from(length.digits())));
    for (width, word) in groups.zip(words(keyring, seed).filter(|word| *word < WORD_LIMIT)) {
        push_digits(&mut code, word, width);
    }
    Otp(code)
}

/// Whether `candidate` is the code, in a time that does not tell how much of it is right.
pub fn matches(code: &Otp, candidate: &str) -> bool {
    same(code.expose().as_bytes(), candidate.as_bytes())
}

/// What somebody typed, as a code could be: spaces, dashes and invisible marks dropped, digits of other scripts and of
/// full width made ASCII. `None` where anything else is in it, or where no code has that many digits.
pub fn normalize(typed: &str) -> Option<Otp> {
    if typed.len() > MAX_TYPED_BYTES {
        return None;
    }
    let mut digits = Zeroizing::new(String::with_capacity(usize::from(CodeLength::MAX.digits())));
    for c in typed.chars().filter(|c| !is_separator(*c)) {
        if digits.len() == usize::from(CodeLength::MAX.digits()) {
            return None;
        }
        digits.push(char::from(b'0' + digit_value(c)?));
    }
    (digits.len() >= usize::from(CodeLength::MIN.digits())).then_some(Otp(digits))
}

/// Ten digits of three bytes, each with a separator of three bytes, and some room.
const MAX_TYPED_BYTES: usize = 96;

/// Blanks, dashes of any kind, and the marks that copying from a right-to-left message brings along.
fn is_separator(c: char) -> bool {
    let mark = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}');
    let dash = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}');
    c.is_whitespace() || mark || dash || c == '\u{feff}'
}

/// The words of `seed`, without end.
fn words(keyring: &Keyring, seed: &CodeSeed<'_>) -> impl Iterator<Item = u32> {
    (0u32..).flat_map(move |block| {
        let mac = Zeroizing::new(keyring.mac(
            Purpose::Code,
            &[
                seed.verification.as_str().as_bytes(),
                &seed.attempt.to_be_bytes(),
                seed.org.as_str().as_bytes(),
                seed.destination.as_bytes(),
                &block.to_be_bytes(),
            ],
        ));
        mac.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word)).collect::<Vec<_>>()
    })
}

/// Appends the last `width` decimal digits of `word`, zeros in front included.
fn push_digits(code: &mut String, word: u32, width: u8) {
    for place in (0..u32::from(width)).rev() {
        let digit = word / 10u32.pow(place) % 10;
        code.extend(char::from_digit(digit, 10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    const DRAWS: u32 = 100_000;

    fn seed(attempt: u32) -> CodeSeed<'static> {
        CodeSeed {
            verification: "vrf_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
            attempt,
            org: "org_01h455vb4pex5vsknk084sn02q".parse().unwrap(),
            destination: "+14155550123",
        }
    }

    fn ring() -> Keyring {
        Keyring::new([7; 32])
    }

    fn length(digits: i64) -> CodeLength {
        CodeLength::new(digits).unwrap()
    }

    fn draw(attempt: u32, digits: i64) -> String {
        derive(&ring(), &seed(attempt), length(digits)).expose().to_owned()
    }

    /// The chi-square statistic of `counts` against a flat expectation.
    fn chi_square(counts: &[u32]) -> f64 {
        let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
        counts.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum()
    }

    #[test]
    fn the_same_seed_is_the_same_code_and_any_other_is_another() {
        let code = draw(0, 10);
        assert_eq!(draw(0, 10), code);
        let base = seed(0);
        let now = Millis(1);
        let others = [
            derive(&ring(), &CodeSeed { attempt: 1, ..base }, length(10)),
            derive(&ring(), &CodeSeed { destination: "+14155550124", ..base }, length(10)),
            derive(&ring(), &CodeSeed { verification: VerificationId::new(now), ..base }, length(10)),
            derive(&ring(), &CodeSeed { org: OrgId::new(now), ..base }, length(10)),
            derive(&Keyring::new([8; 32]), &base, length(10)),
        ];
        assert!(others.iter().all(|other| other.expose() != code));
    }

    #[test]
    fn a_code_never_changes_between_releases() {
        // Codes are derived again at check time: a change here would refuse every code under way. The values were made
        // by another implementation (Python, hmac) of the documented rule.
        assert_eq!([draw(0, 4), draw(0, 6), draw(1, 6), draw(0, 10)], ["7694", "787694", "233640", "7876946194"]);
    }

    #[test]
    fn every_length_gives_that_many_digits() {
        for digits in 4..=10 {
            for attempt in 0..500 {
                let code = draw(attempt, digits);
                assert_eq!(i64::try_from(code.len()).unwrap(), digits);
                assert!(code.bytes().all(|b| b.is_ascii_digit()));
            }
        }
        assert!([-1, 0, 3, 11, 260].iter().all(|n| CodeLength::new(*n).is_err()));
    }

    #[test]
    fn six_digits_are_uniform_over_a_hundred_thousand_codes() {
        let mut thousands = [0u32; 1000];
        let mut places = [[0u32; 10]; 6];
        for attempt in 0..DRAWS {
            let code = draw(attempt, 6);
            thousands[code[..3].parse::<usize>().unwrap()] += 1;
            for (place, byte) in code.bytes().enumerate() {
                places[place][usize::from(byte - b'0')] += 1;
            }
        }
        // The draws are fixed by the key, so this cannot flake. Quantiles of chi-square at 99.9 %: 999 and 9 degrees.
        assert!(chi_square(&thousands) < 1_142.8, "{}", chi_square(&thousands));
        for (place, counts) in places.iter().enumerate() {
            assert!(chi_square(counts) < 27.88, "place {place}: {counts:?}");
        }
        let leading_zeros = places[0][0];
        assert!((9_600..=10_400).contains(&leading_zeros), "{leading_zeros}");
    }

    #[test]
    fn ten_digits_are_uniform_in_every_place_and_in_both_groups() {
        let mut heads = [0u32; 100];
        let mut tails = [0u32; 100];
        let mut places = [[0u32; 10]; 10];
        for attempt in 0..DRAWS / 5 {
            let code = draw(attempt, 10);
            heads[code[..2].parse::<usize>().unwrap()] += 1;
            tails[code[6..8].parse::<usize>().unwrap()] += 1;
            for (place, byte) in code.bytes().enumerate() {
                places[place][usize::from(byte - b'0')] += 1;
            }
        }
        // 99.9 % at 99 and 9 degrees. Plain words modulo 10^10 would leave every head above 42 empty.
        assert!(chi_square(&heads) < 148.2 && chi_square(&tails) < 148.2, "{heads:?} {tails:?}");
        for (place, counts) in places.iter().enumerate() {
            assert!(chi_square(counts) < 27.88, "place {place}: {counts:?}");
        }
    }

    #[test]
    fn words_go_on_past_the_first_block() {
        let (ring, seed) = (ring(), seed(0));
        let many: std::collections::BTreeSet<u32> = words(&ring, &seed).take(64).collect();
        assert_eq!(many.len(), 64);
    }

    #[test]
    fn digits_are_cut_from_the_low_end_of_a_word_with_zeros_kept() {
        let mut code = String::new();
        push_digits(&mut code, 4_200_000_042, 6);
        push_digits(&mut code, 7, 2);
        assert_eq!(code, "00004207");
        assert_eq!(WORD_LIMIT % 10u32.pow(u32::from(DIGITS_PER_WORD)), 0);
    }

    #[test]
    fn only_the_whole_code_matches() {
        let code = derive(&ring(), &seed(0), CodeLength::default());
        let right = code.expose().to_owned();
        assert!(matches(&code, &right));
        for wrong in ["", &right[..5], &format!("{right}0"), &format!(" {right}")] {
            assert!(!matches(&code, wrong));
        }
        let swapped = if right.starts_with('1') { "2" } else { "1" }.to_owned() + &right[1..];
        assert!(!matches(&code, &swapped));
    }

    #[test]
    fn a_typed_code_is_read_in_every_spelling() {
        for typed in [
            "481516",
            " 481 516\n",
            "481-516",
            "4–8–1–5–1–6",
            "４８１５１６",
            "٤٨١٥١٦",
            "۴۸۱۵۱۶",
            "४८१५१६",
            "\u{202a}481516\u{202c}",
            "481\u{a0}516",
        ] {
            assert_eq!(normalize(typed).map(|code| code.expose().to_owned()).as_deref(), Some("481516"), "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_none() {
        let long = "1".repeat(5000);
        for typed in ["", "   ", "123", "12345678901", "48151a", "48.1516", "²³¹⁴⁵", "4815\0", long.as_str()] {
            assert!(normalize(typed).is_none(), "{typed:?}");
        }
    }
}
