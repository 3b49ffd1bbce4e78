//! The wire shapes of requests about messages. Unknown members are refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Span;
use crate::error::Error;
use crate::terms::{Channel, Kind};

/// A request to send one message.
#[derive(Deserialize, ToSchema, Default, Clone)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "+14155550123", "channel": "sms", "body": "Your code is 481516"}))]
pub struct SendBody {
    /// The number in E.164 or, with `country`, in its national form; for mail the address. On WhatsApp also the
    /// business-scoped id of a user who shows no number (`GB.1234`), for anything but codes.
    #[schema(example = "+14155550123")]
    pub to: Option<String>,
    /// How it travels; `sms` by default.
    pub channel: Option<Channel>,
    /// What it is for; `otp` by default.
    pub kind: Option<Kind>,
    /// The text; `body` or `template`, one of the two.
    #[schema(example = "Your code is 481516")]
    pub body: Option<String>,
    /// The subject line, for mail with a body.
    pub subject: Option<String>,
    /// The originator: a number, a short code or up to 11 letters and digits.
    #[schema(example = "ACME")]
    pub from: Option<String>,
    /// ISO 3166 country by which a national number is read.
    #[schema(pattern = "^[A-Za-z]{2}$", example = "US")]
    pub country: Option<String>,
    /// A template, built in or your own, and what fills it.
    pub template: Option<TemplateBody>,
    /// Worth sending for so long: `10s` to `7d`. Default `10m` for codes, `24h` otherwise.
    #[schema(value_type = Option<Span>)]
    pub ttl: Option<String>,
    /// Not before this moment, within 7 days; the limits count it there.
    #[schema(format = DateTime, example = "2026-12-01T08:00:00Z")]
    pub scheduled_for: Option<String>,
    /// Channels to turn to when this one certainly failed, in order; at most two. From WhatsApp also when it is silent for
    /// the entry's `wait`: sent, and no word of its arrival.
    pub fallback: Option<Vec<FallbackBody>>,
    /// On whose behalf, for the guards per client address and device.
    pub client: Option<ClientBody>,
    /// Your own notes, given back with the message: at most 20 texts.
    pub metadata: Option<BTreeMap<String, String>>,
    /// The idempotency key, where no header carries it.
    pub idempotency_key: Option<String>,
    /// Decide everything, send and charge nothing.
    pub dry_run: Option<bool>,
}

/// A message on its own, as the OpenAPI document has it: `to` must be there. In a bulk the defaults may have it.
pub struct SingleBody;

impl PartialSchema for SingleBody {
    fn schema() -> RefOr<Schema> {
        let with_to = ObjectBuilder::new().required("to");
        RefOr::T(Schema::AllOf(AllOfBuilder::new().item(Ref::from_schema_name("SendBody")).item(with_to).build()))
    }
}

impl ToSchema for SingleBody {}

/// A template by name, with its parameters.
#[derive(Deserialize, ToSchema, Clone, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct TemplateBody {
    /// Its name: of your own (`/v1/templates`), of which one is approved, or a built-in one.
    #[schema(example = "login")]
    pub name: String,
    /// The reader's language (BCP 47); the organization's own by default. The nearest there is a text in is taken.
    #[schema(example = "pt-BR")]
    pub locale: Option<String>,
    /// What fills its placeholders.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

/// A fallback: a channel that uses the same number, or a channel with an address or a wait of its own.
#[derive(Deserialize, ToSchema, Clone)]
#[serde(untagged, expecting = "must be a channel, or an object of channel and to")]
pub enum FallbackBody {
    /// `"whatsapp"`.
    Channel(Channel),
    /// `{"channel":"email","to":"name@example.com"}`.
    Address(FallbackAddress),
}

/// A fallback with an address or a wait of its own.
#[derive(Deserialize, ToSchema, Clone)]
#[serde(deny_unknown_fields)]
pub struct FallbackAddress {
    /// The channel.
    pub channel: Channel,
    /// Whom there; left out where the channel uses the message's own number.
    pub to: Option<String>,
    /// How long WhatsApp before it may be silent, `10s` to `10m`; `30s` by default.
    pub wait: Option<Span>,
}

impl FallbackBody {
    /// The channel, the address where one was given, and the wait.
    pub fn parts(self) -> (Channel, Option<String>, Option<Span>) {
        match self {
            FallbackBody::Channel(channel) => (channel, None, None),
            FallbackBody::Address(entry) => (entry.channel, entry.to, entry.wait),
        }
    }
}

/// Who asked the app.
#[derive(Deserialize, ToSchema, Clone, Default)]
#[serde(deny_unknown_fields)]
pub struct ClientBody {
    /// The end user's address.
    #[schema(example = "203.0.113.9")]
    pub ip: Option<String>,
    /// The app's own id of the device.
    pub device_id: Option<String>,
    /// The end user's browser or app.
    pub user_agent: Option<String>,
    /// Up to five keys of the app's own, each with how often it may ask for a code: an account, a session, a form.
    #[schema(example = json!({"account:42": "3/5m"}))]
    pub keys: Option<BTreeMap<String, String>>,
}

/// A request to send many.
#[derive(Deserialize, ToSchema, Clone)]
#[serde(deny_unknown_fields)]
pub struct BulkBody {
    /// Members that every message has unless it says otherwise.
    pub defaults: Option<SendBody>,
    /// Up to 1,000 messages.
    #[schema(min_items = 1, max_items = 1000)]
    pub messages: Vec<SendBody>,
    /// `partial` (default) sends what can be sent; `all_or_nothing` sends all or none.
    pub mode: Option<BulkMode>,
    /// `plan` (default) spreads SMS over the plan's minutes and leaves a fifth of each to single sends; `reject` sends at
    /// once and refuses those over the cap.
    pub pacing: Option<Pacing>,
    /// The idempotency key, where no header carries it.
    #[serde(rename = "idempotency_key")]
    pub _idempotency_key: Option<String>,
    /// Decide everything, send and charge nothing.
    pub dry_run: Option<bool>,
}

crate::text_enum! {
    /// What happens to a bulk of which some cannot be sent.
    pub enum BulkMode { Partial = "partial", AllOrNothing = "all_or_nothing" }
}

crate::text_enum! {
    /// What happens to SMS over the plan's minute cap.
    pub enum Pacing { Plan = "plan", Reject = "reject" }
}

crate::text_enum! {
    /// What became of a message, as the app knows it.
    pub enum FeedbackOutcome { Converted = "converted", NotConverted = "not_converted", Fraud = "fraud" }
}

/// Feedback on a message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackBody {
    /// What became of it.
    pub outcome: FeedbackOutcome,
}

impl BulkBody {
    /// The fault of members that a request has and its messages have not: silently passed over, a `dry_run` there would
    /// send. `at` names the message.
    pub fn misplaced(message: &SendBody, at: &str) -> Option<Error> {
        let said = [("dry_run", message.dry_run.is_some()), ("idempotency_key", message.idempotency_key.is_some())];
        let (name, _) = said.into_iter().find(|(_, said)| *said)?;
        Some(Error::field(format!("{at}.{name}"), "belongs to the whole request, beside messages"))
    }
}

impl SendBody {
    /// This message with `defaults` in the place of what it leaves out.
    #[must_use]
    pub fn over(self, defaults: &SendBody) -> SendBody {
        let own_words = self.body.is_some() || self.template.is_some();
        let defaults = defaults.clone();
        SendBody {
            to: self.to.or(defaults.to),
            channel: self.channel.or(defaults.channel),
            kind: self.kind.or(defaults.kind),
            body: self.body.or(if own_words { None } else { defaults.body }),
            subject: self.subject.or(defaults.subject),
            from: self.from.or(defaults.from),
            country: self.country.or(defaults.country),
            template: self.template.or(if own_words { None } else { defaults.template }),
            ttl: self.ttl.or(defaults.ttl),
            scheduled_for: self.scheduled_for.or(defaults.scheduled_for),
            fallback: self.fallback.or(defaults.fallback),
            client: self.client.or(defaults.client),
            metadata: self.metadata.or(defaults.metadata),
            idempotency_key: self.idempotency_key,
            dry_run: self.dry_run,
        }
    }
}
