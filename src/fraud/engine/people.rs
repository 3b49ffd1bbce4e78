//! What is remembered of one number: when it proved itself, and the codes since that nobody typed.

use std::time::Duration;

use super::rules::NumberCaps;
use crate::clock::Millis;

/// Codes remembered per number.
const REMEMBERED: usize = 16;

/// One number, in every organization: 88 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// When it last verified.
    pub verified_at: Option<Millis>,
    /// Sessions in a row that did not verify.
    pub misses: u8,
    /// When its last code was sent.
    pub last: Millis,
    // Seconds of the codes since it last verified, newest first; 0 is none.
    sent: [u32; REMEMBERED],
}

/// Codes of one person's one try: a resend within this time is not another session.
pub const SESSION: Duration = Duration::from_secs(600);

/// How many codes a number had that nobody typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered {
    /// In the last day.
    pub count: u32,
    /// When the oldest of them is a day old.
    pub until: Millis,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Person {
    /// Notes a code; true where it begins a session.
    pub fn send(&mut self, now: Millis) -> bool {
        let begins = self.last == Millis(0) || now.since(self.last) >= SESSION;
        if begins {
            self.misses = self.misses.saturating_add(1);
        }
        self.last = now;
        self.sent.rotate_right(1);
        if let Some(first) = self.sent.first_mut() {
            *first = u32::try_from(now.0 / 1_000).unwrap_or(0);
        }
        begins
    }

    /// Takes back the code noted at `at`, where it was the last.
    pub fn unsend(&mut self, at: Millis) {
        if self.last != at {
            return;
        }
        self.sent.rotate_left(1);
        if let Some(oldest) = self.sent.last_mut() {
            *oldest = 0;
        }
        self.last = self.sent.first().map_or(Millis(0), |sent| Millis(i64::from(*sent) * 1_000));
    }

    /// Notes that the number proved itself.
    pub fn verify(&mut self, at: Millis) {
        self.verified_at = Some(self.verified_at.map_or(at, |before| before.max(at)));
        self.misses = 0;
        self.sent = [0; REMEMBERED];
    }

    /// The codes of the last day that nobody typed.
    pub fn unanswered(&self, now: Millis) -> Unanswered {
        let since = u32::try_from(now.minus(DAY).0 / 1_000).unwrap_or(0);
        let young = || self.sent.iter().filter(|sent| **sent > since);
        let oldest = young().next_back().map_or(now, |sent| Millis(i64::from(*sent) * 1_000));
        Unanswered { count: young().count() as u32, until: oldest.plus(DAY) }
    }

    /// Whether the number counts as proven: verified not too long ago, and not silent since for several sessions.
    pub fn proven(&self, known: Option<Millis>, caps: &NumberCaps, now: Millis) -> bool {
        let last = self.verified_at.max(known);
        let keep = Duration::from_secs(u64::from(caps.proven_days) * 86_400);
        self.misses < caps.proven_misses && last.is_some_and(|at| now.since(at) < keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_790_000_000_000);

    #[test]
    fn resends_are_one_session_and_each_code_counts() {
        let mut person = Person::default();
        let begun: Vec<_> = [0, 40, 90, 900].map(|s| person.send(NOW.plus(Duration::from_secs(s)))).into();
        assert_eq!(begun, [true, false, false, true]);
        assert_eq!(person.unanswered(NOW.plus(Duration::from_secs(901))).count, 4);
        assert_eq!(person.unanswered(NOW.plus(Duration::from_secs(86_430))).count, 3);
        person.verify(NOW.plus(Duration::from_secs(950)));
        assert_eq!(person.unanswered(NOW.plus(Duration::from_secs(960))).count, 0);
    }

    #[test]
    fn proof_fades_with_time_and_with_silence() {
        let caps = NumberCaps::default();
        let mut person = Person::default();
        assert!(!person.proven(None, &caps, NOW));
        assert!(person.proven(Some(NOW.minus(Duration::from_secs(86_400))), &caps, NOW));
        person.verify(NOW);
        assert!(!person.proven(None, &caps, NOW.plus(Duration::from_secs(91 * 86_400))));
        for hour in 1..=5 {
            person.send(NOW.plus(Duration::from_secs(hour * 3_600)));
        }
        assert!(!person.proven(None, &caps, NOW.plus(Duration::from_secs(20_000))));
    }
}
