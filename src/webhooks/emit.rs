//! `emit`: what happened, written beside the work that made it happen. An event that nobody asked for is not kept, and
//! costs one look-up for the whole batch.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::bell;
use super::kinds::{EventType, Wanted};
use super::store::{self, DeliveryRow, DeliveryStatus, EventRow, Hearer, Subscriber, Unheard};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{DeliveryId, EndpointId, EventId, OrgId};
use crate::terms::Mode;

/// Whose events and endpoints: live and test never meet.
pub type Owner = (OrgId, Mode);

/// Largest payload, bytes (Standard Webhooks 1.0: keep it under 20 kB).
/// Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
pub const PAYLOAD_MAX: usize = 20_000;

/// Something that happened.
pub struct NewEvent<'a> {
    /// To whom.
    pub owner: Owner,
    /// What.
    pub kind: EventType,
    /// The payload's `data`, made only where somebody wants it: ids, states, masked addresses; never a code, a text
    /// or a full number.
    pub data: Box<dyn Fn() -> Value + 'a>,
}

/// A ledger step: writes the events that endpoints and listeners asked for and what each of these is to get, in the
/// caller's transaction. Events of organizations where nobody wants their type leave nothing behind.
pub fn emit(conn: &mut Conn, events: &[NewEvent<'_>], now: Millis) -> Result<()> {
    let orgs: BTreeSet<OrgId> = events.iter().map(|event| event.owner.0).collect();
    if orgs.is_empty() {
        return Ok(());
    }
    let subscribers = store::subscribers(conn, &orgs.into_iter().collect::<Vec<_>>(), now)?;
    if subscribers.is_empty() {
        return Ok(());
    }
    let mut told = Told::default();
    for event in events {
        let wanting: Vec<&Subscriber> =
            subscribers.iter().filter(|known| known.owner() == event.owner && known.wants(event.kind)).collect();
        if !wanting.is_empty() {
            told.add(row_of(event.owner, event.kind, &(event.data)(), now), &wanting, now);
        }
    }
    told.write(conn)
}

/// Writes one event in any case, and tells it to whoever asked for its type: the event, and how many endpoints and
/// listeners that were.
pub(super) fn emit_one(
    conn: &mut Conn,
    owner: Owner,
    (kind, data): (EventType, &Value),
    now: Millis,
) -> Result<(EventRow, usize, usize)> {
    let subscribers = store::subscribers(conn, &[owner.0], now)?;
    let wanting: Vec<&Subscriber> =
        subscribers.iter().filter(|known| known.owner() == owner && known.wants(kind)).collect();
    let row = row_of(owner, kind, data, now);
    let mut told = Told::default();
    told.add(row.clone(), &wanting, now);
    let (endpoints, listeners) = (told.deliveries.len(), told.unheard.len());
    told.write(conn)?;
    Ok((row, endpoints, listeners))
}

/// What is to be written of events.
#[derive(Default)]
struct Told {
    events: Vec<EventRow>,
    deliveries: Vec<DeliveryRow>,
    unheard: Vec<Unheard>,
}

impl Told {
    fn add(&mut self, event: EventRow, wanting: &[&Subscriber], now: Millis) {
        for known in wanting {
            match known.id {
                Hearer::Endpoint(id) => self.deliveries.push(delivery(id, event.id, now)),
                Hearer::Listener(id) => self.unheard.push(Unheard { listener_id: id, event_id: event.id }),
            }
        }
        self.events.push(event);
    }

    fn write(self, conn: &mut Conn) -> Result<()> {
        write(conn, &self.events, &self.deliveries)?;
        store::insert_unheard(conn, &self.unheard)?;
        if !self.unheard.is_empty() {
            bell::LISTENERS.ring();
        }
        Ok(())
    }
}

/// Writes one event for one endpoint, whatever that asked for: a test.
pub(super) fn emit_to(
    conn: &mut Conn,
    owner: Owner,
    (kind, data): (EventType, &Value),
    endpoint: EndpointId,
    now: Millis,
) -> Result<(EventRow, DeliveryRow)> {
    let row = row_of(owner, kind, data, now);
    let delivery = delivery(endpoint, row.id, now);
    write(conn, std::slice::from_ref(&row), std::slice::from_ref(&delivery))?;
    Ok((row, delivery))
}

/// Sends events again: a fresh delivery for each pair.
pub(super) fn replay(conn: &mut Conn, pairs: &[(EndpointId, EventId)], now: Millis) -> Result<Vec<DeliveryRow>> {
    let deliveries: Vec<DeliveryRow> = pairs.iter().map(|(endpoint, event)| delivery(*endpoint, *event, now)).collect();
    write(conn, &[], &deliveries)?;
    Ok(deliveries)
}

fn write(conn: &mut Conn, events: &[EventRow], deliveries: &[DeliveryRow]) -> Result<()> {
    store::insert_events(conn, events)?;
    store::insert_deliveries(conn, deliveries)?;
    if !deliveries.is_empty() {
        bell::ENDPOINTS.ring();
    }
    Ok(())
}

fn row_of(owner: Owner, kind: EventType, data: &Value, now: Millis) -> EventRow {
    let payload = |data: &Value| json!({ "type": kind, "timestamp": now.rfc3339(), "data": data }).to_string();
    let whole = payload(data);
    EventRow {
        id: EventId::new(now),
        org_id: owner.0,
        mode: owner.1,
        kind,
        // Only the customer's own notes can be that long; the ids are what counts.
        payload: if whole.len() <= PAYLOAD_MAX { whole } else { payload(&without_notes(data)) },
        created_at: now,
    }
}

fn without_notes(data: &Value) -> Value {
    let mut data = data.clone();
    if let Some(members) = data.as_object_mut() {
        members.remove("metadata");
    }
    data
}

fn delivery(endpoint_id: EndpointId, event_id: EventId, now: Millis) -> DeliveryRow {
    DeliveryRow {
        id: DeliveryId::new(now),
        endpoint_id,
        event_id,
        status: DeliveryStatus::Pending,
        lane: store::FIRST,
        next_at: Some(now),
        attempts: 0,
        http_status: None,
        error: None,
        duration_ms: None,
        attempted_at: None,
        created_at: now,
    }
}

impl Subscriber {
    /// Whose events it may get.
    pub(super) fn owner(&self) -> Owner {
        (self.org_id, self.mode)
    }

    /// Whether it asked for `kind`.
    pub(super) fn wants(&self, kind: EventType) -> bool {
        let words: Vec<String> = serde_json::from_str(&self.events).unwrap_or_default();
        Wanted::parse(&words).is_ok_and(|wanted| wanted.has(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_stays_below_20_kb() {
        let owner = (OrgId::new(Millis(0)), Mode::Live);
        let data = json!({ "id": "msg_1", "metadata": { "note": "x".repeat(30_000) } });
        let row = row_of(owner, EventType::MessageSent, &data, Millis(0));
        let sent: Value = serde_json::from_str(&row.payload).unwrap();
        assert_eq!(
            sent,
            json!({"type": "message.sent", "timestamp": "1970-01-01T00:00:00.000Z", "data": {"id": "msg_1"}})
        );
    }
}
