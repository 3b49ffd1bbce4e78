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

/// The member of `known` that `word` was most likely meant to be: one slip away, in a long word two or more.
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let budget = (word.chars().count() / 4).max(1);
    known
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, _)| *edits <= budget)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many slips lie between two words: letters too many, missing, changed, or two neighbours swapped (optimal string
/// alignment).
fn edits(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    let cell = |rows: &[Vec<usize>], i: usize, j: usize| rows.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0);
    let at = |word: &[char], i: usize| i.checked_sub(1).and_then(|i| word.get(i)).copied();
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let changed = cell(&rows, i - 1, j - 1) + usize::from(at(&left, i) != at(&right, j));
            let shorter = (cell(&rows, i - 1, j) + 1).min(row.last().copied().unwrap_or(i) + 1);
            let is_swap = i > 1 && j > 1 && at(&left, i) == at(&right, j - 1) && at(&left, i - 1) == at(&right, j);
            let swapped = if is_swap { cell(&rows, i - 2, j - 2) + 1 } else { usize::MAX };
            row.push(changed.min(shorter).min(swapped));
        }
        rows.push(row);
    }
    cell(&rows, left.len(), right.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted_and_a_swap_is_one() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!((edits("bnid", "bind"), edits("ab", "ba"), edits("abc", "cab")), (1, 1, 2));
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", ""), 3);
        assert_eq!(edits("same", "same"), 0);
    }

    #[test]
    fn only_a_near_word_is_proposed() {
        assert_eq!(did_you_mean("bnid", ["bind", "workers"]), Some("bind"));
        assert_eq!(did_you_mean("worker", ["bind", "workers"]), Some("workers"));
        assert_eq!(did_you_mean("colour", ["bind", "workers"]), None);
        assert_eq!(did_you_mean("NOPE", ["ROLE", "LOG"]), None);
        assert_eq!(did_you_mean("DATABSE_UR", ["DATABASE_URL"]), Some("DATABASE_URL"));
    }
}
