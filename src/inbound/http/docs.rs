//! The room's part of the OpenAPI document.

use utoipa::OpenApi;

use super::{messages, opt_outs};
pub(super) use crate::http::refusals::{ChangeRefusals, ReadRefusals};

/// Every route and shape of the room.
#[derive(OpenApi)]
#[openapi(paths(messages::list, messages::show, messages::make_up, opt_outs::list, opt_outs::add, opt_outs::remove))]
pub struct InboundDocs;
