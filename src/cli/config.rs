//! `postern config`: show the commented defaults, or check what is configured.

use std::path::Path;

use clap::Subcommand;

use super::show;
use crate::config::{Config, KeyState, Source, default_file};

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum Args {
    /// Print every key with its default and its meaning, ready to become postern.toml
    Print,
    /// Report every fault of the file and the environment at once; exit 78 where there is one
    Check,
}

/// Runs the command; reads the configuration only to check it.
pub fn run(file: Option<&Path>, args: &Args) -> anyhow::Result<()> {
    match args {
        Args::Print => show::line(default_file().trim_end()),
        Args::Check => check(file),
    }
}

fn check(file: Option<&Path>) -> anyhow::Result<()> {
    let source = Source::find(file)?;
    let (name, variables) = (source.name.clone(), source.env.len());
    let read = if source.text.is_empty() { format!("no file ({name} is absent or empty)") } else { name };
    let config = Config::load(source)?;
    let key = match config.key_state()? {
        KeyState::Configured => String::from("configured"),
        KeyState::Kept => format!("kept in {}", config.secret_key_file().display()),
        KeyState::Absent => format!("will be made in {} at first start", config.secret_key_file().display()),
    };
    let carriers: Vec<&str> = config.carriers.iter().map(|carrier| carrier.name.as_str()).collect();
    show::line(format!(
        "The configuration is good.\n  read        {read} and {variables} variables\n  role        {}\n  bind        {}\n  \
         public URL  {}\n  database    {}\n  secret key  {key}\n  carriers    {}",
        config.node.role,
        config.server.bind,
        config.public_url(),
        config.database_url(),
        carriers.join(", ")
    ))
}
