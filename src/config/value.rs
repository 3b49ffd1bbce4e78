//! The configuration as read, before it has types: a tree of values, each with the line it stands on.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::fault::Wrong;

/// A table, by key.
pub type Table = BTreeMap<String, Entry>;

/// A value and the line of its key, counted from 1.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What was written.
    pub value: Value,
    /// The line of the key; of the value itself inside a list.
    pub line: usize,
}

/// What was written. Not Display: a value may be a secret.
#[derive(Debug, Clone)]
pub enum Value {
    /// Text without a type of its own: a variable of the environment, or a default.
    Word(String),
    /// A TOML string.
    Text(String),
    /// A TOML integer.
    Int(i64),
    /// A TOML boolean.
    Bool,
    /// A TOML array.
    List(Vec<Entry>),
    /// A TOML table.
    Table(Table),
    /// Something no key takes; the name of its type.
    Other(&'static str),
}

impl Value {
    /// The name of the value's type, with its article.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Word(_) => "a text",
            Value::Text(_) => "a string",
            Value::Int(_) => "a number",
            Value::Bool => "a boolean",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(name) => name,
        }
    }

    /// The text of a word or a string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Word(text) | Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as a person reads it. Only for what is no secret.
    pub fn shown(&self) -> Option<String> {
        match self {
            Value::Word(text) | Value::Text(text) => Some(text.clone()),
            Value::Int(number) => Some(number.to_string()),
            Value::List(items) => {
                let items: Option<Vec<String>> = items.iter().map(|item| item.value.shown()).collect();
                items.map(|items| items.join(", "))
            }
            Value::Bool | Value::Table(_) | Value::Other(_) => None,
        }
    }

    /// Reads one TOML value, as variables hold for lists and tables.
    pub fn parse_inline(text: &str) -> Result<Value, Wrong> {
        match DeValue::parse(text) {
            Ok(value) => Ok(convert(value.into_inner(), &Lines::of(text))),
            Err(error) => Err(Wrong::new(
                format!("is not a TOML value: {}", error.message()),
                "write it as in the file, e.g. [{ name = \"a\" }] or { key = \"value\" }",
            )),
        }
    }
}

/// A file's tree, and its faults of syntax, the first of each line.
pub fn parse_file(text: &str) -> (Table, Vec<(usize, String)>) {
    let lines = Lines::of(text);
    let (tree, errors) = DeTable::parse_recoverable(text);
    let faults = errors.iter().map(|error| {
        let at = error.span().map_or(1, |span| lines.at(span.start));
        (at, error.message().to_owned())
    });
    let mut faults: Vec<(usize, String)> = faults.collect();
    faults.sort_by_key(|(line, _)| *line);
    faults.dedup_by_key(|(line, _)| *line);
    (convert_table(tree.into_inner(), &lines), faults)
}

/// Where lines begin, so that a byte offset can be shown as a line.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Lines(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|newline| *newline < offset) + 1
    }
}

fn convert_table(table: DeTable<'_>, lines: &Lines) -> Table {
    let entry = |(key, value): (toml::Spanned<_>, toml::Spanned<DeValue<'_>>)| {
        let line = lines.at(key.span().start);
        let name: std::borrow::Cow<'_, str> = key.into_inner();
        (name.into_owned(), Entry { value: convert(value.into_inner(), lines), line })
    };
    table.into_iter().map(entry).collect()
}

fn convert(value: DeValue<'_>, lines: &Lines) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number too large to hold"), Value::Int),
        DeValue::Float(_) => Value::Other("a decimal number"),
        DeValue::Boolean(_) => Value::Bool,
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(items) => Value::List(
            items
                .into_iter()
                .map(|item| {
                    let line = lines.at(item.span().start);
                    Entry { value: convert(item.into_inner(), lines), line }
                })
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(convert_table(table, lines)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_line() {
        let (tree, faults) = parse_file("a = 1\n\n[server]\nbind = \"x\"\n[[carriers]]\nname = \"y\"\n");
        assert!(faults.is_empty());
        assert_eq!(tree["a"].line, 1);
        assert_eq!(tree["server"].line, 3);
        let Value::Table(server) = &tree["server"].value else { panic!("{tree:?}") };
        assert_eq!(server["bind"].line, 4);
        let Value::List(carriers) = &tree["carriers"].value else { panic!("{tree:?}") };
        let Value::Table(first) = &carriers[0].value else { panic!("{tree:?}") };
        assert_eq!(first["name"].line, 6);
    }

    #[test]
    fn every_fault_of_syntax_is_found_with_its_line() {
        let (_, faults) = parse_file("a = \nb = 2\nc = = 3\n");
        assert_eq!(faults.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 3]);
    }
}
