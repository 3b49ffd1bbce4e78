//! The tables and forms of the console against the OpenAPI document: a member that the API does not have would show as a
//! dash for ever, and a parameter that it does not take would be refused.

use std::collections::BTreeSet;

use postern::console::{Uses, contract};
use serde_json::Value;

fn document() -> Value {
    postern::openapi::document("http://127.0.0.1:8080")
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![schema];
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = document.pointer(reference.trim_start_matches('#')).expect("a schema that is referred to");
        found.extend(resolved(document, target));
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            found.extend(resolved(document, part));
        }
    }
    found
}

/// Whether `pointer` can lead to something in a value of `schema`.
fn leads(document: &Value, schema: &Value, pointer: &str) -> bool {
    let Some(rest) = pointer.strip_prefix('/') else { return true };
    let (step, rest) = rest.split_once('/').map_or((rest, String::new()), |(step, rest)| (step, format!("/{rest}")));
    resolved(document, schema).into_iter().any(|schema| {
        let property = schema.pointer("/properties").and_then(|properties| properties.get(step));
        let item = schema.get("items").filter(|_| step.parse::<usize>().is_ok());
        let any = schema.get("additionalProperties").filter(|any| any.is_object());
        [property, item, any].into_iter().flatten().any(|schema| leads(document, schema, &rest))
    })
}

fn operation<'a>(document: &'a Value, uses: &Uses) -> Option<&'a Value> {
    document.get("paths")?.get(uses.api.replace("{/", "{"))?.get(&uses.method)
}

fn answer(operation: &Value) -> Option<&Value> {
    let responses = operation.get("responses")?.as_object()?;
    let good = responses.iter().find(|(status, _)| status.starts_with('2'))?;
    good.1.pointer("/content/application~1json/schema")
}

fn parameters(document: &Value, operation: &Value) -> BTreeSet<String> {
    let list = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let named = list.flat_map(|one| resolved(document, one)).filter_map(|one| one.get("name")?.as_str());
    named.map(String::from).collect()
}

fn faults_of(document: &Value, uses: &Uses) -> Vec<String> {
    let told = |what: String| format!("{}: {} {} {what}", uses.name, uses.method, uses.api);
    let Some(operation) = operation(document, uses) else { return vec![told(String::from("is no route"))] };
    let known = parameters(document, operation);
    let mut faults: Vec<String> = uses
        .asked
        .iter()
        .filter(|name| !known.contains(**name))
        .map(|name| told(format!("takes no parameter {name}")))
        .collect();
    let body = operation.pointer("/requestBody/content/application~1json/schema");
    let lacks = |name: &&&str| !body.is_some_and(|body| leads(document, body, &format!("/{name}")));
    faults.extend(uses.sent.iter().filter(lacks).map(|name| told(format!("takes no member {name}"))));
    let shown = answer(operation);
    let hidden = |pointer: &&String| !shown.is_some_and(|shown| leads(document, shown, pointer));
    faults.extend(uses.shown.iter().filter(hidden).map(|pointer| told(format!("answers no {pointer}"))));
    faults
}

#[test]
fn every_column_filter_and_field_is_in_the_document() {
    let document = document();
    let faults: Vec<String> = contract().iter().flat_map(|uses| faults_of(&document, uses)).collect();
    assert!(faults.is_empty(), "the console asks what the API does not have:\n  {}", faults.join("\n  "));
}

#[test]
fn names_are_unique() {
    let mut seen = BTreeSet::new();
    let twice: Vec<_> = contract().iter().map(|uses| uses.name).filter(|name| !seen.insert(*name)).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
