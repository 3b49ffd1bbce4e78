//! The room's part of the OpenAPI document. Its errors speak the dialect that activation clients expect.

use std::collections::BTreeMap;

use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::{act, catalog, orders};
use crate::activations::classic;
use crate::error::Code;
use crate::http::problem::Dialect;
use crate::http::refusals::{BODY, DOOR, OURS, refusals_in};

/// Every route and shape of the room.
#[derive(OpenApi)]
#[openapi(paths(
    orders::create,
    orders::list,
    orders::show,
    act::ready,
    act::retry,
    act::complete,
    act::cancel,
    catalog::list_services,
    catalog::list_countries,
    classic::by_get,
    classic::by_post,
))]
pub struct ActivationDocs;

fn told(codes: &[&[Code]]) -> BTreeMap<String, RefOr<Response>> {
    refusals_in(Dialect::ActivationRest, &codes.concat())
}

/// What an order may be refused with.
pub(super) struct OrderRefusals;

impl IntoResponses for OrderRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        const OWN: [Code; 3] = [Code::NotFound, Code::InsufficientBalance, Code::SubscriptionPastDue];
        told(&[&DOOR, &BODY, &OWN, &OURS])
    }
}

/// What a change may be refused with.
pub(super) struct ActRefusals;

impl IntoResponses for ActRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        const OWN: [Code; 3] = [Code::NotFound, Code::ActivationAlreadyCompleted, Code::ActivationTooEarly];
        told(&[&DOOR, &BODY, &OWN, &OURS])
    }
}

/// What a list or a look may be refused with.
pub(super) struct LookRefusals;

impl IntoResponses for LookRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        told(&[&DOOR, &[Code::ValidationFailed, Code::MalformedRequest, Code::NotFound], &OURS])
    }
}

/// What the catalog may be refused with.
pub(super) struct CatalogRefusals;

impl IntoResponses for CatalogRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        told(&[&[Code::ValidationFailed, Code::MalformedRequest, Code::NotFound], &OURS])
    }
}
