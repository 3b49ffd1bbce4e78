//! What can be wrong with a field, in JSON's words and without the value.

use std::fmt;

use serde::de::{Expected, Unexpected};

/// What is wrong with a field; `why` completes the sentence "`field` …".
#[derive(Debug)]
pub(super) struct Fault {
    /// The end of the sentence.
    pub(super) why: String,
    /// The member the fault is about, where it is one of the object at the path.
    pub(super) field: Option<String>,
}

impl Fault {
    /// A fault of the value itself.
    pub(super) fn new(why: impl Into<String>) -> Self {
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
