//! The room's part of the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::{read, start, update};
use crate::error::Code;
use crate::http::problem::Problem;
pub(super) use crate::http::refusals::ReadRefusals;
use crate::http::refusals::{BODY, DOOR, OURS, refusals};

/// Every route and shape of the room.
#[derive(OpenApi)]
#[openapi(
    paths(
        start::create,
        update::check_to,
        read::list,
        read::summary,
        read::show,
        update::check,
        update::resend,
        update::next,
        update::cancel,
    ),
    components(schemas(Problem))
)]
pub struct VerificationDocs;

/// What a route that sends may refuse with.
pub(super) struct SendRefusals;
/// What a route that sends again may refuse with.
pub(super) struct ResendRefusals;
/// What a check may refuse with.
pub(super) struct CheckRefusals;

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
    Code::TemplateNotApproved,
    Code::NumberUnreachable,
    Code::SmsPlanCap,
    Code::OtpNumberLimit,
    Code::WhatsappTierLimit,
    Code::ProviderUnavailable,
];
const KNOWN: [Code; 2] = [Code::NotFound, Code::VerificationAlreadyDecided];

impl IntoResponses for SendRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, SENDING, &OURS].concat())
    }
}

impl IntoResponses for ResendRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, SENDING, &KNOWN, &OURS].concat())
    }
}

impl IntoResponses for CheckRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &BODY, &KNOWN, &OURS].concat())
    }
}
