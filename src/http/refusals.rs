//! The error responses of the OpenAPI document, made of the registry: each status with the codes it may carry.

use std::collections::BTreeMap;

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema};

use crate::error::Code;
use crate::http::problem::Dialect;

/// The extension of a response that lists the codes it may carry.
pub const ERROR_CODES: &str = "x-error-codes";

/// What the door in front of every tenant's route may refuse with.
pub const DOOR: [Code; 7] = [
    Code::Unauthenticated,
    Code::KeyRevoked,
    Code::KeyExpired,
    Code::PermissionDenied,
    Code::OrganizationSuspended,
    Code::RateLimited,
    Code::QuotaDailyExceeded,
];

/// What may go wrong with a body and an idempotency key.
pub const BODY: [Code; 7] = [
    Code::ValidationFailed,
    Code::MalformedRequest,
    Code::RequestTimeout,
    Code::IdempotencyMismatch,
    Code::IdempotencyInFlight,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
];

/// What is our own fault.
pub const OURS: [Code; 3] = [Code::Internal, Code::Overloaded, Code::StorageFull];

/// Responses for `codes`, one a status; their description lists each code with its sentence. For
/// `impl utoipa::IntoResponses`.
pub fn refusals(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    refusals_in(Dialect::Canonical, codes)
}

/// The same for routes that speak another dialect.
pub fn refusals_in(dialect: Dialect, codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut told: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        told.entry(code.entry().status).or_default().push(*code);
    }
    told.into_iter().map(|(status, codes)| (status.to_string(), RefOr::T(response(dialect, &codes)))).collect()
}

/// What a tenant's route that lists or shows may refuse with.
pub struct ReadRefusals;

impl IntoResponses for ReadRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &[Code::ValidationFailed, Code::MalformedRequest, Code::NotFound], &OURS].concat())
    }
}

/// What a tenant's route that changes something of its own, named in the path, may refuse with.
pub struct ChangeRefusals;

impl IntoResponses for ChangeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, &[Code::NotFound], &OURS].concat())
    }
}

fn response(dialect: Dialect, codes: &[Code]) -> Response {
    let lines: Vec<String> = codes.iter().map(|code| format!("`{code}`: {}", code.entry().sentence)).collect();
    let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let problem = match dialect {
        Dialect::ActivationText => {
            let word = codes.first().map_or("", |code| code.entry().text_code);
            ContentBuilder::new().schema(Some(String::schema())).example(Some(word.into())).build()
        }
        _ => ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
    };
    ResponseBuilder::new()
        .description(lines.join("\n\n"))
        .content(dialect.content_type(), problem)
        .extensions(Some(Extensions::builder().add(ERROR_CODES, names).build()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_one_status_share_a_response() {
        let made = refusals(&[Code::Unauthenticated, Code::KeyRevoked, Code::NotFound]);
        assert_eq!(made.keys().collect::<Vec<_>>(), ["401", "404"]);
        let RefOr::T(both) = &made["401"] else { panic!("must be written out") };
        assert!(both.description.contains("`unauthenticated`") && both.description.contains("`key_revoked`"));
    }
}
