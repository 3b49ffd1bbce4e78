//! The room's part of the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::{act, contacts, create, read};
use crate::error::Code;
pub(super) use crate::http::refusals::ReadRefusals;
use crate::http::refusals::{BODY, DOOR, OURS, refusals};

/// Every route and shape of the room.
#[derive(OpenApi)]
#[openapi(paths(
    create::create,
    read::list,
    read::show,
    read::progress,
    contacts::add,
    contacts::list,
    act::start,
    act::schedule,
    act::pause,
    act::resume,
    act::cancel,
))]
pub struct BroadcastDocs;

/// What a route that changes may refuse with.
pub(super) struct ChangeRefusals;

impl IntoResponses for ChangeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(
            &[DOOR.as_slice(), &BODY, &[Code::NotFound, Code::BroadcastNotEditable, Code::TemplateNotApproved], &OURS]
                .concat(),
        )
    }
}
