//! The attack lab: labelled traffic, drawn from a seed, against the engine and the guards that others ship.
//!
//! Two calm days teach the guard; in the third the scenario begins at ten o'clock, and the run goes on for 18 hours. Outcomes
//! follow verdicts: what is refused is never verified, and who got no code asks again.

pub mod guards;
pub mod report;
mod scenarios;
mod sim;
mod traffic;
mod world;

pub use report::Row;
pub use scenarios::Scenario;
pub use sim::CAPS;

use crate::accounts::Protection;
use crate::clock::Millis;
use guards::Guard;
use report::Tally;
use sim::Sim;
use traffic::{DAY_MS, START, Source};
use world::World;

use super::engine::{Room, Rules, State};

/// Ordinary messages a day.
const PER_DAY: f64 = 4_000.0;
/// When scenarios begin.
const BEGINS: Millis = Millis(START.0 + 2 * DAY_MS + 10 * 3_600_000);
/// When runs end.
const ENDS: Millis = Millis(BEGINS.0 + 18 * 3_600_000);

/// The lab of one seed: its world, and its guards as two calm days left them.
pub struct Lab {
    seed: u64,
    world: World,
    guards: Vec<Sim>,
}

impl Lab {
    /// Prepares a seed with the engine under `rules`, and beside it the guards that others ship where `compare` is set.
    pub fn new(seed: u64, rules: &Rules, compare: bool) -> Lab {
        let world = World::new(seed);
        let engine = Guard::Engine(Box::new(State::new(seed, Room::default())), Box::new(rules.clone()));
        let others = Guard::others().into_iter().filter(|_| compare);
        let calm = Source::new(&world, seed).background(START, BEGINS, PER_DAY, None);
        let warm = |guard| {
            let mut sim = Sim::new(guard, seed);
            sim.add(calm.clone());
            sim.run(BEGINS, &mut Tally::of(START));
            sim
        };
        let guards = std::iter::once(engine).chain(others).map(warm).collect();
        Lab { seed, world, guards }
    }

    /// A lab at a level's preset.
    pub fn at(seed: u64, level: Protection, compare: bool) -> Lab {
        Lab::new(seed, &Rules::of(level), compare)
    }

    /// Runs a scenario: a row for each guard, the engine's first.
    pub fn run(&self, scenario: Scenario) -> Vec<Row> {
        let mut source = Source::new(&self.world, self.seed ^ 0x5ce0 ^ ((scenario as u64) << 32));
        let outage = scenario.outage(&source, BEGINS);
        let others = source.background(BEGINS, ENDS, PER_DAY, outage.as_ref());
        let own = scenario.plan(&mut source, BEGINS);
        let run = |warm: &Sim| {
            let mut sim = warm.clone();
            sim.add(others.clone());
            sim.add(own.clone());
            let mut tally = Tally::of(BEGINS);
            sim.run(ENDS, &mut tally);
            let ended = Millis(BEGINS.0 + scenario.lasts_s() * 1_000);
            tally.row(scenario.as_str(), sim.guard.name(), self.seed, ended)
        };
        self.guards.iter().map(run).collect()
    }
}
