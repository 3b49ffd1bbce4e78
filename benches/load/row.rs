//! A row of the table: what a run did and what it cost.

use std::io::Write;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::args::Args;
use crate::machine::{self, Cpu, Memory};

/// A run, measured.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Row {
    /// What was driven.
    pub scenario: String,
    /// On which database.
    pub database: String,
    /// How much a second.
    pub rate: f64,
    /// Of what.
    pub unit: &'static str,
    /// Half of the latencies are below, milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 are below, milliseconds.
    pub p99_ms: f64,
    /// Processor time of all server processes for each, microseconds.
    pub cpu_us: f64,
    /// Memory of all server processes, MiB.
    pub rss_mb: f64,
    /// The same with shared pages counted once.
    pub pss_mb: f64,
    /// Cores that the load took.
    pub load_cores: f64,
    /// Cores that strangers took; above 0.2 the run is noisy.
    pub alien_cores: f64,
    /// What else there is to say.
    pub notes: Vec<String>,
    /// What is wrong: any entry fails the whole program.
    pub faults: Vec<String>,
}

/// Measures what a stretch of time costs.
pub struct Meter {
    pids: Vec<u32>,
    servers: Cpu,
    load: Duration,
    busy: Duration,
    begin: Instant,
    memory: Memory,
}

impl Meter {
    /// Begins; `pids` are the servers.
    pub fn begin(pids: &[u32]) -> Meter {
        Meter {
            pids: pids.to_vec(),
            servers: machine::cpu(pids),
            load: machine::own(),
            busy: machine::busy(),
            begin: Instant::now(),
            memory: Memory::default(),
        }
    }

    /// Waits until `to`; memory is read a little before that, under load.
    pub async fn until(&mut self, to: Instant) {
        let before = Duration::from_millis(200);
        tokio::time::sleep_until((to.checked_sub(before).unwrap_or(to)).into()).await;
        self.memory = machine::memory(&self.pids);
        tokio::time::sleep_until(to.into()).await;
    }

    /// Ends; what it has cost.
    pub fn end(&self) -> Cost {
        let wall = self.begin.elapsed().as_secs_f64();
        let servers = machine::cpu(&self.pids).since(&self.servers).as_secs_f64();
        let load = machine::own().saturating_sub(self.load).as_secs_f64();
        let busy = machine::busy().saturating_sub(self.busy).as_secs_f64();
        Cost { wall, servers, load, aliens: (busy - servers - load).max(0.0), memory: self.memory }
    }
}

/// What a stretch of time cost, in seconds of processors.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    wall: f64,
    servers: f64,
    load: f64,
    aliens: f64,
    memory: Memory,
}

impl Cost {
    /// The row of `units` done meanwhile.
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    pub fn row(&self, units: u64) -> Row {
        Row {
            rate: units as f64 / self.wall,
            cpu_us: self.servers * 1e6 / (units as f64).max(1.0),
            rss_mb: self.memory.rss_mb,
            pss_mb: self.memory.pss_mb,
            load_cores: self.load / self.wall,
            alien_cores: self.aliens / self.wall,
            ..Row::default()
        }
    }
}

impl Row {
    /// Says what it is a row of.
    #[must_use]
    pub fn named(mut self, scenario: impl Into<String>, args: &Args, unit: &'static str) -> Row {
        (self.scenario, self.database, self.unit) = (scenario.into(), args.database_name(), unit);
        self
    }

    /// Adds latencies.
    #[must_use]
    pub fn timed(mut self, hist: &crate::hist::Hist) -> Row {
        self.p50_ms = millis(hist.quantile(0.5));
        self.p99_ms = millis(hist.quantile(0.99));
        self
    }

    /// Adds a note.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Adds a fault unless `holds`.
    pub fn must(&mut self, holds: bool, fault: impl Into<String>) {
        if !holds {
            self.faults.push(fault.into());
        }
    }

    /// The line of the table.
    pub fn line(&self) -> String {
        let mut notes = self.notes.clone();
        if self.alien_cores > 0.2 {
            notes.push(format!("NOISY: strangers took {:.2} cores", self.alien_cores));
        }
        notes.extend(self.faults.iter().map(|fault| format!("WRONG: {fault}")));
        format!(
            "{:<16} {:<16} {:>9.0} {:<6} {:>8.2} {:>8.2} {:>8.0} {:>7.1} {:>7.1}  {}",
            self.scenario,
            self.database,
            self.rate,
            self.unit,
            self.p50_ms,
            self.p99_ms,
            self.cpu_us,
            self.rss_mb,
            self.pss_mb,
            notes.join("; ")
        )
    }
}

/// The head of the table.
pub fn head() -> String {
    format!(
        "{:<16} {:<16} {:>9} {:<6} {:>8} {:>8} {:>8} {:>7} {:>7}  {}",
        "scenario", "database", "rate/s", "of", "p50 ms", "p99 ms", "CPU us", "RSS MB", "PSS MB", "notes"
    )
}

/// Appends a run to the file of `--json`.
pub fn keep(args: &Args, row: &Row) -> anyhow::Result<()> {
    let Some(path) = &args.json else { return Ok(()) };
    let commit = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let commit = commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    let mut line = serde_json::to_value(row)?;
    if let Some(members) = line.as_object_mut() {
        members.insert(String::from("date"), postern::clock::Clock::System.now().rfc3339().into());
        members.insert(String::from("machine"), machine::describe().into());
        members.insert(String::from("commit"), commit.into());
        members.insert(String::from("connections"), args.connections.into());
        members.insert(String::from("seconds"), args.seconds.into());
    }
    let mut file = std::fs::File::options().create(true).append(true).open(path)?;
    writeln!(file, "{line}")?;
    Ok(())
}

/// As milliseconds.
pub fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
