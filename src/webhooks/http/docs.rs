//! The room's part of the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::{endpoints, events, listeners, work};
use crate::error::Code;
use crate::http::refusals::{BODY, DOOR, OURS, refusals};
pub(super) use crate::http::refusals::{ChangeRefusals, ReadRefusals};

/// Every route and shape of the room.
#[derive(OpenApi)]
#[openapi(paths(
    endpoints::create,
    endpoints::list,
    endpoints::show,
    endpoints::update,
    endpoints::delete,
    work::rotate,
    work::test,
    work::deliveries,
    work::replay,
    events::list,
    events::show,
    events::replay,
    listeners::open,
    listeners::hear,
    listeners::acknowledge,
    listeners::close,
    listeners::make_up,
))]
pub struct WebhookDocs;

/// What a route that takes an address may refuse with.
pub(super) struct MakeRefusals;
/// What a route without an id in its path may refuse with.
pub(super) struct ListenRefusals;

impl IntoResponses for MakeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, &[Code::NotFound, Code::WebhookUrlForbidden], &OURS].concat())
    }
}

impl IntoResponses for ListenRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, &OURS].concat())
    }
}
