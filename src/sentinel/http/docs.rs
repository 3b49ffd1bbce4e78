//! The sentinel's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{decisions, holds, settings};
pub(super) use crate::http::refusals::{ChangeRefusals, ReadRefusals};

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
