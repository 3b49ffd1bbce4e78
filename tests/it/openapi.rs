//! The published contract: the document is what the server does, and the pages are made of it.

use std::collections::BTreeSet;

use postern::error::Code;
use postern::openapi::document;
use serde_json::Value;

use crate::harness::app::TestApp;
use crate::tidy::source::{root, rust_files};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let here =
            METHODS.iter().filter_map(|method| Some((method.to_string(), path.clone(), item.get(*method)?.clone())));
        here.collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn the_document_in_the_repository_is_the_one_the_server_gives() {
    let committed = std::fs::read_to_string(root().join("docs/openapi.json")).unwrap_or_default();
    let now = serde_json::to_string_pretty(&document("/")).unwrap() + "\n";
    assert!(committed == now, "docs/openapi.json is old: postern openapi > docs/openapi.json");
}

/// Every path that a handler names for the document is in it: a room's list of handlers can forget one.
#[test]
fn every_route_of_the_source_is_in_the_document() {
    let known: BTreeSet<String> = operations(&document("/")).into_iter().map(|(_, path, _)| path).collect();
    let named: BTreeSet<String> = rust_files("src").iter().flat_map(|file| paths_named(&file.text)).collect();
    assert_eq!(known, named);
}

fn paths_named(text: &str) -> Vec<String> {
    let after = text.split("#[utoipa::path(").skip(1);
    let lines = after.filter_map(|rest| rest.lines().find_map(|line| line.trim().strip_prefix("path = \"")));
    lines.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

/// And no handler goes without: each route attribute stands below one that describes it, but for pages.
#[test]
fn every_route_attribute_stands_below_a_description() {
    let is_api = |path: &str| !path.ends_with("health.rs") && !path.starts_with("src/console/");
    for file in rust_files("src").iter().filter(|file| is_api(&file.path)) {
        let described = file.text.matches("#[utoipa::path(").count();
        let attributes =
            METHODS.iter().map(|method| file.text.matches(&format!("\n#[{method}(\"")).count()).sum::<usize>();
        assert!(attributes <= described, "{}: {attributes} routes, {described} descriptions", file.path);
    }
}

#[actix_web::test]
async fn every_operation_of_the_document_is_a_route() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    for (method, path, operation) in operations(&document("/")) {
        let caller = if path.starts_with("/v1/admin") { app.operator() } else { tenant.test.clone() };
        let concrete = path.replace("{policy}", "key.minute").replace("{name}", "pro").replace("{code}", "internal");
        let concrete =
            concrete.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>();
        // The live tail would go on for minutes; refused, it ends at once.
        let query = if path.ends_with("/tail") { "?mode=none" } else { "" };
        let path_and_query = format!("{}{query}", concrete.join("/"));
        let reply = caller.call(&method.to_uppercase(), &path_and_query, None).await;
        let is_known =
            reply.status != 405 && reply.json["detail"] != "There is no such route; check the path in the reference.";
        assert!(is_known, "{method} {path}: {} {}", reply.status, reply.text);
        let declared = &operation["responses"];
        assert!(
            declared.get(reply.status.to_string()).is_some(),
            "{method} {path} answers {} undeclared",
            reply.status
        );
    }
}

#[actix_web::test]
async fn a_method_that_a_path_does_not_take_is_405_with_those_it_takes() {
    let app = TestApp::start().await;
    let caller = app.tenant().await.test;
    for (method, path, allow) in [
        ("DELETE", "/v1/messages", "GET, POST, HEAD"),
        ("GET", "/v1/messages/bulk", "POST"),
        ("GET", "/v1/verifications/check", "POST"),
        ("POST", "/v1/errors", "GET, HEAD"),
        ("PATCH", "/docs/errors/internal", "GET, HEAD"),
    ] {
        let reply = caller.call(method, path, None).await.refused(Code::MethodNotAllowed);
        assert_eq!(reply.headers["allow"], allow, "{method} {path}");
    }
    caller.get("/v1/nothing").await.refused(Code::NotFound);
}

#[test]
fn every_operation_has_a_name_an_access_and_examples() {
    let document = document("/");
    let mut names = BTreeSet::new();
    let resolve = |response: &Value| match response["$ref"].as_str() {
        Some(shared) => document.pointer(shared.trim_start_matches('#')).unwrap().clone(),
        None => response.clone(),
    };
    for (method, path, operation) in operations(&document) {
        assert!(names.insert(operation["operationId"].to_string()), "{method} {path}: its name is taken");
        assert!(operation["security"].is_array() && operation["summary"].is_string(), "{method} {path}");
        let responses = operation["responses"].as_object().unwrap().values().map(resolve);
        let bodies = responses.chain([operation["requestBody"].clone()]);
        for body in bodies.filter_map(|holder| holder["content"].as_object().cloned()).flatten() {
            let has_example = body.1.get("example").or_else(|| body.1.get("examples"));
            assert!(has_example.is_some(), "{method} {path}: {} without an example", body.0);
        }
    }
}

#[test]
fn no_two_rooms_publish_one_name_for_two_shapes() {
    let document = document("/").to_string();
    for (name, members) in [("MessageStatus", "\"undelivered\""), ("VerificationStatus", "\"max_checks\"")] {
        assert!(document.contains(&format!("\"{name}\"")) && document.contains(members), "{name}");
    }
    let names = rust_files("src").iter().flat_map(|file| shapes_named(&file.text)).collect::<Vec<_>>();
    let twice: Vec<_> = names.iter().filter(|name| names.iter().filter(|other| other == name).count() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// Names of the structs that derive ToSchema.
fn shapes_named(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut derives = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[derive(") {
            derives = line.contains("ToSchema");
        } else if let Some((_, rest)) = line.split_once("struct ").filter(|_| derives && !line.starts_with("//")) {
            names.push(rest.chars().take_while(|c| c.is_alphanumeric()).collect());
            derives = false;
        }
    }
    names
}

/// `method_not_allowed` answers methods that the document does not have; the others below wait for their features.
#[test]
fn every_error_code_that_is_raised_is_in_some_response() {
    let document = document("/");
    let shared = document["components"]["responses"].to_string();
    let reserved: Vec<Code> = crate::tidy::codes::RESERVED.iter().map(|(code, _)| *code).collect();
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !reserved.contains(code) && **code != Code::MethodNotAllowed)
        .filter(|code| !shared.contains(&format!("\"{code}\"")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[actix_web::test]
async fn the_pages_are_served_without_a_key_and_let_nothing_foreign_in() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    let of_codes = Code::ALL.iter().map(|code| format!("/docs/errors/{code}"));
    let fixed = ["/docs", "/docs/errors", "/docs/limits", "/docs/magic-numbers"].map(String::from);
    for path in fixed.into_iter().chain(of_codes) {
        let page = anyone.get(&path).await.expect(200);
        assert!(page.headers["content-security-policy"].starts_with("default-src 'none'"), "{path}");
        assert!(page.text.contains("</html>") && !page.text.contains("<script"), "{path}");
    }
    let sheet = anyone.get("/docs/style.css").await.expect(200);
    assert!(sheet.headers["content-type"].starts_with("text/css"));
    anyone.get("/docs/errors/nothing").await.refused(Code::NotFound);
}

#[actix_web::test]
async fn the_registry_lists_every_code_with_its_page() {
    let app = TestApp::start().await;
    let reply = app.anonymous().get("/v1/errors").await.expect(200);
    let told: Vec<&str> =
        reply.json["data"].as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!(told, Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>());
    let page = reply.json["data"][0]["docs"].as_str().unwrap();
    assert!(page.ends_with("/docs/errors/validation_failed"), "{page}");
}
