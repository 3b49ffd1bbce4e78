//! The audit log: who changed what, from what, to what and why; each row hashed over the one before it.
//!
//! `append` runs in the transaction of the change it tells: a change whose row cannot be written does not happen.
//! What the chain proves, and what only its checkpoints prove: docs/audit.md.

mod chain;
mod checkpoint;
mod export;
mod proof;
mod reason;
mod store;
mod verify;
mod witness;

pub use chain::Fault;
pub use checkpoint::{Checkpoint, PublicKey, Signer};
pub use export::{checkpoint_due, checkpoint_now, export_due, log_checkpoint, read_file};
pub use proof::{ProofVerdict, ROWS_MAX as PROOF_ROWS_MAX, check as check_proof, write as write_proof};
pub use reason::{names_somebody, reason};
pub use store::checkpoints::{all as all_checkpoints, list as list_checkpoints};
pub use store::{Filter, count_of, list, of_request};
pub use verify::{Verdict, verify, verify_against, verify_in_turns};
pub use witness::{CheckpointFault, Covered, Witness};

use serde::Serialize;
use serde_json::Value;

use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::failpoint;
use crate::ids::{KeyId, OperatorId};

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An operator, by token.
    Operator(OperatorId),
    /// An organization, by one of its keys.
    Key(KeyId),
    /// Somebody at the console's door who has not signed in.
    Visitor,
    /// Somebody at the machine, by the command line.
    Cli,
    /// Postern itself, at start.
    System,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::Operator(id) => id.fmt(f),
            Actor::Key(id) => id.fmt(f),
            Actor::Visitor => f.write_str("visitor"),
            Actor::Cli => f.write_str("cli"),
            Actor::System => f.write_str("system"),
        }
    }
}

/// By whom, when, why and by which request a change is made: what every changing step takes.
#[derive(Debug, Clone)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// When.
    pub now: Millis,
    /// Why.
    pub reason: Option<String>,
    /// The request that asks for it.
    pub request_id: Option<String>,
}

impl By {
    /// Postern itself or somebody at the machine, at `now`.
    pub fn local(actor: Actor, now: Millis) -> By {
        By { actor, now, reason: None, request_id: None }
    }

    /// Appends what was done to `target` to the log, in the transaction of the change: call it last.
    pub fn tell(&self, conn: &mut Conn, action: &'static str, target: impl ToString, change: Change) -> Result<()> {
        let event = Event {
            actor: self.actor,
            action,
            target: target.to_string(),
            reason: self.reason.clone(),
            before: change.before,
            after: change.after,
            request_id: self.request_id.clone(),
        };
        append(conn, self.now, &event)
    }
}

/// A thing before and after a change. Neither may hold a secret, a code or a full phone number.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Absent where the thing was made.
    pub before: Option<Value>,
    /// Absent where it was removed.
    pub after: Option<Value>,
}

impl Change {
    /// The thing was made.
    pub fn made(after: &impl Serialize) -> Change {
        Change { before: None, after: serde_json::to_value(after).ok() }
    }

    /// The thing was changed.
    pub fn changed(before: &impl Serialize, after: &impl Serialize) -> Change {
        Change { before: serde_json::to_value(before).ok(), after: serde_json::to_value(after).ok() }
    }

    /// The thing was removed.
    pub fn removed(before: &impl Serialize) -> Change {
        Change { before: serde_json::to_value(before).ok(), after: None }
    }
}

/// A change to tell. Neither `before` nor `after` may hold a secret, a code or a full phone number.
#[derive(Debug, Clone)]
pub struct Event {
    /// Who.
    pub actor: Actor,
    /// What was done, as `thing.verb`, e.g. `org.update`.
    pub action: &'static str,
    /// To what: an id, or a name where there is no id.
    pub target: String,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// The thing before; `None` where it was made.
    pub before: Option<Value>,
    /// The thing after; `None` where it was removed.
    pub after: Option<Value>,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

/// A row of the log as an operator reads it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = AuditRecord)]
pub struct Record {
    /// Its place in the chain, from 1 without holes.
    pub seq: i64,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-03-28T14:30:00.000Z")]
    pub at: Millis,
    /// Who: the id of an operator or a key, `visitor`, `cli` or `system`.
    #[schema(example = "opr_01h455vb4pex5vsknk084sn02q")]
    pub actor: String,
    /// What was done.
    #[schema(example = "org.update")]
    pub action: String,
    /// To what.
    #[schema(example = "org_01h455vb4pex5vsknk084sn02q")]
    pub target: String,
    /// Why.
    #[schema(example = "customer asked in ticket 4711")]
    pub reason: Option<String>,
    /// The thing before.
    #[schema(value_type = Value)]
    pub before: Option<Value>,
    /// The thing after.
    #[schema(value_type = Value)]
    pub after: Option<Value>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// The row's hash, hex: SHA-256 over its content and the hash before it.
    pub hash: String,
}

/// Appends `event` to the chain. Call it inside the transaction of the change itself. It takes the chain's head for
/// the rest of that transaction, so call it last.
pub fn append(conn: &mut Conn, now: Millis, event: &Event) -> Result<()> {
    failpoint::pass("audit.append")?;
    let head = store::take_head(conn)?;
    let entry = chain::Entry {
        seq: head.seq.saturating_add(1),
        at: now,
        actor: event.actor.to_string(),
        action: String::from(event.action),
        target: event.target.clone(),
        reason: event.reason.clone(),
        before_state: event.before.as_ref().map(Value::to_string),
        after_state: event.after.as_ref().map(Value::to_string),
        request_id: event.request_id.clone(),
    };
    store::insert(conn, chain::link(head.hash, entry))
}
