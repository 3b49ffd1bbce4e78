//! Codes that will not arrive: word for the verifications, which may have another channel to go on by at once.

use serde::{Deserialize, Serialize};

use super::settle::Step;
use super::state::Status;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{MessageId, VerificationId};
use crate::jobs::{self, Job};

/// A verification's message that ended without arriving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeLost {
    /// The verification.
    pub verification: VerificationId,
    /// Its message.
    pub message: MessageId,
}

impl Job for CodeLost {
    const KIND: &'static str = "verification.code_lost";
}

/// Leaves word of each code that failed for good, in the transaction that says so.
pub fn note_lost(conn: &mut Conn, moved: &[&Step<'_>], now: Millis) -> Result<()> {
    for step in moved {
        let lost = matches!(step.to.status, Status::Failed | Status::Undelivered | Status::Expired);
        let Some(verification) = step.row.verification_id.filter(|_| lost && step.to.status != step.row.status) else {
            continue;
        };
        jobs::enqueue(conn, CodeLost::KIND, &CodeLost { verification, message: step.row.id }, now)?;
    }
    Ok(())
}
