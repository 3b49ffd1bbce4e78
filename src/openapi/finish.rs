//! What every operation shares: ways to sign in, headers of every response, an example for every body.

use serde_json::{Map, Value, json};

use super::errors;
use super::links::add_links;
use super::sample::sample;
use crate::error::Code;
use crate::http::refusals::ERROR_CODES;

/// Methods an operation may have in a path item (OpenAPI 3.1, section 4.8.9).
pub const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// How the limits stand, on every answer.
const RATE_HEADERS: [&str; 5] =
    ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit"];

/// The header `X-RateLimit-Reset` of the activations, among the components.
const ISO_RESET: &str = "X-RateLimit-Reset-ISO";

/// The request header of every operation whose refusals carry a sentence.
const ACCEPT_LANGUAGE: &str = "Accept-Language";

/// Completes a merged document.
pub fn finish(document: &mut Value) {
    let mut components = document.get("components").cloned().unwrap_or_else(|| json!({}));
    put(&mut components, "securitySchemes", security_schemes());
    put(&mut components, "headers", headers());
    put(&mut components, "parameters", json!({ACCEPT_LANGUAGE: accept_language()}));
    put(&mut components, "examples", error_examples());
    for schema in members_mut(components.get_mut("schemas")) {
        if let Some(key) = schema.pointer_mut("/properties/idempotency_key") {
            bound_key(key, json!(["string", "null"]));
        }
    }
    let schemas = components.get("schemas").cloned().unwrap_or_default();
    let mut refusals = Refusals::default();
    for operation in operations_mut(document) {
        finish_operation(operation, &schemas);
        add_links(operation);
        refusals.share(operation);
    }
    put(&mut components, "responses", refusals.0.into());
    put(document, "components", components);
}

/// Refusals that many operations share, under `components/responses`: the document is a third as large for it.
#[derive(Default)]
struct Refusals(Map<String, Value>);

impl Refusals {
    fn share(&mut self, operation: &mut Value) {
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten();
        for (status, response) in responses.filter(|(_, response)| response.get(ERROR_CODES).is_some()) {
            let name = self.name_of(status, response);
            *response = json!({"$ref": format!("#/components/responses/{name}")});
        }
    }

    fn name_of(&mut self, status: &str, response: &Value) -> String {
        let mut number = 1;
        loop {
            let name = format!("refused_{status}_{number}");
            match self.0.get(&name) {
                None => self.0.insert(name.clone(), response.clone()),
                Some(known) if known != response => {
                    number += 1;
                    continue;
                }
                Some(_) => None,
            };
            return name;
        }
    }
}

/// Every operation of a document with its method and path, in the document's order.
pub fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let of = move |method| item.get(method).map(|operation| (method, path.as_str(), operation));
        METHODS.into_iter().filter_map(of)
    })
}

fn operations_mut(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    let items = paths.filter_map(|(_, item)| item.as_object_mut()).flatten();
    items.filter(|(name, _)| METHODS.contains(&name.as_str())).map(|(_, item)| item)
}

fn finish_operation(operation: &mut Value, schemas: &Value) {
    if is_secured_by(operation, "api_key") {
        put(operation, "security", json!([{"api_key": []}, {"api_key_header": []}]));
    }
    let takes_key = bound_key_header(operation);
    let has_iso_reset = is_activation(operation);
    for content in bodies(operation.get_mut("requestBody")) {
        give_example(content, schemas);
    }
    if has_sentences(operation) {
        take_language(operation);
    }
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten();
    for (status, response) in responses {
        finish_response(response, &HeadersOf { status, takes_key, has_iso_reset });
        let codes = response.get(ERROR_CODES).cloned();
        for content in bodies(Some(&mut *response)) {
            match codes.as_ref().filter(|_| content.get("schema").is_some_and(is_problem)) {
                Some(codes) => give_error_examples(content, codes),
                None => give_example(content, schemas),
            }
        }
    }
}

/// What decides which headers a response has.
struct HeadersOf<'a> {
    status: &'a str,
    takes_key: bool,
    has_iso_reset: bool,
}

/// Activations say when a limit resets as their clients know it.
fn is_activation(operation: &Value) -> bool {
    let tags = operation.get("tags").and_then(Value::as_array).into_iter().flatten();
    tags.into_iter().any(|tag| tag == "Activations")
}

fn finish_response(response: &mut Value, of: &HeadersOf<'_>) {
    let mut names = [["X-Request-Id"].as_slice(), &RATE_HEADERS].concat();
    if matches!(of.status, "429" | "503") {
        names.push("Retry-After");
    }
    if is_told(response) {
        names.push("Content-Language");
    }
    if of.takes_key && of.status.starts_with('2') {
        names.push("Idempotent-Replayed");
    }
    let mut headers = response.get("headers").and_then(Value::as_object).cloned().unwrap_or_default();
    for name in names {
        let shared = if of.has_iso_reset && name == "X-RateLimit-Reset" { ISO_RESET } else { name };
        headers.insert(name.into(), json!({"$ref": format!("#/components/headers/{shared}")}));
    }
    put(response, "headers", headers.into());
}

/// Whether a response is a refusal with a sentence; the words of the text endpoint have none.
fn is_told(response: &Value) -> bool {
    let content = response.get("content").and_then(Value::as_object);
    response.get(ERROR_CODES).is_some()
        && content.is_some_and(|content| !content.contains_key("text/plain; charset=utf-8"))
}

fn has_sentences(operation: &Value) -> bool {
    let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    responses.into_iter().any(|(_, response)| is_told(response))
}

fn take_language(operation: &mut Value) {
    let shared = json!({"$ref": format!("#/components/parameters/{ACCEPT_LANGUAGE}")});
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(params) => params.push(shared),
        None => put(operation, "parameters", json!([shared])),
    }
}

fn is_secured_by(operation: &Value, scheme: &str) -> bool {
    let needs = operation.get("security").and_then(Value::as_array).into_iter().flatten();
    needs.into_iter().any(|need| need.get(scheme).is_some())
}

/// Says what an idempotency key may be, where the operation takes one.
fn bound_key_header(operation: &mut Value) -> bool {
    let params = operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten();
    let is_key = |param: &&mut Value| {
        param.get("name").and_then(Value::as_str).is_some_and(|name| name.ends_with("Idempotency-Key"))
    };
    let Some(param) = params.into_iter().find(is_key) else { return false };
    let mut schema = json!({});
    bound_key(&mut schema, json!("string"));
    put(param, "schema", schema);
    true
}

/// As `http::IdempotencyKey` reads it.
fn bound_key(schema: &mut Value, kind: Value) {
    put(schema, "type", kind);
    put(schema, "minLength", 1.into());
    put(schema, "maxLength", 255.into());
    put(schema, "pattern", "^[!-~]+$".into());
    put(schema, "examples", json!(["8f14e45f-ceea-467f-a0e6-4f2e2a1f0b77"]));
}

fn members_mut(holder: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    holder.and_then(Value::as_object_mut).into_iter().flatten().map(|(_, member)| member)
}

fn bodies(holder: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    let content = holder.and_then(|holder| holder.get_mut("content")).and_then(Value::as_object_mut);
    content.into_iter().flatten().map(|(_, media)| media)
}

fn is_problem(schema: &Value) -> bool {
    schema.get("$ref").and_then(Value::as_str) == Some("#/components/schemas/Problem")
}

fn give_example(media: &mut Value, schemas: &Value) {
    if media.get("example").is_some() || media.get("examples").is_some() {
        return;
    }
    if let Some(example) = media.get("schema").and_then(|schema| sample(schema, schemas)) {
        put(media, "example", example);
    }
}

fn give_error_examples(media: &mut Value, codes: &Value) {
    let codes = codes.as_array().into_iter().flatten().filter_map(Value::as_str);
    let of = |code: &str| (code.to_owned(), json!({"$ref": format!("#/components/examples/{code}")}));
    put(media, "examples", codes.map(of).collect::<Map<_, _>>().into());
}

fn put(holder: &mut Value, name: &str, value: Value) {
    if let Some(members) = holder.as_object_mut() {
        members.insert(name.into(), value);
    }
}

fn security_schemes() -> Value {
    json!({
        "api_key": {"type": "http", "scheme": "bearer",
            "description": "An API key: `pst_live_…`, or `pst_test_…` which never reaches a carrier."},
        "api_key_header": {"type": "apiKey", "in": "header", "name": "X-API-Key",
            "description": "The same key where Authorization is taken."},
        "operator_token": {"type": "http", "scheme": "bearer",
            "description": "An operator's token: `pst_opr_…`. Its operator's role says what it may do."},
    })
}

fn accept_language() -> Value {
    json!({"name": ACCEPT_LANGUAGE, "in": "header", "required": false, "schema": {"type": "string"},
        "description": "The languages of who reads an error (RFC 9110, section 12.5.4): `detail` comes in the first that is here.",
        "example": "pt-BR, pt;q=0.9"})
}

fn headers() -> Value {
    let text =
        |about: &str, example: &str| json!({"description": about, "schema": {"type": "string"}, "example": example});
    let count = |about: &str, example: u64| json!({"description": about, "schema": {"type": "integer", "minimum": 0}, "example": example});
    let mut all = json!({
        "X-RateLimit-Limit": count("What the policy that binds allows in its window.", 60),
        "X-RateLimit-Remaining": count("What is left of it.", 59),
        "X-RateLimit-Reset": count("When all of it is free again, Unix seconds.", 1_796_112_000),
        "RateLimit-Policy": text("Every policy that applies: quota and window in seconds.", "\"key.minute\";q=60;w=60"),
        "RateLimit": text("Every policy that applies: what is left, and seconds until all of it is free.", "\"key.minute\";r=59;t=60"),
        "Content-Language": text("The language of the sentence; `de, en` where facts beside it are in English.", "en"),
        "X-RateLimit-Reset-ISO": text("When all of it is free again, RFC 3339.", "2026-12-01T08:00:00.000Z"),
        "Retry-After": count("Whole seconds; a request sent then succeeds if nothing else was sent.", 137),
        "Idempotent-Replayed": {"description": "`true` where this is the stored answer to an earlier request with the same key.",
            "schema": {"type": "string", "const": "true"}, "example": "true"},
        "X-Request-Id": {"description": "The id of this request; quote it when you ask for help. An id of your own goes into `X-Client-Request-Id` (1 to 128 visible ASCII characters): it is kept beside this one.", "required": true,
            "schema": {"type": "string", "format": "uuid"}, "example": errors::REQUEST_ID},
    });
    if let Some(wait) = all.get_mut("Retry-After") {
        put(wait, "required", true.into());
    }
    all
}

fn error_examples() -> Value {
    let of = |code: &Code| {
        (code.to_string(), json!({"summary": code.entry().sentence, "value": errors::example(*code, "")}))
    };
    Code::ALL.iter().map(of).collect::<Map<_, _>>().into()
}
