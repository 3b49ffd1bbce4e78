//! `postern plan`: plans and what each allows.

use clap::Subcommand;

use super::desk::Desk;
use super::show;
use crate::accounts::list_plans;
use crate::config::Config;

/// What to do with plans.
#[derive(Debug, Subcommand)]
pub enum Args {
    /// Show every plan with its policies
    List,
}

/// Runs the command.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    let Args::List = args;
    let desk = Desk::ready(&config).await?;
    show::json(&desk.look(list_plans).await?)
}
