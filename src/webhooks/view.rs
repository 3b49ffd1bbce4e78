//! Endpoints, events and deliveries as the API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use super::kinds::{EventType, Wanted};
use super::store::{DeliveryRow, DeliveryStatus, DisabledReason, EndpointRow, EndpointStatus, EventRow, ListenerRow};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::http::guarded::CallFault;
use crate::ids::{DeliveryId, EndpointId, EventId, ListenerId};
use crate::terms::Mode;

/// A webhook endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointView {
    /// Its id.
    pub id: EndpointId,
    /// Live or test: which events it can get.
    pub mode: Mode,
    /// Where events are posted.
    #[schema(example = "https://example.com/webhooks")]
    pub url: String,
    /// Your own words.
    pub description: String,
    /// The types it gets.
    pub events: Wanted,
    /// Whether it is called.
    #[schema(value_type = String, example = "enabled")]
    pub status: EndpointStatus,
    /// Why it is not called, where it is not: `by_owner`, `by_operator`, `gone` (it answered 410), `failing` (five days of failure).
    #[schema(value_type = Option<String>, example = "failing")]
    pub disabled_reason: Option<DisabledReason>,
    /// The first failure since the last success; null where all is well.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Millis>,
    /// Until when secrets before the present one sign along, after a rotation.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub old_secret_until: Option<Millis>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
}

/// An endpoint with its signing secret, which is in this answer and nowhere else.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointView,
    /// What deliveries are signed with (Standard Webhooks). Shown once.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw1q2w3e4r5t6=")]
    pub secret: String,
}

/// A listener: it hears events by asking, until its lease ends.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListenerView {
    /// Its id.
    pub id: ListenerId,
    /// Live or test: which events it can hear.
    pub mode: Mode,
    /// The types it hears.
    pub events: Wanted,
    /// When it ends, unless it says before that it lives.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Millis,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// Events that a listener has not said to have.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnheardView {
    /// Oldest first, a hundred at most.
    pub data: Vec<ToldEventView>,
}

/// An event made up, and who is told.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriggeredView {
    /// The event.
    #[serde(flatten)]
    pub event: ToldEventView,
    /// Endpoints it is on its way to.
    #[schema(example = 1)]
    pub endpoints: usize,
    /// Listeners that will hear it.
    #[schema(example = 1)]
    pub listeners: usize,
}

/// An event, as it is posted to endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldEventView {
    /// Its id: the `webhook-id` of every delivery, the same on every try and replay.
    pub id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// The body that is posted: `type`, `timestamp`, `data`.
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
}

/// An event on its way to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// Its id.
    pub id: DeliveryId,
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// The event.
    pub event_id: EventId,
    /// Where it is.
    pub status: DeliveryStatus,
    /// Tries begun.
    #[schema(example = 1)]
    pub attempts: i32,
    /// What the last try was answered; bodies are not kept.
    #[schema(example = 200)]
    pub http_status: Option<i32>,
    /// Why the last try was not answered.
    pub error: Option<CallFault>,
    /// How long the last try took.
    #[schema(example = 84)]
    pub duration_ms: Option<i64>,
    /// When the last try began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub attempted_at: Option<Millis>,
    /// When it is tried next.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Millis>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// What a replay put on its way.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// Deliveries.
    #[schema(example = 12)]
    pub deliveries: usize,
    /// Where more events follow than one replay takes: ask again with this `since`.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_since: Option<Millis>,
}

impl EndpointView {
    /// Shows a row at `now`.
    pub fn of(row: &EndpointRow, now: Millis) -> Result<EndpointView> {
        let words: Vec<String> = serde_json::from_str(&row.events).map_err(Error::internal)?;
        Ok(EndpointView {
            id: row.id,
            mode: row.mode,
            url: row.url.clone(),
            description: row.description.clone(),
            events: Wanted::parse(&words).map_err(Error::internal)?,
            status: row.status,
            disabled_reason: row.disabled_reason,
            failing_since: row.failing_since,
            old_secret_until: row.old_until.filter(|until| now < *until),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl ListenerView {
    /// Shows a row.
    pub fn of(row: &ListenerRow) -> Result<ListenerView> {
        let words: Vec<String> = serde_json::from_str(&row.events).map_err(Error::internal)?;
        Ok(ListenerView {
            id: row.id,
            mode: row.mode,
            events: Wanted::parse(&words).map_err(Error::internal)?,
            expires_at: row.expires_at,
            created_at: row.created_at,
        })
    }
}

impl ToldEventView {
    /// Shows a row.
    pub fn of(row: &EventRow) -> Result<ToldEventView> {
        let payload = serde_json::from_str(&row.payload).map_err(Error::internal)?;
        Ok(ToldEventView { id: row.id, kind: row.kind, created_at: row.created_at, payload })
    }
}

impl DeliveryView {
    /// Shows a row.
    pub fn of(row: &DeliveryRow) -> DeliveryView {
        DeliveryView {
            id: row.id,
            endpoint_id: row.endpoint_id,
            event_id: row.event_id,
            status: row.status,
            attempts: row.attempts,
            http_status: row.http_status,
            error: row.error.as_deref().and_then(|word| word.parse().ok()),
            duration_ms: row.duration_ms,
            attempted_at: row.attempted_at,
            next_at: row.next_at,
            created_at: row.created_at,
        }
    }
}
