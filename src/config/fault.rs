//! Faults of a configuration: each says where it is, what is wrong and how to put it right; all are shown at once.

use std::fmt;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A line of the configuration file, counted from 1.
    Line(String, usize),
    /// An environment variable.
    Variable(String),
    /// The file as a whole, or nothing at all where there is no file.
    Whole(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Line(file, line) => write!(f, "{file}:{line}"),
            Origin::Variable(name) => f.write_str(name),
            Origin::Whole(file) => f.write_str(file),
        }
    }
}

/// What is wrong with a value, and what to do about it. Never quotes a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Completes the sentence "`key` …".
    pub what: String,
    /// One thing to do.
    pub hint: String,
}

impl Wrong {
    /// `what` completes "`key` …"; `hint` says what to write instead.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Wrong { what: what.into(), hint: hint.into() }
    }
}

/// One fault of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where the value stands.
    pub origin: Origin,
    /// The key with its table, e.g. `server.bind`; empty for a fault of the file itself.
    pub key: String,
    /// What is wrong and what to do.
    pub wrong: Wrong,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{} ", self.key)?;
        }
        write!(f, "{}", self.wrong.what)?;
        if !self.wrong.hint.is_empty() {
            write!(f, "\n      hint: {}", self.wrong.hint)?;
        }
        Ok(())
    }
}

/// Every fault of a configuration. The process ends with 78 (`EX_CONFIG` of sysexits.h) after showing them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigFaults(pub Vec<Fault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "the configuration has {count} fault{}:", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|fault| write!(f, "\n{fault}"))
    }
}

/// The member of `known` that `word` was most likely meant to be.
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let budget = word.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, _)| *edits <= budget)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance: single-letter insertions, deletions and changes between two words.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((above_left, above), r) in row.iter().zip(row.iter().skip(1)).zip(&right) {
            let left_of = next.last().copied().unwrap_or(i + 1);
            next.push((above_left + usize::from(l != *r)).min(above + 1).min(left_of + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", ""), 3);
        assert_eq!(edits("same", "same"), 0);
    }

    #[test]
    fn only_a_near_word_is_proposed() {
        assert_eq!(did_you_mean("bnid", ["bind", "workers"]), Some("bind"));
        assert_eq!(did_you_mean("worker", ["bind", "workers"]), Some("workers"));
        assert_eq!(did_you_mean("colour", ["bind", "workers"]), None);
    }
}
