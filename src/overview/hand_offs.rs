//! How hand-offs did lately, in all and by carrier: a sample of the newest. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::store::HandOff;
use crate::clock::Millis;

/// How far back hand-offs are looked at.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// And at most so many of them.
pub const SAMPLE: i64 = 5_000;

/// How the hand-offs of one carrier did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Did {
    /// That ended.
    pub ended: i64,
    /// Of these, accepted by the carrier.
    pub accepted: i64,
    /// The last one that was accepted.
    pub last_accepted: Option<Millis>,
    /// From accepted by us to accepted by the carrier, milliseconds, first tries that were taken; sorted.
    waits: Vec<i64>,
}

impl Did {
    fn add(&mut self, hand_off: &HandOff) {
        let Some(ended) = hand_off.finished_at else { return };
        self.ended += 1;
        if hand_off.state != "accepted" {
            return;
        }
        self.accepted += 1;
        self.last_accepted = self.last_accepted.max(Some(ended));
        // A message that another carrier refused before, or that waited for its hour, says nothing of this hand-off.
        let due = hand_off.scheduled_for.map_or(hand_off.accepted_at, |at| at.max(hand_off.accepted_at));
        if hand_off.number == 1 {
            self.waits.push((ended.0 - due.0).max(0));
        }
    }

    /// Nineteen of twenty took no longer, milliseconds; `None` without any.
    pub fn p95_ms(&self) -> Option<i64> {
        let rank = self.waits.len().saturating_mul(95).div_ceil(100);
        self.waits.get(rank.checked_sub(1)?).copied()
    }

    /// Accepted of those that ended, 0 to 1 with four places; `None` without any.
    pub fn success(&self) -> Option<f64> {
        share(self.accepted, self.ended)
    }
}

/// `part` of `whole`, with four places; `None` of nothing.
pub fn share(part: i64, whole: i64) -> Option<f64> {
    let (part, whole) = (u32::try_from(part).ok()?, u32::try_from(whole).ok().filter(|whole| *whole > 0)?);
    Some((f64::from(part) / f64::from(whole) * 10_000.0).round() / 10_000.0)
}

/// In all, and by carrier.
pub fn did(sample: &[HandOff]) -> (Did, BTreeMap<String, Did>) {
    let (mut all, mut carriers) = (Did::default(), BTreeMap::<String, Did>::new());
    for hand_off in sample {
        all.add(hand_off);
        carriers.entry(hand_off.carrier.clone()).or_default().add(hand_off);
    }
    all.waits.sort_unstable();
    carriers.values_mut().for_each(|did| did.waits.sort_unstable());
    (all, carriers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hand_off(carrier: &str, state: &str, took: i64) -> HandOff {
        HandOff {
            carrier: String::from(carrier),
            state: String::from(state),
            finished_at: Some(Millis(1_000 + took)),
            accepted_at: Millis(1_000),
            scheduled_for: None,
            number: 1,
        }
    }

    #[test]
    fn the_nineteenth_of_twenty_is_the_p95() {
        let sample: Vec<_> = (1..=20).map(|took| hand_off("a", "accepted", took * 10)).collect();
        let (all, carriers) = did(&sample);
        assert_eq!((all.p95_ms(), all.success()), (Some(190), Some(1.0)));
        assert_eq!(carriers["a"], all);
        assert_eq!((Did::default().p95_ms(), Did::default().success()), (None, None));
    }

    #[test]
    fn what_was_refused_or_waited_for_its_hour_is_no_wait() {
        let late = HandOff {
            scheduled_for: Some(Millis(5_000)),
            finished_at: Some(Millis(5_040)),
            ..hand_off("b", "accepted", 0)
        };
        let open = HandOff { finished_at: None, ..hand_off("b", "sending", 0) };
        let second = HandOff { number: 2, ..hand_off("b", "accepted", 9_000) };
        let (all, _) = did(&[late, open, second, hand_off("b", "refused", 700)]);
        assert_eq!((all.ended, all.accepted, all.p95_ms()), (3, 2, Some(40)));
        assert_eq!(all.success(), Some(0.6667));
    }
}
