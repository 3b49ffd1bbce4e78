//! The room's part of the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::{invoices, payments, topups, wallet};
use crate::error::Code;
pub(super) use crate::http::refusals::ReadRefusals;
use crate::http::refusals::{BODY, DOOR, OURS, refusals};

/// Every route and shape of the room.
#[derive(OpenApi)]
#[openapi(paths(
    wallet::show,
    wallet::transactions,
    wallet::transaction,
    wallet::show_settings,
    wallet::change_settings,
    wallet::spend,
    topups::create,
    topups::list,
    topups::show,
    invoices::list,
    invoices::show,
    payments::receive,
))]
pub struct BillingDocs;

/// What a route that changes may refuse with.
pub(super) struct ChangeRefusals;
/// What the payment webhook may refuse with.
pub(super) struct HookRefusals;

impl IntoResponses for ChangeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, &OURS].concat())
    }
}

impl IntoResponses for HookRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let own = [
            Code::ValidationFailed,
            Code::MalformedRequest,
            Code::PermissionDenied,
            Code::NotFound,
            Code::RequestTimeout,
            Code::PayloadTooLarge,
            Code::RateLimited,
        ];
        refusals(&[own.as_slice(), &OURS].concat())
    }
}
