//! The room's part of the OpenAPI document.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response};
use utoipa::{IntoResponses, OpenApi, ToSchema};

use super::{activity, coals, limits, read, sandbox, send, update};
use crate::error::Code;
use crate::http::problem::Problem;
pub(super) use crate::http::refusals::ReadRefusals;
use crate::http::refusals::{BODY, DOOR, OURS, refusals};
use crate::messages::body::SendBody;

/// Every route and shape of the room.
#[derive(OpenApi)]
#[openapi(
    paths(
        send::create,
        send::create_bulk,
        read::list,
        read::show,
        read::events,
        read::show_batch,
        update::cancel,
        update::feedback,
        activity::list,
        limits::list_limits,
        sandbox::list_sandbox,
        coals::send,
        coals::send_bulk,
    ),
    components(schemas(Problem, CoalsFault, SendBody))
)]
pub struct MessageDocs;

/// What a route that sends may refuse with.
pub(super) struct SendRefusals;
/// What a route that changes may refuse with.
pub(super) struct ChangeRefusals;
/// What a route of the coals dialect may refuse with.
pub(super) struct CoalsRefusals;

const SENDING: &[Code] = &[
    Code::InsufficientBalance,
    Code::SpendCapReached,
    Code::SubscriptionPastDue,
    Code::FreePlanExhausted,
    Code::KybNotVerified,
    Code::DestinationNotAllowed,
    Code::RecipientOptedOut,
    Code::FraudBlocked,
    Code::FraudChallengeRequired,
    Code::ChannelNotEnabled,
    Code::WhatsappSessionClosed,
    Code::TemplateNotApproved,
    Code::NumberUnreachable,
    Code::BatchTooLargeForPlan,
    Code::SmsPlanCap,
    Code::OtpNumberLimit,
    Code::WhatsappTierLimit,
    Code::WhatsappPairLimit,
    Code::ProviderUnavailable,
];

impl IntoResponses for SendRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, SENDING, &OURS].concat())
    }
}

impl IntoResponses for ChangeRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, &[Code::NotFound, Code::MessageNotCancelable], &OURS].concat())
    }
}

/// An error in the coals dialect.
#[derive(Serialize, ToSchema)]
pub(super) struct CoalsFault {
    /// Always false.
    success: bool,
    /// What went wrong.
    error: CoalsError,
}

/// What went wrong, in the coals dialect.
#[derive(Serialize, ToSchema)]
pub(super) struct CoalsError {
    /// The word to match on.
    #[schema(example = "RATE_LIMIT_EXCEEDED")]
    code: String,
    /// A sentence for a person.
    #[schema(example = "Rate limit exceeded. Retry after 42 seconds.")]
    message: String,
}

impl IntoResponses for CoalsRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        SendRefusals::responses()
            .into_iter()
            .map(|(status, response)| {
                let fault = ContentBuilder::new().schema(Some(Ref::from_schema_name("CoalsFault"))).build();
                let mut told = match response {
                    RefOr::T(response) => response,
                    RefOr::Ref(_) => Response::default(),
                };
                told.content = [(String::from("application/json"), RefOr::T(fault))].into_iter().collect();
                (status, RefOr::T(told))
            })
            .collect()
    }
}
