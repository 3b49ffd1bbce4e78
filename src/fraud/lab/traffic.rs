//! Traffic: what users and attackers will do, drawn from a seed before anything runs.

use crate::clock::Millis;
use crate::fraud::engine::rng::{Rng, mix};
use crate::fraud::engine::{Features, Key};
use crate::phone::Country;
use crate::terms::Channel;

use super::world::{Place, World};

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// An ordinary user.
    Background,
    /// An honest user of the scenario's hard case.
    Case,
    /// An attacker.
    Attack,
}

/// What comes of a message if it is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Seconds until the code is typed.
    pub verify_s: Option<f64>,
    /// What the carrier reports.
    pub delivered: bool,
    /// Times the user asks again when nothing came.
    pub resends: u8,
}

/// One attempt to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// When.
    pub at: Millis,
    /// By whom.
    pub label: Label,
    /// What the engine sees.
    pub features: Features,
    /// What comes of it.
    pub outcome: Outcome,
}

/// The lab's organization.
pub const ORG: Key = Key(0x6c61_6221);
const CREDENTIAL: Key = Key(0x6b65_7921);
/// When the lab's traffic begins: a midnight, UTC.
pub const START: Millis = Millis(1_790_035_200_000);
/// Length of a day.
pub const DAY_MS: i64 = 86_400_000;

/// Shares that describe users: healthy conversion is 60 to 80 % for new ones and about 90 % for known ones.
const NEW: f64 = 0.80;
const KNOWN: f64 = 0.92;
const RETURNING: f64 = 0.70;
const ASKS_AGAIN: f64 = 0.45;
/// Seconds until half of the users have typed their code, and the spread of its logarithm.
const TYPING: (f64, f64) = (20.0, 0.9);

/// An operator's failure: where, when, and what is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outage {
    /// The country.
    pub country: Country,
    /// The operator's place in the country.
    pub operator: usize,
    /// From.
    pub from: Millis,
    /// Until.
    pub until: Millis,
    /// Share of messages reported undelivered.
    pub undelivered: f64,
    /// Share of users who verify all the same.
    pub conversion: f64,
}

/// Draws traffic.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// The world.
    pub world: &'a World,
    /// The stream of chance.
    pub rng: Rng,
}

/// One user to draw.
#[derive(Debug, Clone, Copy)]
pub struct User {
    /// Who sends.
    pub label: Label,
    /// Whether the number verified before.
    pub known: bool,
    /// The share that verifies.
    pub conversion: f64,
    /// The median of the time to type, seconds.
    pub median_s: f64,
}

impl User {
    /// A new user with a share of verification.
    pub fn new(label: Label, conversion: f64) -> User {
        User { label, known: false, conversion, median_s: TYPING.0 }
    }
}

impl<'a> Source<'a> {
    /// A source of a seed.
    pub fn new(world: &'a World, seed: u64) -> Source<'a> {
        Source { world, rng: Rng::new(seed) }
    }

    /// What the engine sees of an attempt to `digits`.
    pub fn features(&self, place: &Place, digits: u64, network: Option<Key>) -> Features {
        Features {
            org: ORG,
            credential: CREDENTIAL,
            number: Key(mix(digits)),
            digits,
            country: place.country,
            channel: Channel::Sms,
            price: place.price,
            network,
            device: None,
            named: Vec::new(),
            proven_at: None,
            reports: true,
        }
    }

    /// A network of its own.
    pub fn fresh_network(&mut self) -> Option<Key> {
        Some(Key(self.rng.draw()))
    }

    /// One user's attempt.
    pub fn user(&mut self, at: Millis, place: &Place, digits: u64, network: Option<Key>, user: User) -> Planned {
        let mut features = self.features(place, digits, network);
        if user.known {
            features.proven_at = Some(Millis(at.0 - (self.rng.share() * 60.0 * DAY_MS as f64) as i64));
        }
        let verifies = self.rng.chance(user.conversion);
        let verify_s = verifies.then(|| self.rng.lognormal(user.median_s, TYPING.1));
        let resends = if self.rng.chance(ASKS_AGAIN) { 1 + u8::from(self.rng.chance(0.3)) } else { 0 };
        Planned { at, label: user.label, features, outcome: Outcome { verify_s, delivered: true, resends } }
    }

    /// One attacker's attempt.
    pub fn attack(&mut self, at: Millis, features: Features, conversion: f64) -> Planned {
        let verify_s = self.rng.chance(conversion).then(|| self.rng.lognormal(TYPING.0, TYPING.1));
        Planned { at, label: Label::Attack, features, outcome: Outcome { verify_s, delivered: true, resends: 0 } }
    }

    /// A day and more of ordinary users, `per_day` of them, more by day than by night.
    pub fn background(&mut self, from: Millis, until: Millis, per_day: f64, outage: Option<&Outage>) -> Vec<Planned> {
        let mut planned = Vec::new();
        let mut at = from.0 as f64;
        // Thinned from the busiest rate (Lewis and Shedler 1979).
        let busiest = per_day * 1.6 / DAY_MS as f64;
        loop {
            at += self.rng.wait(1.0 / busiest);
            if at >= until.0 as f64 {
                return planned;
            }
            let hour = at.rem_euclid(DAY_MS as f64) / 3_600_000.0;
            let load = 1.0 - 0.6 * ((hour - 3.0) / 24.0 * std::f64::consts::TAU).cos();
            if !self.rng.chance(load / 1.6) {
                continue;
            }
            let Some(place) = self.world.draw(&mut self.rng) else { return planned };
            planned.push(self.ordinary(Millis(at as i64), place, outage));
        }
    }

    /// One ordinary user of a country.
    pub fn ordinary(&mut self, at: Millis, place: &Place, outage: Option<&Outage>) -> Planned {
        let (operator, digits) = place.number(&mut self.rng);
        let known = self.rng.chance(RETURNING);
        // One in ten is behind an operator's shared address.
        let shared = Key(mix(place.price.0.unsigned_abs()) ^ self.rng.below(4));
        let network = if self.rng.chance(0.1) { Some(shared) } else { self.fresh_network() };
        let conversion = if known { KNOWN } else { NEW };
        let user = User { known, ..User::new(Label::Background, conversion) };
        let mut planned = self.user(at, place, digits, network, user);
        let hit =
            outage.filter(|o| o.country == place.country && o.operator == operator && (o.from..o.until).contains(&at));
        if let Some(outage) = hit {
            planned.label = Label::Case;
            planned.outcome.delivered = !self.rng.chance(outage.undelivered);
            planned.outcome.resends = 2;
            if !self.rng.chance(outage.conversion / conversion) {
                planned.outcome.verify_s = None;
            }
        }
        planned
    }
}
