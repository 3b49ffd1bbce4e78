//! The room's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{change, read};
pub(super) use crate::http::refusals::{ChangeRefusals, ReadRefusals};

/// Every route and shape of the room.
#[derive(OpenApi)]
#[openapi(paths(change::create, read::list, read::show, change::update, change::delete, change::submit))]
pub struct TemplateDocs;
