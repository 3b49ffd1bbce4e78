//! `postern migrate`: bring the schema up to date, or take its last step back.

use super::show;
use crate::config::Config;
use crate::db::{Settings, migrate};

/// How to migrate.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Undo the newest migration instead
    #[arg(long)]
    undo: bool,
}

/// Runs the command.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    config.make_data_dir()?;
    let settings = Settings::of(&config);
    let work = move || if args.undo { migrate::undo_last(&settings) } else { migrate::run(&settings) };
    let report = tokio::task::spawn_blocking(work).await??;
    for version in &report.applied {
        show::line(format!("applied {version}"))?;
    }
    for version in &report.undone {
        show::line(format!("undone {version}"))?;
    }
    if report.applied.is_empty() && report.undone.is_empty() {
        show::line("the schema is up to date")?;
    }
    Ok(())
}
