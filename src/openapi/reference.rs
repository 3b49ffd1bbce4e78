//! The reference page, made of the document: operations by tag, each with parameters, shapes, examples and a curl.

use askama::Template;
use serde_json::Value;

use super::finish::operations;
use super::prose::{inline, paragraphs, pretty};
use super::sample::{resolve, sample};
use super::shape::{Row, kind, rows};
use crate::http::refusals::ERROR_CODES;

#[derive(Template)]
#[template(path = "docs/reference.html")]
struct Reference {
    version: String,
    about: String,
    groups: Vec<Group>,
}

struct Group {
    name: String,
    anchor: String,
    about: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    about: String,
    access: &'static str,
    params: Vec<Row>,
    body: Option<Body>,
    curl: String,
    answers: Vec<Answer>,
    refusals: Vec<Answer>,
}

/// A body: what it is made of and what it may look like.
struct Body {
    media: String,
    rows: Vec<Row>,
    example: String,
}

struct Answer {
    status: String,
    about: String,
    codes: Vec<String>,
    body: Option<Body>,
}

/// The page of `document`, whose curls call `base`.
///
/// # Errors
/// Where the template cannot be written.
pub fn page(document: &Value, base: &str) -> askama::Result<String> {
    let info = document.get("info").unwrap_or(&Value::Null);
    let groups = document.get("tags").and_then(Value::as_array).into_iter().flatten();
    let groups = groups.map(|tag| group(document, tag, base)).filter(|group| !group.operations.is_empty());
    let page = Reference {
        version: text(info, "version").to_owned(),
        about: paragraphs(text(info, "description")),
        groups: groups.collect(),
    };
    page.render()
}

fn group(document: &Value, tag: &Value, base: &str) -> Group {
    let name = text(tag, "name");
    let of_tag =
        |operation: &Value| operation.get("tags").and_then(|tags| tags.get(0)).and_then(Value::as_str) == Some(name);
    let mut own: Vec<_> = operations(document).filter(|(_, _, operation)| of_tag(operation)).collect();
    own.sort_by_key(|(method, path, _)| (path.matches('/').count(), *path, *method != "post"));
    let own = own.into_iter();
    Group {
        name: name.to_owned(),
        anchor: name.to_lowercase().replace([' ', ':'], "-"),
        about: inline(text(tag, "description")),
        operations: own.map(|(method, path, value)| operation(document, Route { method, path, base }, value)).collect(),
    }
}

struct Route<'a> {
    method: &'a str,
    path: &'a str,
    base: &'a str,
}

fn operation(document: &Value, route: Route<'_>, value: &Value) -> Operation {
    let component = |kind: &str| document.pointer(&format!("/components/{kind}")).unwrap_or(&Value::Null);
    let (schemas, shared) = (component("schemas"), component("responses"));
    let body = value.get("requestBody").and_then(|body| body_of(body, schemas));
    let responses = value.get("responses").and_then(Value::as_object).into_iter().flatten();
    let told = responses.map(|(status, response)| answer(status, resolve(response, shared), schemas));
    let (summary, more) = text(value, "summary").split_once(". ").unwrap_or((text(value, "summary"), ""));
    let (refusals, answers) = told.partition(|answer| !answer.codes.is_empty());
    Operation {
        id: text(value, "operationId").to_owned(),
        method: route.method.to_uppercase(),
        path: route.path.to_owned(),
        summary: summary.trim_end_matches('.').to_owned(),
        about: paragraphs(&format!("{more}\n\n{}", text(value, "description"))),
        access: access(value),
        params: params(value).map(|param| param_row(param, schemas)).collect(),
        curl: curl(&route, value, schemas),
        body,
        answers,
        refusals,
    }
}

/// Those of its own: what all share is told once, at the top.
fn params(operation: &Value) -> impl Iterator<Item = &Value> {
    let all = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    all.filter(|param| param.get("$ref").is_none())
}

fn param_row(param: &Value, schemas: &Value) -> Row {
    let schema = param.get("schema").unwrap_or(&Value::Null);
    Row {
        name: text(param, "name").to_owned(),
        kind: format!("{}: {}", text(param, "in"), kind(schema, schemas)),
        required: param.get("required").and_then(Value::as_bool).unwrap_or(false),
        about: inline(text(param, "description")),
    }
}

fn answer(status: &str, response: &Value, schemas: &Value) -> Answer {
    let codes = response.get(ERROR_CODES).and_then(Value::as_array).into_iter().flatten();
    Answer {
        status: status.to_owned(),
        about: inline(text(response, "description")),
        codes: codes.filter_map(Value::as_str).map(String::from).collect(),
        body: body_of(response, schemas),
    }
}

fn body_of(holder: &Value, schemas: &Value) -> Option<Body> {
    let (media, content) = holder.get("content")?.as_object()?.iter().next()?;
    let schema = content.get("schema").unwrap_or(&Value::Null);
    let example = match content.get("example") {
        Some(Value::String(text)) => text.clone(),
        Some(example) => pretty(example),
        None => String::new(),
    };
    Some(Body { media: media.clone(), rows: rows(schema, schemas), example })
}

fn access(operation: &Value) -> &'static str {
    let needs = operation.get("security").and_then(Value::as_array);
    let has = |scheme| needs.into_iter().flatten().any(|need| need.get(scheme).is_some());
    if has("api_key") {
        "API key"
    } else if has("operator_token") {
        "Operator token"
    } else {
        "Public"
    }
}

/// A call that works when pasted, once its variable is set.
fn curl(route: &Route<'_>, operation: &Value, schemas: &Value) -> String {
    let path =
        params(operation).filter(|param| text(param, "in") == "path").fold(route.path.to_owned(), |path, param| {
            path.replace(&format!("{{{}}}", text(param, "name")), &example_text(param, schemas))
        });
    let method = if route.method == "get" { String::new() } else { format!(" -X {}", route.method.to_uppercase()) };
    let mut lines = vec![format!("curl -s{method} {}{path}", route.base)];
    match access(operation) {
        "API key" => lines.push("-H \"Authorization: Bearer $POSTERN_API_KEY\"".into()),
        "Operator token" => lines.push("-H \"Authorization: Bearer $POSTERN_OPERATOR_TOKEN\"".into()),
        _ => {}
    }
    let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
    if let Some((media, content)) = content.and_then(|content| content.iter().next()) {
        let example = content.get("example").unwrap_or(&Value::Null);
        let body = example.as_str().map_or_else(|| example.to_string(), String::from);
        lines.push(format!("-H 'Content-Type: {media}'"));
        lines.push(format!("-d '{}'", body.replace('\'', "'\\''")));
    }
    lines.join(" \\\n  ")
}

fn example_text(param: &Value, schemas: &Value) -> String {
    let given = param.get("example").cloned().or_else(|| sample(param.get("schema")?, schemas));
    match given {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::from("…"),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::document;

    #[test]
    fn the_page_shows_every_operation_with_a_curl_and_loads_nothing_foreign() {
        let document = document("/");
        let page = page(&document, "https://otp.example.com").unwrap();
        for (_, path, operation) in operations(&document) {
            assert!(page.contains(&format!("id=\"{}\"", text(operation, "operationId"))), "{path}");
        }
        assert!(page.contains("curl -s -X POST https://otp.example.com/v1/messages \\"));
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("src="));
    }
}
