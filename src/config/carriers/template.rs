//! Templates of the generic HTTP carrier: text with `{to}`, `{from}`, `{text}`, `{id}`, filled in with escapes.

use std::fmt;

use super::super::fault::{Wrong, did_you_mean};
use super::super::setting::{Setting, text_of};
use super::super::value::Value;

/// What a template may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    To,
    From,
    Text,
    Id,
}

const SLOTS: [(&str, Slot); 4] = [("to", Slot::To), ("from", Slot::From), ("text", Slot::Text), ("id", Slot::Id)];

#[derive(Debug, Clone)]
enum Part {
    Plain(String),
    Slot(Slot),
}

/// A text with slots. Prints only its length: operators write keys into such texts.
#[derive(Clone)]
pub struct Template(Vec<Part>);

/// What the slots of a template are filled with.
#[derive(Debug, Clone, Copy)]
pub struct Fill<'a> {
    /// The recipient, E.164 or a mail address.
    pub to: &'a str,
    /// The sender, empty where there is none.
    pub from: &'a str,
    /// The message's text.
    pub text: &'a str,
    /// Our id of the hand-off.
    pub id: &'a str,
}

/// How a value is written into a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// Inside a JSON string.
    Json,
    /// As a part of a URL or a form: everything but unreserved characters (RFC 3986, 2.3) as `%XX`.
    Percent,
}

impl Template {
    /// The text with every slot filled, escaped as `escape` says.
    pub fn render(&self, fill: &Fill<'_>, escape: Escape) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Plain(text) => out.push_str(text),
                Part::Slot(slot) => write_escaped(&mut out, fill.get(*slot), escape),
            }
        }
        out
    }

    /// The text before the first slot.
    pub(super) fn head(&self) -> &str {
        match self.0.first() {
            Some(Part::Plain(text)) => text,
            _ => "",
        }
    }

    fn parse(text: &str) -> Result<Self, Wrong> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, from_open) = rest.split_at(open);
            plain.push_str(before);
            match slot_name(from_open) {
                Some(name) => {
                    parts.push(Part::Plain(std::mem::take(&mut plain)));
                    parts.push(Part::Slot(slot_of(name)?));
                    rest = from_open.get(name.len() + 2..).unwrap_or_default();
                }
                None => {
                    plain.push('{');
                    rest = from_open.get(1..).unwrap_or_default();
                }
            }
        }
        plain.push_str(rest);
        parts.push(Part::Plain(plain));
        Ok(Template(parts))
    }
}

impl<'a> Fill<'a> {
    /// Values that show every escape at work.
    pub(super) const SAMPLE: Fill<'static> =
        Fill { to: "+14155550123", from: "ACME", text: "Your \"code\" is 481516\n", id: "msg_01" };

    fn get(&self, slot: Slot) -> &'a str {
        match slot {
            Slot::To => self.to,
            Slot::From => self.from,
            Slot::Text => self.text,
            Slot::Id => self.id,
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[template of {} parts]", self.0.len())
    }
}

impl Setting for Template {
    fn read(value: &Value) -> Result<Self, Wrong> {
        Template::parse(text_of(value, "a template", "to={to}&text={text}")?)
    }
}

/// The word in `{word}` at the start of `text`. JSON's own braces are followed by a quote, a blank or a brace.
fn slot_name(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_word.then_some(name)
}

fn slot_of(name: &str) -> Result<Slot, Wrong> {
    if let Some((_, slot)) = SLOTS.into_iter().find(|(known, _)| *known == name) {
        return Ok(slot);
    }
    let hint = match did_you_mean(name, SLOTS.map(|(known, _)| known)) {
        Some(near) => format!("did you mean {{{near}}}?"),
        None => String::from("known are {to}, {from}, {text}, {id}"),
    };
    Err(Wrong::new(format!("has {{{name}}}, which is not a placeholder"), hint))
}

fn write_escaped(out: &mut String, value: &str, escape: Escape) {
    match escape {
        Escape::Json => {
            let quoted = serde_json::Value::String(value.to_owned()).to_string();
            out.push_str(quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default());
        }
        Escape::Percent => {
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    out.push_str(&format!("%{byte:02X}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_braces_are_not_slots() {
        let template = Template::parse(r#"{"to":"{to}","opts":{},"text":"{text}","n":{"a":1}}"#).unwrap();
        let made = template.render(&Fill::SAMPLE, Escape::Json);
        let json: serde_json::Value = serde_json::from_str(&made).unwrap();
        assert_eq!(json["text"], Fill::SAMPLE.text);
        assert_eq!(json["to"], "+14155550123");
    }

    #[test]
    fn a_form_value_cannot_break_out() {
        let template = Template::parse("to={to}&text={text}").unwrap();
        let fill = Fill { text: "a&b=c d+é", ..Fill::SAMPLE };
        assert_eq!(template.render(&fill, Escape::Percent), "to=%2B14155550123&text=a%26b%3Dc%20d%2B%C3%A9");
    }

    #[test]
    fn what_fills_a_slot_is_not_read_as_a_template() {
        let template = Template::parse("{text}{id}").unwrap();
        let fill = Fill { text: "{id}", id: "7", ..Fill::SAMPLE };
        assert_eq!(template.render(&fill, Escape::Json), "{id}7");
    }

    #[test]
    fn an_unknown_slot_is_a_fault_with_a_proposal() {
        assert_eq!(Template::parse("{too}").unwrap_err().hint, "did you mean {to}?");
    }
}
