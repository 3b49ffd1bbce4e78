//! `postern audit`: the log of changes.

use clap::Subcommand;

use super::desk::Desk;
use super::show;
use crate::audit::verify;
use crate::config::Config;

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum Args {
    /// Walk the whole chain; exit 1 where a row was changed, removed or added by another hand
    Verify,
}

/// Runs the command.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    let Args::Verify = args;
    let desk = Desk::ready(&config).await?;
    let verdict = desk.look(verify).await?;
    show::json(&verdict)?;
    anyhow::ensure!(verdict.whole, "the audit log is not whole");
    Ok(())
}
