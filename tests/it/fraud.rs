//! The fraud engine against its goals, in the attack lab; and the two commands that run it.

use postern::accounts::Protection;
use postern::fraud::lab::report::{median, precision};
use postern::fraud::lab::{CAPS, Lab, Row, Scenario};
use postern::money::Micros;

/// Seeds of these tests; the constants of the engine were chosen on others.
const SEEDS: std::ops::Range<u64> = 41..44;

/// The engine's rows of a scenario at a level, one a seed.
fn rows(level: Protection, scenarios: &[Scenario]) -> Vec<Row> {
    let run = |seed| {
        let lab = Lab::at(seed, level, false);
        scenarios.iter().flat_map(|scenario| lab.run(*scenario)).collect::<Vec<_>>()
    };
    SEEDS.flat_map(run).collect()
}

fn middle(rows: &[Row], scenario: Scenario, figure: impl Fn(&Row) -> f64) -> f64 {
    let own: Vec<f64> = rows.iter().filter(|row| row.scenario == scenario.as_str()).map(figure).collect();
    assert_eq!(own.len(), SEEDS.count(), "{scenario}");
    median(own)
}

#[test]
fn bursts_are_stopped_within_a_handful_of_messages() {
    let rows = rows(Protection::Standard, &[Scenario::A1, Scenario::A5]);
    let leaked = |scenario| middle(&rows, scenario, |row| row.leaked_before_first as f64);
    assert!(leaked(Scenario::A1) <= 20.0, "{}", leaked(Scenario::A1));
    assert!(leaked(Scenario::A5) <= 60.0, "{}", leaked(Scenario::A5));
    assert!(precision(rows.iter()) >= 0.99, "{}", precision(rows.iter()));
}

#[test]
fn slow_wide_and_colluding_attacks_lose_most_of_their_messages() {
    let rows = rows(Protection::Standard, &[Scenario::A2, Scenario::A3, Scenario::A4]);
    let stopped = |scenario| middle(&rows, scenario, |row| row.attack.share());
    for (scenario, goal) in [(Scenario::A2, 0.6), (Scenario::A3, 0.9), (Scenario::A4, 0.8)] {
        assert!(stopped(scenario) >= goal, "{scenario}: {}", stopped(scenario));
    }
}

#[test]
fn no_victim_gets_more_codes_than_a_number_may_have() {
    let rows = rows(Protection::Standard, &[Scenario::A6]);
    for row in &rows {
        assert!(row.most_per_number <= 6, "{row:?}");
        assert!(row.attack.share() > 0.9);
    }
    assert!(precision(rows.iter()) >= 0.99);
}

#[test]
fn crowds_and_companies_are_served() {
    let rows = rows(Protection::Standard, &[Scenario::L1, Scenario::L3, Scenario::L4]);
    let stopped = |scenario| middle(&rows, scenario, |row| row.case.share());
    for (scenario, goal) in [(Scenario::L1, 0.002), (Scenario::L3, 0.002), (Scenario::L4, 0.01)] {
        assert!(stopped(scenario) < goal, "{scenario}: {}", stopped(scenario));
        assert!(middle(&rows, scenario, |row| row.tail_min) <= 30.0, "{scenario}: a hold outlives its cause");
    }
    assert!(rows.iter().all(|row| row.background.share() < 0.01));
}

#[test]
fn an_outage_is_told_from_an_attack() {
    let rows = rows(Protection::Standard, &[Scenario::L2, Scenario::L2b, Scenario::Calm]);
    for scenario in [Scenario::L2, Scenario::L2b] {
        assert!(middle(&rows, scenario, |row| row.case.share()) < 0.01, "{scenario}");
        assert!(middle(&rows, scenario, |row| row.tail_min) <= 30.0, "{scenario}: a hold outlives its cause");
    }
    assert!(middle(&rows, Scenario::Calm, |row| row.background.share()) < 0.01);
}

#[test]
fn nothing_costs_more_than_the_spend_guard_allows() {
    // With every rule off, only the budget stands: the loss is the sum of its windows at most.
    let rows = rows(Protection::Off, &[Scenario::A1, Scenario::A5]);
    for row in &rows {
        let lost = Micros::parse(&row.lost).unwrap();
        assert!(lost.0 > 0 && lost <= CAPS.hour, "{row:?}");
        assert!(row.attack.capped > 0, "the guard was reached: {row:?}");
    }
}

#[test]
fn a_level_that_only_watches_stops_nothing_and_a_seed_repeats_itself() {
    let lab = Lab::at(41, Protection::Monitor, false);
    let watched = lab.run(Scenario::A7);
    assert_eq!((watched[0].attack.blocked, watched[0].attack.challenged), (0, 0));
    let (one, two) = (Lab::at(42, Protection::Standard, false), Lab::at(42, Protection::Standard, false));
    assert_eq!(one.run(Scenario::A7), two.run(Scenario::A7));
}
