//! Walks the whole chain, page by page, and names the first bad row; beside it, what checkpoints say.

use serde::Serialize;

use crate::audit::chain::{Fault, Head, finish, step};
use crate::audit::store;
use crate::audit::witness::{Covered, Witness};
use crate::db::{Conn, Db};
use crate::error::Result;
use crate::secret::hex;

/// What a walk along the audit log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = AuditVerdict)]
pub struct Verdict {
    /// Whether every row is in its place and as it was written, and every checkpoint agrees.
    pub whole: bool,
    /// How many rows were found good before the walk ended.
    pub rows: i64,
    /// The place of the first bad row, where there is one.
    pub first_bad: Option<i64>,
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// The last good row's hash, hex: keep it elsewhere to notice a log that was replaced as a whole.
    pub head: String,
    /// What the comparison with checkpoints found; absent where there was nothing to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<Covered>,
}

/// Rows held in memory at a time.
const PAGE: i64 = 2_000;

/// Pages of one turn: far below the time that a reader is given.
const PAGES_A_TURN: usize = 5;

/// A walk on its way.
struct Walk {
    head: Head,
    witness: Option<Witness>,
}

/// Where a turn of the walk came to.
enum Turn {
    /// There may be more rows.
    On,
    /// Over: the first bad row, if there is one.
    Over(Option<(i64, Fault)>),
}

/// Walks the chain. Rows may be added meanwhile: the end is taken after the rows.
pub fn verify(conn: &mut Conn) -> Result<Verdict> {
    verify_against(conn, None)
}

/// Walks the chain and compares it with checkpoints.
pub fn verify_against(conn: &mut Conn, witness: Option<Witness>) -> Result<Verdict> {
    let mut walk = Walk::start(witness);
    loop {
        if let Turn::Over(bad) = walk.turn(conn)? {
            return Ok(walk.verdict(bad));
        }
    }
}

/// The same in short reads of `db`: a chain of any length holds up nobody and meets no time-out.
pub async fn verify_in_turns(db: &Db, witness: Option<Witness>) -> Result<Verdict> {
    let mut walk = Walk::start(witness);
    loop {
        let (back, turn) = db
            .read(move |conn| {
                let turn = walk.turn(conn)?;
                Ok((walk, turn))
            })
            .await?;
        walk = back;
        if let Turn::Over(bad) = turn {
            return Ok(walk.verdict(bad));
        }
    }
}

impl Walk {
    fn start(witness: Option<Witness>) -> Walk {
        let mut walk = Walk { head: Head::default(), witness };
        walk.tell();
        walk
    }

    fn tell(&mut self) {
        if let Some(witness) = &mut self.witness {
            witness.pass(&self.head);
        }
    }

    fn turn(&mut self, conn: &mut Conn) -> Result<Turn> {
        for _ in 0..PAGES_A_TURN {
            let page = store::page_after(conn, self.after(), PAGE)?;
            if page.is_empty() {
                return self.end(conn);
            }
            for row in &page {
                match step(&self.head, row) {
                    Ok(next) => self.head = next,
                    Err(bad) => return Ok(Turn::Over(Some(bad))),
                }
                self.tell();
            }
        }
        Ok(Turn::On)
    }

    fn end(&self, conn: &mut Conn) -> Result<Turn> {
        let recorded = store::find_head(conn)?;
        // Somebody wrote between the last page and the end: those rows are there to be walked.
        if recorded.seq > self.head.seq && !store::page_after(conn, self.after(), 1)?.is_empty() {
            return Ok(Turn::On);
        }
        Ok(Turn::Over(finish(&self.head, &recorded).err()))
    }

    /// The chain starts at 1; a row forged before that must be met too.
    fn after(&self) -> i64 {
        if self.head.seq == 0 { i64::MIN } else { self.head.seq }
    }

    fn verdict(self, bad: Option<(i64, Fault)>) -> Verdict {
        let checkpoints = self.witness.map(|witness| witness.finish(bad.is_none()));
        let agree = checkpoints.as_ref().is_none_or(|covered| covered.fault.is_none());
        Verdict {
            whole: bad.is_none() && agree,
            rows: self.head.seq,
            first_bad: bad.map(|(seq, _)| seq),
            fault: bad.map(|(_, fault)| fault),
            head: hex(&self.head.hash),
            checkpoints,
        }
    }
}
