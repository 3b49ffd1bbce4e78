//! Hiding digits in texts that others wrote, before they reach a log or an operator's list.

/// The shortest run that could be a code; see `otp::CodeLength`.
const SHORTEST_RUN: usize = 4;

/// `text` with every run of four or more digits hidden, digit by digit: codes (4 to 10) and phone numbers (longer).
/// A single space, dash or dot between digits does not end a run: `481 516` is a code too. Digits of other scripts
/// count, since handsets show codes in them.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = Run::default();
    for c in text.chars() {
        if digit_value(c).is_some() {
            run.digit(c);
        } else if run.takes_joint(c) {
            run.joint = Some(c);
        } else {
            run.flush(&mut out);
            out.push(c);
        }
    }
    run.flush(&mut out);
    out
}

/// The value of a decimal digit in the scripts that handsets and keyboards use; `None` for anything else.
pub fn digit_value(c: char) -> Option<u8> {
    /// The zeros: ASCII, Arabic-Indic, its Persian and Urdu form, Devanagari, Bengali, Thai, Myanmar, Khmer, full width.
    const ZEROS: [u32; 9] = [0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0x1040, 0x17E0, 0xFF10];
    let point = u32::from(c);
    let offset = ZEROS.iter().find_map(|zero| point.checked_sub(*zero).filter(|value| *value < 10))?;
    u8::try_from(offset).ok()
}

/// Digits not yet written, with the single joints between them.
#[derive(Default)]
struct Run {
    text: String,
    digits: usize,
    joint: Option<char>,
}

impl Run {
    fn digit(&mut self, c: char) {
        self.text.extend(self.joint.take());
        self.text.push(c);
        self.digits += 1;
    }

    fn takes_joint(&self, c: char) -> bool {
        self.digits > 0 && self.joint.is_none() && matches!(c, ' ' | '-' | '.' | '\u{a0}' | '\u{2011}')
    }

    fn flush(&mut self, out: &mut String) {
        let hide = self.digits >= SHORTEST_RUN;
        out.extend(self.text.chars().map(|c| if hide && digit_value(c).is_some() { '•' } else { c }));
        out.extend(self.joint);
        *self = Run::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_numbers_are_hidden_and_short_runs_stay() {
        for (text, shown) in [
            ("481516 is your code", "•••••• is your code"),
            ("4815", "••••"),
            ("481 of 500", "481 of 500"),
            ("G-481516.", "G-••••••."),
            ("481-516 or 481 516", "•••-••• or ••• •••"),
            ("to +447400123456 failed", "to +•••••••••••• failed"),
            ("٤٨١٥١٦ and ４８１５１６", "•••••• and ••••••"),
            ("10 min, 5 tries", "10 min, 5 tries"),
            ("error 30007", "error •••••"),
            ("1  2  3  4", "1  2  3  4"),
            ("", ""),
        ] {
            assert_eq!(redact(text), shown, "{text}");
        }
    }

    #[test]
    fn only_digits_have_a_value() {
        assert_eq!(digit_value('٧'), Some(7));
        assert_eq!(digit_value('９'), Some(9));
        assert_eq!(digit_value('०'), Some(0));
        assert_eq!((digit_value('a'), digit_value('²'), digit_value(':'), digit_value('/')), (None, None, None, None));
    }
}
