//! An erasure as operators see it: the proof, without the address.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::store::Row;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::ids::ErasureId;

crate::text_enum! {
    /// Where an erasure is.
    pub enum ErasureStatus {
        /// Its first pass has not begun.
        Waiting = "waiting",
        /// Passes run, or wait for a hand-off that is under way.
        Running = "running",
        /// A last pass found nothing.
        Done = "done",
    }
}

/// An erasure and its proof.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErasureView {
    /// Its id.
    pub id: ErasureId,
    /// Where it is.
    pub status: ErasureStatus,
    /// What stands in the address's place now: a keyed hash. The same address always has the same.
    #[schema(example = "erased:3f2a9c0d5b1e4f6708192a3b4c5d6e7f")]
    pub subject: String,
    /// Who asked for it: the id of an operator.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// Rows that were changed or removed, by table.
    pub erased: BTreeMap<String, i64>,
    /// Rows in which the last pass still found the address, by table: all zero once it is done.
    pub left_over: BTreeMap<String, i64>,
    /// Why it waits.
    pub error: Option<String>,
    /// Ordered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// The first pass.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Millis>,
    /// Proved.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Millis>,
}

impl ErasureView {
    /// Shows a row.
    pub fn of(row: Row) -> Result<ErasureView> {
        let counts = |text: &str| serde_json::from_str(text).map_err(Error::internal);
        Ok(ErasureView {
            id: row.id,
            status: row.status,
            erased: counts(&row.erased)?,
            left_over: counts(&row.left_over)?,
            subject: row.subject,
            author: row.author,
            reason: row.reason,
            request_id: row.request_id,
            error: row.error,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}
