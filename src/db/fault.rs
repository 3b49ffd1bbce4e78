//! What a driver says, as an `Error`: the one place where SQL errors are turned. Their text goes to the log only.

use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as Diesel};

use crate::error::{Code, Error};

impl From<Diesel> for Error {
    fn from(fault: Diesel) -> Error {
        let code = match &fault {
            Diesel::DatabaseError(kind, info) => code_of(kind, info.message()),
            Diesel::BrokenTransactionManager => Code::Overloaded,
            _ => Code::Internal,
        };
        let error = Error::new(code).cause(&fault);
        if code == Code::Internal { error } else { error.retry_after(Duration::from_secs(1)) }
    }
}

/// SQLite and PostgreSQL tell a full disk, a lost connection and a lock by text only (diesel's kinds know few).
fn code_of(kind: &DatabaseErrorKind, text: &str) -> Code {
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["disk is full", "no space left", "disk i/o error", "could not extend file"]) {
        return Code::StorageFull;
    }
    let gone = matches!(kind, DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::SerializationFailure);
    let busy = [
        "database is locked",
        "lock timeout",
        "statement timeout",
        "canceling statement",
        "deadlock",
        "connection",
        "terminating",
        "shutting down",
        "starting up",
        "recovery mode",
        "too many clients",
    ];
    if gone || says(&busy) { Code::Overloaded } else { Code::Internal }
}

/// The database could not be reached.
pub(super) fn unreachable(cause: impl std::fmt::Display) -> Error {
    Error::new(Code::Overloaded)
        .detail("The database does not answer; retry shortly.")
        .retry_after(Duration::from_secs(1))
        .cause(cause)
}

/// The queue in front of the database is full.
pub(super) fn queue_full() -> Error {
    Error::new(Code::Overloaded).retry_after(Duration::from_secs(1)).cause("the queue before the database is full")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_lock_are_told_from_a_bug() {
        let unknown = DatabaseErrorKind::Unknown;
        assert_eq!(code_of(&unknown, "database or disk is full"), Code::StorageFull);
        assert_eq!(code_of(&unknown, "canceling statement due to lock timeout"), Code::Overloaded);
        assert_eq!(code_of(&unknown, "no such column: x"), Code::Internal);
    }
}
