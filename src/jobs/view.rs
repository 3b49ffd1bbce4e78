//! Jobs as operators see them. What a job is to do is not shown: it may name people.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Millis;
use crate::ids::JobId;

crate::text_enum! {
    /// How a job stands.
    pub enum JobState {
        /// Its time has not come, or a process has it in hand.
        Waiting = "waiting",
        /// Its time has come.
        Due = "due",
        /// It failed too often and is tried no more.
        Buried = "buried",
    }
}

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only those that stand so.
    pub state: Option<JobState>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// What kind of work it is.
    #[schema(example = "audit.checkpoint_url")]
    pub kind: String,
    /// How it stands.
    pub state: JobState,
    /// How often it was begun.
    pub attempts: i32,
    /// When it is begun next; null where it is buried.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub run_at: Option<Millis>,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// All jobs of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobQueue {
    /// The kind.
    #[schema(example = "verification.step")]
    pub kind: String,
    /// Those whose time has not come, or that a process has in hand.
    pub waiting: i64,
    /// Those whose time has come.
    pub due: i64,
    /// Those that failed too often.
    pub buried: i64,
    /// Since when the oldest of those that are due is.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub oldest_due_at: Option<Millis>,
}
