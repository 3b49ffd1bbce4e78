//! The command line: one file a command; this one holds the list, the exit codes and nothing else.

mod audit;
mod config;
mod ground;
mod key;
mod log;
mod migrate;
mod operator;
mod org;
mod plan;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigFaults, Source};

/// `EX_CONFIG` of sysexits.h: what a supervisor should not restart.
const BAD_CONFIGURATION: u8 = 78;

/// Everything that is not bad configuration.
const FAILED: u8 = 1;

/// A self-hostable OTP messaging platform with fraud guards.
#[derive(Debug, Parser)]
#[command(name = "postern", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    /// Configuration file; ./postern.toml where it exists and nothing else is named [env: POSTERN_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the database's schema up to date
    Migrate(migrate::Args),
    /// Organizations
    #[command(subcommand)]
    Org(org::Args),
    /// API keys
    #[command(subcommand)]
    Key(key::Args),
    /// Operators
    #[command(subcommand)]
    Operator(operator::Args),
    /// Plans
    #[command(subcommand)]
    Plan(plan::Args),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::Args),
    /// The configuration
    #[command(subcommand)]
    Config(config::Args),
}

/// Runs the command the process was called with. Exit codes: 0, 78 for a bad configuration, 1 for everything else.
pub fn main() -> ExitCode {
    // An error means that a provider is installed already: the process has one either way.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Cli::try_parse() {
        Ok(cli) => end(run(cli)),
        Err(error) => {
            // Nothing is left to say it to where the terminal is gone.
            let _ = error.print();
            if error.use_stderr() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS }
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    if let Command::Config(args) = cli.command {
        return config::run(cli.config.as_deref(), &args);
    }
    let config = Config::load(Source::find(cli.config.as_deref())?)?;
    log::start(&config.log, log::Least::Warnings);
    runtime()?.block_on(async {
        match cli.command {
            Command::Migrate(args) => migrate::run(config, args).await,
            Command::Org(args) => org::run(config, args).await,
            Command::Key(args) => key::run(config, args).await,
            Command::Operator(args) => operator::run(config, args).await,
            Command::Plan(args) => plan::run(config, args).await,
            Command::Audit(args) => audit::run(config, args).await,
            Command::Config(_) => Ok(()),
        }
    })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn end(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    if show::is_closed_pipe(&error) {
        return ExitCode::SUCCESS;
    }
    eprintln!("postern: {}", show::explain(&error));
    ExitCode::from(if error.is::<ConfigFaults>() { BAD_CONFIGURATION } else { FAILED })
}
