//! The installation as those who run it see it: checks, status, copies of the database, the support bundle.

mod backups;
mod bundle;
mod checks;
mod status;
mod store;

pub use backups::{Backup, BackupStatus, Noted, ask as ask_for_backup, note as note_backup, run_due as run_backups};
pub use bundle::{Bundle, bundle};
pub use checks::{Finding, State, examine, examine_running};
pub use status::{COMMIT, DatabaseStatus, Disk, Process, RedisState, SystemStatus, VERSION, look, status};
pub use store::list_backups;
