//! What a claim does: whom it serves first, what is due for each row, and which carrier takes it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::chat::{self, Going};
use super::choose::Choice;
use super::dispatch::Claimed;
use super::in_flight::InFlight;
use super::pairs::Pairs;
use super::progress::{self, Due};
use super::settle::{self, Moved};
use super::state::Status;
use super::store::{self, Attempt, AttemptState, Move, Order, Row};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Result};
use crate::ids::{AttemptId, OrgId};
use crate::inbound::{self, Consents, Whom};
use crate::phone::{Country, Phone};
use crate::providers::Carriers;
use crate::providers::pick::Candidate;
use crate::routing::senders::Pool;
use crate::routing::watch::Watch;
use crate::routing::{Pauses, Route, Want};
use crate::secret::Keyring;
use crate::terms::{Channel, Kind, Mode};
use crate::whatsapp::Numbers;

/// What a claim looks at besides the table.
pub(super) struct Desk {
    pub(super) routes: Arc<Vec<Route>>,
    /// Carriers that take nothing new for now.
    pub(super) draining: Arc<BTreeSet<String>>,
    /// What operators have stopped.
    pub(super) pauses: Arc<Pauses>,
    pub(super) senders: Arc<Pool>,
    pub(super) numbers: Arc<Numbers>,
    pub(super) keyring: Keyring,
    pub(super) watch: Arc<Watch>,
    pub(super) carriers: Carriers,
    pub(super) in_flight: InFlight,
    /// How many processes deliver: each takes its share of a carrier's rate.
    pub(super) nodes: u32,
    pub(super) lease: Duration,
}

/// The lanes, first served first; see `Kind::lane`.
const LANES: [(i16, Order); 3] = [(0, Order::NewestFirst), (1, Order::OldestFirst), (2, Order::OldestFirst)];
/// How often a claim looks behind messages it had to put off, in one organization.
const ROUNDS_MAX: usize = 8;
/// The wait for a carrier that is drained, and for what an operator has stopped: long enough that a backlog costs little, short enough for a resume.
pub(super) const DRAIN_WAIT: Duration = Duration::from_secs(1);
/// The wait for a WhatsApp number that is stopped: somebody has to set it back.
const STOPPED_WAIT: Duration = Duration::from_secs(30);
/// Organizations looked at in one claim.
const ORGS_MAX: usize = 256;

/// How far a claim has come.
#[derive(Default)]
struct Round {
    claimed: Vec<Claimed>,
    moves: Vec<(Row, Move)>,
    put_off: usize,
    /// Of the whole claim.
    pairs: Pairs,
}

impl Desk {
    pub(super) fn claim(&self, conn: &mut Conn, limit: usize, now: Millis) -> Result<Vec<Claimed>> {
        let mut claimed: Vec<Claimed> = Vec::new();
        let mut pairs = Pairs::default();
        for (lane, order) in LANES {
            let left = limit.saturating_sub(claimed.len());
            if left == 0 {
                break;
            }
            let after = self.in_flight.last_served(lane);
            let orgs = store::orgs_due(conn, lane, now, store::Turn { after, limit: ORGS_MAX })?;
            let share = left.div_ceil(orgs.len().max(1)).max(1);
            for org in orgs {
                let left = limit.saturating_sub(claimed.len());
                if left == 0 {
                    break;
                }
                claimed.extend(self.claim_of(conn, (lane, order, org), share.min(left), (&mut pairs, now))?);
                self.in_flight.note_served(lane, org);
            }
        }
        store::take_pairs(conn, pairs.taken(), now)?;
        Ok(claimed)
    }

    /// Up to `share` messages of one organization. Those whose carrier has no room are put off, and others behind them
    /// come up: one slow carrier does not hold back the rest.
    fn claim_of(
        &self,
        conn: &mut Conn,
        (lane, order, org): (i16, Order, OrgId),
        share: usize,
        (pairs, now): (&mut Pairs, Millis),
    ) -> Result<Vec<Claimed>> {
        let mut claimed = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let left = share.saturating_sub(claimed.len());
            let rows = store::due(conn, lane, org, order, now, i64::try_from(left).unwrap_or(i64::MAX))?;
            let consents = consents_of(conn, &rows)?;
            self.look_up_pairs(conn, &rows, pairs)?;
            let mut round = Round { pairs: std::mem::take(pairs), ..Round::default() };
            for row in rows {
                if row.kind != Kind::Otp
                    && !matches!(row.status, Status::Sending | Status::Sent)
                    && consents.refuses(&whom(&row))
                {
                    instead(conn, &row, &progress::opted_out(&row, now), now)?;
                } else {
                    self.take(conn, row, now, &mut round)?;
                }
            }
            let moves: Vec<(&Row, &Move)> = round.moves.iter().map(|(row, to)| (row, to)).collect();
            store::apply(conn, &moves)?;
            let begun: Vec<&Attempt> = round.claimed.iter().map(|claimed| &claimed.attempt).collect();
            store::insert_attempts(conn, &begun)?;
            *pairs = std::mem::take(&mut round.pairs);
            claimed.append(&mut round.claimed);
            if round.put_off == 0 || claimed.len() >= share {
                break;
            }
        }
        Ok(claimed)
    }

    fn take(&self, conn: &mut Conn, row: Row, now: Millis, round: &mut Round) -> Result<()> {
        match progress::due_step(&row, now) {
            // This process has it in hand and is only slow: the lease is taken on, not taken away.
            Due::GiveUpAsUnknown if self.in_flight.holds(row.id) => {
                let held = Move { next_at: Some(now.plus(self.lease)), ..Move::of(&row, now) };
                round.moves.push((row, held));
            }
            Due::GiveUpAsUnknown => {
                let to = progress::unknown(&row, "dispatch.lost", now);
                settle::move_row(conn, &row, &to, &Moved::by("lease"), now)?;
            }
            Due::Expire => {
                settle::move_row(conn, &row, &progress::expire(&row, now), &Moved::by("ttl"), now)?;
            }
            Due::FallSilent => {
                settle::move_row(conn, &row, &progress::fall_silent(&row, now), &Moved::by("silence"), now)?;
            }
            Due::HandOver => return self.begin(conn, row, now, round),
        }
        Ok(())
    }

    fn begin(&self, conn: &mut Conn, row: Row, now: Millis, round: &mut Round) -> Result<()> {
        let extra = row.extra_or_none();
        let (channel, to) = row.way(&extra);
        let want = Want { channel, country: country_of(&row, &to), recipient: &to, org_id: row.org_id };
        if row.mode == Mode::Live && self.pauses.stops(&want).is_some() {
            return self.put_off(conn, row, (DRAIN_WAIT, Code::ProviderUnavailable.as_str()), now, round);
        }
        // The originator was checked for the channel it was asked for; on another one it is chosen.
        let mut asked = row.sender.clone().filter(|_| channel == row.channel);
        let mut number_id = None;
        match chat::go(conn, (&self.numbers, &self.keyring), &row, (channel, &to), now)? {
            Going::Elsewhere => {}
            Going::From(number, id) => (asked, number_id) = (Some(number), id),
            Going::Later(wait) => return self.put_off(conn, row, (wait, Code::WhatsappTierLimit.as_str()), now, round),
            // An operator, or Meta, may set the number back: what has no other channel waits for that as long as it lives.
            Going::Stopped if !extra.has_fallback() => {
                return self.put_off(conn, row, (STOPPED_WAIT, Code::ProviderUnavailable.as_str()), now, round);
            }
            Going::Stopped | Going::Nobody => return instead(conn, &row, &progress::no_route(&row, now), now),
        }
        let subject = self.paced_recipient(&row, &want);
        let from = (asked.as_deref(), number_id.as_deref());
        let Candidate { route, carrier, price, .. } =
            match self.choose((&row, &extra), &want, (from, subject.as_deref()), &mut round.pairs, now) {
                Choice::Route(chosen) => chosen,
                Choice::Later(wait, code) => return self.put_off(conn, row, (wait, code), now, round),
                Choice::Exhausted => return instead(conn, &row, &progress::routes_exhausted(&row, now), now),
                Choice::None => return instead(conn, &row, &progress::no_route(&row, now), now),
            };
        let from = asked.or_else(|| self.senders.choose(&want, &carrier).map(|sender| sender.address.clone()));
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
            route_id: route,
            cost_micros: price.and_then(|(amount, _)| amount.times(parts_by(channel, &row))),
            cost_currency: price.map(|(_, currency)| currency),
        };
        let to_sending = Move {
            status: Status::Sending,
            attempts: attempt.number,
            carrier: Some(carrier),
            next_at: Some(now.plus(self.lease)),
            ..Move::of(&row, now)
        };
        let sending = Row {
            status: Status::Sending,
            attempts: attempt.number,
            carrier: to_sending.carrier.clone(),
            next_at: to_sending.next_at,
            ..row.clone()
        };
        let flight = self.in_flight.begin(row.id, &attempt.carrier);
        let pair = subject.filter(|_| self.paces_pairs(&attempt.carrier)).map(|mac| (attempt.carrier.clone(), mac));
        if let Some(pair) = &pair {
            round.pairs.take(pair, now);
        }
        round.moves.push((row, to_sending));
        round.claimed.push(Claimed { row: sending, attempt, to, from, pair, flight });
        Ok(())
    }

    /// Waits for a carrier's room or health: nothing worth a place on the timeline, unless it ends the message.
    fn put_off(
        &self,
        conn: &mut Conn,
        row: Row,
        (wait, code): (Duration, &str),
        now: Millis,
        round: &mut Round,
    ) -> Result<()> {
        let to = progress::no_route_now(&row, (wait, code), now);
        if to.status != Status::Queued || to.extra != row.extra {
            return instead(conn, &row, &to, now);
        }
        round.put_off += 1;
        round.moves.push((row, to));
        Ok(())
    }
}

/// What a carrier bills by: the parts of an SMS, else the message.
fn parts_by(channel: Channel, row: &Row) -> u32 {
    if channel == Channel::Sms { u32::try_from(row.segments).unwrap_or(1) } else { 1 }
}

/// Mail has no country; a fallback's number is in the country its own digits say.
fn country_of(row: &Row, to: &str) -> Option<Country> {
    match to == row.recipient {
        true => row.country,
        false => Phone::parse(to, None).ok().map(|phone| phone.country()),
    }
}

fn instead(conn: &mut Conn, row: &Row, to: &Move, now: Millis) -> Result<()> {
    settle::move_row(conn, row, to, &Moved::by("routing"), now)?;
    Ok(())
}

/// Who of the recipients of `rows` wants no messages by now; nobody is asked about a code.
fn consents_of(conn: &mut Conn, rows: &[Row]) -> Result<Consents> {
    let asked: Vec<Whom> = rows.iter().filter(|row| row.kind != Kind::Otp).map(whom).collect();
    inbound::opted_out(conn, &asked.iter().map(|whom| whom.recipient.as_str()).collect())
}

/// Whom a message goes to next: a fallback has an address of its own.
fn whom(row: &Row) -> Whom {
    let (channel, recipient) = row.way(&row.extra_or_none());
    Whom { org_id: row.org_id, mode: row.mode, channel, recipient }
}

/// The lanes by number, for the dispatcher's sleep.
pub(super) fn lanes() -> [i16; 3] {
    LANES.map(|(lane, _)| lane)
}
