//! Placeholders of organizations' own templates: `{{code}}`. Which there are, which rules they break, and what fills them.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};

/// Longest name of a placeholder, characters.
const NAME_MAX: usize = 30;
/// Most different placeholders of a text.
const SLOTS_MAX: usize = 10;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it stands.
    Plain(&'a str),
    /// What fills this name.
    Slot(&'a str),
}

/// The parts of a text. The error completes "`body` …".
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        plain(&mut found, before)?;
        let (name, tail) = after.split_once("}}").ok_or_else(unpaired)?;
        if !is_name(name) {
            return Err(format!(
                "has a placeholder with the name \"{}\"; a name is a-z, then a-z, 0-9 and _, up to {NAME_MAX} characters, without blanks: {{{{code}}}}",
                name.chars().take(NAME_MAX).collect::<String>()
            ));
        }
        found.push(Piece::Slot(name));
        rest = tail;
    }
    plain(&mut found, rest)?;
    Ok(found)
}

fn plain<'a>(found: &mut Vec<Piece<'a>>, text: &'a str) -> Result<(), String> {
    if text.contains("}}") {
        return Err(unpaired());
    }
    found.extend((!text.is_empty()).then_some(Piece::Plain(text)));
    Ok(())
}

fn unpaired() -> String {
    String::from("has {{ without }} or the other way round; placeholders look like {{code}}")
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_MAX
        && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// What a text must keep to.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Names that may be used.
    pub known: &'a BTreeSet<&'a str>,
    /// Whether `{{code}}` must be there exactly once.
    pub is_code: bool,
    /// Meta's rules on where placeholders may stand.
    /// Source: <https://developers.facebook.com/docs/whatsapp/message-templates/guidelines>, "Common rejection reasons".
    pub is_meta: bool,
}

/// What is wrong with the placeholders of `text`; each fault completes "`body` …".
pub fn faults(text: &str, rules: Rules<'_>) -> Vec<String> {
    let pieces = match pieces(text) {
        Ok(pieces) => pieces,
        Err(fault) => return vec![fault],
    };
    let names = names_of(&pieces);
    let mut faults: Vec<String> = names
        .iter()
        .filter(|name| !rules.known.contains(**name))
        .map(|name| {
            format!(
                "has the unknown placeholder {{{{{name}}}}}; give an example for it, or use {}",
                listed(rules.known)
            )
        })
        .collect();
    if names.len() > SLOTS_MAX {
        faults.push(format!("has more than {SLOTS_MAX} placeholders"));
    }
    let times = |wanted: &str| pieces.iter().filter(|piece| **piece == Piece::Slot(wanted)).count();
    if rules.is_code && times("code") != 1 {
        faults.push(String::from("must have {{code}} exactly once: its category is authentication"));
    }
    if rules.is_meta {
        faults.extend(meta_faults(&pieces));
        faults.extend(
            names.iter().filter(|name| times(name) > 1).map(|name| format!("has {{{{{name}}}}} more than once")),
        );
    }
    faults
}

fn meta_faults(pieces: &[Piece<'_>]) -> Vec<String> {
    let solid: Vec<&Piece<'_>> =
        pieces.iter().filter(|piece| !matches!(piece, Piece::Plain(text) if text.trim().is_empty())).collect();
    let is_slot = |piece: Option<&&Piece<'_>>| matches!(piece, Some(Piece::Slot(_)));
    let adjacent = solid.windows(2).any(|pair| pair.iter().all(|piece| matches!(piece, Piece::Slot(_))));
    [
        (is_slot(solid.first()), "must not begin with a placeholder"),
        (is_slot(solid.last()), "must not end with a placeholder; put a word or a full stop behind it"),
        (adjacent, "has placeholders next to each other; put words between them"),
    ]
    .into_iter()
    .filter(|(is_wrong, _)| *is_wrong)
    .map(|(_, why)| String::from(why))
    .collect()
}

fn listed(known: &BTreeSet<&str>) -> String {
    known.iter().map(|name| format!("{{{{{name}}}}}")).collect::<Vec<_>>().join(", ")
}

/// The names used, each once, in the order in which they first stand.
pub fn names_of<'a>(pieces: &[Piece<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for piece in pieces {
        if let Piece::Slot(name) = piece
            && !names.contains(name)
        {
            names.push(name);
        }
    }
    names
}

/// The names used in a text that was checked before.
pub fn names_in(text: &str) -> Vec<&str> {
    pieces(text).map(|pieces| names_of(&pieces)).unwrap_or_default()
}

/// The text with its placeholders filled. Values are put in as they are and never read again.
pub fn filled(text: &str, values: &BTreeMap<String, String>) -> Result<String> {
    let mut out = String::with_capacity(text.len() + 32);
    for piece in pieces(text).map_err(Error::internal)? {
        match piece {
            Piece::Plain(plain) => out.push_str(plain),
            Piece::Slot(name) => out.push_str(values.get(name).ok_or_else(|| Error::internal("a value is missing"))?),
        }
    }
    Ok(out)
}

/// The text with `{{1}}`, `{{2}}`… in the place of names, and the names in that order: as Meta has it.
pub fn numbered(text: &str) -> Result<(String, Vec<&str>)> {
    let pieces = pieces(text).map_err(Error::internal)?;
    let names = names_of(&pieces);
    let number = |name: &str| names.iter().position(|known| *known == name).map_or(0, |index| index + 1);
    let texts = pieces.iter().map(|piece| match piece {
        Piece::Plain(plain) => String::from(*plain),
        Piece::Slot(name) => format!("{{{{{}}}}}", number(name)),
    });
    Ok((texts.collect(), names))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str, is_code: bool, is_meta: bool) -> Vec<String> {
        let known = BTreeSet::from(["code", "app", "minutes", "city"]);
        faults(text, Rules { known: &known, is_code, is_meta })
    }

    #[test]
    fn each_rule_has_a_text_that_breaks_it_and_one_that_keeps_it() {
        for (text, is_code, is_meta, part) in [
            ("{{code}} is your code", true, false, ""),
            ("A {{code}} B {{code}}", false, false, ""),
            ("a { single } brace", false, false, ""),
            ("Hello {{name}}.", false, false, "unknown placeholder {{name}}"),
            ("Hello {{ code }}", false, false, "without blanks"),
            ("Hello {{Code}}", false, false, "a name is a-z"),
            ("Hello {{1}}", false, false, "a name is a-z"),
            ("Hello {{}}", false, false, "a name is a-z"),
            ("Hello {{code", false, false, "without }}"),
            ("Hello code}}", false, false, "without }}"),
            ("{{{code}}}", false, false, "a name is a-z"),
            ("Your code", true, false, "exactly once"),
            ("{{code}} and {{code}}", true, false, "exactly once"),
            ("Hello {{city}} and bye.", false, true, ""),
            ("{{city}} says hello.", false, true, "must not begin"),
            (" {{city}} says hello.", false, true, "must not begin"),
            ("Hello {{city}}", false, true, "must not end"),
            ("Hello {{city}} \n", false, true, "must not end"),
            ("Hello {{city}}.", false, true, ""),
            ("Hello {{city}}{{app}}!", false, true, "next to each other"),
            ("Hello {{city}} {{app}}!", false, true, "next to each other"),
            ("Hello {{city}}, {{app}}!", false, true, ""),
            ("Hello {{city}} of {{city}}!", false, true, "more than once"),
            ("{{city}} {{app}}", false, false, ""),
        ] {
            let found = told(text, is_code, is_meta);
            match part {
                "" => assert!(found.is_empty(), "{text}: {found:?}"),
                part => assert!(found.iter().any(|fault| fault.contains(part)), "{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn too_many_placeholders_are_a_fault() {
        let names: Vec<String> = (0..11).map(|n| format!("v{n}")).collect();
        let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let text: String = names.iter().map(|name| format!("{{{{{name}}}}} ")).collect();
        let found = faults(&text, Rules { known: &known, is_code: false, is_meta: false });
        assert!(found.iter().any(|fault| fault.contains("more than 10")), "{found:?}");
    }

    #[test]
    fn names_become_numbers_in_the_order_they_stand() {
        let (text, names) = numbered("Hi {{b}}, {{a}} and {{b}}!").unwrap();
        assert_eq!((text.as_str(), names), ("Hi {{1}}, {{2}} and {{1}}!", vec!["b", "a"]));
    }

    proptest! {
        #[test]
        fn a_value_is_never_read_again(value in ".{0,20}") {
            let values = BTreeMap::from([(String::from("a"), value.clone())]);
            prop_assert_eq!(filled("x{{a}}y", &values).unwrap(), format!("x{value}y"));
        }

        #[test]
        fn any_text_is_taken_apart_or_refused(text in "[a{}ß 1]{0,30}") {
            if let Ok(pieces) = pieces(&text) {
                let back: String = pieces.iter().map(|piece| match piece {
                    Piece::Plain(plain) => (*plain).to_owned(),
                    Piece::Slot(name) => format!("{{{{{name}}}}}"),
                }).collect();
                prop_assert_eq!(back, text);
            }
        }
    }
}
