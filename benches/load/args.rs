//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Starts Postern with a database of its own, drives it from outside and prints what it did, a row a scenario.
#[derive(Debug, Clone, Parser)]
#[command(name = "load")]
pub struct Args {
    /// What to run, one after the other, each on a fresh database
    #[arg(required = true)]
    pub scenarios: Vec<Scenario>,
    /// Connections of the closed loops
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// How long each run is measured, seconds
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// How long it runs before that, seconds
    #[arg(long, default_value_t = 1)]
    pub warm: u64,
    /// Runs of each scenario; the row with the median rate is shown
    #[arg(long, default_value_t = 1)]
    pub runs: usize,
    /// Requests a second of the open loops; 200 (steady), 1000 (dispatch, smpp)
    #[arg(long)]
    pub rate: Option<u32>,
    /// Where the data lives
    #[arg(long, default_value = "sqlite")]
    pub database: Kind,
    /// A PostgreSQL server that may make databases, postgres://…; each run has one of its own there
    #[arg(long, required_if_eq("database", "postgres"))]
    pub database_url: Option<String>,
    /// A Redis for limits shared by several nodes, redis://…
    #[arg(long)]
    pub redis_url: Option<String>,
    /// Server processes; several need PostgreSQL
    #[arg(long, default_value_t = 1)]
    pub nodes: usize,
    /// Time the carrier takes to answer, milliseconds
    #[arg(long, default_value_t = 1)]
    pub carrier_ms: u64,
    /// Honest messages a second beside a pump; none with 0
    #[arg(long, default_value_t = 200)]
    pub honest: u32,
    /// Sizes of bulks
    #[arg(long, value_delimiter = ',', default_value = "100,1000")]
    pub bulk: Vec<usize>,
    /// Old messages in the database, smallest first (flat)
    #[arg(long, value_delimiter = ',', default_value = "10000,1000000")]
    pub rows: Vec<u64>,
    /// Count syncs to disk with strace: slows the servers down, so no rate is shown
    #[arg(long)]
    pub syncs: bool,
    /// Makes every sync of the server itself take so much longer, microseconds (with strace): a slow disk
    #[arg(long, default_value_t = 0)]
    pub slow_syncs: u32,
    /// Appends a line of JSON for each run to this file
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// The server; the postern beside this program where absent
    #[arg(long)]
    pub binary: Option<PathBuf>,
    /// A further variable of the server's environment, NAME=VALUE; may be given often
    #[arg(long = "env")]
    pub variables: Vec<String>,
    /// Where the data of a run lies while it runs; the system's temporary folder where absent
    #[arg(long)]
    pub dir: Option<PathBuf>,
}

/// What is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Each of them but `flat`
    All,
    /// Time to start, memory at rest, size of the binary
    Start,
    /// The empty route of the same server: what the rest is measured against
    Empty,
    /// One message after the other to ever new numbers
    Accept,
    /// The same at a fixed rate; latency from the moment each was due
    Steady,
    /// The same 50 numbers over and over, with honest traffic beside it
    Pump,
    /// The same 1,000 keys over and over
    Replay,
    /// Bulks
    Bulk,
    /// Verifications: start, read the code at the carrier, check
    Verify,
    /// Accept at a fixed rate and hand over
    Dispatch,
    /// The same through SMPP: every submit_sm answered, and followed by a receipt
    Smpp,
    /// 70 % messages, 20 % verifications, 5 % bulks, 5 % lists
    Mixed,
    /// Ends the server in the midst of load, starts it again, and looks for every accepted message
    Kill9,
    /// Accept, check, list and purge among few and many old messages
    Flat,
}

impl Scenario {
    /// What `all` stands for.
    pub const ALL: [Scenario; 12] = [
        Scenario::Start,
        Scenario::Empty,
        Scenario::Accept,
        Scenario::Steady,
        Scenario::Pump,
        Scenario::Replay,
        Scenario::Bulk,
        Scenario::Verify,
        Scenario::Dispatch,
        Scenario::Smpp,
        Scenario::Mixed,
        Scenario::Kill9,
    ];
}

/// Where the data lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A file of its own.
    Sqlite,
    /// A server.
    Postgres,
}

impl Args {
    /// How long a run is measured.
    pub fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// How long it runs before that.
    pub fn warm_up(&self) -> Duration {
        Duration::from_secs(self.warm)
    }

    /// The database's name in the table.
    pub fn database_name(&self) -> String {
        let name = match self.database {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
        };
        let redis = if self.redis_url.is_some() { "+redis" } else { "" };
        let nodes = if self.nodes > 1 { format!(" x{}", self.nodes) } else { String::new() };
        let slow = if self.slow_syncs > 0 { format!(" +{}us", self.slow_syncs) } else { String::new() };
        format!("{name}{redis}{nodes}{slow}")
    }
}
