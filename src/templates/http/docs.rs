//! The room's part of the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::{change, read};
use crate::error::Code;
use crate::http::refusals::{BODY, DOOR, OURS, refusals};

/// Every route and shape of the room.
#[derive(OpenApi)]
#[openapi(paths(change::create, read::list, read::show, change::update, change::delete, change::submit))]
pub struct TemplateDocs;

/// What a route that reads may refuse with.
pub(super) struct ReadRefusals;
/// What a route that changes may refuse with.
pub(super) struct ChangeRefusals;

impl IntoResponses for ReadRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &[Code::ValidationFailed, Code::MalformedRequest, Code::NotFound], &OURS].concat())
    }
}

impl IntoResponses for ChangeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, &[Code::NotFound], &OURS].concat())
    }
}
