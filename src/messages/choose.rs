//! Which carrier takes a message that is due: of the routes that fit, those that are open, have room and keep their pace.

use std::time::Duration;

use super::claim::{DRAIN_WAIT, Desk};
use super::pairs::Pairs;
use super::store::{self, Extra, Row};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Result};
use crate::phone::address_mac;
use crate::providers::circuit::{Permit, State};
use crate::providers::pick::{Candidate, pick};
use crate::routing::{self, Want};
use crate::secret::random_u64;
use crate::terms::{Channel, Kind, Mode};

/// The wait for a carrier whose circuit is open.
const REST_WAIT: Duration = Duration::from_millis(250);
/// The wait for a carrier that has as many hand-offs under way as it takes: one of them may end at any moment.
const FULL_WAIT: Duration = Duration::from_millis(25);
/// Where every carrier rests for longer than this, a message that has another channel goes by that one.
const FALL_BACK_AFTER: Duration = Duration::from_secs(10);

/// The originator that was asked for, and its id at Meta.
pub(super) type From<'a> = (Option<&'a str>, Option<&'a str>);

/// What came of the choice.
pub(super) enum Choice {
    /// This route.
    Route(Candidate),
    /// After this wait; and the reason, should there be no time for it.
    Later(Duration, &'static str),
    /// Every carrier has refused.
    Exhausted,
    /// No route fits.
    None,
}

impl Desk {
    /// Chooses for a row that is due, and counts what it chose.
    pub(super) fn choose(
        &self,
        (row, extra): (&Row, &Extra),
        want: &Want<'_>,
        (from, subject): (From<'_>, Option<&[u8]>),
        pairs: &mut Pairs,
        now: Millis,
    ) -> Choice {
        let candidates = self.candidates(row, want, from);
        if candidates.is_empty() {
            return Choice::None;
        }
        let left: Vec<Candidate> =
            candidates.into_iter().filter(|candidate| !extra.tried.contains(&candidate.carrier)).collect();
        if left.is_empty() {
            return Choice::Exhausted;
        }
        let wait_of = |candidate: &Candidate| {
            let name = candidate.carrier.as_str();
            let has_room = self.in_flight.of_carrier(name) < self.carriers.max_in_flight(name);
            if self.draining.contains(name) || candidate.route.is_some_and(|route| self.pauses.stops_route(route)) {
                return DRAIN_WAIT;
            }
            let open = self.carriers.circuits().is_open_to(name, now)
                && candidate.route.is_none_or(|route| self.watch.is_open_to(route, now));
            match (open, has_room) {
                (false, _) => REST_WAIT,
                (true, false) => FULL_WAIT,
                (true, true) => self.carriers.wait(name, self.nodes, now),
            }
        };
        // Where the originator is the carrier's own, another carrier is another originator: a person shall meet one.
        let is_carrier_s = |candidate: &Candidate| self.senders.choose(want, &candidate.carrier).is_none();
        let whom = (from.0.is_none() && left.iter().any(is_carrier_s)).then_some(want.recipient);
        let is_code = row.kind == Kind::Otp;
        let pair_of = |candidate: &Candidate| {
            let mac = subject.filter(|_| self.paces_pairs(&candidate.carrier))?;
            Some((candidate.carrier.clone(), mac.to_vec()))
        };
        let pair_wait =
            |candidate: &Candidate| pair_of(candidate).map_or(Duration::ZERO, |pair| pairs.wait(&pair, is_code, now));
        let usable = |candidate: &Candidate| wait_of(candidate).is_zero() && pair_wait(candidate).is_zero();
        if let Some(candidate) = pick(&left, usable, whom, random_u64()) {
            self.count(candidate, now);
            return Choice::Route(candidate.clone());
        }
        let rest = |candidate: &Candidate| self.carriers.circuits().rest(&candidate.carrier, now);
        if extra.has_fallback() && left.iter().all(|candidate| rest(candidate) > FALL_BACK_AFTER) {
            return Choice::Exhausted;
        }
        let soonest = left.iter().min_by_key(|candidate| wait_of(candidate).max(pair_wait(candidate)));
        let carriers_wait = soonest.map_or(REST_WAIT, wait_of);
        match soonest.filter(|candidate| pair_wait(candidate) > carriers_wait).and_then(pair_of) {
            Some(pair) => Choice::Later(pairs.next_turn(&pair, is_code, now), Code::WhatsappPairLimit.as_str()),
            None => Choice::Later(carriers_wait.max(Duration::from_millis(5)), Code::ProviderUnavailable.as_str()),
        }
    }

    /// Looks up how far ahead of their pace the WhatsApp recipients of `rows` are; nothing is asked where there are none.
    pub(super) fn look_up_pairs(&self, conn: &mut Conn, rows: &[Row], pairs: &mut Pairs) -> Result<()> {
        let may_go_there =
            |row: &&Row| row.channel == Channel::Whatsapp || row.extra.contains(Channel::Whatsapp.as_str());
        let met = rows.iter().filter(|row| row.mode == Mode::Live).filter(may_go_there).filter_map(|row| {
            let (channel, to) = row.way(&row.extra_or_none());
            (channel == Channel::Whatsapp).then(|| address_mac(&self.keyring, &to))
        });
        let unknown = pairs.unknown(met.collect());
        let found = store::load_pairs(conn, &unknown)?;
        pairs.add(unknown, found);
        Ok(())
    }

    /// The recipient as pairs know it, where a pace is kept at all.
    pub(super) fn paced_recipient(&self, row: &Row, want: &Want<'_>) -> Option<Vec<u8>> {
        let is_paced = row.mode == Mode::Live && want.channel == Channel::Whatsapp;
        is_paced.then(|| address_mac(&self.keyring, want.recipient))
    }

    /// Every real WhatsApp number has Meta behind it, whoever stands between.
    pub(super) fn paces_pairs(&self, carrier: &str) -> bool {
        self.carriers.find(carrier).is_some_and(|carrier| !carrier.is_scripted())
    }

    fn count(&self, candidate: &Candidate, now: Millis) {
        let carrier = &candidate.carrier;
        if self.carriers.circuits().permit(carrier, now) == Permit::Probe {
            self.watch.note_carrier(carrier, (State::Open, State::HalfOpen), None, now);
        }
        self.carriers.count(carrier, self.nodes, now);
        if let Some(route) = candidate.route {
            self.watch.permit(route, carrier, now);
        }
    }

    /// Whether `carrier` sends for the WhatsApp number of this id at Meta: one with an id of its own sends for that alone.
    fn sends_for(&self, carrier: &str, number_id: &str) -> bool {
        self.carriers.find(carrier).is_none_or(|carrier| carrier.phone_number_id().is_none_or(|own| own == number_id))
    }

    fn candidates(&self, row: &Row, want: &Want<'_>, (from, number_id): From<'_>) -> Vec<Candidate> {
        if row.mode == Mode::Test {
            let carrier = String::from("sandbox");
            return vec![Candidate { route: None, carrier, priority: 0, weight: 1, price: None }];
        }
        let known_to = from.and_then(|from| self.senders.carriers_of(want, from));
        routing::eligible(&self.routes, want)
            .into_iter()
            .filter(|route| known_to.as_ref().is_none_or(|names| names.contains(&route.carrier.as_str())))
            .filter(|route| number_id.is_none_or(|id| self.sends_for(&route.carrier, id)))
            .map(|route| Candidate {
                route: Some(route.id),
                carrier: route.carrier.clone(),
                priority: route.priority,
                weight: route.weight,
                price: route.price,
            })
            .collect()
    }
}
