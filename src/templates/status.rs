//! The status machine of a template's version: the one place that says what may follow what. Pure.

use crate::providers::TemplateState;

crate::text_enum! {
    /// Where a version of a template is.
    pub enum Status as "TemplateStatus" {
        /// Being written.
        Draft = "draft",
        /// With its reviewer.
        Pending = "pending",
        /// It sends.
        Approved = "approved",
        /// It may not be sent as it is; it can be changed and submitted again.
        Rejected = "rejected",
        /// Its reviewer has stopped it for a while.
        Paused = "paused",
        /// Its reviewer has stopped it for good.
        Disabled = "disabled",
    }
}

/// What is done to a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Its owner hands it in.
    Submit,
    /// An operator lets it pass, be it again.
    Approve,
    /// An operator turns it down, or stops one that was let pass.
    Reject,
    /// A carrier that reviews it tells its state.
    Told(TemplateState),
}

/// What becomes of a change of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// The version itself is changed, and is a draft.
    InPlace,
    /// It stays as it is, and a new version begins.
    Anew,
    /// Not while its reviewer looks at it.
    Refused,
}

impl Status {
    /// The status after `deed`; `None` where that changes nothing or cannot be.
    pub fn after(self, deed: Deed) -> Option<Status> {
        use Status::{Approved, Disabled, Draft, Paused, Pending, Rejected};
        let next = match (self, deed) {
            (Draft | Rejected, Deed::Submit) => Pending,
            (Pending | Rejected | Paused | Disabled, Deed::Approve) => Approved,
            (Pending, Deed::Reject) => Rejected,
            (Approved | Paused, Deed::Reject) => Disabled,
            // A carrier has the last word about what was submitted to it, and knows nothing of a draft.
            (Draft, Deed::Told(_)) => return None,
            (_, Deed::Told(state)) => of(state),
            _ => return None,
        };
        (next != self).then_some(next)
    }

    /// What a change of words comes to. What was approved once stays as it was approved.
    pub fn edit(self) -> Edit {
        match self {
            Status::Draft | Status::Rejected => Edit::InPlace,
            Status::Pending => Edit::Refused,
            Status::Approved | Status::Paused | Status::Disabled => Edit::Anew,
        }
    }
}

fn of(state: TemplateState) -> Status {
    match state {
        TemplateState::Pending => Status::Pending,
        TemplateState::Approved => Status::Approved,
        TemplateState::Rejected => Status::Rejected,
        TemplateState::Paused => Status::Paused,
        TemplateState::Disabled => Status::Disabled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each status: after Submit, Approve, Reject.
    #[test]
    fn what_owners_and_operators_may_do_is_a_table() {
        use Status::{Approved, Disabled, Draft, Paused, Pending, Rejected};
        for (status, submit, approve, reject) in [
            (Draft, Some(Pending), None, None),
            (Pending, None, Some(Approved), Some(Rejected)),
            (Approved, None, None, Some(Disabled)),
            (Rejected, Some(Pending), Some(Approved), None),
            (Paused, None, Some(Approved), Some(Disabled)),
            (Disabled, None, Some(Approved), None),
        ] {
            let after = [Deed::Submit, Deed::Approve, Deed::Reject].map(|deed| status.after(deed));
            assert_eq!(after, [submit, approve, reject], "{status}");
        }
    }

    #[test]
    fn a_carrier_moves_anything_but_a_draft() {
        let states = [
            (TemplateState::Pending, Status::Pending),
            (TemplateState::Approved, Status::Approved),
            (TemplateState::Rejected, Status::Rejected),
            (TemplateState::Paused, Status::Paused),
            (TemplateState::Disabled, Status::Disabled),
        ];
        for (state, becomes) in states {
            assert_eq!(Status::Draft.after(Deed::Told(state)), None);
            for status in Status::ALL.iter().filter(|status| **status != Status::Draft) {
                let expected = (*status != becomes).then_some(becomes);
                assert_eq!(status.after(Deed::Told(state)), expected, "{status} {becomes}");
            }
        }
    }

    #[test]
    fn what_was_approved_is_never_changed_itself() {
        let edits: Vec<Edit> = Status::ALL.iter().map(|status| status.edit()).collect();
        assert_eq!(edits, [Edit::InPlace, Edit::Refused, Edit::Anew, Edit::InPlace, Edit::Anew, Edit::Anew]);
    }
}
