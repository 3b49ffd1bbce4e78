//! The scenarios: attacks and hard honest cases, by their published shapes. The engine knows none of these numbers.

use super::traffic::{Label, ORG, Outage, Outcome, Planned, Source, User};
use super::world::TAIL;
use crate::clock::Millis;
use crate::fraud::engine::{Features, Key};
use crate::terms::Channel;

crate::text_enum! {
    /// What happens in the lab's third day.
    pub enum Scenario {
        Calm = "calm",
        A1 = "A1",
        A2 = "A2",
        A3 = "A3",
        A4 = "A4",
        A5 = "A5",
        A6 = "A6",
        A7 = "A7",
        A8 = "A8",
        L1 = "L1",
        L2 = "L2",
        L2b = "L2b",
        L3 = "L3",
        L4 = "L4",
        L5 = "L5",
        L6 = "L6",
    }
}

impl Scenario {
    /// What it is, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Scenario::Calm => "nothing but ordinary users",
            Scenario::A1 => "sequential burst in one range",
            Scenario::A2 => "low and slow over five dear countries",
            Scenario::A3 => "wide spray over 40 blocks",
            Scenario::A4 => "colluding route completes the codes",
            Scenario::A5 => "stolen key, bulk",
            Scenario::A6 => "victims bombed through four organizations",
            Scenario::A7 => "slow strided sequence",
            Scenario::A8 => "one range with one in seven verifying",
            Scenario::L1 => "flash sale",
            Scenario::L2 => "operator outage, reported",
            Scenario::L2b => "operator outage, reported as delivered",
            Scenario::L3 => "university behind two addresses",
            Scenario::L4 => "company phones in sequence",
            Scenario::L5 => "launch in a country with slow delivery",
            Scenario::L6 => "new users who verify seldom",
        }
    }

    /// How long its cause lasts, seconds.
    pub fn lasts_s(self) -> i64 {
        match self {
            Scenario::Calm => 0,
            Scenario::A1 => 600,
            Scenario::A2 => 14 * 3_600,
            Scenario::A4 => 7_200,
            Scenario::A5 => 1_800,
            Scenario::A6 => 6 * 3_600,
            Scenario::A7 => 3 * 3_600,
            Scenario::L2 | Scenario::L2b => 5_400,
            Scenario::L3 => 2_400,
            Scenario::L4 => 1_600,
            Scenario::A3 | Scenario::A8 | Scenario::L1 | Scenario::L5 | Scenario::L6 => 3_600,
        }
    }

    /// The outage that ordinary users meet in it.
    pub fn outage(self, source: &Source<'_>, from: Millis) -> Option<Outage> {
        let undelivered = match self {
            Scenario::L2 => 0.75,
            Scenario::L2b => 0.0,
            _ => return None,
        };
        let place = source.world.places.first()?;
        let until = Millis(from.0 + self.lasts_s() * 1_000);
        Some(Outage { country: place.country, operator: 0, from, until, undelivered, conversion: 0.08 })
    }

    /// The attempts beside the ordinary ones, from `from` on.
    pub fn plan(self, source: &mut Source<'_>, from: Millis) -> Vec<Planned> {
        let mut planned = match self {
            Scenario::Calm | Scenario::L2 | Scenario::L2b => Vec::new(),
            Scenario::A1 => sequence(source, from, Sequence { count: 12_000, every_ms: 50, step: 1, networks: 5 }),
            Scenario::A2 => low_and_slow(source, from),
            Scenario::A3 => spray(source, from),
            Scenario::A4 => colluding(source, from),
            Scenario::A5 => bulk(source, from),
            Scenario::A6 => bombing(source, from),
            Scenario::A7 => sequence(source, from, Sequence { count: 1_080, every_ms: 10_000, step: 7, networks: 400 }),
            Scenario::A8 => one_range(source, from),
            Scenario::L1 => {
                crowd(source, from, Crowd { count: 2_200, conversion: 0.78, new: 0.8, median_s: 20.0, place: 0 })
            }
            Scenario::L3 => campus(source, from),
            Scenario::L4 => company(source, from),
            Scenario::L5 => {
                crowd(source, from, Crowd { count: 900, conversion: 0.75, new: 1.0, median_s: 70.0, place: 6 })
            }
            Scenario::L6 => {
                crowd(source, from, Crowd { count: 500, conversion: 0.55, new: 1.0, median_s: 25.0, place: 2 })
            }
        };
        planned.sort_by_key(|attempt| attempt.at);
        planned
    }
}

fn after(from: Millis, ms: i64) -> Millis {
    Millis(from.0 + ms)
}

struct Sequence {
    count: i64,
    every_ms: i64,
    step: u64,
    networks: u64,
}

fn sequence(source: &mut Source<'_>, from: Millis, run: Sequence) -> Vec<Planned> {
    let world = source.world;
    let Some(place) = world.places.iter().find(|place| place.country.as_str() == "LV") else { return Vec::new() };
    let first = place.prefix(0, &mut source.rng) * TAIL + source.rng.below(TAIL / 2);
    let networks: Vec<Key> = (0..run.networks).map(|_| Key(source.rng.draw())).collect();
    let attempt = |at: i64| {
        let network = networks.get(source.rng.below(run.networks) as usize).copied();
        let features = source.features(place, first + at.unsigned_abs() * run.step, network);
        source.attack(after(from, at * run.every_ms), features, 0.0)
    };
    (0..run.count).map(attempt).collect()
}

fn low_and_slow(source: &mut Source<'_>, from: Millis) -> Vec<Planned> {
    let dear = source.world.dear(5);
    let mut planned = Vec::new();
    for at in 0..(14 * 90) {
        let Some(place) = dear.get(source.rng.below(dear.len() as u64) as usize) else { continue };
        let (_, digits) = place.number(&mut source.rng);
        let network = source.fresh_network();
        let features = source.features(place, digits, network);
        let at = after(from, at * 40_000 + (source.rng.share() * 20_000.0) as i64);
        planned.push(source.attack(at, features, 0.01));
    }
    planned
}

fn spray(source: &mut Source<'_>, from: Millis) -> Vec<Planned> {
    let dear = source.world.dear(8);
    let mut blocks = Vec::new();
    for at in 0..40 {
        let Some(place) = dear.get(at % dear.len().max(1)) else { continue };
        let (_, digits) = place.number(&mut source.rng);
        blocks.push((*place, digits / 10_000));
    }
    let mut network = None;
    let mut planned = Vec::new();
    for at in 0..6_000 {
        let Some((place, block)) = blocks.get(source.rng.below(blocks.len() as u64) as usize).copied() else {
            continue;
        };
        if at % 2 == 0 {
            network = source.fresh_network();
        }
        let digits = block * 10_000 + source.rng.below(10_000);
        let features = source.features(place, digits, network);
        planned.push(source.attack(after(from, at * 600), features, 0.02));
    }
    planned
}

fn colluding(source: &mut Source<'_>, from: Millis) -> Vec<Planned> {
    let dear = source.world.dear(3);
    let Some(place) = dear.last().copied() else { return Vec::new() };
    let first = place.prefix(1, &mut source.rng) * TAIL + source.rng.below(90) * 10_000;
    let attempt = |at: i64| {
        let network = source.fresh_network();
        let digits = first + source.rng.below(20_000);
        let features = source.features(place, digits, network);
        let mut planned = source.attack(after(from, at * 1_800), features, 0.0);
        planned.outcome.verify_s = source.rng.chance(0.6).then(|| 4.0 + 0.3 * source.rng.normal());
        planned
    };
    (0..4_000).map(attempt).collect()
}

fn bulk(source: &mut Source<'_>, from: Millis) -> Vec<Planned> {
    let world = source.world;
    let Some(place) = world.places.iter().find(|place| place.country.as_str() == "PL") else { return Vec::new() };
    let attempt = |at: i64| {
        let digits = place.number_of(1, &mut source.rng);
        let features = source.features(place, digits, None);
        source.attack(after(from, at * 200), features, 0.0)
    };
    (0..9_000).map(attempt).collect()
}

fn bombing(source: &mut Source<'_>, from: Millis) -> Vec<Planned> {
    let mut planned = Vec::new();
    for _ in 0..40 {
        let Some(place) = source.world.draw(&mut source.rng) else { continue };
        let (_, digits) = place.number(&mut source.rng);
        for request in 0..216u64 {
            let network = source.fresh_network();
            let org = Key(ORG.0 + request % 4);
            let channel = if request % 3 == 0 { Channel::Whatsapp } else { Channel::Sms };
            let features = Features { org, channel, ..source.features(place, digits, network) };
            let at = after(from, (source.rng.share() * 6.0 * 3_600_000.0) as i64);
            planned.push(source.attack(at, features, 0.0));
        }
    }
    planned
}

fn one_range(source: &mut Source<'_>, from: Millis) -> Vec<Planned> {
    let dear = source.world.dear(6);
    let Some(place) = dear.last().copied() else { return Vec::new() };
    let prefix = place.prefix(0, &mut source.rng);
    let attempt = |at: i64| {
        let network = source.fresh_network();
        let digits = prefix * TAIL + source.rng.below(TAIL);
        let features = source.features(place, digits, network);
        source.attack(after(from, at * 3_000), features, 0.14)
    };
    (0..1_200).map(attempt).collect()
}

struct Crowd {
    count: u32,
    conversion: f64,
    new: f64,
    median_s: f64,
    place: usize,
}

fn crowd(source: &mut Source<'_>, from: Millis, crowd: Crowd) -> Vec<Planned> {
    let world = source.world;
    let Some(place) = world.places.get(crowd.place) else { return Vec::new() };
    let attempt = |_| {
        let (_, digits) = place.number(&mut source.rng);
        let network = source.fresh_network();
        let known = !source.rng.chance(crowd.new);
        let at = after(from, (source.rng.share() * 3_600_000.0) as i64);
        let user = User { known, median_s: crowd.median_s, ..User::new(Label::Case, crowd.conversion) };
        source.user(at, place, digits, network, user)
    };
    (0..crowd.count).map(attempt).collect()
}

fn campus(source: &mut Source<'_>, from: Millis) -> Vec<Planned> {
    let Some(place) = source.world.places.first() else { return Vec::new() };
    let (one, other) = (source.fresh_network(), source.fresh_network());
    let attempt = |_| {
        let (_, digits) = place.number(&mut source.rng);
        let network = if source.rng.chance(0.5) { one } else { other };
        let at = after(from, (source.rng.share() * 2_400_000.0) as i64);
        source.user(at, place, digits, network, User::new(Label::Case, 0.8))
    };
    (0..1_500).map(attempt).collect()
}

fn company(source: &mut Source<'_>, from: Millis) -> Vec<Planned> {
    let Some(place) = source.world.places.get(1) else { return Vec::new() };
    let first = place.prefix(0, &mut source.rng) * TAIL + source.rng.below(TAIL - 1_000);
    let network = source.fresh_network();
    let attempt = |at: i64| {
        let digits = first + at.unsigned_abs();
        let mut planned = source.user(after(from, at * 4_000), place, digits, network, User::new(Label::Case, 0.9));
        planned.outcome = Outcome { resends: 0, ..planned.outcome };
        planned
    };
    (0..400).map(attempt).collect()
}
