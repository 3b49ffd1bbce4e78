//! A JSON document read strictly: no key twice in an object, no NUL in a text, bounded in depth and in size; and its
//! canonical form (sorted keys), which is what an idempotency fingerprint is taken of.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Code, Error, Result};

/// Most values one document may hold: a full bulk request has about 20,000.
const MAX_VALUES: u32 = 100_000;

/// A JSON value, or a text of a query that has yet to become one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Tree {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number from zero up.
    Natural(u64),
    /// A whole number below zero.
    Negative(i64),
    /// Any other number.
    Real(f64),
    /// A text.
    Text(String),
    /// A text from a query or a form: it stands for a number or a Boolean where one is wanted.
    Loose(String),
    /// An array.
    List(Vec<Tree>),
    /// An object.
    Map(BTreeMap<String, Tree>),
}

impl Tree {
    /// Reads one JSON document.
    ///
    /// # Errors
    /// `malformed_request`, with a sentence that says where and what, and never quotes a value.
    pub fn parse(bytes: &[u8]) -> Result<Tree> {
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("The body is not UTF-8; send JSON in UTF-8."))?;
        if text.starts_with('\u{feff}') {
            return Err(malformed("The body starts with a byte order mark; send JSON without one."));
        }
        if text.trim_ascii().is_empty() {
            return Err(malformed("The body is empty; send one JSON object."));
        }
        let budget = Budget { left: Cell::new(MAX_VALUES), fault: RefCell::new(None) };
        let mut source = serde_json::Deserializer::from_str(text);
        let tree = Grow(&budget).deserialize(&mut source).and_then(|tree| source.end().map(|()| tree));
        tree.map_err(|error| malformed(budget.fault.take().unwrap_or_else(|| syntax_sentence(&error))))
    }

    /// The value of a member; `None` where this is no object or has no such member.
    pub fn member(&self, name: &str) -> Option<&Tree> {
        match self {
            Tree::Map(members) => members.get(name),
            _ => None,
        }
    }

    /// Replaces a text member by its normal form (a number in E.164), so that all spellings have one fingerprint.
    pub fn normalize(&mut self, name: &str, text: &str) {
        if let Tree::Map(members) = self
            && let Some(Tree::Text(value)) = members.get_mut(name)
        {
            text.clone_into(value);
        }
    }

    /// The document with sorted keys and no blanks, without the root member `omit`.
    pub fn canonical(&self, omit: &str) -> Vec<u8> {
        let text = match self {
            Tree::Map(members) => {
                let kept: BTreeMap<&String, &Tree> = members.iter().filter(|(name, _)| *name != omit).collect();
                serde_json::to_vec(&kept)
            }
            other => serde_json::to_vec(other),
        };
        // Text keys and finite numbers: serde_json has no way to fail on these.
        text.unwrap_or_default()
    }
}

struct Budget {
    left: Cell<u32>,
    fault: RefCell<Option<String>>,
}

impl Budget {
    fn refuse<E: serde::de::Error>(&self, sentence: String) -> E {
        self.fault.replace(Some(sentence));
        E::custom("refused")
    }

    fn spend<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| self.refuse(format!("The body holds more than {MAX_VALUES} values; split it.")))
    }

    fn text<E: serde::de::Error>(&self, text: String) -> Result<String, E> {
        match text.contains('\0') {
            true => Err(self.refuse("A text holds the character U+0000; leave it out.".into())),
            false => Ok(text),
        }
    }
}

#[derive(Clone, Copy)]
struct Grow<'b>(&'b Budget);

impl<'de> DeserializeSeed<'de> for Grow<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Tree, D::Error> {
        self.0.spend()?;
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Grow<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Natural(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Negative(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Real(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Tree, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Tree, E> {
        self.0.text(value).map(Tree::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            let name = self.0.text::<A::Error>(name)?;
            let value = members.next_value_seed(self)?;
            if map.contains_key(&name) {
                let sentence = format!("The field {} is given twice; send it once.", shown_name(&name));
                return Err(self.0.refuse::<A::Error>(sentence));
            }
            map.insert(name, value);
        }
        Ok(Tree::Map(map))
    }
}

/// A field's name as an error may show it: short, and visible ASCII only.
pub(super) fn shown_name(name: &str) -> String {
    name.chars().take(64).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

fn malformed(sentence: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::MalformedRequest).detail(sentence)
}

/// serde_json's own words may quote the input; its position may not.
fn syntax_sentence(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "The body ends in the middle of the JSON; send it whole.".into();
    }
    let (line, column) = (error.line(), error.column());
    if error.to_string().starts_with("recursion limit") {
        return format!("The JSON is nested too deep at line {line}, column {column}; flatten it.");
    }
    if error.to_string().starts_with("trailing characters") {
        return format!("Something follows the JSON at line {line}, column {column}; send one JSON object.");
    }
    format!("The body is not valid JSON at line {line}, column {column}; send one JSON object.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(body: &[u8]) -> String {
        let error = Tree::parse(body).unwrap_err();
        assert_eq!(error.code(), Code::MalformedRequest);
        error.sentence().to_owned()
    }

    #[test]
    fn keys_are_sorted_and_the_idempotency_key_is_left_out() {
        let one = Tree::parse(r#"{"b": [1, -2, 1.5, null], "a": {"z": "é", "y": true}, "k": "x"}"#.as_bytes()).unwrap();
        assert_eq!(one.canonical("k"), r#"{"a":{"y":true,"z":"é"},"b":[1,-2,1.5,null]}"#.as_bytes());
        let two = Tree::parse(br#"{"a":{"y":true,"z":"\u00e9"},"b":[1,-2,1.5,null]}"#).unwrap();
        assert_eq!(one.canonical("k"), two.canonical("k"));
    }

    #[test]
    fn a_text_member_can_be_put_in_normal_form() {
        let mut tree = Tree::parse(br#"{"to":"(415) 555-0123"}"#).unwrap();
        tree.normalize("to", "+14155550123");
        assert_eq!(tree.canonical(""), br#"{"to":"+14155550123"}"#);
    }

    #[test]
    fn what_is_no_json_is_refused_with_the_place() {
        assert_eq!(why(b" "), "The body is empty; send one JSON object.");
        assert_eq!(why(b"{\"a\":"), "The body ends in the middle of the JSON; send it whole.");
        assert_eq!(why(b"{\"a\": 4711x}"), "The body is not valid JSON at line 1, column 11; send one JSON object.");
        assert_eq!(why(b"{}{}"), "Something follows the JSON at line 1, column 3; send one JSON object.");
        assert_eq!(why(b"\xff{}"), "The body is not UTF-8; send JSON in UTF-8.");
        assert!(why("\u{feff}{}".as_bytes()).contains("byte order mark"));
        assert!(why(br#""\ud800""#).contains("not valid JSON"));
    }

    #[test]
    fn a_key_given_twice_is_refused_at_any_depth() {
        assert_eq!(why(br#"{"a":[{"b":1,"b":2}]}"#), "The field b is given twice; send it once.");
    }

    #[test]
    fn depth_size_huge_numbers_and_nul_are_bounded() {
        let deep = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
        assert!(Tree::parse(&deep(127)).is_ok());
        assert!(why(&deep(129)).contains("nested too deep"));
        assert!(why(&deep(100_000)).contains("nested too deep"));
        let many = format!("[{}0]", "0,".repeat(100_001));
        assert!(why(many.as_bytes()).contains("more than 100000 values"));
        assert!(why("9".repeat(1_000_000).as_bytes()).contains("not valid JSON"));
        assert!(why(br#"{"a":"\u0000"}"#).contains("U+0000"));
    }
}
