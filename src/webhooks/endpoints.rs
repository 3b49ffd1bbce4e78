//! What an organization does with its endpoints: ledger steps.

use std::time::Duration;

use serde_json::json;

use super::emit::{Owner, emit_to, replay};
use super::kinds::{EventType, Wanted};
use super::signing::{fresh_secret, seal};
use super::store::{self, DisabledReason, EndpointRow, EndpointStatus};
use super::view::{DeliveryView, EndpointView, EndpointWithSecret, Replayed};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::reach::Reach;
use crate::ids::{EndpointId, EventId};
use crate::secret::Keyring;

/// Most endpoints of an organization in each mode: what happens is written once for each of them.
const ENDPOINTS_MAX: i64 = 50;
/// Longest description.
const DESCRIPTION_MAX_CHARS: usize = 200;
/// How long the old secret signs along after a rotation: long enough to deploy the new one.
const OVERLAP: Duration = Duration::from_secs(86_400);
/// Most events of one replay.
const REPLAY_MAX: i64 = 1_000;

/// An endpoint to be made, checked.
pub struct NewEndpoint {
    /// As the guard normalised it.
    pub url: String,
    /// Which events.
    pub events: Wanted,
    /// Its owner's words.
    pub description: String,
}

/// What changes of an endpoint, checked; what is absent stays.
#[derive(Default)]
pub struct EndpointPatch {
    /// Another address.
    pub url: Option<String>,
    /// Other events.
    pub events: Option<Wanted>,
    /// Other words.
    pub description: Option<String>,
    /// Called or not.
    pub status: Option<EndpointStatus>,
}

/// A customer's address as it will be called. Error: `webhook.url_forbidden`, which says why and nothing about any
/// network; a name is looked up only when it is called.
pub fn checked_url(reach: &Reach, text: &str) -> Result<String> {
    let url = reach.check(text.trim()).map_err(|why| {
        Error::new(Code::WebhookUrlForbidden)
            .detail(format!(
                "The url {why}. An operator can open private networks by outbound.allow (POSTERN_OUTBOUND_ALLOW)."
            ))
            .cause("a webhook address was refused")
    })?;
    Ok(String::from(url.as_str()))
}

/// A description that fits. Error: `validation_failed`.
pub fn checked_description(text: &str) -> Result<String> {
    match text.chars().count() <= DESCRIPTION_MAX_CHARS {
        true => Ok(String::from(text.trim())),
        false => Err(Error::field("description", format!("must have at most {DESCRIPTION_MAX_CHARS} characters"))),
    }
}

/// Makes an endpoint; its secret is shown by this answer only. Error: `validation_failed` where there are too many.
pub fn create(
    conn: &mut Conn,
    ring: &Keyring,
    owner: Owner,
    new: NewEndpoint,
    now: Millis,
) -> Result<EndpointWithSecret> {
    if store::count_endpoints(conn, owner)? >= ENDPOINTS_MAX {
        return Err(Error::field("url", format!("would be one more than {ENDPOINTS_MAX} endpoints; delete one first")));
    }
    let (id, secret) = (EndpointId::new(now), fresh_secret());
    let row = EndpointRow {
        id,
        org_id: owner.0,
        mode: owner.1,
        url: new.url,
        description: new.description,
        events: stored(&new.events)?,
        status: EndpointStatus::Enabled,
        disabled_reason: None,
        secret: seal(ring, id, &secret),
        old_secret: None,
        old_until: None,
        failing_since: None,
        created_at: now,
        updated_at: now,
        older_secret: None,
        older_until: None,
    };
    store::insert_endpoint(conn, &row)?;
    Ok(EndpointWithSecret { endpoint: EndpointView::of(&row, now)?, secret: secret.expose().clone() })
}

/// Changes an endpoint. One that is enabled again starts afresh. Error: `not_found`.
pub fn update(
    conn: &mut Conn,
    owner: Owner,
    id: EndpointId,
    patch: EndpointPatch,
    now: Millis,
) -> Result<EndpointView> {
    let mut row = store::load_endpoint_locked(conn, owner, id)?;
    row.url = patch.url.unwrap_or(row.url);
    row.description = patch.description.unwrap_or(row.description);
    if let Some(events) = patch.events {
        row.events = stored(&events)?;
    }
    match patch.status {
        Some(EndpointStatus::Enabled) if row.status == EndpointStatus::Disabled => {
            (row.status, row.disabled_reason, row.failing_since) = (EndpointStatus::Enabled, None, None);
        }
        Some(EndpointStatus::Disabled) if row.status == EndpointStatus::Enabled => {
            (row.status, row.disabled_reason) = (EndpointStatus::Disabled, Some(DisabledReason::ByOwner));
        }
        _ => {}
    }
    row.updated_at = now;
    store::save_endpoint(conn, &row)?;
    EndpointView::of(&row, now)
}

/// Removes an endpoint; nothing more is sent to it. Error: `not_found`.
pub fn delete(conn: &mut Conn, owner: Owner, id: EndpointId) -> Result<()> {
    store::load_endpoint_locked(conn, owner, id)?;
    store::delete_endpoint(conn, id)
}

/// Gives an endpoint another secret. Those before sign along for a day each, two at most: a customer that rotates twice
/// while it deploys loses no delivery. With `end_old` they end at once: a secret that leaked. Errors: `not_found`;
/// `validation_failed` where a third would have to end before its day is over.
pub fn rotate(
    conn: &mut Conn,
    ring: &Keyring,
    owner: Owner,
    (id, end_old): (EndpointId, bool),
    now: Millis,
) -> Result<EndpointWithSecret> {
    let row = store::load_endpoint_locked(conn, owner, id)?;
    let holds = |until: Option<Millis>| until.filter(|until| now < *until);
    if let (Some(until), true, false) = (holds(row.older_until), holds(row.old_until).is_some(), end_old) {
        let why = format!(
            "must be true: two secrets before the present one sign until their day is over, the older until {}; \
             a rotation before that ends all of them",
            until.rfc3339()
        );
        return Err(Error::field("end_old", why));
    }
    let secret = fresh_secret();
    let kept = !end_old && holds(row.old_until).is_some();
    let row = EndpointRow {
        secret: seal(ring, id, &secret),
        older_secret: row.old_secret.filter(|_| kept),
        older_until: row.old_until.filter(|_| kept),
        old_secret: Some(row.secret).filter(|_| !end_old),
        old_until: Some(now.plus(OVERLAP)).filter(|_| !end_old),
        updated_at: now,
        ..row
    };
    store::save_endpoint(conn, &row)?;
    Ok(EndpointWithSecret { endpoint: EndpointView::of(&row, now)?, secret: secret.expose().clone() })
}

/// Puts a test event on its way to one endpoint, whatever it subscribes to. Errors: `not_found`, `validation_failed`
/// where it is disabled.
pub fn test(conn: &mut Conn, owner: Owner, id: EndpointId, now: Millis) -> Result<DeliveryView> {
    let row = enabled(conn, owner, id)?;
    let data = json!({ "endpoint_id": row.id, "message": "This is a test." });
    let (_, delivery) = emit_to(conn, owner, (EventType::Test, &data), id, now)?;
    Ok(DeliveryView::of(&delivery))
}

/// Sends the events since a moment that the endpoint subscribes to again, with their own ids. Errors: as for a test.
pub fn replay_since(conn: &mut Conn, owner: Owner, id: EndpointId, since: Millis, now: Millis) -> Result<Replayed> {
    let row = enabled(conn, owner, id)?;
    let wanted = EndpointView::of(&row, now)?.events;
    let mut events = store::events_since(conn, owner, since, REPLAY_MAX + 1)?;
    let next_since = match i64::try_from(events.len()) {
        Ok(count) if count > REPLAY_MAX => events.pop().map(|(.., at)| at),
        _ => None,
    };
    // Those of the moment that the next replay begins with are left to it, unless that would leave nothing.
    if events.iter().any(|(.., at)| Some(*at) != next_since) {
        events.retain(|(.., at)| Some(*at) != next_since);
    }
    let pairs: Vec<(EndpointId, EventId)> =
        events.into_iter().filter(|(_, kind, _)| wanted.has(*kind)).map(|(event, ..)| (id, event)).collect();
    Ok(Replayed { deliveries: replay(conn, &pairs, now)?.len(), next_since })
}

/// Sends one event again to every enabled endpoint that subscribes to its type. Error: `not_found`.
pub fn replay_event(conn: &mut Conn, owner: Owner, id: EventId, now: Millis) -> Result<Replayed> {
    let event = store::load_event(conn, owner, id)?;
    let subscribers = store::subscribers(conn, &[owner.0], now)?;
    let pairs: Vec<(EndpointId, EventId)> = subscribers
        .iter()
        .filter(|known| known.owner() == owner && known.wants(event.kind))
        .filter_map(|known| Some((known.id.endpoint()?, id)))
        .collect();
    Ok(Replayed { deliveries: replay(conn, &pairs, now)?.len(), next_since: None })
}

fn enabled(conn: &mut Conn, owner: Owner, id: EndpointId) -> Result<EndpointRow> {
    let row = store::load_endpoint(conn, owner, id)?;
    must_be_enabled(&row)?;
    Ok(row)
}

/// Error: `validation_failed` where the endpoint is disabled.
pub fn must_be_enabled(row: &EndpointRow) -> Result<()> {
    match row.status {
        EndpointStatus::Enabled => Ok(()),
        EndpointStatus::Disabled => Err(Error::field("status", "is disabled; enable the endpoint first")),
    }
}

fn stored(events: &Wanted) -> Result<String> {
    serde_json::to_string(events).map_err(Error::internal)
}
