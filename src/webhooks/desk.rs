//! Endpoints as operators see and mend them: how they fare, a test, a replay, off and on, another secret. Ledger steps;
//! each change is told to the audit log.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, json};
use utoipa::ToSchema;

use super::deliver::disable as call_no_more;
use super::emit::{emit_to, replay as send_again};
use super::endpoints::{self, EndpointPatch};
use super::kinds::EventType;
use super::sample;
use super::schedule::FAILING_MAX;
use super::store::{self, DeliveryStatus, DisabledReason, EndpointRow, EndpointState, EndpointStatus};
use super::view::{DeliveryView, EndpointView, EndpointWithSecret, Replayed};
use crate::audit::{By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{DeliveryId, EndpointId, EventId, OrgId};
use crate::secret::Keyring;

/// Most waiting deliveries that are counted.
const BACKLOG_MAX: i64 = 10_000;
/// Deliveries that the rate of success is of.
const LATEST: i64 = 1_000;
/// Most events of one replay.
const REPLAY_MAX: i64 = 1_000;

/// A webhook endpoint, whose it is and how it fares.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchedEndpoint {
    /// Whose.
    pub org_id: OrgId,
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointView,
    /// How it stands.
    pub state: EndpointState,
    /// When it will be called no more if nothing but failure goes on; null where all is well.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disables_at: Option<Millis>,
    /// Deliveries that wait for it, counted up to 10,000.
    #[schema(example = 3)]
    pub backlog: i64,
    /// When the next of them is due.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Millis>,
    /// Its latest thousand deliveries.
    pub latest: LatestDeliveries,
}

/// The latest deliveries to an endpoint, by their state.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LatestDeliveries {
    /// Answered 2xx.
    #[schema(example = 990)]
    pub delivered: i64,
    /// Every try failed.
    #[schema(example = 7)]
    pub failed: i64,
    /// On their way.
    #[schema(example = 3)]
    pub pending: i64,
    /// Never tried: the endpoint was disabled.
    #[schema(example = 0)]
    pub dropped: i64,
    /// `delivered` of `delivered` and `failed`, 0 to 1 with three places; null where there is neither.
    #[schema(example = 0.993)]
    pub success_rate: Option<f64>,
}

/// A delivery, and of what.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchedDelivery {
    /// The event's type; null where it is kept no more.
    #[serde(rename = "type")]
    pub kind: Option<EventType>,
    /// The delivery.
    #[serde(flatten)]
    pub delivery: DeliveryView,
}

/// What to send again.
#[derive(Debug, Clone, Copy)]
pub enum Again {
    /// This event.
    Event(EventId),
    /// Every event since a moment that the endpoint was sent and never took.
    FailedSince(Millis),
}

impl LatestDeliveries {
    fn of(counts: Vec<(DeliveryStatus, i64)>) -> LatestDeliveries {
        let mut latest = LatestDeliveries::default();
        for (status, count) in counts {
            match status {
                DeliveryStatus::Delivered => latest.delivered = count,
                DeliveryStatus::Failed => latest.failed = count,
                DeliveryStatus::Pending => latest.pending = count,
                DeliveryStatus::Dropped => latest.dropped = count,
            }
        }
        let ended = latest.delivered.saturating_add(latest.failed);
        let permille = latest.delivered.saturating_mul(1_000).checked_div(ended);
        latest.success_rate =
            permille.and_then(|parts| i32::try_from(parts).ok()).map(|parts| f64::from(parts) / 1_000.0);
        latest
    }
}

fn watched(conn: &mut Conn, row: &EndpointRow, now: Millis) -> Result<WatchedEndpoint> {
    let state = match (row.status, row.failing_since) {
        (EndpointStatus::Disabled, _) => EndpointState::Disabled,
        (EndpointStatus::Enabled, Some(_)) => EndpointState::Failing,
        (EndpointStatus::Enabled, None) => EndpointState::Well,
    };
    let failing = row.failing_since.filter(|_| state == EndpointState::Failing);
    Ok(WatchedEndpoint {
        org_id: row.org_id,
        endpoint: EndpointView::of(row, now)?,
        state,
        disables_at: failing.map(|since| since.plus(FAILING_MAX)),
        backlog: store::backlog(conn, row.id, BACKLOG_MAX)?,
        next_at: store::next_due(conn, row.id)?,
        latest: LatestDeliveries::of(store::latest_by_status(conn, row.id, LATEST)?),
    })
}

fn load(conn: &mut Conn, id: EndpointId) -> Result<EndpointRow> {
    store::find_endpoint(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))
}

/// Endpoints of one organization or all, in one state or all, as they are at `now`.
pub fn watch_endpoints(
    conn: &mut Conn,
    which: (Option<OrgId>, Option<EndpointState>),
    (before, limit): (Option<EndpointId>, i64),
    now: Millis,
) -> Result<Vec<WatchedEndpoint>> {
    let rows = store::all_endpoints(conn, which, before, limit)?;
    rows.iter().map(|row| watched(conn, row, now)).collect()
}

/// An endpoint, as it is at `now`. Error: `not_found`.
pub fn watch_endpoint(conn: &mut Conn, id: EndpointId, now: Millis) -> Result<WatchedEndpoint> {
    let row = load(conn, id)?;
    watched(conn, &row, now)
}

/// Deliveries to an endpoint, newest first. Error: `not_found`.
pub fn watch_deliveries(
    conn: &mut Conn,
    id: EndpointId,
    status: Option<DeliveryStatus>,
    (before, limit): (Option<DeliveryId>, i64),
) -> Result<Vec<WatchedDelivery>> {
    load(conn, id)?;
    let rows = store::list_deliveries(conn, id, status, before, limit)?;
    let events: Vec<EventId> = rows.iter().map(|row| row.event_id).collect();
    let kinds: BTreeMap<EventId, EventType> = store::kinds_of(conn, &events)?.into_iter().collect();
    let show = |row: &store::DeliveryRow| WatchedDelivery {
        kind: kinds.get(&row.event_id).copied(),
        delivery: DeliveryView::of(row),
    };
    Ok(rows.iter().map(show).collect())
}

/// Puts a made-up event of `kind` on its way to an endpoint, whatever it subscribes to; marked as a test. Errors:
/// `not_found`, `validation_failed` where it is disabled.
pub fn test_endpoint(conn: &mut Conn, by: &By, id: EndpointId, kind: EventType) -> Result<DeliveryView> {
    let row = load(conn, id)?;
    let owner = (row.org_id, row.mode);
    let delivery = if kind == EventType::Test {
        endpoints::test(conn, owner, id, by.now)?
    } else {
        endpoints::must_be_enabled(&row)?;
        let data = sample::data(kind, Map::new(), by.now)?;
        let (_, delivery) = emit_to(conn, owner, (kind, &data), id, by.now)?;
        DeliveryView::of(&delivery)
    };
    let told = json!({ "type": kind, "event_id": delivery.event_id });
    by.tell(conn, "webhook.test", id, Change::made(&told))?;
    Ok(delivery)
}

/// Sends events again, with their own ids. Errors: `not_found`, `validation_failed` where the endpoint is disabled.
pub fn replay_to(conn: &mut Conn, by: &By, id: EndpointId, what: Again) -> Result<Replayed> {
    let row = load(conn, id)?;
    endpoints::must_be_enabled(&row)?;
    let (events, next_since) = match what {
        Again::Event(event) => {
            let event = store::load_event(conn, (row.org_id, row.mode), event)?;
            (vec![event.id], None)
        }
        Again::FailedSince(since) => never_taken(conn, id, since)?,
    };
    let pairs: Vec<(EndpointId, EventId)> = events.into_iter().map(|event| (id, event)).collect();
    let replayed = Replayed { deliveries: send_again(conn, &pairs, by.now)?.len(), next_since };
    by.tell(conn, "webhook.replay", id, Change::made(&replayed))?;
    Ok(replayed)
}

/// Events since a moment whose deliveries to an endpoint all failed or were dropped, and where more of them follow.
fn never_taken(conn: &mut Conn, id: EndpointId, since: Millis) -> Result<(Vec<EventId>, Option<Millis>)> {
    const LOST: [DeliveryStatus; 2] = [DeliveryStatus::Failed, DeliveryStatus::Dropped];
    let mut lost = store::deliveries_in(conn, id, &LOST, since, REPLAY_MAX + 1)?;
    let next_since = match i64::try_from(lost.len()) {
        Ok(count) if count > REPLAY_MAX => lost.pop().map(|(_, at)| at),
        _ => None,
    };
    let events: BTreeSet<EventId> = lost.into_iter().map(|(event, _)| event).collect();
    let events: Vec<EventId> = events.into_iter().collect();
    let taken: BTreeSet<EventId> = store::taken_of(conn, id, since, &events)?.into_iter().collect();
    Ok((events.into_iter().filter(|event| !taken.contains(event)).collect(), next_since))
}

/// Turns an endpoint off, which its organization is told, or on, which starts it afresh. Error: `not_found`.
pub fn switch_endpoint(conn: &mut Conn, by: &By, id: EndpointId, to: EndpointStatus) -> Result<WatchedEndpoint> {
    let row = load(conn, id)?;
    match to {
        EndpointStatus::Disabled => call_no_more(conn, &row, DisabledReason::ByOperator, by.now)?,
        EndpointStatus::Enabled => {
            let patch = EndpointPatch { status: Some(to), ..EndpointPatch::default() };
            endpoints::update(conn, (row.org_id, row.mode), id, patch, by.now)?;
        }
    }
    let after = load(conn, id)?;
    let status = |row: &EndpointRow| json!({ "status": row.status, "disabled_reason": row.disabled_reason });
    let action = if to == EndpointStatus::Enabled { "webhook.enable" } else { "webhook.disable" };
    by.tell(conn, action, id, Change::changed(&status(&row), &status(&after)))?;
    watched(conn, &after, by.now)
}

/// Gives an endpoint another secret, as its organization could: those before sign along for a day unless `end_old`.
/// Errors: as for the organization.
pub fn rotate_endpoint(
    conn: &mut Conn,
    ring: &Keyring,
    by: &By,
    (id, end_old): (EndpointId, bool),
) -> Result<EndpointWithSecret> {
    let row = load(conn, id)?;
    let rotated = endpoints::rotate(conn, ring, (row.org_id, row.mode), (id, end_old), by.now)?;
    let until = |at: Option<Millis>| json!({ "old_secret_until": at });
    let (before, after) = (row.old_until.filter(|until| by.now < *until), rotated.endpoint.old_secret_until);
    by.tell(conn, "webhook.rotate", id, Change::changed(&until(before), &until(after)))?;
    Ok(rotated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_success_is_of_those_that_have_ended() {
        let of = |counts| LatestDeliveries::of(counts).success_rate;
        let (delivered, failed, pending) = (DeliveryStatus::Delivered, DeliveryStatus::Failed, DeliveryStatus::Pending);
        assert_eq!(of(vec![(delivered, 2), (failed, 1), (pending, 9)]), Some(0.666));
        assert_eq!(of(vec![(pending, 9), (DeliveryStatus::Dropped, 1)]), None);
    }
}
