//! `postern simulate`: recorded attempts under a changed rule set.

use std::io::BufRead;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args as ClapArgs;

use super::show;
use crate::accounts::Protection;
use crate::fraud::engine::Rules;
use crate::fraud::replay::{Record, replay};

/// Replay recorded attempts under a changed fraud rule set
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Attempts with their outcomes, a JSON object a line; docs/fraud.md describes them
    #[arg(value_name = "FILE.jsonl", required_unless_present = "print_rules")]
    file: Option<PathBuf>,
    /// The changed rule set, JSON
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The level whose preset is the changed rule set, where no file is given
    #[arg(long, default_value = "standard", value_parser = ["off", "monitor", "standard", "strict"])]
    level: String,
    /// The rule set that was, JSON; the preset of standard where none is given and --rules is, else that of monitor
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// The seed that decides which attempts probe a hold
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the level's rule set as JSON, to be changed, and end
    #[arg(long)]
    print_rules: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let preset = Rules::of(args.level.parse()?);
    if args.print_rules {
        return show::json(&preset);
    }
    let Some(file) = &args.file else { anyhow::bail!("no file") };
    let after = args.rules.as_ref().map_or(Ok(preset), read_rules)?;
    let usual = if args.rules.is_some() { Protection::Standard } else { Protection::Monitor };
    let before = args.before.as_ref().map_or_else(|| Ok(Rules::of(usual)), read_rules)?;
    let source = std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let mut records = Vec::new();
    for (at, line) in std::io::BufReader::new(source).lines().enumerate() {
        let line = line?;
        if !line.trim().is_empty() {
            records.push(Record::read(&line, at + 1)?);
        }
    }
    show::json(&replay(records, &before, &after, args.seed))
}

fn read_rules(file: &PathBuf) -> anyhow::Result<Rules> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Rules::from_json(&text).map_err(|fault| anyhow::anyhow!("{} is no rule set: {fault}", file.display()))
}
