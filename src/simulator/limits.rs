//! Meta's limits, as Meta counts them: a bucket for each person, and so many messages a second. Pure.
//!
//! Written otherwise than Postern's own pacing on purpose: what one gets wrong the other shows.

use std::collections::{BTreeMap, VecDeque};

use super::errors::Fault;
use crate::clock::Millis;

/// A message to one person is paid back in this time, ms.
const REFILL_MS: i64 = 6_000;
/// What a full bucket holds.
const FULL: i64 = 45;

/// What has been sent lately.
#[derive(Debug, Default)]
pub struct Limits {
    /// Whether pairs are limited.
    pub pairs_off: bool,
    /// By person: what is left, in milliseconds of refill, and when it was counted.
    buckets: BTreeMap<String, (i64, Millis)>,
    /// The messages of the last second.
    recent: VecDeque<Millis>,
}

impl Limits {
    /// Counts a message, in or out, or says which limit it is over.
    pub fn take(&mut self, person: &str, per_second: u32, now: Millis) -> Result<(), Fault> {
        self.forget(now);
        if self.recent.len() >= usize::try_from(per_second).unwrap_or(usize::MAX) {
            return Err(Fault::because(130_429, "Cloud API message throughput has been reached."));
        }
        let full = FULL * REFILL_MS;
        let (left, at) = self.buckets.get(person).copied().unwrap_or((full, now));
        let left = (left + now.0 - at.0).min(full);
        if left < REFILL_MS && !self.pairs_off {
            self.buckets.insert(String::from(person), (left, now));
            let details = "Too many messages sent from the sender phone number to the same recipient phone number in \
                           a short period of time.";
            return Err(Fault::because(131_056, details));
        }
        self.buckets.insert(String::from(person), (left - REFILL_MS, now));
        self.recent.push_back(now);
        Ok(())
    }

    /// Counts a message that came in: it takes from the throughput as well, and is never refused.
    pub fn note_inbound(&mut self, now: Millis) {
        self.forget(now);
        self.recent.push_back(now);
    }

    fn forget(&mut self, now: Millis) {
        while self.recent.front().is_some_and(|at| at.0 <= now.0 - 1_000) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_takes_a_burst_and_then_one_in_six_seconds() {
        let (mut limits, start) = (Limits::default(), Millis(1_000_000));
        let go = |limits: &mut Limits, ms: i64| limits.take("a", 1_000, Millis(start.0 + ms)).map_err(|f| f.code);
        assert!((0..45).all(|_| go(&mut limits, 0).is_ok()));
        assert_eq!(go(&mut limits, 0), Err(131_056));
        assert_eq!(go(&mut limits, 5_999), Err(131_056));
        assert_eq!((go(&mut limits, 6_000), go(&mut limits, 6_000)), (Ok(()), Err(131_056)));
        assert!(limits.take("b", 1_000, start).is_ok());
    }

    #[test]
    fn a_second_holds_its_throughput() {
        let (mut limits, start) = (Limits { pairs_off: true, ..Limits::default() }, Millis(1_000_000));
        assert!((0..80).all(|n| limits.take(&n.to_string(), 80, start).is_ok()));
        assert_eq!(
            limits.take("x", 80, Millis(start.0 + 999)),
            Err(Fault::because(130_429, "Cloud API message throughput has been reached."))
        );
        assert!(limits.take("x", 80, Millis(start.0 + 1_000)).is_ok());
    }
}
