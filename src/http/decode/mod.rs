//! A document becomes a typed value, or a fault that names the field and never quotes what stood in it.
//!
//! This is a serde source of its own rather than serde_json's, since the texts of serde_json's errors quote values.

mod fault;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess};
use serde::de::{Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_path_to_error::{Path, Segment};

use self::fault::Fault;
use super::idempotency_key::FIELD as KEY_FIELD;
use super::tree::{Tree, shown_name};
use crate::error::{Code, Error, Result};

/// Reads a `T` out of `tree`. A root member `idempotency_key` that `T` does not name is passed over: every mutating
/// route takes one.
///
/// # Errors
/// `validation_failed` with the path of each faulty field (`messages[3].to`), or `malformed_request` where the root
/// itself is of the wrong kind.
pub fn decode<T: DeserializeOwned>(tree: &Tree) -> Result<T> {
    let first = match attempt::<T>(tree) {
        Ok(value) => return Ok(value),
        Err(fault) => fault,
    };
    if first.path.is_empty() {
        return Err(Error::new(Code::MalformedRequest).detail(format!("The body {}.", first.why)));
    }
    // Serde stops at the first fault: without the member at fault it goes on to the next. That a member which was taken
    // out is missing now says nothing; then its object goes.
    let (mut rest, mut next, mut gone) = (tree.clone(), first, Vec::new());
    let mut error = Error::new(Code::ValidationFailed);
    for _ in 0..MOST_TRIES {
        if !gone.contains(&next.path) {
            error = error.and_field(next.path.clone(), next.why);
        }
        gone.push(next.path);
        if error.fields().len() >= MOST_FAULTS || !remove(&mut rest, &next.steps) {
            return Err(error);
        }
        gone.push(steps_text(&next.steps));
        match attempt::<T>(&rest) {
            Err(fault) if !fault.path.is_empty() => next = fault,
            _ => return Err(error),
        }
    }
    Err(error)
}

/// Faults told of one document.
const MOST_FAULTS: usize = 8;
/// Readings of one document that look for them: a large one must not cost many times its own.
const MOST_TRIES: usize = 12;

/// A fault with its place.
struct Placed {
    path: String,
    steps: Vec<Step>,
    why: String,
}

/// One step from the root to a place.
enum Step {
    Member(String),
    Item(usize),
}

fn attempt<T: DeserializeOwned>(tree: &Tree) -> Result<T, Placed> {
    serde_path_to_error::deserialize(Source { tree, is_root: true }).map_err(|error| {
        let path = path_text(error.path(), error.inner().field.as_deref());
        let mut steps = Vec::new();
        for segment in error.path() {
            match segment {
                Segment::Map { key } => steps.push(Step::Member(key.clone())),
                Segment::Seq { index } => steps.push(Step::Item(*index)),
                Segment::Enum { .. } | Segment::Unknown => {}
            }
        }
        Placed { path, steps, why: error.into_inner().why }
    })
}

/// The path of a place, as faults name it.
fn steps_text(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Member(name) => push_name(&mut text, name),
            Step::Item(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// Takes the member at the end of `steps` out of its object, for an item of a list the list; whether there was one.
fn remove(tree: &mut Tree, steps: &[Step]) -> bool {
    match (tree, steps) {
        (tree, [rest @ .., Step::Item(_)]) => remove(tree, rest),
        (Tree::Map(map), [Step::Member(name)]) => map.remove(name).is_some(),
        (Tree::Map(map), [Step::Member(name), rest @ ..]) => map.get_mut(name).is_some_and(|inner| remove(inner, rest)),
        (Tree::List(items), [Step::Item(index), rest @ ..]) => {
            items.get_mut(*index).is_some_and(|inner| remove(inner, rest))
        }
        _ => false,
    }
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
    let last = path.iter().next_back();
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
