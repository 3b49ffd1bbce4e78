//! `postern simulate`: recorded attempts, of a file or of the database, under a changed rule set.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args as ClapArgs;

use super::desk::Desk;
use super::show;
use crate::accounts::Protection;
use crate::clock::Millis;
use crate::config::Config;
use crate::fraud::engine::Rules;
use crate::fraud::replay::{Record, replay};
use crate::fraud::{RuleChange, RuleId, rules_shown};
use crate::ids::OrgId;
use crate::sentinel::{SimulationSpec, simulate};
use crate::terms::Mode;

/// Replay recorded attempts under a changed fraud rule set
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Attempts with their outcomes, a JSON object a line; docs/fraud.md describes them
    #[arg(value_name = "FILE.jsonl", required_unless_present_any = ["print_rules", "from"], conflicts_with = "from")]
    file: Option<PathBuf>,
    /// Attempts of the database from this moment on (RFC 3339), instead of a file's
    #[arg(long, value_name = "TIME", requires = "to", value_parser = moment)]
    from: Option<Millis>,
    /// And before this one
    #[arg(long, value_name = "TIME", requires = "from", value_parser = moment)]
    to: Option<Millis>,
    /// Of this organization; of all where none is named
    #[arg(long, value_name = "ID", requires = "from")]
    org: Option<OrgId>,
    /// Of live messages, or of test ones
    #[arg(long, default_value = "live", requires = "from")]
    mode: Mode,
    /// The level of the rules that are, where it is another than --level
    #[arg(long, requires = "from")]
    level_before: Option<Protection>,
    /// The changed rule set, JSON; over the database also changes by rule, {"prefix.hold": {"mode": "off"}}
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

fn moment(text: &str) -> Result<Millis, &'static str> {
    Millis::parse_rfc3339(text).ok_or("must be an RFC 3339 timestamp, e.g. 2026-12-01T08:00:00Z")
}

impl Args {
    /// Whether the attempts are those of the database.
    pub fn is_of_database(&self) -> bool {
        self.from.is_some() && !self.print_rules
    }
}

/// Runs the command over the database of `config`.
pub async fn of_database(config: Config, args: Args) -> anyhow::Result<()> {
    let (Some(from), Some(to)) = (args.from, args.to) else { anyhow::bail!("no period") };
    let changes = args.rules.as_ref().map_or_else(|| Ok(BTreeMap::new()), read_changes)?;
    let spec = SimulationSpec {
        changes,
        from,
        to,
        org_id: args.org,
        mode: Some(args.mode),
        level: Some(args.level.parse()?),
        level_before: args.level_before,
        seed: Some(args.seed),
    };
    let desk = Desk::ready(&config).await?;
    show::json(&simulate(desk.db(), &spec).await?)
}

/// Changes by rule; a whole set is one change of every rule.
fn read_changes(file: &PathBuf) -> anyhow::Result<BTreeMap<RuleId, RuleChange>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let Ok(rules) = Rules::from_json(&text) else {
        return serde_json::from_str(&text)
            .with_context(|| format!("{} is no rule set and no changes", file.display()));
    };
    let whole = |rule: crate::fraud::RuleView| {
        let change = RuleChange { mode: Some(rule.mode), parameters: rule.parameters.as_object().cloned() };
        (rule.id, change)
    };
    Ok(rules_shown(&rules).into_iter().map(whole).collect())
}

/// Runs the command over a file.
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
