//! Walks the whole chain, page by page, and names the first bad row.

use serde::Serialize;

use crate::audit::chain::{Fault, Head, finish, step};
use crate::audit::store;
use crate::db::Conn;
use crate::error::Result;
use crate::secret::hex;

/// What a walk along the audit log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = AuditVerdict)]
pub struct Verdict {
    /// Whether every row is in its place and as it was written.
    pub whole: bool,
    /// How many rows were found good before the walk ended.
    pub rows: i64,
    /// The place of the first bad row, where there is one.
    pub first_bad: Option<i64>,
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// The last good row's hash, hex: keep it elsewhere to notice a log that was replaced as a whole.
    pub head: String,
}

/// Rows held in memory at a time.
const PAGE: i64 = 500;

/// Walks the chain. Rows may be added meanwhile: the end is taken after the rows.
pub fn verify(conn: &mut Conn) -> Result<Verdict> {
    let mut head = Head::default();
    loop {
        if let Some(bad) = walk(conn, &mut head)? {
            return Ok(verdict(&head, Some(bad)));
        }
        let recorded = store::find_head(conn)?;
        // Somebody wrote between the last page and the end: those rows are there to be walked.
        if recorded.seq > head.seq && !store::page_after(conn, after(&head), 1)?.is_empty() {
            continue;
        }
        return Ok(verdict(&head, finish(&head, &recorded).err()));
    }
}

/// Walks from `head` to the last row; answers the first bad one.
fn walk(conn: &mut Conn, head: &mut Head) -> Result<Option<(i64, Fault)>> {
    loop {
        let page = store::page_after(conn, after(head), PAGE)?;
        if page.is_empty() {
            return Ok(None);
        }
        for row in &page {
            match step(head, row) {
                Ok(next) => *head = next,
                Err(bad) => return Ok(Some(bad)),
            }
        }
    }
}

/// The chain starts at 1; a row forged before that must be met too.
fn after(head: &Head) -> i64 {
    if head.seq == 0 { i64::MIN } else { head.seq }
}

fn verdict(head: &Head, bad: Option<(i64, Fault)>) -> Verdict {
    Verdict {
        whole: bad.is_none(),
        rows: head.seq,
        first_bad: bad.map(|(seq, _)| seq),
        fault: bad.map(|(_, fault)| fault),
        head: hex(&head.hash),
    }
}
