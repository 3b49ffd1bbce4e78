//! `postern support-bundle`: the state of the installation as one file, made without a running server.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use anyhow::Context;

use super::show;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, Settings};
use crate::system;

/// Where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The new file, JSON
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Makes every check of the doctor, looks at the database, and writes the file, mode 0600.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    let (clock, file) = (Clock::System, args.out);
    let findings = system::examine(&config).await;
    let db = Db::open(&Settings::of(&config), clock.clone())?;
    let status = system::look(&config, &db, clock.now(), findings).await?;
    let text = serde_json::to_string_pretty(&system::bundle(&db, status, None).await?)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
    let mut out = made.with_context(|| file.display().to_string())?;
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).with_context(|| file.display().to_string())?;
    show::line(format!("{} is written; read it before you send it", file.display()))
}
