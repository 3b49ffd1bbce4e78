//! A log of timestamps in memory that answers several tiers at once.

use std::collections::VecDeque;

use crate::clock::Millis;
use crate::limits::{Policy, Rate, Verdict};

/// The newest timestamps of one scope, as many as the largest tier admits. A tier (n, W) is free if and only if the n-th
/// newest is W old.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Ring {
    stamps: VecDeque<i64>,
    /// The longest window and the largest limit any tier has asked for.
    longest_ms: i64,
    most: u32,
}

impl Ring {
    /// What the tier says at `at`; `now` is the caller's own reading, from which it waits.
    pub fn verdict(&self, policy: Policy, rate: Rate, at: Millis, now: Millis) -> Verdict {
        let mut verdict = Verdict::unused(policy, rate, now);
        let limit = usize::try_from(rate.limit).unwrap_or(usize::MAX);
        let edge = at.0.saturating_sub(rate.window_ms());
        let used = self.stamps.len() - self.stamps.partition_point(|stamp| *stamp <= edge);
        verdict.used = u64::try_from(used).unwrap_or(u64::MAX);
        if limit == 0 || used == 0 {
            return verdict;
        }
        // Where a smaller limit came later, more may be used than allowed: the one that must leave is the limit-th newest.
        let leaves_next = self.stamps.len() - used.min(limit);
        if let Some(stamp) = self.stamps.get(leaves_next) {
            verdict.reset_at = Millis(stamp.saturating_add(rate.window_ms()));
        }
        verdict.wait = (used >= limit).then(|| verdict.reset_at.since(now));
        verdict
    }

    /// Counts one at `at`, keeping what tiers of at most `most` and at most `longest_ms` can ask about.
    pub fn add(&mut self, at: Millis, most: u32, longest_ms: i64) {
        self.longest_ms = self.longest_ms.max(longest_ms);
        self.most = self.most.max(most);
        let edge = at.0.saturating_sub(self.longest_ms);
        let most = usize::try_from(self.most).unwrap_or(usize::MAX);
        while self.stamps.front().is_some_and(|stamp| *stamp <= edge || self.stamps.len() >= most) {
            self.stamps.pop_front();
        }
        self.stamps.push_back(at.0);
    }

    /// Takes back the one that was counted at `at`, or the next one after.
    pub fn refund(&mut self, at: Millis) {
        let place = self.stamps.partition_point(|stamp| *stamp < at.0);
        self.stamps.remove(place);
    }

    /// Moves everything back with the clock, so that the ages stay.
    pub fn step_back(&mut self, back_ms: i64) {
        for stamp in &mut self.stamps {
            *stamp = stamp.saturating_sub(back_ms);
        }
    }

    /// Whether nothing counts any more in any tier.
    pub fn is_idle(&self, at: Millis) -> bool {
        self.stamps.back().is_none_or(|newest| newest.saturating_add(self.longest_ms) <= at.0)
    }

    /// How many timestamps it keeps.
    pub fn len(&self) -> u64 {
        u64::try_from(self.stamps.len()).unwrap_or(u64::MAX)
    }

    /// A ring read from outside: in order.
    pub fn mended(mut self) -> Self {
        self.stamps.make_contiguous().sort_unstable();
        self
    }

    /// Whether a tier longer than a minute counts here, so that it is worth keeping over a restart.
    pub fn outlives_a_minute(&self) -> bool {
        self.longest_ms > 60_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(at_ms: impl IntoIterator<Item = i64>) -> Ring {
        let mut ring = Ring::default();
        for at in at_ms {
            ring.add(Millis(at), 100, 60_000);
        }
        ring
    }

    fn wait_ms(ring: &Ring, rate: Rate, now: i64) -> Option<u128> {
        ring.verdict(Policy::KeyBurstShort, rate, Millis(now), Millis(now)).wait.map(|wait| wait.as_millis())
    }

    #[test]
    fn one_ring_answers_every_tier() {
        let ring = ring([0, 100, 200, 300, 400]);
        assert_eq!(wait_ms(&ring, Rate::per_secs(5, 1), 450), Some(550));
        assert_eq!(wait_ms(&ring, Rate::per_secs(5, 1), 1_000), None);
        assert_eq!(wait_ms(&ring, Rate::per_secs(5, 10), 1_000), Some(9_000));
        assert_eq!(wait_ms(&ring, Rate::per_secs(30, 10), 450), None);
        assert_eq!(wait_ms(&ring, Rate::per_secs(2, 1), 450), Some(850), "a limit lowered below what is used");
    }

    #[test]
    fn it_holds_no_more_than_the_largest_tier_asks_for() {
        let ring = ring(0..5_000);
        assert_eq!(ring.stamps.len(), 100);
        assert!(ring.stamps.capacity() <= 256);
        assert!(!ring.is_idle(Millis(64_998)));
        assert!(ring.is_idle(Millis(64_999)));
    }

    #[test]
    fn a_refund_takes_back_that_one() {
        let mut ring = ring([0, 100, 200]);
        ring.refund(Millis(100));
        assert_eq!(ring.stamps, [0, 200]);
        ring.refund(Millis(500));
        assert_eq!(ring.stamps, [0, 200]);
    }
}
