//! Dispatch: claim what is due under a lease, hand it over, write what became of it.
//!
//! Codes go before everything else, newest first; in each lane organizations share what there is, so that one
//! customer's backlog never starves another. The attempt's row is committed before the network call.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tracing::Instrument;

use super::content::Content;
use super::progress::{self, Due};
use super::row::{Extra, Row};
use super::settle::{self, Moved};
use super::state::Status;
use super::store::{self, Attempt, AttemptState, Move, Order};
use super::tables::tables;
use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{AttemptId, MessageId};
use crate::providers::pick::{Candidate, pick};
use crate::providers::{Carriers, Outcome, Outgoing};
use crate::routing::{self, Route};
use crate::secret::{Keyring, Secret, random_u64};
use crate::terms::{Channel, Mode};

/// Hand-offs of this process that are under way.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<Flights>>);

#[derive(Default)]
struct Flights {
    messages: HashSet<MessageId>,
    by_carrier: BTreeMap<String, usize>,
}

impl FromApp for InFlight {
    fn from_app(_app: &App) -> Self {
        InFlight::default()
    }
}

impl InFlight {
    /// How many hand-offs are under way.
    pub fn count(&self) -> usize {
        self.lock().messages.len()
    }

    fn holds(&self, id: MessageId) -> bool {
        self.lock().messages.contains(&id)
    }

    fn of_carrier(&self, carrier: &str) -> usize {
        self.lock().by_carrier.get(carrier).copied().unwrap_or(0)
    }

    fn begin(&self, id: MessageId, carrier: &str) {
        let mut flights = self.lock();
        flights.messages.insert(id);
        *flights.by_carrier.entry(String::from(carrier)).or_default() += 1;
    }

    fn end(&self, id: MessageId, carrier: &str) {
        let mut flights = self.lock();
        flights.messages.remove(&id);
        if let Some(count) = flights.by_carrier.get_mut(carrier) {
            *count = count.saturating_sub(1);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Flights> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message this process has in hand.
pub struct Claimed {
    row: Row,
    attempt: Attempt,
    to: String,
}

/// Claims up to `limit` due messages. Those whose time is over expire, those of a worker that died become unknown.
pub async fn claim(app: &App, limit: usize) -> Result<Vec<Claimed>> {
    let routes = tables(app).await?.routes;
    let desk = Desk {
        routes,
        carriers: app.carriers.clone(),
        in_flight: (*app.room::<InFlight>()).clone(),
        lease: app.config.dispatch.lease,
    };
    let clock = app.clock.clone();
    let claimed = app
        .db
        .write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            desk.claim(conn, limit, now)
        })
        .await?;
    let in_flight = app.room::<InFlight>();
    claimed.iter().for_each(|claimed| in_flight.begin(claimed.row.id, &claimed.attempt.carrier));
    Ok(claimed)
}

/// Hands one message over and writes what became of it.
pub async fn hand_over(app: &App, claimed: Claimed) -> Result<()> {
    let span = tracing::info_span!("hand_over", message.id = %claimed.row.id, attempt.id = %claimed.attempt.id, carrier = %claimed.attempt.carrier);
    let (id, carrier) = (claimed.row.id, claimed.attempt.carrier.clone());
    let done = send_and_write(app, claimed).instrument(span).await;
    app.room::<InFlight>().end(id, &carrier);
    done
}

/// One whole step: claims what is due and hands all of it over; how many. Tests drive dispatch by this.
pub async fn dispatch_once(app: &App, limit: usize) -> Result<usize> {
    let claimed = claim(app, limit).await?;
    let count = claimed.len();
    for done in join_all(claimed.into_iter().map(|claimed| hand_over(app, claimed))).await {
        done?;
    }
    Ok(count)
}

/// How long until the earliest waiting message is due; `None` where none waits.
pub async fn until_next(app: &App) -> Result<Option<Duration>> {
    let next = app.db.read(store::next_due).await?;
    Ok(next.map(|at| at.since(app.clock.now())))
}

async fn send_and_write(app: &App, claimed: Claimed) -> Result<()> {
    let outcome = send(app, &claimed).await;
    let now = app.clock.now();
    app.carriers.circuits().record(&claimed.attempt.carrier, &outcome, now);
    note(&claimed, &outcome, now);
    let clock = app.clock.clone();
    // A database that stalls must not lose what a carrier said: the lease is the bound, after which it is unknown.
    let mut tries = 0;
    loop {
        let (row, attempt, outcome) = (claimed.row.clone(), claimed.attempt.clone(), outcome.clone());
        let clock = clock.clone();
        let written = app.db.write(move |conn| write_outcome(conn, &row, attempt, &outcome, clock.now())).await;
        match written {
            Err(fault) if fault.code().entry().status == 503 && tries < 10 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            done => return done,
        }
    }
}

async fn send(app: &App, claimed: &Claimed) -> Outcome {
    let Some(carrier) = app.carriers.find(&claimed.attempt.carrier) else {
        return refused("provider.unavailable", "the carrier is not configured on this node");
    };
    match outgoing(&app.keyring, claimed, app.clock.now()) {
        Ok(message) => carrier.send(&message).await,
        Err(fault) => {
            tracing::error!(error = fault.cause_text().unwrap_or(fault.sentence()), "a message could not be rendered");
            refused("content.unreadable", "the message could not be rendered")
        }
    }
}

fn outgoing(keyring: &Keyring, claimed: &Claimed, now: Millis) -> Result<Outgoing> {
    let row = &claimed.row;
    let sealed = row.content.as_deref().ok_or_else(|| Error::internal("the content is gone"))?;
    let rendered = Content::open(keyring, row.id, sealed)?.render(claimed.attempt.channel, row.org_id, keyring)?;
    // The originator was checked for the channel it was asked for; another channel uses its carrier's own.
    let from = row.sender.clone().filter(|_| claimed.attempt.channel == row.channel);
    Ok(Outgoing {
        message_id: row.id,
        attempt_id: claimed.attempt.id,
        org_id: row.org_id,
        mode: row.mode,
        channel: claimed.attempt.channel,
        to: claimed.to.clone(),
        from,
        text: Secret::new(rendered.text),
        subject: rendered.subject,
        html: rendered.html.map(Secret::new),
        ttl_left: row.expires_at.since(now),
    })
}

/// Writes how a hand-off ended: the attempt, the message, the money, the timeline; then what receipts said meanwhile.
fn write_outcome(conn: &mut Conn, row: &Row, mut attempt: Attempt, outcome: &Outcome, now: Millis) -> Result<()> {
    attempt.finished_at = Some(now);
    match outcome {
        Outcome::Accepted { provider_id, .. } => {
            attempt.state = AttemptState::Accepted;
            attempt.provider_id = provider_id.clone();
        }
        Outcome::Refused(refusal) => {
            attempt.state = AttemptState::Refused;
            attempt.error_code = Some(String::from(refusal.code));
            attempt.detail = Some(refusal.detail.clone());
        }
        Outcome::Unknown { code, detail } => {
            attempt.state = AttemptState::Unknown;
            attempt.error_code = Some(String::from(*code));
            attempt.detail = Some(detail.clone());
        }
    }
    store::finish_attempt(conn, &attempt)?;
    let to = progress::after_outcome(row, &attempt.carrier, outcome, now, random_u64());
    // A receipt may have moved the message while the answer was on its way; then that is the truth.
    settle::move_row(conn, row, &to, &Moved { by: "carrier", detail: attempt_detail(&attempt) }, now)?;
    if let Some(provider_id) = &attempt.provider_id {
        settle::apply_parked(conn, &attempt.carrier, provider_id, row.id, now)?;
    }
    Ok(())
}

fn attempt_detail(attempt: &Attempt) -> serde_json::Value {
    serde_json::json!({
        "attempt": attempt.number,
        "channel": attempt.channel,
        "carrier": attempt.carrier,
        "provider_id": attempt.provider_id,
        "error_code": attempt.error_code,
        "detail": attempt.detail,
    })
}

/// What a claim looks at besides the table.
struct Desk {
    routes: Arc<Vec<Route>>,
    carriers: Carriers,
    in_flight: InFlight,
    lease: Duration,
}

/// The lanes, first served first; see `Kind::lane`.
const LANES: [(i16, Order); 3] = [(0, Order::NewestFirst), (1, Order::OldestFirst), (2, Order::OldestFirst)];
/// Organizations looked at in one claim.
const ORGS_MAX: usize = 256;

impl Desk {
    fn claim(&self, conn: &mut Conn, limit: usize, now: Millis) -> Result<Vec<Claimed>> {
        let mut claimed = Vec::new();
        for (lane, order) in LANES {
            let left = limit.saturating_sub(claimed.len());
            if left == 0 {
                break;
            }
            let orgs = store::orgs_due(conn, lane, now, ORGS_MAX)?;
            let share = i64::try_from(left.div_ceil(orgs.len().max(1)).max(1)).unwrap_or(i64::MAX);
            for org in orgs {
                if claimed.len() >= limit {
                    break;
                }
                for row in store::due(conn, lane, org, order, now, share)? {
                    claimed.extend(self.take(conn, row, now)?);
                }
            }
        }
        Ok(claimed)
    }

    fn take(&self, conn: &mut Conn, row: Row, now: Millis) -> Result<Option<Claimed>> {
        match progress::due_step(&row, now) {
            // This process has it in hand and is only slow: the lease is taken on, not taken away.
            Due::GiveUpAsUnknown if self.in_flight.holds(row.id) => {
                let held = Move { next_at: Some(now.plus(self.lease)), ..Move::of(&row, now) };
                store::apply(conn, &row, &held)?;
                Ok(None)
            }
            Due::GiveUpAsUnknown => {
                let to = progress::unknown(&row, "dispatch.lost", now);
                settle::move_row(conn, &row, &to, &Moved::by("lease"), now)?;
                Ok(None)
            }
            Due::Expire => {
                settle::move_row(conn, &row, &progress::expire(&row, now), &Moved::by("ttl"), now)?;
                Ok(None)
            }
            Due::HandOver => self.begin(conn, row, now),
        }
    }

    fn begin(&self, conn: &mut Conn, row: Row, now: Millis) -> Result<Option<Claimed>> {
        let extra = row.extra_or_none();
        let (channel, to) = row.way(&extra);
        let carrier = match self.choose(&row, &extra, channel, &to, now) {
            Choice::Carrier(carrier) => carrier,
            Choice::Later(wait) => return self.instead(conn, &row, &progress::no_route_now(&row, wait, now), now),
            Choice::Exhausted => return self.instead(conn, &row, &progress::routes_exhausted(&row, now), now),
            Choice::None => return self.instead(conn, &row, &progress::no_route(&row, now), now),
        };
        let attempt = Attempt {
            id: AttemptId::new(now),
            message_id: row.id,
            number: row.attempts + 1,
            channel,
            carrier: carrier.clone(),
            state: AttemptState::Started,
            provider_id: None,
            error_code: None,
            detail: None,
            started_at: now,
            finished_at: None,
        };
        let to_sending = Move {
            status: Status::Sending,
            attempts: attempt.number,
            carrier: Some(carrier),
            next_at: Some(now.plus(self.lease)),
            ..Move::of(&row, now)
        };
        if !store::apply(conn, &row, &to_sending)? {
            return Ok(None);
        }
        store::insert_attempt(conn, &attempt)?;
        let row = Row {
            status: Status::Sending,
            attempts: attempt.number,
            carrier: to_sending.carrier,
            next_at: to_sending.next_at,
            ..row
        };
        Ok(Some(Claimed { row, attempt, to }))
    }

    fn instead(&self, conn: &mut Conn, row: &Row, to: &Move, now: Millis) -> Result<Option<Claimed>> {
        settle::move_row(conn, row, to, &Moved::by("routing"), now)?;
        Ok(None)
    }

    fn choose(&self, row: &Row, extra: &Extra, channel: Channel, to: &str, now: Millis) -> Choice {
        if channel == Channel::Whatsapp {
            return Choice::None;
        }
        let candidates = self.candidates(row, channel, to);
        if candidates.is_empty() {
            return Choice::None;
        }
        let left: Vec<Candidate> =
            candidates.into_iter().filter(|candidate| !extra.tried.contains(&candidate.carrier)).collect();
        if left.is_empty() {
            return Choice::Exhausted;
        }
        let has_room = |name: &str| {
            let max = self.carriers.find(name).map_or(0, |carrier| carrier.limits().max_in_flight);
            self.in_flight.of_carrier(name) < max
        };
        let usable = |name: &str| self.carriers.circuits().is_open_to(name, now) && has_room(name);
        match pick(&left, usable, random_u64()) {
            Some(candidate) => {
                self.carriers.circuits().permit(&candidate.carrier, now);
                Choice::Carrier(candidate.carrier.clone())
            }
            None => Choice::Later(Duration::from_millis(250)),
        }
    }

    fn candidates(&self, row: &Row, channel: Channel, to: &str) -> Vec<Candidate> {
        if row.mode == Mode::Test {
            return vec![Candidate { carrier: String::from("sandbox"), priority: 0, weight: 1 }];
        }
        // Mail has no country; a fallback's number is in the country its own digits say.
        let country = crate::phone::Phone::parse(to, None).ok().map(|phone| phone.country());
        let want = routing::Want { channel, country, recipient: to, org_id: row.org_id };
        routing::eligible(&self.routes, &want)
            .into_iter()
            .map(|route| Candidate { carrier: route.carrier.clone(), priority: route.priority, weight: route.weight })
            .collect()
    }
}

enum Choice {
    Carrier(String),
    Later(Duration),
    Exhausted,
    None,
}

fn refused(code: &'static str, detail: &str) -> Outcome {
    Outcome::Refused(crate::providers::Refusal {
        kind: crate::providers::RefusalKind::Route,
        code,
        detail: String::from(detail),
    })
}

fn note(claimed: &Claimed, outcome: &Outcome, now: Millis) {
    let word = match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Refused(_) => "refused",
        Outcome::Unknown { .. } => "unknown",
    };
    let carrier = claimed.attempt.carrier.clone();
    metrics::counter!("postern_hand_offs_total", "carrier" => carrier.clone(), "outcome" => word).increment(1);
    let took = now.since(claimed.attempt.started_at);
    metrics::histogram!("postern_hand_off_seconds", "carrier" => carrier).record(took.as_secs_f64());
    tracing::info!(outcome = word, duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "handed over");
}
