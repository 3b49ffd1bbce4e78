//! The life of a verification, pure: what a row means at a moment, and what may follow.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::clock::Millis;

crate::text_enum! {
    /// Where a verification is.
    pub enum Status as "VerificationStatus" {
        Pending = "pending",
        Approved = "approved",
        Expired = "expired",
        MaxChecks = "max_checks",
        Canceled = "canceled",
    }
}

crate::text_enum! {
    /// Whether a resend says the same code again or a new one.
    pub enum ResendPolicy { SameCode = "same_code", NewCode = "new_code" }
}

/// What decides whether a verification is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// As it is stored; time and checks may have ended a `pending` one already.
    pub status: Status,
    /// Codes that were tried.
    pub checks: i32,
    /// How many may be.
    pub max_checks: i32,
    /// Its end.
    pub expires_at: Millis,
}

impl Life {
    /// The status at `now`. A code is good up to the moment before `expires_at`.
    pub fn at(&self, now: Millis) -> Status {
        match self.status {
            Status::Pending if self.checks >= self.max_checks => Status::MaxChecks,
            Status::Pending if now >= self.expires_at => Status::Expired,
            status => status,
        }
    }

    /// How many more codes may be tried, were it open.
    pub fn checks_left(&self) -> i32 {
        self.max_checks.saturating_sub(self.checks).max(0)
    }
}

/// Gaps between sends that make sense to a person; the guards are what enforces (NIST and the carriers' own retries:
/// an SMS takes up to half a minute).
const GAPS_S: [u64; 3] = [30, 60, 120];

/// When a button to send again should come alive after the `sends`-th send.
pub fn next_resend_at(sends: i32, last_send_at: Millis) -> Millis {
    let done = usize::try_from(sends).unwrap_or(0).saturating_sub(1);
    let gap = GAPS_S.get(done).or(GAPS_S.last()).copied().unwrap_or(0);
    last_send_at.plus(Duration::from_secs(gap))
}

/// Which code the `send`-th send (from 1) says.
pub fn code_of_send(policy: ResendPolicy, send: i32) -> u32 {
    match policy {
        ResendPolicy::SameCode => 1,
        ResendPolicy::NewCode => u32::try_from(send).unwrap_or(1).max(1),
    }
}

/// The codes that are right after `sends` sends.
pub fn good_codes(policy: ResendPolicy, sends: i32) -> RangeInclusive<u32> {
    1..=code_of_send(policy, sends)
}

/// The send that the right code is credited to: under `new_code` the one that said it; under `same_code` nobody can
/// tell, and the latest is the one that worked at last.
pub fn credited_send(policy: ResendPolicy, code: u32, sends: i32) -> i32 {
    match policy {
        ResendPolicy::SameCode => sends,
        ResendPolicy::NewCode => i32::try_from(code).unwrap_or(sends),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Life = Life { status: Status::Pending, checks: 4, max_checks: 5, expires_at: Millis(1_000) };

    #[test]
    fn a_pending_one_ends_by_time_and_by_checks_without_being_written() {
        assert_eq!(OPEN.at(Millis(999)), Status::Pending);
        assert_eq!(OPEN.at(Millis(1_000)), Status::Expired);
        assert_eq!(Life { checks: 5, ..OPEN }.at(Millis(0)), Status::MaxChecks);
        for ended in [Status::Approved, Status::Expired, Status::MaxChecks, Status::Canceled] {
            assert_eq!(Life { status: ended, ..OPEN }.at(Millis(5_000)), ended);
        }
    }

    #[test]
    fn checks_left_never_go_below_nought() {
        assert_eq!(OPEN.checks_left(), 1);
        assert_eq!(Life { checks: 9, ..OPEN }.checks_left(), 0);
    }

    #[test]
    fn the_gap_before_a_resend_grows_and_then_stays() {
        let gaps: Vec<i64> = (1..=5).map(|sends| next_resend_at(sends, Millis(0)).0 / 1_000).collect();
        assert_eq!(gaps, [30, 60, 120, 120, 120]);
    }

    #[test]
    fn a_resend_says_the_first_code_again_or_one_of_its_own() {
        assert_eq!((1..=3).map(|n| code_of_send(ResendPolicy::SameCode, n)).collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!((1..=3).map(|n| code_of_send(ResendPolicy::NewCode, n)).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(good_codes(ResendPolicy::SameCode, 3), 1..=1);
        assert_eq!(good_codes(ResendPolicy::NewCode, 3), 1..=3);
    }

    #[test]
    fn the_send_that_worked_is_credited() {
        assert_eq!(credited_send(ResendPolicy::NewCode, 2, 3), 2);
        assert_eq!(credited_send(ResendPolicy::SameCode, 1, 3), 3);
    }
}
