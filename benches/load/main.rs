//! The load program: starts Postern as a user would, drives it from outside and prints what it did and what that cost.
//!
//! `cargo run --release --bin load -- accept dispatch`; `docs/performance.md` says what each row means.

mod args;
mod carrier;
mod database;
mod drive;
mod fill;
mod hist;
mod machine;
mod nodes;
mod requests;
mod row;
mod scenarios;
mod scene;
mod setup;
mod smsc;
mod syncs;
mod wire;

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use args::{Args, Scenario};
use row::Row;
use scenarios::{accept, bulk, dispatch, flat, kill, mixed, pump, smpp, start, verify};

fn main() -> ExitCode {
    match drive_all(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("load: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs every scenario; whether all came out as they must.
fn drive_all(args: &Args) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut right = true;
    println!("{}", row::head());
    for scenario in wanted(&args.scenarios) {
        let mut runs = Vec::new();
        for _ in 0..args.runs.max(1) {
            let rows = runtime.block_on(unless_stopped(run(scenario, args)))?;
            for row in &rows {
                row::keep(args, row)?;
            }
            right &= rows.iter().all(|row| row.faults.is_empty());
            runs.push(rows);
        }
        medians(runs).iter().for_each(|row| println!("{}", row.line()));
    }
    Ok(right)
}

/// Ends early on a signal, so that no server is left behind.
async fn unless_stopped(rows: impl Future<Output = anyhow::Result<Vec<Row>>>) -> anyhow::Result<Vec<Row>> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        rows = rows => rows,
        _ = terminate.recv() => anyhow::bail!("asked to end"),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            anyhow::bail!("interrupted")
        }
    }
}

fn wanted(given: &[Scenario]) -> Vec<Scenario> {
    let all = |scenario: &Scenario| match scenario {
        Scenario::All => Scenario::ALL.to_vec(),
        one => vec![*one],
    };
    given.iter().flat_map(all).collect()
}

async fn run(scenario: Scenario, args: &Args) -> anyhow::Result<Vec<Row>> {
    match scenario {
        Scenario::Start => start::start(args).await,
        Scenario::Empty => accept::empty(args).await,
        Scenario::Accept => accept::accept(args).await,
        Scenario::Steady => accept::steady(args).await,
        Scenario::Pump => pump::pump(args).await,
        Scenario::Replay => pump::replay(args).await,
        Scenario::Bulk => bulk::bulk(args).await,
        Scenario::Dispatch => dispatch::dispatch(args).await,
        Scenario::Smpp => smpp::smpp(args).await,
        Scenario::Kill9 => kill::kill9(args).await,
        Scenario::Verify => verify::verify(args).await,
        Scenario::Mixed => mixed::mixed(args).await,
        Scenario::Flat => flat::flat(args).await,
        // Taken apart before.
        Scenario::All => Ok(Vec::new()),
    }
}

/// Of several runs the row with the median rate; what was wrong in any of them stays with it.
fn medians(mut runs: Vec<Vec<Row>>) -> Vec<Row> {
    let places = runs.iter().map(Vec::len).max().unwrap_or(0);
    let mut rows = Vec::new();
    for place in 0..places {
        let mut of_place: Vec<Row> = runs.iter_mut().filter_map(|run| run.get_mut(place).map(std::mem::take)).collect();
        of_place.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        let faults: Vec<String> = of_place.iter().flat_map(|row| row.faults.clone()).collect();
        let middle = (of_place.len() - 1) / 2;
        rows.extend(of_place.into_iter().nth(middle).map(|row| Row { faults, ..row }));
    }
    rows
}
