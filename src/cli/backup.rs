//! `postern backup` and `postern restore`: the embedded database as one file. See docs/backup.md.

use std::path::PathBuf;

use serde::Serialize;

use super::show;
use crate::audit::{Verdict, verify};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, Settings, backup};
use crate::error::Result;
use crate::system::{Noted, note_backup};

/// Where to.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The new file
    file: PathBuf,
}

/// From where.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// A file that `postern backup` made
    file: PathBuf,
    /// Move a database that is there aside
    #[arg(long)]
    replace: bool,
}

#[derive(Serialize)]
struct Copied {
    file: PathBuf,
    bytes: u64,
    audit: Verdict,
}

#[derive(Serialize)]
struct Restored {
    file: PathBuf,
    moved_aside: Option<PathBuf>,
    audit: Verdict,
}

/// Makes the copy, and shows what is in it.
pub async fn back_up(config: Config, args: BackupArgs) -> anyhow::Result<()> {
    let (settings, noted_in) = (Settings::of(&config), Settings::of(&config));
    let copied = tokio::task::spawn_blocking(move || {
        let (bytes, audit) = backup::copy(&settings, &args.file, verify)?;
        anyhow::Ok(Copied { file: args.file, bytes, audit })
    });
    let copied = copied.await??;
    if let Err(fault) = note(&noted_in, &copied).await {
        // The copy is what counts.
        eprintln!("postern: the copy is made, but the database does not know of it: {}", fault.sentence());
    }
    show::json(&copied)?;
    anyhow::ensure!(copied.audit.whole, "the copy is made, but the audit log in it is not whole");
    Ok(())
}

/// Tells the database that was copied, so that its operators see the age of the copy.
async fn note(settings: &Settings, copied: &Copied) -> Result<()> {
    let db = Db::open(settings, Clock::System)?;
    let (file, head) = (std::path::absolute(&copied.file).unwrap_or(copied.file.clone()), copied.audit.head.clone());
    let noted = Noted { file: file.display().to_string(), bytes: copied.bytes, head, at: Clock::System.now() };
    db.write(move |conn| note_backup(conn, noted)).await
}

/// Puts the copy in place, after it was found whole.
pub async fn restore(config: Config, args: RestoreArgs) -> anyhow::Result<()> {
    config.make_data_dir()?;
    let settings = Settings::of(&config);
    let aside = format!("before-{}", Clock::System.now().0);
    let restored = tokio::task::spawn_blocking(move || {
        let audit = verify(&mut backup::open(&args.file)?)?;
        anyhow::ensure!(audit.whole, "the audit log in the copy is not whole: nothing was changed");
        let moved_aside = backup::put_in_place(&settings, &args.file, args.replace, &aside)?;
        anyhow::Ok(Restored { file: args.file, moved_aside, audit })
    });
    show::json(&restored.await??)
}
