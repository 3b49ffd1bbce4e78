//! Where an activation is, and what may happen to it there. Pure.
//!
//! `waiting` → (a code comes) `received` → (another is asked for) `waiting_retry` → (it comes) `received` → `finished`; or
//! `cancelled`, while no code has come and it is old enough; or `expired`, where its time runs out before a code.
//! Source: the protocol that the text endpoint speaks, see docs/activations.md.

use std::time::Duration;

use crate::clock::Millis;
use crate::error::{Code, Error};

crate::text_enum! {
    /// Where an activation is.
    pub enum Status as "ActivationStatus" {
        /// No code has come yet.
        Waiting = "waiting",
        /// A code has come.
        Received = "received",
        /// A code has come, and another is waited for.
        WaitingRetry = "waiting_retry",
        /// Completed by its renter, or its time ran out after a code.
        Finished = "finished",
        /// Called off by its renter; nothing is charged.
        Cancelled = "cancelled",
        /// Its time ran out and no code came; nothing is charged.
        Expired = "expired",
    }
}

crate::text_enum! {
    /// What became of the price.
    pub enum Hold as "ActivationHold" {
        /// The wallet holds it.
        Held = "held",
        /// It was charged.
        Settled = "settled",
        /// It was let go.
        Released = "released",
    }
}

/// What happens to an activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The renter has given the number to the service.
    Ready,
    /// The renter asks for another code.
    Retry,
    /// The renter is done.
    Complete,
    /// The renter calls it off.
    Cancel,
    /// A message with a code came.
    CodeCame,
    /// Its time has run out.
    RunOut,
}

/// Why something cannot happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has ended like this already.
    Already,
    /// It has ended in another way.
    Ended(Status),
    /// A code has come: it is paid for and can only be completed.
    CodeCame,
    /// No code has come that another could follow.
    NoCodeYet,
    /// It may be cancelled after this time.
    TooEarly(Duration),
}

impl Status {
    /// Whether it has come to its end.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Finished | Status::Cancelled | Status::Expired)
    }

    /// Where it really is at `now`: its time may have run out before anybody has written that down.
    #[must_use]
    pub fn at(self, expires_at: Millis, now: Millis) -> Status {
        match self.after(Event::RunOut, expires_at, now) {
            Ok(next) if expires_at <= now => next,
            _ => self,
        }
    }

    /// Where it is after `event`; it may be cancelled from `cancel_at` on.
    ///
    /// # Errors
    /// Why that cannot be.
    pub fn after(self, event: Event, cancel_at: Millis, now: Millis) -> Result<Status, Refusal> {
        match (event, self) {
            (Event::Complete, Status::Finished) | (Event::Cancel, Status::Cancelled | Status::Expired) => {
                Err(Refusal::Already)
            }
            (_, ended) if ended.is_final() => Err(Refusal::Ended(ended)),
            (Event::Ready, open) => Ok(open),
            (Event::Retry, Status::Waiting) => Err(Refusal::NoCodeYet),
            (Event::Retry, _) => Ok(Status::WaitingRetry),
            (Event::Complete, _) => Ok(Status::Finished),
            (Event::Cancel, Status::Waiting) if now < cancel_at => Err(Refusal::TooEarly(cancel_at.since(now))),
            (Event::Cancel, Status::Waiting) => Ok(Status::Cancelled),
            (Event::Cancel, _) => Err(Refusal::CodeCame),
            (Event::CodeCame, Status::Waiting | Status::WaitingRetry) => Ok(Status::Received),
            (Event::CodeCame, _) => Err(Refusal::CodeCame),
            (Event::RunOut, Status::Waiting) => Ok(Status::Expired),
            (Event::RunOut, _) => Ok(Status::Finished),
        }
    }

    /// What becomes of a price that is held when an activation comes to be here.
    pub fn hold(self) -> Hold {
        match self {
            Status::Waiting => Hold::Held,
            Status::Received | Status::WaitingRetry | Status::Finished => Hold::Settled,
            Status::Cancelled | Status::Expired => Hold::Released,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        let ended = |detail: String| Error::new(Code::ActivationAlreadyCompleted).detail(detail);
        match refusal {
            Refusal::Already => Error::new(Code::ActivationAlreadyCompleted),
            Refusal::Ended(status) => {
                ended(format!("The activation is {status} and nothing more can be done with it."))
            }
            Refusal::CodeCame => {
                ended(String::from("A code has come: the activation can be completed, not cancelled."))
            }
            Refusal::NoCodeYet => Error::field("status", "is waiting: no code has come that another could follow"),
            Refusal::TooEarly(wait) => Error::new(Code::ActivationTooEarly).retry_after(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BORN: Millis = Millis(1_000_000);
    const GUARD: Millis = Millis(1_120_000);

    const EVENTS: [Event; 6] =
        [Event::Ready, Event::Retry, Event::Complete, Event::Cancel, Event::CodeCame, Event::RunOut];

    #[test]
    fn the_happy_path_and_its_second_code() {
        let mut status = Status::Waiting;
        for (event, next) in [
            (Event::Ready, Status::Waiting),
            (Event::CodeCame, Status::Received),
            (Event::Retry, Status::WaitingRetry),
            (Event::Retry, Status::WaitingRetry),
            (Event::CodeCame, Status::Received),
            (Event::Complete, Status::Finished),
        ] {
            status = status.after(event, GUARD, BORN).unwrap();
            assert_eq!(status, next);
        }
        assert_eq!(status.after(Event::Complete, GUARD, BORN), Err(Refusal::Already));
        assert_eq!(status.after(Event::Cancel, GUARD, BORN), Err(Refusal::Ended(Status::Finished)));
    }

    #[test]
    fn it_is_cancelled_only_without_a_code_and_from_the_guard_on() {
        let early = Millis(GUARD.0 - 1);
        let wait = Duration::from_millis(1);
        assert_eq!(Status::Waiting.after(Event::Cancel, GUARD, early), Err(Refusal::TooEarly(wait)));
        assert_eq!(Status::Waiting.after(Event::Cancel, GUARD, GUARD), Ok(Status::Cancelled));
        for status in [Status::Received, Status::WaitingRetry] {
            assert_eq!(status.after(Event::Cancel, GUARD, GUARD), Err(Refusal::CodeCame));
        }
        assert_eq!(Status::Expired.after(Event::Cancel, GUARD, GUARD), Err(Refusal::Already));
    }

    #[test]
    fn an_end_is_an_end_and_money_is_settled_once_a_code_came() {
        for status in Status::ALL {
            let moves = EVENTS.iter().filter(|event| status.after(**event, GUARD, GUARD).is_ok()).count();
            assert_eq!(moves == 0, status.is_final(), "{status}");
            for next in EVENTS.iter().filter_map(|event| status.after(*event, GUARD, GUARD).ok()) {
                // What was charged is never let go, what was let go never charged.
                let allowed = status.hold() == Hold::Held || next.hold() == status.hold();
                assert!(allowed, "{status} to {next}");
            }
        }
    }

    #[test]
    fn time_runs_out_by_itself() {
        assert_eq!(Status::Waiting.at(GUARD, Millis(GUARD.0 - 1)), Status::Waiting);
        assert_eq!(Status::Waiting.at(GUARD, GUARD), Status::Expired);
        assert_eq!(Status::WaitingRetry.at(GUARD, GUARD), Status::Finished);
        assert_eq!(Status::Cancelled.at(GUARD, GUARD), Status::Cancelled);
    }
}
