//! A schema as the rows of a table: one member a row, nested ones by their path.

use serde_json::Value;

use super::prose::inline;
use super::sample::{resolve, type_of};

/// How deep rows go; below, the example has to do.
const DEPTH: u8 = 4;

/// One member.
pub struct Row {
    /// Its path, e.g. `price.amount` or `data[].id`.
    pub name: String,
    /// Its type in words.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it is, as HTML.
    pub about: String,
}

/// The rows of an object's schema; none for a schema that is no object.
pub fn rows(schema: &Value, schemas: &Value) -> Vec<Row> {
    let mut found = Vec::new();
    collect(&mut found, Place { schema, prefix: "", depth: DEPTH }, schemas);
    found
}

/// A schema's type in words, with what it is bound to.
pub fn kind(schema: &Value, schemas: &Value) -> String {
    if let Some(of) = real_choices(schema) {
        let words: Vec<String> = of.iter().map(|choice| kind(choice, schemas)).collect();
        return words.join(" or ");
    }
    let schema = resolve(schema, schemas);
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(|word| word.to_string()).collect::<Vec<_>>().join(", ");
    }
    match (type_of(schema), schema.get("items")) {
        (Some("array"), Some(items)) => format!("list of {}", kind(items, schemas)),
        (Some(one), _) => format!("{one}{}", bounds(schema)),
        (None, _) if schema.get("oneOf").or_else(|| schema.get("anyOf")).is_some() => real_choices(schema)
            .unwrap_or_default()
            .iter()
            .map(|choice| kind(choice, schemas))
            .collect::<Vec<_>>()
            .join(" or "),
        (None, _) => String::from("object"),
    }
}

struct Place<'a> {
    schema: &'a Value,
    prefix: &'a str,
    depth: u8,
}

fn collect(found: &mut Vec<Row>, place: Place<'_>, schemas: &Value) {
    let Some(depth) = place.depth.checked_sub(1) else { return };
    let schema = resolve(place.schema, schemas);
    let parts: Vec<&Value> = schema.get("allOf").and_then(Value::as_array).into_iter().flatten().collect();
    for part in &parts {
        collect(found, Place { schema: part, ..place }, schemas);
    }
    let must = parts.iter().flat_map(|part| required(part)).map(|name| path_of(place.prefix, name)).collect::<Vec<_>>();
    found.iter_mut().filter(|row| must.contains(&row.name)).for_each(|row| row.required = true);
    if let Some([only]) = real_choices(schema).as_deref() {
        collect(found, Place { schema: only, ..place }, schemas);
    }
    if let Some(items) = schema.get("items") {
        collect(found, Place { schema: items, prefix: &format!("{}[]", place.prefix), depth }, schemas);
    }
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = path_of(place.prefix, name);
        found.push(Row {
            name: path.clone(),
            kind: kind(member, schemas),
            required: required.contains(&name.as_str()),
            about: inline(about(member, schemas)),
        });
        collect(found, Place { schema: member, prefix: &path, depth }, schemas);
    }
}

fn required(schema: &Value) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn path_of(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

fn about<'a>(member: &'a Value, schemas: &'a Value) -> &'a str {
    let own = member.get("description").and_then(Value::as_str);
    let choices = || member.get("oneOf").or_else(|| member.get("anyOf"))?.as_array();
    let of_choice = || choices()?.iter().find_map(|choice| choice.get("description")?.as_str());
    let of = || resolve(member, schemas).get("description").and_then(Value::as_str);
    own.or_else(of_choice).or_else(of).unwrap_or_default()
}

/// The choices besides null.
fn real_choices(schema: &Value) -> Option<Vec<Value>> {
    let choices = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    let is_null = |choice: &&Value| choice.get("type").and_then(Value::as_str) == Some("null");
    Some(choices.iter().filter(|choice| !is_null(choice)).cloned().collect())
}

fn bounds(schema: &Value) -> String {
    let number = |name: &str| schema.get(name).filter(|bound| bound.is_number()).map(Value::to_string);
    let format = schema.get("format").and_then(Value::as_str).filter(|format| !format.starts_with("int"));
    let range = match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        _ => None,
    };
    let length = number("maxLength").map(|most| format!("at most {most} characters"));
    let said: Vec<String> = format.map(String::from).into_iter().chain(range).chain(length).collect();
    if said.is_empty() { String::new() } else { format!(", {}", said.join(", ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_members_have_a_row_each_under_their_path() {
        let schemas = json!({"Price": {"type": "object", "description": "What it costs",
            "required": ["amount"], "properties": {"amount": {"type": "string", "maxLength": 9}}}});
        let schema = json!({"type": "object", "properties": {
            "price": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Price"}]},
            "data": {"type": "array", "items": {"type": "object", "properties": {"id": {"enum": ["a", "b"]}}}},
        }});
        let told: Vec<_> = rows(&schema, &schemas).into_iter().map(|row| (row.name, row.kind, row.required)).collect();
        let row = |name: &str, kind: &str, required| (name.to_owned(), kind.to_owned(), required);
        let want = [
            row("data", "list of \"a\", \"b\"", false),
            row("data[].id", "\"a\", \"b\"", false),
            row("price", "object", false),
            row("price.amount", "string, at most 9 characters", true),
        ];
        assert_eq!(told[1..], want[1..]);
        assert_eq!(told[0].0, "data");
    }
}
