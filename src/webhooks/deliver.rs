//! Deliveries: claimed in a transaction, called outside any, then one write of how it ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::watch;

use super::bell::Ear;
use super::emit::{NewEvent, emit};
use super::kinds::EventType;
use super::schedule::{FAILING_MAX, Next, next};
use super::slots::{For, Slot, Slots};
use super::store::{self, DeliveryRow, DeliveryStatus, DisabledReason, EndpointRow, EndpointStatus, EventRow, Turn};
use super::{bell, signing};
use crate::alerts::{self, Alert, AlertKind};
use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::guarded::{Answered, CallFault, GuardedClient};
use crate::http::outbound::Bounds;
use crate::ids::EndpointId;
use crate::secret::random_u64;

/// The client for endpoints; made once.
pub struct Line(Result<GuardedClient>);

impl FromApp for Line {
    fn from_app(app: &App) -> Line {
        let config = &app.config.outbound;
        let bounds =
            Bounds { connect: config.connect_timeout.min(config.webhook_timeout), total: config.webhook_timeout };
        Line(GuardedClient::new(&config.allow, bounds))
    }
}

impl Line {
    /// The client. Error: `internal` where TLS could not be set up.
    pub fn client(&self) -> Result<&GuardedClient> {
        self.0.as_ref().map_err(Clone::clone)
    }
}

/// A delivery in hand.
struct Ready {
    delivery: DeliveryRow,
    endpoint: EndpointRow,
    event: EventRow,
    slot: Slot,
}

/// Most endpoints that one claim looks at in each lane.
const ENDPOINTS_A_CLAIM: usize = 256;
/// Deliveries to an endpoint that is called no more which one claim ends.
const DROPS_A_CLAIM: i64 = 500;
/// How much longer than a call the lease on it holds.
const LEASE_BEYOND_CALL: Duration = Duration::from_secs(30);

/// Delivers what is due until `stop` says true.
pub async fn run(app: Data<App>, stop: watch::Receiver<bool>) {
    let mut ear = Ear::new(&bell::ENDPOINTS, app.config.dispatch.poll_interval);
    let mut turns = [None, None];
    while !*stop.borrow() {
        match claim(&app, &mut turns).await {
            Ok(ready) if ready.is_empty() => ear.wait(|| *stop.borrow()).await,
            Ok(ready) => {
                for one in ready {
                    let app = app.clone();
                    tokio::spawn(async move {
                        deliver(&app, one).await;
                        // Its slot is free.
                        bell::ENDPOINTS.ring();
                    });
                }
            }
            Err(fault) => {
                complain("claiming webhook deliveries", &fault);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
    // What does not end within this moment is left to its lease.
    let slots = app.room::<Slots>();
    let until = Instant::now() + Duration::from_secs(2);
    while slots.count() > 0 && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One step: delivers what is due and waits for every answer; how many deliveries that were. For tests.
pub async fn deliver_due(app: &App) -> Result<usize> {
    let ready = claim(app, &mut [None, None]).await?;
    let count = ready.len();
    join_all(ready.into_iter().map(|one| deliver(app, one))).await;
    Ok(count)
}

/// Takes what is due and has a slot, fresh ones first; `turns` are where the rounds of both lanes stand.
async fn claim(app: &App, turns: &mut [Option<EndpointId>; 2]) -> Result<Vec<Ready>> {
    let slots = app.room::<Slots>();
    if slots.free() == 0 {
        return Ok(Vec::new());
    }
    let now = app.clock.now();
    let lanes = [store::FIRST, store::AGAIN];
    let starts = *turns;
    // Looking costs no transaction, and most looks find nothing.
    let due = app.db.read(move |conn| {
        let mut due = Vec::new();
        for (lane, after) in lanes.into_iter().zip(starts) {
            let turn = Turn { after, limit: ENDPOINTS_A_CLAIM };
            due.extend(store::endpoints_due(conn, lane, now, turn)?.into_iter().map(|id| (lane, id)));
        }
        Ok(due)
    });
    let due = due.await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let lease = now.plus(app.config.outbound.webhook_timeout + LEASE_BEYOND_CALL);
    let (ready, last) = app
        .db
        .write(move |conn| {
            let mut ready = Vec::new();
            let mut last = starts;
            for (lane, id) in due {
                claim_one(conn, &slots, (lane, id), (now, lease), &mut ready)?;
                if let Some(turn) = last.get_mut(usize::from(lane == store::AGAIN)) {
                    *turn = Some(id);
                }
            }
            Ok((ready, last))
        })
        .await?;
    *turns = last;
    Ok(ready)
}

fn claim_one(
    conn: &mut Conn,
    slots: &Arc<Slots>,
    (lane, id): (i16, EndpointId),
    when: (Millis, Millis),
    ready: &mut Vec<Ready>,
) -> Result<()> {
    let endpoint = store::find_endpoint(conn, id)?.filter(|row| row.status == EndpointStatus::Enabled);
    let Some(endpoint) = endpoint else {
        store::drop_waiting(conn, id, DROPS_A_CLAIM)?;
        return Ok(());
    };
    let is_failing = endpoint.failing_since.is_some();
    let whom = For { org: endpoint.org_id, endpoint: id, is_failing, is_fresh: lane == store::FIRST && !is_failing };
    let room = slots.room_for(whom);
    if room == 0 {
        return Ok(());
    }
    let taken: Vec<Slot> = (0..room).map_while(|_| slots.take(whom)).collect();
    let rows = store::claim(conn, (lane, id), when, i64::try_from(taken.len()).unwrap_or(i64::MAX))?;
    for (delivery, slot) in rows.into_iter().zip(taken) {
        match store::find_event(conn, delivery.event_id)? {
            Some(event) => ready.push(Ready { delivery, endpoint: endpoint.clone(), event, slot }),
            // Purged while it waited.
            None => store::finish(conn, &ended(delivery, DeliveryStatus::Dropped))?,
        }
    }
    Ok(())
}

fn ended(row: DeliveryRow, status: DeliveryStatus) -> DeliveryRow {
    DeliveryRow { status, next_at: None, ..row }
}

/// Calls the endpoint and writes down what came of it; a write that fails leaves the delivery to its lease.
async fn deliver(app: &App, ready: Ready) {
    let Ready { delivery, endpoint, event, slot } = ready;
    let begun = Instant::now();
    let result = match call(app, &endpoint, &event).await {
        Ok(result) => result,
        Err(fault) => {
            complain("preparing a webhook", &fault);
            Err(CallFault::Broken)
        }
    };
    drop(slot);
    let took_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
    let outcome = match &result {
        Ok(answered) if (200..300).contains(&answered.status) => "delivered",
        Ok(_) => "refused",
        Err(fault) => fault.as_str(),
    };
    metrics::counter!("postern_webhook_attempts_total", "outcome" => outcome).increment(1);
    let clock = app.clock.clone();
    let written = app.db.write_patiently(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        write_end(conn, &endpoint, delivery, (&result, took_ms), now)
    });
    if let Err(fault) = written.await {
        complain("recording a webhook delivery", &fault);
    }
}

async fn call(app: &App, endpoint: &EndpointRow, event: &EventRow) -> Result<Result<Answered, CallFault>> {
    let now = app.clock.now();
    let headers = signing::headers(&app.keyring, endpoint, (event.id, &event.payload), now)?;
    let line = app.room::<Line>();
    Ok(line.client()?.post_json(&endpoint.url, &headers, event.payload.clone()).await)
}

fn write_end(
    conn: &mut Conn,
    endpoint: &EndpointRow,
    row: DeliveryRow,
    (result, took_ms): (&Result<Answered, CallFault>, i64),
    now: Millis,
) -> Result<()> {
    let follows = next(row.attempts, result, random_u64());
    let row = DeliveryRow {
        http_status: result.as_ref().ok().map(|answered| i32::from(answered.status)),
        error: result.as_ref().err().map(|fault| String::from(fault.as_str())),
        duration_ms: Some(took_ms),
        ..row
    };
    let row = match follows {
        Next::Done => ended(row, DeliveryStatus::Delivered),
        Next::GiveUp | Next::Gone => ended(row, DeliveryStatus::Failed),
        Next::Again(wait) => DeliveryRow { next_at: Some(now.plus(wait)), ..row },
    };
    store::finish(conn, &row)?;
    match follows {
        Next::Done if endpoint.failing_since.is_some() => store::mark_well(conn, endpoint.id),
        Next::Done => Ok(()),
        Next::Gone => disable(conn, endpoint, DisabledReason::Gone, now),
        Next::Again(_) | Next::GiveUp => {
            store::mark_failing(conn, endpoint.id, now)?;
            match endpoint.failing_since.is_some_and(|since| now.since(since) >= FAILING_MAX) {
                true => disable(conn, endpoint, DisabledReason::Failing, now),
                false => Ok(()),
            }
        }
    }
}

/// Calls an endpoint no more, and says so to the organization's others.
pub(super) fn disable(conn: &mut Conn, endpoint: &EndpointRow, why: DisabledReason, now: Millis) -> Result<()> {
    if !store::disable(conn, endpoint.id, why, now)? {
        return Ok(());
    }
    tracing::warn!(endpoint.id = %endpoint.id, org.id = %endpoint.org_id, reason = %why, "a webhook endpoint was disabled");
    let data = || json!({ "endpoint_id": endpoint.id, "reason": why, "failing_since": endpoint.failing_since });
    let owner = (endpoint.org_id, endpoint.mode);
    emit(conn, &[NewEvent { owner, kind: EventType::EndpointDisabled, data: Box::new(data) }], now)?;
    let text = format!("A webhook endpoint is called no more. {}, {why}.", endpoint.id);
    alerts::note(conn, &[Alert::of(AlertKind::EndpointDisabled, endpoint.org_id, text)], now)
}

fn complain(doing: &str, fault: &Error) {
    tracing::warn!(error = fault.cause_text().unwrap_or(fault.sentence()), code = %fault.code(), "{doing} failed");
}
