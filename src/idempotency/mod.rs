//! Idempotency: one key, one effect. The key's row is written in the transaction that writes the effect, so a crash
//! leaves both or neither; only answers that took effect are kept, so the same key works once a refusal's cause is gone.
//! Rules and reasons: the Idempotency-Key draft of the IETF, with 409 for both conflicts.

mod seal;
mod store;

use std::time::Duration;

pub use seal::Seal;
pub use store::{begin, finish, purge, release};

use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::secret::sha256;
use crate::terms::Mode;

/// A key on its way through a request: whose it is, and what it was used for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The organization, or the operator: not the credential, since rotating a key in mid-retry must not send twice.
    pub owner: String,
    /// Test and live keys never meet.
    pub mode: Mode,
    /// SHA-256 of the key; the key itself is not kept.
    pub key_hash: [u8; 32],
    /// SHA-256 of method, route and canonical body.
    pub fingerprint: [u8; 32],
}

impl Claim {
    /// A claim of `key` by `owner` for the request that `fingerprint` stands for.
    pub fn new(owner: impl Into<String>, mode: Mode, key: &str, fingerprint: [u8; 32]) -> Claim {
        Claim { owner: owner.into(), mode, key_hash: sha256(key.as_bytes()), fingerprint }
    }
}

/// An answer that took effect, as it is kept and given again byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// HTTP status, 2xx.
    pub status: u16,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// The Location header, where there was one.
    pub location: Option<String>,
}

impl Stored {
    /// What is kept of an answer that shows the thing it made, as it was when it was made: only where that is. Whoever
    /// claimed the key renders it again.
    fn shown_at(place: &str) -> Stored {
        Stored { status: 202, body: Vec::new(), location: Some(String::from(place)) }
    }

    /// The place of the thing that this answer showed, where the answer has to be rendered again from it.
    pub fn to_render(&self) -> Option<&str> {
        self.location.as_deref().filter(|_| self.body.is_empty())
    }
}

/// A key to be claimed.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// The claim.
    pub claim: &'a Claim,
    /// Where the thing will be found that the work makes and that its answer (202) shows, if it is such work: then the
    /// place alone is kept, and the key's row is written once.
    pub place: Option<&'a str>,
}

impl<'a> Opening<'a> {
    /// For work whose answer is kept byte for byte.
    pub fn of(claim: &'a Claim) -> Opening<'a> {
        Opening { claim, place: None }
    }
}

/// What the key's row says at the start of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nobody has used the key: the work may run.
    Fresh,
    /// The work was done; this was its answer, or where it is to be rendered from ([`Stored::to_render`]).
    Replay(Stored),
}

/// An answer and whether it is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The answer.
    pub stored: Stored,
    /// True where the effect happened in an earlier request.
    pub replayed: bool,
}

/// When and for how long keys are kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// The present.
    pub now: Millis,
    /// Life of a key's row.
    pub ttl: Duration,
}

/// Runs `work` once for a key: a repeat gets the stored answer, another request under the key is refused. Without a
/// claim the work simply runs. Everything happens in the caller's transaction.
///
/// Errors: `idempotency.key_mismatch`, `idempotency.in_flight`, and the work's own (which leave the key unused, since
/// the caller's transaction is undone).
pub fn once(
    conn: &mut Conn,
    claim: Option<&Claim>,
    keeping: Keeping,
    work: impl FnOnce(&mut Conn) -> Result<Stored>,
) -> Result<Answer> {
    let Some(claim) = claim else {
        return Ok(Answer { stored: work(conn)?, replayed: false });
    };
    let opening = Opening::of(claim);
    let begun =
        begin(conn, &[opening], keeping)?.pop().unwrap_or_else(|| Err(Error::internal("no answer for a claim")))?;
    match begun {
        Begun::Replay(stored) => Ok(Answer { stored, replayed: true }),
        Begun::Fresh => {
            let stored = work(conn)?;
            finish(conn, &[(opening, Some(&stored))], keeping)?;
            Ok(Answer { stored, replayed: false })
        }
    }
}

/// The answer that is kept for exactly this request, if one is: for what fails before the work begins, since a request
/// that took effect once is answered alike for as long as its key lives, whatever would be said of it today.
pub fn find_answer(conn: &mut Conn, claim: &Claim, now: Millis) -> Result<Option<Stored>> {
    let found = store::find(conn, claim, now)?;
    Ok(match found.map(|(print, stored)| judge(claim, &print, stored)) {
        Some(Ok(Begun::Replay(stored))) => Some(stored),
        _ => None,
    })
}

/// What a row that is there already means for `claim`. Mismatch wins over in flight.
fn judge(claim: &Claim, fingerprint: &[u8], stored: Stored) -> Result<Begun> {
    if fingerprint != claim.fingerprint {
        return Err(Error::new(Code::IdempotencyMismatch));
    }
    if stored.status == 0 {
        return Err(in_flight());
    }
    Ok(Begun::Replay(stored))
}

/// The first request with the key is still running.
fn in_flight() -> Error {
    Error::new(Code::IdempotencyInFlight).retry_after(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(body: &[u8]) -> Claim {
        Claim::new("org_1", Mode::Live, "k", sha256(body))
    }

    #[test]
    fn a_row_is_a_replay_a_mismatch_or_in_flight() {
        let done = Stored { status: 202, body: b"{}".to_vec(), location: None };
        let running = Stored { status: 0, ..done.clone() };
        let print = sha256(b"a");
        assert_eq!(judge(&claim(b"a"), &print, done.clone()).unwrap(), Begun::Replay(done.clone()));
        assert_eq!(judge(&claim(b"b"), &print, done).unwrap_err().code(), Code::IdempotencyMismatch);
        assert_eq!(judge(&claim(b"b"), &print, running.clone()).unwrap_err().code(), Code::IdempotencyMismatch);
        assert_eq!(judge(&claim(b"a"), &print, running).unwrap_err().code(), Code::IdempotencyInFlight);
    }
}
