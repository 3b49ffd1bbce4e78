//! What a claim does: whom it serves first, what is due for each row, and which carrier takes it.

use std::sync::Arc;
use std::time::Duration;

use super::dispatch::Claimed;
use super::in_flight::InFlight;
use super::progress::{self, Due};
use super::settle::{self, Moved};
use super::state::Status;
use super::store::{self, Attempt, AttemptState, Extra, Move, Order, Row};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::AttemptId;
use crate::providers::Carriers;
use crate::providers::pick::{Candidate, pick};
use crate::routing::{self, Route};
use crate::secret::random_u64;
use crate::terms::{Channel, Mode};

/// What a claim looks at besides the table.
pub(super) struct Desk {
    pub(super) routes: Arc<Vec<Route>>,
    pub(super) carriers: Carriers,
    pub(super) in_flight: InFlight,
    pub(super) lease: Duration,
}

/// The lanes, first served first; see `Kind::lane`.
const LANES: [(i16, Order); 3] = [(0, Order::NewestFirst), (1, Order::OldestFirst), (2, Order::OldestFirst)];
/// Organizations looked at in one claim.
const ORGS_MAX: usize = 256;

impl Desk {
    pub(super) fn claim(&self, conn: &mut Conn, limit: usize, now: Millis) -> Result<Vec<Claimed>> {
        let mut claimed = Vec::new();
        for (lane, order) in LANES {
            let left = limit.saturating_sub(claimed.len());
            if left == 0 {
                break;
            }
            let orgs = store::orgs_due(
                conn,
                lane,
                now,
                store::Turn { after: self.in_flight.last_served(lane), limit: ORGS_MAX },
            )?;
            let share = i64::try_from(left.div_ceil(orgs.len().max(1)).max(1)).unwrap_or(i64::MAX);
            for org in orgs {
                if claimed.len() >= limit {
                    break;
                }
                for row in store::due(conn, lane, org, order, now, share)? {
                    claimed.extend(self.take(conn, row, now)?);
                }
                self.in_flight.note_served(lane, org);
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
            Choice::Later(wait) => return self.put_off(conn, &row, wait, now),
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
        let flight = self.in_flight.begin(row.id, &attempt.carrier);
        Ok(Some(Claimed { row, attempt, to, flight }))
    }

    /// Waits for a carrier's room or health: nothing worth a place on the timeline, unless it ends the message.
    fn put_off(&self, conn: &mut Conn, row: &Row, wait: Duration, now: Millis) -> Result<Option<Claimed>> {
        let to = progress::no_route_now(row, wait, now);
        if to.status != Status::Queued || to.extra != row.extra {
            return self.instead(conn, row, &to, now);
        }
        store::apply(conn, row, &to)?;
        Ok(None)
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
