//! The command line: one file a command; this one holds the list, the exit codes and nothing else.

mod audit;
mod backup;
mod config;
mod desk;
mod dev;
mod doctor;
mod hearing;
mod inbox;
mod key;
mod lab;
mod lab_live;
mod listen;
mod log;
mod migrate;
mod openapi;
mod operator;
mod org;
mod plan;
mod remote;
mod serve;
mod setup_link;
mod show;
mod simulate;
mod support;
mod tail;
mod trigger;
mod simulator;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigFaults, Role, Source};

/// `EX_CONFIG` of sysexits.h: what a supervisor should not restart.
const BAD_CONFIGURATION: u8 = 78;

/// A proof that was found consistent, whose signer nobody checked.
const UNCHECKED: u8 = 3;

/// Everything else.
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
    /// Run everything on embedded defaults, with a demo organization and keys to try it
    Dev(dev::Args),
    /// Serve the API and deliver messages: the production form
    Serve(serve::Args),
    /// Deliver messages only: serve --role worker
    Work,
    /// Bring the database's schema up to date
    Migrate(migrate::Args),
    /// Organizations
    #[command(subcommand)]
    Org(org::Args),
    /// API keys
    #[command(subcommand)]
    Key(key::Args),
    /// Make a one-time link to the console: for the first owner, or for an operator who lost their password
    SetupLink(setup_link::Args),
    /// Operators
    #[command(subcommand)]
    Operator(operator::Args),
    /// Plans
    #[command(subcommand)]
    Plan(plan::Args),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::Args),
    /// Copy the embedded database into a file while the server runs
    Backup(backup::BackupArgs),
    /// Put a copy in the place of the embedded database; the server must be stopped
    Restore(backup::RestoreArgs),
    /// Write what somebody who helps from afar needs to know, without secrets, numbers, codes or texts
    SupportBundle(support::Args),
    /// What the sandbox's handsets and mailboxes show
    Inbox(inbox::Args),
    /// Forward a running server's events to an address on this machine, signed as webhooks are
    Listen(listen::Args),
    /// Make an event of some type happen in test mode, at a running server
    Trigger(trigger::Args),
    /// Show what happens at a running server, as it happens
    Tail(tail::Args),
    /// Check what a healthy installation needs, with a hint for what is missing; exit 1 where something fails
    Doctor,
    /// Run labelled attacks and hard honest cases against the fraud engine
    Lab(lab::Args),
    /// Replay recorded attempts under a changed fraud rule set
    Simulate(simulate::Args),
    /// Stand-ins for carriers, for development
    #[command(subcommand)]
    Simulator(simulator::Args),
    /// The configuration
    #[command(subcommand)]
    Config(config::Args),
    /// Print the OpenAPI document
    Openapi(openapi::Args),
}

/// Runs the command the process was called with. Exit codes: 0, 78 for a bad configuration, 3 for a proof whose signer was
/// not checked, 1 for everything else.
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
    let file = cli.config.as_deref();
    match cli.command {
        Command::Config(args) => config::run(file, &args),
        Command::Openapi(args) => openapi::run(&args),
        Command::Audit(args) if args.is_offline() => audit::check(args, file),
        Command::Lab(args) => runtime()?.block_on(lab::run_anywhere(&args)),
        Command::Simulate(args) if !args.is_of_database() => simulate::run(&args),
        Command::Listen(args) => runtime()?.block_on(listen::run(args)),
        Command::Trigger(args) => runtime()?.block_on(trigger::run(args)),
        Command::Tail(args) => runtime()?.block_on(tail::run(args)),
        Command::Simulator(args) => runtime()?.block_on(simulator::run(&args)),
        Command::Doctor => runtime()?.block_on(doctor::run(file)),
        command => {
            let config = Config::load(command.source(Source::find(file)?))?;
            log::start(&config.log, command.least());
            runtime()?.block_on(command.run(config))
        }
    }
}

impl Command {
    /// File and environment, with what this command's line says over them.
    fn source(&self, found: Source) -> Source {
        match self {
            Command::Dev(args) => args.over(found),
            Command::Serve(args) => args.over(found),
            Command::Work => found.with_variable("POSTERN_ROLE", Role::Worker.as_str()),
            _ => found,
        }
    }

    fn least(&self) -> log::Least {
        match self {
            Command::Dev(_) | Command::Serve(_) | Command::Work => log::Least::Configured,
            _ => log::Least::Warnings,
        }
    }

    async fn run(self, config: Config) -> anyhow::Result<()> {
        match self {
            Command::Dev(args) => dev::run(config, args).await,
            Command::Serve(args) => serve::run(config, args).await,
            Command::Work => serve::run(config, serve::Args::default()).await,
            Command::Migrate(args) => migrate::run(config, args).await,
            Command::Org(args) => org::run(config, args).await,
            Command::Key(args) => key::run(config, args).await,
            Command::SetupLink(args) => setup_link::run(config, args).await,
            Command::Operator(args) => operator::run(config, args).await,
            Command::Plan(args) => plan::run(config, args).await,
            Command::Audit(args) => audit::run(config, args).await,
            Command::Backup(args) => backup::back_up(config, args).await,
            Command::Restore(args) => backup::restore(config, args).await,
            Command::SupportBundle(args) => support::run(config, args).await,
            Command::Inbox(args) => inbox::run(config, args).await,
            Command::Simulate(args) => simulate::of_database(config, args).await,
            // They read the configuration themselves, bad as it may be, or need none: `run` above.
            Command::Config(_)
            | Command::Doctor
            | Command::Openapi(_)
            | Command::Lab(_)
            | Command::Listen(_)
            | Command::Trigger(_)
            | Command::Tail(_)
            | Command::Simulator(_) => Ok(()),
        }
    }
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
    ExitCode::from(match () {
        () if error.is::<ConfigFaults>() => BAD_CONFIGURATION,
        () if error.is::<audit::SignerUnchecked>() => UNCHECKED,
        () => FAILED,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
