//! Texts in GSM-7 as SMPP carries them: one septet an octet, not packed.
//!
//! Source: 3GPP TS 23.038, sections 6.2.1 (default alphabet) and 6.2.1.1 (extension).

/// The default alphabet in the order of its codes; 0x1B, the escape, is a no-break space here, which no text has as a septet.
const DEFAULT: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{a0}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                       ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

const ESCAPE: u8 = 0x1B;

/// The extension: what stands behind an escape.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// `text` in GSM-7, one septet an octet; `None` where a character is outside it.
pub fn to_septets(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        if let Some((code, _)) = EXTENSION.iter().find(|(_, known)| *known == c) {
            out.extend([ESCAPE, *code]);
        } else {
            let place = DEFAULT.chars().position(|known| known == c && c != '\u{a0}')?;
            out.push(u8::try_from(place).ok()?);
        }
    }
    Some(out)
}

/// The text of septets, one an octet. An unknown extension shows as the default alphabet's character, as the standard
/// asks; an octet that is no septet as U+FFFD.
pub fn from_septets(septets: &[u8]) -> String {
    let mut out = String::with_capacity(septets.len());
    let mut escaped = false;
    for septet in septets {
        let extended = EXTENSION.iter().find(|(code, _)| escaped && code == septet).map(|(_, c)| *c);
        escaped = !escaped && *septet == ESCAPE;
        if !escaped {
            let plain = || DEFAULT.chars().nth(usize::from(*septet)).unwrap_or('\u{fffd}');
            out.push(extended.unwrap_or_else(plain));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::first_non_gsm;
    use proptest::prelude::*;

    #[test]
    fn every_character_of_the_alphabet_and_no_other_has_its_code() {
        for c in '\0'..='\u{ffff}' {
            let text = c.to_string();
            assert_eq!(to_septets(&text).is_some(), first_non_gsm(&text).is_none(), "{c:?}");
        }
        assert_eq!(to_septets("@Aa€").unwrap(), [0x00, 0x41, 0x61, 0x1B, 0x65]);
        assert_eq!(to_septets("Çà§Ø\r").unwrap(), [0x09, 0x7F, 0x5F, 0x0B, 0x0D]);
    }

    #[test]
    fn odd_octets_are_shown_and_lose_nothing_else() {
        assert_eq!(from_septets(&[0x1B, 0x41, 0x42, 0x80, 0x1B]), "AB\u{fffd}");
        assert_eq!(from_septets(&[0x1B, 0x1B, 0x41]), "\u{a0}A");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again(text in "[a-zA-Z0-9@£$¥èΔΩ€\\[\\]{}~^|Çß§]{0,200}") {
            prop_assert_eq!(from_septets(&to_septets(&text).unwrap()), text);
        }
    }
}
