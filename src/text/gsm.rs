//! The two alphabets of SMS, what a text costs in each, and where it is cut into parts.
//!
//! Source: 3GPP TS 23.038, sections 6.2.1 (default alphabet), 6.2.1.1 (extension) and 6.2.3 (UCS-2); TS 23.040, section
//! 9.2.3.24.1 for the six octets of header that each part of a long text gives up. National shift tables are left out:
//! few handsets read them.

crate::text_enum! {
    /// The alphabet a text goes out in.
    pub enum Encoding {
        Gsm7 = "gsm7",
        Ucs2 = "ucs2",
    }
}

/// What a text costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// The alphabet it needs.
    pub encoding: Encoding,
    /// Septets (GSM-7, extension characters count two) or UTF-16 code units (UCS-2).
    pub units: u32,
    /// Messages it is billed as; an empty text is one.
    pub segments: u32,
}

/// Measures `text`. An escape pair or a surrogate pair is never split, so a part may be left one unit short.
pub fn measure(text: &str) -> Measure {
    let encoding = encoding(text);
    let units = text.chars().map(|c| encoding.cost(c)).sum();
    let more = u32::try_from(cuts(text, encoding, units).count()).unwrap_or(u32::MAX);
    Measure { encoding, units, segments: more.saturating_add(1) }
}

/// The parts `text` goes out in, in order; joined they are `text` again. As many as `measure` says.
pub fn split(text: &str) -> Vec<&str> {
    split_in(text, encoding(text))
}

/// The parts `text` goes out in where the alphabet is given.
pub fn split_in(text: &str, encoding: Encoding) -> Vec<&str> {
    let units = text.chars().map(|c| encoding.cost(c)).sum();
    let mut parts = Vec::new();
    let (mut rest, mut start) = (text, 0);
    for cut in cuts(text, encoding, units) {
        if let Some((part, tail)) = rest.split_at_checked(cut - start) {
            parts.push(part);
            (rest, start) = (tail, cut);
        }
    }
    parts.push(rest);
    parts
}

/// The first character that GSM-7 lacks, with its position counted in characters from 0: what made the text UCS-2.
pub fn first_non_gsm(text: &str) -> Option<(usize, char)> {
    text.chars().enumerate().find(|(_, c)| septets(*c).is_none())
}

impl Encoding {
    /// Units that one message holds.
    const fn alone(self) -> u32 {
        match self {
            Encoding::Gsm7 => 160,
            Encoding::Ucs2 => 70,
        }
    }

    /// Units that one part of a long text holds beside its header.
    const fn part(self) -> u32 {
        match self {
            Encoding::Gsm7 => 153,
            Encoding::Ucs2 => 67,
        }
    }

    fn cost(self, c: char) -> u32 {
        match self {
            Encoding::Gsm7 => septets(c).unwrap_or(1),
            Encoding::Ucs2 if u32::from(c) > 0xFFFF => 2,
            Encoding::Ucs2 => 1,
        }
    }
}

fn encoding(text: &str) -> Encoding {
    if first_non_gsm(text).is_none() { Encoding::Gsm7 } else { Encoding::Ucs2 }
}

/// The byte offsets at which a new part begins; none where `units` fit one message.
fn cuts(text: &str, encoding: Encoding, units: u32) -> impl Iterator<Item = usize> {
    let room = if units <= encoding.alone() { encoding.alone() } else { encoding.part() };
    let mut filled = 0;
    text.char_indices().filter_map(move |(at, c)| {
        let cost = encoding.cost(c);
        let full = filled + cost > room;
        filled = if full { cost } else { filled + cost };
        full.then_some(at)
    })
}

/// Septets that GSM-7 takes for `c`: one in the default alphabet, two (an escape first) in the extension.
fn septets(c: char) -> Option<u32> {
    match c {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' | '\u{c}' => Some(2),
        '\n' | '\r' | ' '..='Z' | '_' | 'a'..='z' => Some(1),
        '£' | '¥' | 'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | 'Ø' | 'ø' | 'Å' | 'å' | 'Æ' | 'æ' | 'ß' | 'É' => {
            Some(1)
        }
        'Δ' | 'Φ' | 'Γ' | 'Λ' | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' => Some(1),
        '¤' | '¡' | 'Ä' | 'Ö' | 'Ñ' | 'Ü' | '§' | '¿' | 'ä' | 'ö' | 'ñ' | 'ü' | 'à' => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(serde::Deserialize)]
    struct Vectors {
        vectors: Vec<Vector>,
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        text: String,
        encoding: String,
        units: u32,
        segments: u32,
    }

    fn vectors() -> Vec<Vector> {
        let file: Vectors = serde_json::from_str(include_str!("../../tests/fixtures/sms_text/segments.json")).unwrap();
        assert_eq!(file.vectors.len(), 36);
        file.vectors
    }

    #[test]
    fn every_vector_measures_as_the_reference_says() {
        for vector in vectors() {
            let found = measure(&vector.text);
            let wanted = (vector.encoding.as_str(), vector.units, vector.segments);
            assert_eq!((found.encoding.as_str(), found.units, found.segments), wanted, "{:?}", vector.text);
            assert_eq!(first_non_gsm(&vector.text).is_none(), vector.encoding == "gsm7", "{:?}", vector.text);
        }
    }

    #[test]
    fn the_default_alphabet_has_its_127_characters_and_the_extension_its_ten() {
        let default = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                       ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
        let extension = "\u{c}^{}\\[~]|€";
        for c in '\0'..='\u{ffff}' {
            let wanted = if default.contains(c) {
                Some(1)
            } else if extension.contains(c) {
                Some(2)
            } else {
                None
            };
            assert_eq!(septets(c), wanted, "{c:?}");
        }
        assert_eq!((default.chars().count(), extension.chars().count()), (127, 10));
    }

    #[test]
    fn the_character_that_made_it_ucs2_is_named_with_its_place() {
        assert_eq!(first_non_gsm("Ça va, garçon"), Some((10, 'ç')));
        assert_eq!(first_non_gsm("“hi”"), Some((0, '“')));
        assert_eq!(first_non_gsm("plain {€}"), None);
    }

    #[test]
    fn an_escape_pair_moves_whole_into_the_next_part() {
        let text = format!("{}€{}", "a".repeat(152), "b".repeat(152));
        assert_eq!(split(&text).iter().map(|part| part.chars().count()).collect::<Vec<_>>(), [152, 152, 1]);
    }

    proptest! {
        #[test]
        fn parts_join_to_the_text_and_none_is_overfull(text in "[a-z€\\[яß😀]{0,400}") {
            let (parts, whole) = (split(&text), measure(&text));
            prop_assert_eq!(parts.concat(), text.as_str());
            prop_assert_eq!(parts.len(), usize::try_from(whole.segments).unwrap());
            let room = if parts.len() == 1 { whole.encoding.alone() } else { whole.encoding.part() };
            for part in parts {
                prop_assert!(part.chars().map(|c| whole.encoding.cost(c)).sum::<u32>() <= room);
            }
        }
    }
}
