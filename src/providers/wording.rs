//! A carrier's own words, made fit to keep: they may hold the code, the recipient, anything.

use super::carrier::Outgoing;
use crate::text::redact;

/// The longest text of a carrier that is kept, characters.
const KEPT_CHARS: usize = 300;

/// Names shorter than this are not looked for: they would hit by chance.
const SHORTEST_HIDDEN: usize = 4;

/// `raw` without the message's recipient and text, without runs of digits and control characters, cut to 300
/// characters.
pub fn keepable(raw: &str, message: &Outgoing) -> String {
    without(raw, &[message.text.expose(), &message.to])
}

/// `raw` without control characters, runs of digits and each of `hidden`, cut to 300 characters.
pub fn without(raw: &str, hidden: &[&str]) -> String {
    // Cut before the work, generously: a carrier may send much.
    let mut text: String = raw.chars().take(KEPT_CHARS * 8).collect();
    for word in hidden.iter().filter(|word| word.chars().count() >= SHORTEST_HIDDEN) {
        text = text.replace(*word, "[hidden]");
    }
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    redact(plain.trim()).chars().take(KEPT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_recipients_and_control_characters_do_not_pass() {
        let raw = "550 jane@example.com said\r\n'G-918273 <script>'\u{0}";
        let kept = without(raw, &["jane@example.com"]);
        assert_eq!(kept, "550 [hidden] said  'G-•••••• <script>'");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(without(&"ü".repeat(10_000), &[]).chars().count(), 300);
    }
}
