//! The sentinel's part of the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::{decisions, holds, settings};
use crate::error::Code;
use crate::http::refusals::{BODY, DOOR, OURS, refusals};

/// Every tenants' route and shape of the room.
#[derive(OpenApi)]
#[openapi(paths(
    decisions::list_decisions,
    decisions::show,
    holds::list_own_holds,
    settings::show_settings,
    settings::change_settings,
))]
pub struct SentinelDocs;

/// What a route that reads may refuse with.
pub(super) struct ReadRefusals;
/// What a route that changes may refuse with.
pub(super) struct ChangeRefusals;

impl IntoResponses for ReadRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let own = [Code::ValidationFailed, Code::MalformedRequest, Code::NotFound];
        refusals(&[DOOR.as_slice(), &own, &OURS].concat())
    }
}

impl IntoResponses for ChangeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, &[Code::NotFound], &OURS].concat())
    }
}
