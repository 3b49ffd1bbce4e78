//! Where a broadcast is, and what may be done with it there. Pure.

use crate::error::{Code, Error, Result};

crate::text_enum! {
    /// Where a broadcast is.
    pub enum Status as "BroadcastStatus" {
        /// Takes contacts; nothing is sent.
        Draft = "draft",
        /// Begins by itself at its time.
        Scheduled = "scheduled",
        /// Feeds its contacts to the messages.
        Running = "running",
        /// Holds until it is resumed.
        Paused = "paused",
        /// Every contact was sent to or refused.
        Completed = "completed",
        /// Called off by its owner.
        Canceled = "canceled",
        /// Called off by Postern: its `reason` says why.
        Stopped = "stopped",
    }
}

/// What is done with a broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Begin, by request or because its time has come.
    Start,
    /// Begin later.
    Schedule,
    /// Hold.
    Pause,
    /// Go on.
    Resume,
    /// Call it off.
    Cancel,
    /// No contact is left.
    Complete,
    /// Call it off because it may not go on.
    Halt,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 7] = [
        Action::Start,
        Action::Schedule,
        Action::Pause,
        Action::Resume,
        Action::Cancel,
        Action::Complete,
        Action::Halt,
    ];

    fn done(self) -> &'static str {
        match self {
            Action::Start => "started",
            Action::Schedule => "scheduled",
            Action::Pause => "paused",
            Action::Resume => "resumed",
            Action::Cancel => "canceled",
            Action::Complete => "completed",
            Action::Halt => "stopped",
        }
    }
}

impl Status {
    /// Where it is after `action`. Error: `broadcast.not_editable` where that cannot be done here.
    pub fn after(self, action: Action) -> Result<Status> {
        let next = match (action, self) {
            (Action::Start, Status::Draft | Status::Scheduled) | (Action::Resume, Status::Paused) => Status::Running,
            (Action::Schedule, Status::Draft | Status::Scheduled) => Status::Scheduled,
            (Action::Pause, Status::Running) => Status::Paused,
            (Action::Complete, Status::Running) => Status::Completed,
            (Action::Cancel, Status::Draft | Status::Scheduled | Status::Running | Status::Paused) => Status::Canceled,
            (Action::Halt, Status::Scheduled | Status::Running | Status::Paused) => Status::Stopped,
            _ => return Err(refused(format!("A broadcast that is {self} cannot be {}.", action.done()))),
        };
        Ok(next)
    }

    /// Error: `broadcast.not_editable` where it takes no contacts any more.
    pub fn takes_contacts(self) -> Result<()> {
        match self {
            Status::Draft => Ok(()),
            _ => Err(refused(format!("A broadcast that is {self} takes no contacts; make another."))),
        }
    }

    /// Whether it has come to its end.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Completed | Status::Canceled | Status::Stopped)
    }
}

fn refused(detail: String) -> Error {
    Error::new(Code::BroadcastNotEditable).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_an_end_and_nothing_else_is() {
        for status in Status::ALL {
            let moves = Action::ALL.iter().filter(|action| status.after(**action).is_ok()).count();
            assert_eq!(moves == 0, status.is_final(), "{status}");
        }
    }

    #[test]
    fn only_a_draft_takes_contacts_and_only_what_runs_pauses() {
        for status in Status::ALL {
            assert_eq!(status.takes_contacts().is_ok(), *status == Status::Draft, "{status}");
            assert_eq!(status.after(Action::Pause).is_ok(), *status == Status::Running, "{status}");
            assert_eq!(status.after(Action::Resume).is_ok(), *status == Status::Paused, "{status}");
        }
        let fault = Status::Completed.after(Action::Pause).unwrap_err();
        assert_eq!(fault.sentence(), "A broadcast that is completed cannot be paused.");
    }

    #[test]
    fn it_stops_by_itself_wherever_it_could_go_on() {
        let stops: Vec<_> = Status::ALL.iter().filter(|status| status.after(Action::Halt).is_ok()).collect();
        assert_eq!(stops, [&Status::Scheduled, &Status::Running, &Status::Paused]);
    }
}
