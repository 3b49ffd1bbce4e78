//! What a carrier tells of our WhatsApp numbers themselves, not of messages.

use crate::clock::Millis;

/// How many people a number may write to first in a moving 24 h, as the carrier says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldLimit {
    /// So many.
    Contacts(u32),
    /// Any number.
    Unlimited,
}

/// What happened to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberEvent {
    /// Its quality is low.
    Flagged,
    /// Its quality is no longer low.
    Unflagged,
    /// It takes a thousand messages a second from now on.
    Throughput,
    /// It is connected.
    Onboarded,
    /// Its limit changed, or something that means nothing to us.
    Other,
}

/// What became of an account, and so of all its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountFate {
    /// It may not send.
    Disabled,
    /// It may again.
    Reinstated,
    /// It is gone.
    Deleted,
}

/// A report about numbers. Its Debug shows no person's number.
#[derive(Clone, PartialEq, Eq)]
pub enum NumberReport {
    /// Of one number.
    Number {
        /// The carrier's account that it is in.
        account: Option<String>,
        /// The number, E.164 with the plus.
        number: String,
        /// What happened.
        event: NumberEvent,
        /// The limit from now on, where it says one.
        limit: Option<ToldLimit>,
        /// When, by the carrier.
        at: Option<Millis>,
    },
    /// Of all numbers of an account.
    Account {
        /// The carrier's account.
        account: String,
        /// The limit from now on.
        limit: ToldLimit,
        /// When, by the carrier.
        at: Option<Millis>,
    },
    /// What became of an account.
    Fate {
        /// The carrier's account.
        account: String,
        /// What.
        fate: AccountFate,
        /// When, by the carrier.
        at: Option<Millis>,
    },
    /// Whose number a business-scoped user id is.
    Person {
        /// Our number that they have to do with.
        number: String,
        /// Theirs, E.164 with the plus.
        phone: String,
        /// The carrier's id of them.
        user_id: String,
    },
    /// Something to be looked at.
    Alert {
        /// The carrier's account.
        account: Option<String>,
        /// Our number, where it is about one.
        number: Option<String>,
        /// What, in the carrier's words.
        kind: String,
        /// How bad, in the carrier's words.
        severity: Option<String>,
    },
}

impl std::fmt::Debug for NumberReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NumberReport::Number { number, event, limit, at, .. } => {
                write!(f, "number {number} {event:?} {limit:?} {:?}", at.map(|at| at.0))
            }
            NumberReport::Account { account, limit, at } => {
                write!(f, "account {account} {limit:?} {:?}", at.map(|at| at.0))
            }
            NumberReport::Fate { account, fate, at } => {
                write!(f, "account {account} {fate:?} {:?}", at.map(|at| at.0))
            }
            NumberReport::Person { number, user_id, .. } => write!(f, "person {user_id} of {number}"),
            NumberReport::Alert { kind, severity, .. } => write!(f, "alert {kind} {severity:?}"),
        }
    }
}
