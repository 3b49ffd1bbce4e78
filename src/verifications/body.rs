//! The wire shapes of requests about verifications. Unknown members are refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::state::{ResendPolicy, Status};
use crate::clock::{Millis, Span};
use crate::messages::ClientBody;
use crate::terms::Channel;

/// A request to verify a number or a mail address.
#[derive(Deserialize, ToSchema, Default, Clone)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "+14155550123", "channel": "sms", "locale": "en"}))]
pub struct StartBody {
    /// The number in E.164 or, with `country`, in its national form; for mail the address.
    #[schema(value_type = String, example = "+14155550123")]
    pub to: Option<String>,
    /// ISO 3166 country by which a national number is read.
    #[schema(pattern = "^[A-Za-z]{2}$", example = "US")]
    pub country: Option<String>,
    /// How the code travels; `sms` by default. `channel` or `workflow`, one of the two.
    pub channel: Option<Channel>,
    /// Up to three channels, one after the other until the code is entered: at once where one has certainly failed, else when
    /// its wait is over. A code that WhatsApp says has arrived ends it.
    #[schema(min_items = 1, max_items = 3)]
    pub workflow: Option<Vec<StepBody>>,
    /// The reader's language (BCP 47); the organization's own by default.
    #[schema(example = "pt-BR")]
    pub locale: Option<String>,
    /// Digits of the code, 4 to 10; 6 by default.
    #[schema(minimum = 4, maximum = 10, example = 6)]
    pub code_length: Option<i64>,
    /// Life of the code: `1m` up to the organization's maximum; `10m` by default.
    pub ttl: Option<Span>,
    /// How many codes may be tried, 1 to 10; 5 by default.
    #[schema(minimum = 1, maximum = 10, example = 5)]
    pub max_checks: Option<i64>,
    /// `same_code` (default): every send says the same code. `new_code`: each says its own, and all are good.
    pub resend_policy: Option<ResendPolicy>,
    /// The 11 characters by which Android's SMS Retriever knows the app.
    #[schema(example = "FA+9qCX9VSu")]
    pub app_hash: Option<String>,
    /// Adds the WebOTP line for this site.
    #[schema(example = "example.com")]
    pub web_origin: Option<String>,
    /// The text: a built-in one (`verification`, which is the default, `login`, `signup`, `transaction`) or one of your own
    /// that is approved. On WhatsApp, where it has none, any of yours that was approved for codes.
    #[schema(example = "login")]
    pub template: Option<String>,
    /// On whose behalf, for the guards per client address and device.
    pub client: Option<ClientBody>,
    /// Your own notes, given back with the verification: at most 20 texts.
    pub metadata: Option<BTreeMap<String, String>>,
    /// The idempotency key, where no header carries it.
    pub idempotency_key: Option<String>,
    /// Decide everything, send and charge nothing.
    pub dry_run: Option<bool>,
}

/// A step of a workflow.
#[derive(Deserialize, ToSchema, Clone)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"channel": "sms", "wait": "30s"}))]
pub struct StepBody {
    /// How the code travels.
    pub channel: Channel,
    /// How long to wait for the code before the next step, `10s` to `10m`; `30s` by default.
    pub wait: Option<Span>,
    /// Whom there, where the channel needs another kind of address than `to`.
    #[schema(example = "ann@example.com")]
    pub to: Option<String>,
}

/// What somebody typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckBody {
    /// The code; blanks and dashes do not matter, nor do digits of other scripts.
    #[schema(example = "481516")]
    pub code: String,
    /// The idempotency key, where no header carries it.
    #[serde(rename = "idempotency_key")]
    pub _idempotency_key: Option<String>,
}

/// What somebody typed, and who: finds the pending verification by its destination.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckToBody {
    /// The number in E.164 or, with `country`, in its national form; or the mail address.
    #[schema(example = "+14155550123")]
    pub to: String,
    /// ISO 3166 country by which a national number is read.
    #[schema(pattern = "^[A-Za-z]{2}$", example = "US")]
    pub country: Option<String>,
    /// The code; blanks and dashes do not matter, nor do digits of other scripts.
    #[schema(example = "481516")]
    pub code: String,
    /// The idempotency key, where no header carries it.
    #[serde(rename = "idempotency_key")]
    pub _idempotency_key: Option<String>,
}

/// How to send again.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct ResendBody {
    /// By this channel; by the one used last where absent.
    pub channel: Option<Channel>,
    /// The idempotency key, where no header carries it.
    #[serde(rename = "idempotency_key")]
    pub _idempotency_key: Option<String>,
}

/// Nothing to say, but perhaps a key.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct BareBody {
    /// The idempotency key, where no header carries it.
    #[serde(rename = "idempotency_key")]
    pub _idempotency_key: Option<String>,
}

/// What a list is narrowed to.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListFilter {
    /// In this status.
    pub status: Option<Status>,
    /// To this number (E.164) or mail address.
    pub to: Option<String>,
    /// Last sent by this channel.
    pub channel: Option<Channel>,
    /// Started at or after.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_after: Option<Millis>,
    /// Started before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_before: Option<Millis>,
}

/// What a summary is narrowed to.
#[derive(Deserialize, IntoParams, Debug, Default)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SummaryFilter {
    /// Numbers of this ISO 3166 country.
    pub country: Option<String>,
    /// Numbers that start so, e.g. `+4477`.
    pub prefix: Option<String>,
    /// Codes sent by this channel.
    pub channel: Option<Channel>,
    /// Started at or after; 30 days ago by default.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_after: Option<Millis>,
    /// Started before; now by default.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_before: Option<Millis>,
}
