//! A document becomes a typed value, or a fault that names the field and never quotes what stood in it.
//!
//! This is a serde source of its own rather than serde_json's, since the texts of serde_json's errors quote values.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess};
use serde::de::{Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_path_to_error::{Path, Segment};

use super::idempotency_key::FIELD as KEY_FIELD;
use super::tree::{Tree, shown_name};
use crate::error::{Code, Error, Result};

/// Reads a `T` out of `tree`. A root member `idempotency_key` that `T` does not name is passed over: every mutating
/// route takes one.
///
/// # Errors
/// `validation_failed` with the path of the field (`messages[3].to`), or `malformed_request` where the root itself is
/// of the wrong kind.
pub fn decode<T: DeserializeOwned>(tree: &Tree) -> Result<T> {
    serde_path_to_error::deserialize(Source { tree, is_root: true }).map_err(|error| {
        let path = path_text(error.path(), error.inner().field.as_deref());
        match path.is_empty() {
            true => Error::new(Code::MalformedRequest).detail(format!("The body {}.", error.inner().why)),
            false => Error::field(path, error.into_inner().why),
        }
    })
}

fn path_text(path: &Path, field: Option<&str>) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Map { key } => push_name(&mut text, key),
            Segment::Enum { variant } => push_name(&mut text, variant),
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Unknown => {}
        }
    }
    // The path of an unknown member ends with it already, that of a missing one does not.
    let last = path.iter().last();
    match (field, last) {
        (Some(name), Some(Segment::Map { key })) if key == name => {}
        (Some(name), _) => push_name(&mut text, name),
        (None, _) => {}
    }
    text
}

fn push_name(text: &mut String, name: &str) {
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(&shown_name(name));
}

/// What is wrong with a field; `why` completes the sentence "`field` …".
#[derive(Debug)]
struct Fault {
    why: String,
    /// The member the fault is about, where it is one of the object at the path.
    field: Option<String>,
}

impl Fault {
    fn new(why: impl Into<String>) -> Self {
        Fault { why: why.into(), field: None }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Fault::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Fault::new(format!("must be {}, not {}", wanted_text(wanted), kind_text(&found)))
    }

    fn invalid_value(_: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Fault::new(format!("must be {}", wanted_text(wanted)))
    }

    fn invalid_length(found: usize, wanted: &dyn Expected) -> Self {
        Fault::new(format!("must be {}, but has {found} elements", wanted_text(wanted)))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Fault::new(format!("must be one of {}", known.join(", ")))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        let why = match known {
            [] => String::from("is not a field here; there are none"),
            known => format!("is not a field here; known are {}", known.join(", ")),
        };
        Fault { why, field: Some(name.to_owned()) }
    }

    fn missing_field(name: &'static str) -> Self {
        Fault { why: "is required".into(), field: Some(name.to_owned()) }
    }
}

/// serde names Rust's types; a client knows JSON's.
fn wanted_text(wanted: &dyn Expected) -> String {
    let text = wanted.to_string();
    match text.as_str() {
        "u8" => format!("a whole number from 0 to {}", u8::MAX),
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" => String::from("a whole number from 0 up"),
        "i8" | "i16" | "i32" | "i64" | "isize" => String::from("a whole number"),
        "f32" | "f64" => String::from("a number"),
        "a boolean" => String::from("true or false"),
        "a sequence" => String::from("an array"),
        "a map" => String::from("an object"),
        "unit" => String::from("null"),
        other if other.starts_with("struct ") => String::from("an object"),
        other if other.starts_with("enum ") => String::from("a string"),
        _ => text,
    }
}

fn kind_text(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a number",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "an array",
        Unexpected::Map => "an object",
        _ => "something else",
    }
}

/// A place in the document, as serde reads from it.
#[derive(Clone, Copy)]
struct Source<'de> {
    tree: &'de Tree,
    is_root: bool,
}

impl<'de> Source<'de> {
    fn inner(tree: &'de Tree) -> Self {
        Source { tree, is_root: false }
    }

    fn members(map: &'de BTreeMap<String, Tree>, skip: Option<&'static str>) -> Members<'de> {
        Members { rest: map.iter(), value: None, skip }
    }
}

/// Numbers and Booleans: as they are, or read out of a loose text.
macro_rules! scalar {
    ($($method:ident $visit:ident $type:ty = $wanted:literal),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.tree {
                Tree::Loose(text) => match text.parse::<$type>() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => Err(Fault::new(concat!("must be ", $wanted))),
                },
                _ => self.deserialize_any(visitor),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Source<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(*value),
            Tree::Natural(value) => visitor.visit_u64(*value),
            Tree::Negative(value) => visitor.visit_i64(*value),
            Tree::Real(value) => visitor.visit_f64(*value),
            Tree::Text(text) | Tree::Loose(text) => visitor.visit_borrowed_str(text),
            Tree::List(items) => visitor.visit_seq(Items(items.iter())),
            Tree::Map(map) => visitor.visit_map(Source::members(map, None)),
        }
    }

    scalar! {
        deserialize_bool visit_bool bool = "true or false",
        deserialize_u8 visit_u8 u8 = "a whole number from 0 to 255",
        deserialize_u16 visit_u16 u16 = "a whole number from 0 to 65535",
        deserialize_u32 visit_u32 u32 = "a whole number from 0 to 4294967295",
        deserialize_u64 visit_u64 u64 = "a whole number from 0 up",
        deserialize_i8 visit_i8 i8 = "a whole number",
        deserialize_i16 visit_i16 i16 = "a whole number",
        deserialize_i32 visit_i32 i32 = "a whole number",
        deserialize_i64 visit_i64 i64 = "a whole number",
        deserialize_f32 visit_f32 f32 = "a number",
        deserialize_f64 visit_f64 f64 = "a number",
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let skip = (self.is_root && !fields.contains(&KEY_FIELD)).then_some(KEY_FIELD);
        match self.tree {
            Tree::Map(map) => visitor.visit_map(Source::members(map, skip)),
            // serde would take an array for a struct, field by field.
            Tree::List(_) => Err(serde::de::Error::invalid_type(Unexpected::Seq, &"an object")),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.tree {
            Tree::Text(text) | Tree::Loose(text) => {
                let word: StrDeserializer<'de, Fault> = text.as_str().into_deserializer();
                visitor.visit_enum(word)
            }
            Tree::Map(map) => visitor.visit_enum(MapAccessDeserializer::new(Source::members(map, None))),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier
    }
}

struct Items<'de>(std::slice::Iter<'de, Tree>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.0.next().map(|item| seed.deserialize(Source::inner(item))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Members<'de> {
    rest: std::collections::btree_map::Iter<'de, String, Tree>,
    value: Option<&'de Tree>,
    skip: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let skip = self.skip;
        let Some((name, value)) = self.rest.by_ref().find(|(name, _)| Some(name.as_str()) != skip) else {
            return Ok(None);
        };
        self.value = Some(value);
        let name: StrDeserializer<'de, Fault> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(Source::inner(self.value.take().unwrap_or(&Tree::Null)))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Send {
        to: String,
        count: Option<u8>,
        channel: Option<Way>,
        client: Option<Client>,
        messages: Vec<Client>,
        metadata: BTreeMap<String, String>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Client {
        ip: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Way {
        Sms,
        Email,
    }

    fn read(body: &str) -> Result<Send> {
        decode(&Tree::parse(body.as_bytes()).unwrap())
    }

    fn fault(body: &str) -> String {
        let error = read(body).unwrap_err();
        let fields: Vec<String> =
            error.fields().iter().map(|(field, whys)| format!("{field} {}", whys.join(", "))).collect();
        match fields.is_empty() {
            true => error.sentence().to_owned(),
            false => fields.join("; "),
        }
    }

    #[test]
    fn a_good_body_is_read_whole() {
        let send = read(
            r#"{"to":"+1","count":3,"channel":"sms","client":{"ip":"x"},"metadata":{"a":"b"},"idempotency_key":"k"}"#,
        );
        let want = Send {
            to: "+1".into(),
            count: Some(3),
            channel: Some(Way::Sms),
            client: Some(Client { ip: "x".into() }),
            messages: vec![],
            metadata: [("a".into(), "b".into())].into(),
        };
        assert_eq!(send.unwrap(), want);
    }

    #[test]
    fn a_fault_names_the_path_and_never_the_value() {
        assert_eq!(fault(r#"{"to":4711}"#), "to must be a string, not a number");
        assert_eq!(fault(r#"{"to":null}"#), "to must be a string, not null");
        assert_eq!(fault(r#"{"count":300}"#), "count must be a whole number from 0 to 255");
        assert_eq!(
            fault(r#"{"count":1.5}"#),
            "count must be a whole number from 0 to 255, not a number with a fraction"
        );
        assert_eq!(fault(r#"{"count":"4711"}"#), "count must be a whole number from 0 to 255, not a string");
        assert_eq!(fault(r#"{"channel":"4711"}"#), "channel must be one of sms, email");
        assert_eq!(fault(r#"{"channel":7}"#), "channel must be a string, not a number");
        assert_eq!(
            fault(r#"{"messages":[{"ip":"a"},{"ip":["4711"]}]}"#),
            "messages[1].ip must be a string, not an array"
        );
        assert_eq!(fault(r#"{"messages":{}}"#), "messages must be an array, not an object");
        assert_eq!(fault(r#"{"metadata":{"a":1}}"#), "metadata.a must be a string, not a number");
    }

    #[test]
    fn unknown_and_missing_fields_are_named_where_they_belong() {
        assert_eq!(fault(r#"{"client":{}}"#), "client.ip is required");
        assert_eq!(
            fault(r#"{"messages":[{"ip":"a","port":1}]}"#),
            "messages[0].port is not a field here; known are ip"
        );
        assert!(fault(r#"{"tо":"x"}"#).starts_with("t? is not a field here; known are to, count"));
        assert_eq!(
            fault(r#"{"client":{"ip":"a","idempotency_key":"k"}}"#),
            "client.idempotency_key is not a field here; known are ip"
        );
    }

    #[test]
    fn the_root_must_be_an_object() {
        assert_eq!(fault("[]"), "The body must be an object, not an array.");
        assert_eq!(fault("4711"), "The body must be an object, not a number.");
        assert_eq!(fault(r#"{"client":[["x"]]}"#), "client must be an object, not an array");
    }

    #[test]
    fn a_loose_text_stands_for_what_is_wanted() {
        let loose = |field: &str, text: &str| Tree::Map([(field.into(), Tree::Loose(text.into()))].into());
        assert_eq!(decode::<Send>(&loose("count", "7")).unwrap().count, Some(7));
        assert_eq!(decode::<Send>(&loose("to", "7")).unwrap().to, "7");
        assert_eq!(decode::<Send>(&loose("channel", "email")).unwrap().channel, Some(Way::Email));
        let error = decode::<Send>(&loose("count", "4711")).unwrap_err();
        assert_eq!(error.fields()["count"], ["must be a whole number from 0 to 255"]);
    }
}
