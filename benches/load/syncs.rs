//! How often the servers make the disk keep what they wrote, counted by strace.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};

use crate::machine::family;

/// strace at work.
pub struct Watch {
    child: Child,
    file: PathBuf,
}

impl Watch {
    /// Begins to count the syncs of `pids` and their descendants.
    pub fn begin(pids: &[u32], dir: &Path) -> anyhow::Result<Watch> {
        let file = dir.join("syncs");
        let mut command = Command::new("strace");
        command.args(["-f", "-c", "-e", "trace=fsync,fdatasync,msync,sync_file_range", "-o"]).arg(&file);
        for pid in family(pids) {
            command.args(["-p", &pid.to_string()]);
        }
        let child = command.stderr(Stdio::null()).spawn().context("strace is not here, or may not look at others")?;
        Ok(Watch { child, file })
    }

    /// Ends; how many there were.
    pub fn end(mut self) -> anyhow::Result<u64> {
        let asked = Command::new("sh").args(["-c", "kill -INT \"$0\"", &self.child.id().to_string()]).status()?;
        ensure!(asked.success(), "strace could not be stopped");
        self.child.wait()?;
        let text = std::fs::read_to_string(&self.file)?;
        Ok(text.lines().filter_map(calls).sum())
    }
}

/// `% time, seconds, usecs/call, calls, [errors,] syscall`.
fn calls(line: &str) -> Option<u64> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let name = fields.last()?;
    if *name == "total" || !name.contains("sync") {
        return None;
    }
    fields.get(3)?.parse().ok()
}
