//! `postern audit`: the log of changes.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

use super::desk::Desk;
use super::show;
use crate::audit::{self, PublicKey, Signer, Witness};
use crate::clock::Clock;
use crate::config::{Config, KeyState, Source};
use crate::nodes::Nodes;

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum Args {
    /// Walk the whole chain; exit 1 where a row was changed, removed or added by another hand
    Verify {
        /// Checkpoints that were exported: a file of checkpoint_file, of what checkpoint_url was sent, or a log. They show a
        /// tail that was cut, an older copy that was put back, and a log that was replaced
        #[arg(long, value_name = "FILE")]
        checkpoints: Option<PathBuf>,
        /// The public key that they must be signed with; this installation's where it is left out
        #[arg(long, requires = "checkpoints")]
        key: Option<PublicKey>,
    },
    /// Make a checkpoint now and print it as a line: keep it where nobody who writes the database can change it
    Checkpoint {
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show the public key that checkpoints are signed with
    Key,
    /// Write a proof of rows, up to the next checkpoint, on standard output
    Export {
        /// The place of the first row
        #[arg(long)]
        from: i64,
        /// The place of the last row; the last that a checkpoint covers where it is left out
        #[arg(long)]
        to: Option<i64>,
    },
    /// Check a proof; needs no database and no configuration. Exit 3 where it agrees with itself and nobody said who signs
    Check {
        /// The file
        file: PathBuf,
        /// The public key that you were given another way; where it is left out, that of the installation which is
        /// configured here, if one is
        #[arg(long)]
        key: Option<PublicKey>,
    },
}

#[derive(Serialize)]
struct Key {
    algorithm: &'static str,
    key: String,
}

impl Args {
    /// Whether it needs neither configuration nor database.
    pub fn is_offline(&self) -> bool {
        matches!(self, Args::Check { .. })
    }
}

/// A proof that agrees with itself and that anybody may have made.
#[derive(Debug)]
pub struct SignerUnchecked;

impl std::fmt::Display for SignerUnchecked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "the proof is consistent in itself; its signer was not checked: give --key with the public key that you were \
             given another way",
        )
    }
}

impl std::error::Error for SignerUnchecked {}

/// The public key of the installation that is configured here; nothing is made where there is none.
fn own_key(config: Option<&Path>) -> Option<PublicKey> {
    let config = Source::find(config).and_then(Config::load).ok()?;
    config.key_state().ok().filter(|state| *state != KeyState::Absent)?;
    Signer::of(&config.keyring().ok()?).ok()?.public().ok()
}

/// Runs a command that is offline.
pub fn check(args: Args, config: Option<&Path>) -> anyhow::Result<()> {
    let Args::Check { file, key } = args else { return Ok(()) };
    let (is_given, key) = (key.is_some(), key.or_else(|| own_key(config)));
    let text = std::fs::read_to_string(&file).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    let found = audit::check_proof(&text, key)?;
    show::json(&found)?;
    if let (None, Some(named)) = (found.first_bad, &found.named_key)
        && found.key.as_ref() != Some(named)
    {
        anyhow::bail!("the proof does not hold: it is signed by {named}, which is not the key that it was checked by");
    }
    match (found.whole, found.consistent, is_given) {
        (true, ..) => Ok(()),
        (false, true, _) => Err(SignerUnchecked.into()),
        (false, false, true) => anyhow::bail!("the proof does not hold"),
        (false, false, false) if found.signer_checked => {
            anyhow::bail!("the proof does not hold by the key of this installation; give --key where it is another's")
        }
        (false, false, false) => anyhow::bail!("the proof does not hold"),
    }
}

/// Runs the command.
pub async fn run(config: Config, args: Args) -> anyhow::Result<()> {
    match args {
        Args::Verify { checkpoints, key } => verify(&config, checkpoints, key).await,
        Args::Key => {
            let key = Signer::of(&config.keyring()?)?.public()?.to_string();
            show::json(&Key { algorithm: "ed25519", key })
        }
        Args::Checkpoint { reason } => checkpoint(&config, reason).await,
        Args::Export { from, to } => {
            let desk = Desk::existing(&config).await?;
            let proof = desk.look(move |conn| audit::write_proof(conn, from, to)).await?;
            show::line(proof.trim_end())
        }
        Args::Check { .. } => check(args, None),
    }
}

async fn checkpoint(config: &Config, reason: Option<String>) -> anyhow::Result<()> {
    let (signer, targets) = (Signer::of(&config.keyring()?)?, config.audit.clone());
    let node = Nodes::unknown(config.node.role, &Clock::System).id();
    let desk = Desk::ready(config).await?;
    let made = desk.change(reason, move |conn, by| audit::checkpoint_now(conn, by, (&signer, node), &targets)).await?;
    show::line(made.line()?)
}

async fn verify(config: &Config, file: Option<PathBuf>, key: Option<PublicKey>) -> anyhow::Result<()> {
    let exported = file.map(|file| audit::read_file(&file)).transpose()?;
    let desk = Desk::existing(config).await?;
    let own = || -> anyhow::Result<PublicKey> { Ok(Signer::of(&config.keyring()?)?.public()?) };
    let witness = match (exported, key) {
        (None, _) => None,
        (Some(exported), Some(key)) => Some(Witness::new(exported, &key)),
        (Some(exported), None) => Some(Witness::new(exported, &own()?)),
    };
    let verdict = audit::verify_in_turns(desk.db(), witness).await?;
    show::json(&verdict)?;
    anyhow::ensure!(verdict.whole, "the audit log is not whole");
    Ok(())
}
