//! Room on the disk that holds the data: how much is left, and a warning before nothing is.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::{App, FromApp};
use crate::config::{Config, DatabaseUrl};

/// Less than one part in so many is low.
const LOW: u64 = 10;
/// Bytes that are enough on any disk.
const LOW_MOST: u64 = 10 << 30;

/// A disk's size and what is free of it, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What this process may still use.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

impl Room {
    /// The disk that holds `path` or the nearest directory above it; `None` where the system does not say.
    pub fn of(path: &Path) -> Option<Room> {
        let absolute = std::path::absolute(path).ok()?;
        let there = absolute.ancestors().find(|path| path.exists())?;
        let disk = rustix::fs::statvfs(there).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Some(Room { free: bytes(disk.f_bavail), total: bytes(disk.f_blocks) })
    }

    /// The disk that a full one would hurt: the SQLite file's, or the data directory's.
    pub fn of_data(config: &Config) -> Option<Room> {
        match config.database_url() {
            DatabaseUrl::Sqlite(file) => Room::of(&file),
            DatabaseUrl::Postgres(_) => Room::of(&config.node.data_dir),
        }
    }

    /// Whether somebody should make room: a tenth of a large disk is room enough.
    pub fn is_low(self) -> bool {
        self.free < (self.total / LOW).min(LOW_MOST)
    }
}

/// Whether the disk was low when it was last looked at.
struct WasLow(AtomicBool);

impl FromApp for WasLow {
    fn from_app(_app: &App) -> Self {
        WasLow(AtomicBool::new(false))
    }
}

/// Looks at the disk: its gauge, and a line in the log where it has become low or is no longer.
pub fn watch(app: &App) {
    let Some(room) = Room::of_data(&app.config) else { return };
    metrics::gauge!("postern_disk_free_bytes").set(as_float(room.free));
    let (low, free_mib) = (room.is_low(), room.free >> 20);
    match (app.room::<WasLow>().0.swap(low, Ordering::SeqCst), low) {
        (false, true) => {
            tracing::warn!(free_mib, "the disk is nearly full: less than a tenth of it and than 10 GiB is free")
        }
        (true, false) => tracing::info!(free_mib, "the disk has room again"),
        _ => {}
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge needs no byte beyond 2^53")]
fn as_float(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_a_tenth_is_low() {
        assert!(Room { free: 99, total: 1_000 }.is_low());
        assert!(!Room { free: 100, total: 1_000 }.is_low());
        assert!(!Room { free: 10 << 30, total: 1 << 40 }.is_low());
    }

    #[test]
    fn a_path_that_is_not_there_yet_is_on_its_folder_s_disk() {
        let here = Room::of(&std::env::temp_dir()).unwrap();
        let below = Room::of(&std::env::temp_dir().join("not/there/yet")).unwrap();
        assert!(here.total > 0 && here.free <= here.total);
        assert_eq!(here.total, below.total);
    }
}
