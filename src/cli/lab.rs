//! `postern lab`: the attack lab, from the command line.

use clap::Args as ClapArgs;

use super::lab_live::{self, Live};
use super::show;
use crate::accounts::Protection;
use crate::fraud::lab::{Lab, Row, Scenario, report};

/// Run labelled attacks and hard honest cases against the fraud engine
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A scenario, A1 to A8 or L1 to L6, or all
    #[arg(value_name = "SCENARIO", default_value = "all")]
    scenario: String,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// The protection level
    #[arg(long, default_value = "standard", value_parser = ["off", "monitor", "standard", "strict"])]
    level: String,
    /// Beside the engine, run the guards that others ship
    #[arg(long)]
    compare: bool,
    /// Print every run as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    live: Live,
}

/// Runs the command: against the server that it names, or against the engine itself.
pub async fn run_anywhere(args: &Args) -> anyhow::Result<()> {
    if lab_live::run(&args.live, &args.scenario, args.seed).await? { Ok(()) } else { run(args) }
}

/// Runs it against the engine itself.
fn run(args: &Args) -> anyhow::Result<()> {
    let known = || Scenario::ALL.iter().copied();
    let chosen: Vec<Scenario> =
        known().filter(|one| args.scenario == "all" || one.as_str().eq_ignore_ascii_case(&args.scenario)).collect();
    let names: Vec<_> = known().map(|one| one.as_str()).collect();
    anyhow::ensure!(!chosen.is_empty(), "no such scenario; there are all, {}", names.join(", "));
    let level: Protection = args.level.parse()?;
    let mut rows: Vec<Row> = Vec::new();
    for seed in args.seed..args.seed.saturating_add(args.seeds) {
        let lab = Lab::at(seed, level, args.compare);
        rows.extend(chosen.iter().flat_map(|scenario| lab.run(*scenario)));
    }
    let place = |row: &Row| names.iter().position(|name| *name == row.scenario);
    rows.sort_by_key(place);
    if args.json {
        return show::json(&rows);
    }
    for scenario in &chosen {
        show::line(format!("{:5} {}", scenario.as_str(), scenario.about()))?;
    }
    show::line("")?;
    show::line(report::table(&rows))?;
    let own = rows.iter().filter(|row| row.guard == "engine");
    show::line(format!("\nof all that the engine stopped, {:.2}% was an attack", report::precision(own) * 100.0))
}
