//! Whom an erasure is about, and how an address is told from what only looks like it. Pure.

/// The forms of an address in texts, and what takes their place.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// In full: E.164, a mail address or a user id.
    pub address: String,
    /// The number without its plus.
    pub digits: Option<String>,
    /// What takes its place.
    pub pseudonym: String,
}

/// Fewest digits that are taken for the number where no plus says so.
const BARE: usize = 9;

impl Subject {
    /// What every text that holds the address contains. Many a text that does not hold it contains it as well.
    pub(super) fn needle(&self) -> &str {
        self.digits.as_deref().unwrap_or(&self.address)
    }

    /// The text with the pseudonym wherever the address stood; `None` where it does not stand.
    pub(super) fn rewritten(&self, text: &[u8]) -> Option<Vec<u8>> {
        let needle = self.needle().as_bytes();
        let mut out: Option<Vec<u8>> = None;
        let (mut from, mut copied) = (0, 0);
        while let Some(at) = find(text, needle, from) {
            let end = at + needle.len();
            let (before, after) = (text.get(..at).unwrap_or_default(), text.get(end..).unwrap_or_default());
            from = at + 1;
            let lead = match &self.digits {
                Some(digits) => lead_of_number(before, after, digits.len()),
                None => is_word(before, after).then_some(0),
            };
            // What was replaced already is no part of a further one.
            let Some(start) = lead.and_then(|lead| at.checked_sub(lead)).filter(|start| *start >= copied) else {
                continue;
            };
            let out = out.get_or_insert_with(|| Vec::with_capacity(text.len() + self.pseudonym.len()));
            out.extend_from_slice(text.get(copied..start).unwrap_or_default());
            out.extend_from_slice(self.pseudonym.as_bytes());
            (from, copied) = (end, end);
        }
        let mut out = out?;
        out.extend_from_slice(text.get(copied..).unwrap_or_default());
        Some(out)
    }
}

fn find(text: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let found = text.get(from..)?.windows(needle.len().max(1)).position(|window| window == needle)?;
    Some(from + found)
}

/// How many bytes before the digits belong to the number (its plus, in a URL too, or `00`); `None` where they are another
/// number's, an id's, or a number of JSON, such as a moment in milliseconds.
fn lead_of_number(before: &[u8], after: &[u8], digits: usize) -> Option<usize> {
    if after.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let lead = [b"+".as_slice(), b"%2B", b"%2b"].into_iter().find(|lead| before.ends_with(lead));
    if let Some(lead) = lead {
        return Some(lead.len());
    }
    let lead = if before.ends_with(b"00") { 2 } else { 0 };
    let before = before.get(..before.len() - lead)?;
    let joins = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let has_border = !before.last().is_some_and(|byte| joins(byte) || *byte == b'.')
        && !after.first().is_some_and(joins)
        && !matches!(after, [b'.', next, ..] if next.is_ascii_digit());
    let is_json_number =
        matches!(before.last(), Some(b':' | b'[' | b',')) && matches!(after.first(), Some(b',' | b'}' | b']'));
    (digits >= BARE && has_border && !is_json_number).then_some(lead)
}

/// Whether a mail address or an id ends where it is written, at both ends.
fn is_word(before: &[u8], after: &[u8]) -> bool {
    let begins = !before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte));
    let goes_on = match after {
        [b'.' | b'-', next, ..] => next.is_ascii_alphanumeric(),
        [next, ..] => next.is_ascii_alphanumeric() || *next == b'_' || *next == b'@',
        [] => false,
    };
    begins && !goes_on
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(address: &str, text: &str) -> Option<String> {
        let digits = address.strip_prefix('+').map(String::from);
        let subject = Subject { address: String::from(address), digits, pseudonym: String::from("#") };
        subject.rewritten(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_number_is_found_however_it_is_written() {
        for (text, expected) in [
            ("+447400123456", "#"),
            (r#"{"to":"+447400123456","again":"447400123456"}"#, r##"{"to":"#","again":"#"}"##),
            ("https://c.example/?to=%2B447400123456&x=1", "https://c.example/?to=#&x=1"),
            ("call 00447400123456, or 447400123456.", "call #, or #."),
            ("447400123456@s.whatsapp.net", "#@s.whatsapp.net"),
            ("+447400123456+447400123456", "##"),
            ("1+447400123456", "1#"),
        ] {
            assert_eq!(rewritten("+447400123456", text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_longer_number_a_moment_and_an_id_stay() {
        for text in [
            "+4474001234567",
            "1447400123456",
            r#"{"at":447400123456,"all":[447400123456]}"#,
            "0.447400123456",
            "447400123456.5",
            "msg_447400123456",
            "x447400123456",
            "447400123456z",
            "44740012345",
            "",
        ] {
            assert_eq!(rewritten("+447400123456", text), None, "{text}");
        }
        assert_eq!(rewritten("+44740012", "44740012 and +447400123"), None, "too short to be told without its plus");
        assert_eq!(rewritten("+44740012", "44740012 and +44740012").as_deref(), Some("44740012 and #"));
    }

    #[test]
    fn a_mail_address_is_no_part_of_another() {
        let one = |text: &str| rewritten("a@b.example", text);
        for text in ["aa@b.example", "x.a@b.example", "a@b.example.org", "a@b.example-x", "a@b.examples"] {
            assert_eq!(one(text), None, "{text}");
        }
        assert_eq!(one("to a@b.example. And <a@b.example>").as_deref(), Some("to #. And <#>"));
    }
}
