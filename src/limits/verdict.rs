//! What one policy said about one request.

use std::borrow::Cow;
use std::time::Duration;

use crate::clock::Millis;
use crate::error::PolicyHit;
use crate::limits::{Policy, Rate};

/// What one policy said: whether it passes, how much is used, and when there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The policy that was asked.
    pub policy: Policy,
    /// What it allows in a window.
    pub limit: u64,
    /// Its window.
    pub window: Duration,
    /// How much of it is used, this request included where it was taken.
    pub used: u64,
    /// When more is available again: the end of the calendar window, or when the oldest entry that counts leaves a sliding one.
    pub reset_at: Millis,
    /// `Some`: denied. After exactly this time it passes, if nothing else is sent.
    pub wait: Option<Duration>,
}

impl Verdict {
    /// A window with nothing in it.
    pub fn unused(policy: Policy, rate: Rate, now: Millis) -> Self {
        // A limit of nought never passes; the window is the honest time to ask again.
        let wait = (rate.limit == 0).then_some(rate.window);
        Verdict { policy, limit: u64::from(rate.limit), window: rate.window, used: 0, reset_at: now, wait }
    }

    /// Whether the policy refuses.
    pub fn denied(&self) -> bool {
        self.wait.is_some()
    }

    /// How many more would pass now.
    pub fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// The verdict after the request was taken at `now`: one more used.
    #[must_use]
    pub fn taken(mut self, now: Millis) -> Self {
        if self.used == 0 && self.reset_at <= now {
            self.reset_at = now.plus(self.window);
        }
        self.used = self.used.saturating_add(1);
        self
    }

    /// Whether this one says more about what the client may do next: denied with the longer wait, else less share left.
    pub fn binds_more_than(&self, other: &Verdict) -> bool {
        match (self.wait, other.wait) {
            (Some(mine), Some(theirs)) => mine > theirs,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => {
                let mine = u128::from(self.remaining()) * u128::from(other.limit);
                let theirs = u128::from(other.remaining()) * u128::from(self.limit);
                (mine, self.remaining()) < (theirs, other.remaining())
            }
        }
    }

    /// The members of a 429 body.
    pub fn hit(&self) -> PolicyHit {
        PolicyHit {
            policy: Cow::Borrowed(self.policy.as_str()),
            limit: self.limit,
            usage: self.used,
            window_s: u64::try_from(self.window.as_millis().div_ceil(1000)).unwrap_or(u64::MAX),
        }
    }
}
