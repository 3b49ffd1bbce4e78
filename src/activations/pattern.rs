//! How the messages of a service are known: by who sent them and by what they say. Pure.

use regex::{Regex, RegexBuilder};

/// Patterns of one service at most, and their length.
pub const MOST: usize = 20;
const LONGEST: usize = 200;

/// What is known of a service's messages.
#[derive(Debug, Clone)]
pub struct Matcher {
    senders: Vec<String>,
    texts: Vec<Regex>,
}

/// How well a message fits: a service that says more of its messages comes before one that takes any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The service takes anything.
    Any,
    /// Its sender or its text fits.
    One,
    /// Both fit.
    Both,
}

/// A pattern of texts, compiled: case does not matter, and it is bounded in size.
///
/// # Errors
/// What completes the sentence "`texts` …".
pub fn compiled(pattern: &str) -> Result<Regex, String> {
    if pattern.is_empty() || pattern.len() > LONGEST {
        return Err(format!("takes patterns of 1 to {LONGEST} bytes"));
    }
    let built = RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build();
    built.map_err(|_| String::from("holds what is no regular expression, or too large a one"))
}

/// Whether `pattern` can name senders: a number or a name, with a star at its end for all that begin so.
pub fn is_sender(pattern: &str) -> bool {
    let bare = pattern.strip_suffix('*').unwrap_or(pattern);
    (1..=40).contains(&pattern.chars().count()) && !bare.contains('*') && !pattern.chars().any(char::is_control)
}

impl Matcher {
    /// Of a service's stored patterns; one that does not compile any more fits nothing.
    pub fn new(senders: Vec<String>, texts: &[String]) -> Matcher {
        Matcher { senders, texts: texts.iter().filter_map(|text| compiled(text).ok()).collect() }
    }

    /// How well a message fits, if it does.
    pub fn fit(&self, sender: &str, text: &str) -> Option<Fit> {
        let by_sender = self.senders.is_empty() || self.senders.iter().any(|pattern| names(pattern, sender));
        let by_text = self.texts.is_empty() || self.own(text).is_some();
        if !by_sender || !by_text {
            return None;
        }
        Some(match (self.senders.is_empty(), self.texts.is_empty()) {
            (true, true) => Fit::Any,
            (false, false) => Fit::Both,
            _ => Fit::One,
        })
    }

    /// The first of its patterns that fits `text`.
    pub fn own(&self, text: &str) -> Option<&Regex> {
        self.texts.iter().find(|pattern| pattern.is_match(text))
    }
}

fn names(pattern: &str, sender: &str) -> bool {
    let (pattern, sender) = (pattern.to_lowercase(), sender.to_lowercase());
    match pattern.strip_suffix('*') {
        Some(start) => sender.starts_with(start),
        None => sender == pattern || sender.strip_prefix('+') == Some(pattern.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(senders: &[&str], texts: &[&str]) -> Matcher {
        let owned = |list: &[&str]| list.iter().map(|text| String::from(*text)).collect::<Vec<_>>();
        Matcher::new(owned(senders), &owned(texts))
    }

    #[test]
    fn a_service_that_says_more_fits_better() {
        let (any, acme) = (matcher(&[], &[]), matcher(&["ACME", "+4479*"], &[]));
        let both = matcher(&["acme"], &[r"\bacme\b"]);
        assert_eq!(any.fit("x", "y"), Some(Fit::Any));
        assert_eq!(acme.fit("acme", "hello"), Some(Fit::One));
        assert_eq!(acme.fit("+447912345678", "hello"), Some(Fit::One));
        assert_eq!(acme.fit("+447812345678", "hello"), None);
        assert_eq!(both.fit("Acme", "your Acme code"), Some(Fit::Both));
        assert_eq!(both.fit("Acme", "your code"), None);
        assert!(Fit::Both > Fit::One && Fit::One > Fit::Any);
    }

    #[test]
    fn patterns_are_checked_where_they_come_in() {
        assert!(compiled("code (\\d+)").is_ok());
        for bad in ["", "(", &"x".repeat(201), r"\w{5000}{5000}"] {
            assert!(compiled(bad).is_err(), "{bad}");
        }
        assert!(is_sender("ACME") && is_sender("+4479*") && !is_sender("a*b") && !is_sender("") && !is_sender("a*b*"));
    }
}
