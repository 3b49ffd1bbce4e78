//! `start`: what a process costs before it has done anything.

use std::time::Duration;

use crate::args::Args;
use crate::carrier::{self, Books};
use crate::machine;
use crate::nodes::{Role, Stage};
use crate::row::{Row, millis};

/// Starts twice: on no database, and on one that is there.
#[expect(clippy::cast_precision_loss, reason = "a size to be shown")]
pub async fn start(args: &Args) -> anyhow::Result<Vec<Row>> {
    let stage = Stage::set(args, carrier::start(Books::new(0), Duration::ZERO)?)?;
    let first = stage.start(Role::All).await?;
    let fresh = first.started_in;
    first.stop()?;
    let node = stage.start(Role::All).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let memory = machine::memory(&[node.pid()]);
    let size = std::fs::metadata(stage.binary()?)?.len() as f64 / (1024.0 * 1024.0);
    let mut row = Row { rss_mb: memory.rss_mb, pss_mb: memory.pss_mb, ..Row::default() }.named("start", args, "");
    row.note(format!("ready in {:.0} ms, with migrations {:.0} ms", millis(node.started_in), millis(fresh)));
    row.note(format!("at rest {:.1} MB; binary {size:.1} MB", memory.rss_mb));
    node.stop()?;
    Ok(vec![row])
}
