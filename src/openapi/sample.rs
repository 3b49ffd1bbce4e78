//! An example of a schema: its own, or one put together of its members'.

use serde_json::{Map, Value, json};

/// How deep a sample goes before it leaves members out: deeper than any shape of ours.
const DEPTH: u8 = 8;

/// A value that the schema allows; `schemas` are the document's components. `None` where nothing can be said.
pub fn sample(schema: &Value, schemas: &Value) -> Option<Value> {
    at(schema, schemas, DEPTH)
}

/// The schema itself, or what its `$ref` names.
pub fn resolve<'a>(schema: &'a Value, schemas: &'a Value) -> &'a Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.rsplit('/').next());
    name.and_then(|name| schemas.get(name)).unwrap_or(schema)
}

/// The schema's type besides null, where it has one.
pub fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(one) => (one != "null").then_some(one.as_str()),
        Value::Array(several) => several.iter().filter_map(Value::as_str).find(|one| *one != "null"),
        _ => None,
    }
}

fn at(schema: &Value, schemas: &Value, depth: u8) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    if let Some(given) = given(schema) {
        return Some(given);
    }
    let schema = resolve(schema, schemas);
    if let Some(given) = given(schema) {
        return Some(given);
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let objects = parts.iter().filter_map(|part| at(part, schemas, depth)?.as_object().cloned());
        return Some(objects.flatten().collect::<Map<_, _>>().into());
    }
    let choices = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    if let Some(choices) = choices {
        let real = choices.iter().find(|choice| type_of(choice).is_some() || choice.get("type").is_none());
        return at(real.or(choices.first())?, schemas, depth);
    }
    of_type(schema, schemas, depth)
}

fn given(schema: &Value) -> Option<Value> {
    let first = |name: &str| schema.get(name)?.as_array()?.first().cloned();
    schema
        .get("example")
        .cloned()
        .or_else(|| first("examples"))
        .or_else(|| schema.get("const").cloned())
        .or_else(|| first("enum"))
}

fn of_type(schema: &Value, schemas: &Value, depth: u8) -> Option<Value> {
    match type_of(schema)? {
        "object" => Some(object(schema, schemas, depth)),
        "array" => {
            Some(Value::Array(schema.get("items").and_then(|items| at(items, schemas, depth)).into_iter().collect()))
        }
        "string" => Some(text(schema)),
        "integer" | "number" => {
            Some(schema.get("default").or_else(|| schema.get("minimum")).cloned().unwrap_or(json!(1)))
        }
        "boolean" => Some(schema.get("default").cloned().unwrap_or(json!(false))),
        _ => None,
    }
}

fn object(schema: &Value, schemas: &Value, depth: u8) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties
        .filter_map(|(name, member)| Some((name.clone(), at(member, schemas, depth)?)))
        .collect::<Map<_, _>>()
        .into()
}

fn text(schema: &Value) -> Value {
    match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => json!("2026-12-01T08:00:00.000Z"),
        Some("uuid") => json!("0b9a5c1e-6f0d-4c53-9d0f-2f6f1c1f8a11"),
        _ => json!("text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schemas_own_example_wins_over_one_put_together() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "example": {"a": 7}});
        assert_eq!(sample(&schema, &json!({})), Some(json!({"a": 7})));
    }

    #[test]
    fn a_sample_follows_references_choices_and_lists() {
        let schemas =
            json!({"Id": {"type": "string", "examples": ["msg_1"]}, "Loop": {"$ref": "#/components/schemas/Loop"}});
        let schema = json!({"type": "object", "properties": {
            "id": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Id"}]},
            "many": {"type": ["array", "null"], "items": {"type": "string", "format": "date-time"}},
            "kind": {"enum": ["otp", "marketing"]},
        }});
        let want = json!({"id": "msg_1", "many": ["2026-12-01T08:00:00.000Z"], "kind": "otp"});
        assert_eq!(sample(&schema, &schemas), Some(want));
        assert_eq!(sample(&json!({"$ref": "#/components/schemas/Loop"}), &schemas), None);
    }
}
