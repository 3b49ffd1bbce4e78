//! How fast a carrier lets us be, found out: each 0x58 halves the rate, each second without one gives a tenth back.
//!
//! A function of what happened and the time; the configured pace is kept elsewhere (`providers/pace`), this only goes
//! below it.

use std::time::Duration;

use tokio::time::Instant;

/// Slower than this it does not get, messages a second.
const SLOWEST: f64 = 0.5;
/// Faster than this is no limit any more.
const FREE: f64 = 2_000.0;
/// What a second without 0x58 does to the rate.
const RECOVERY: f64 = 1.1;
/// Several answers to one burst are one complaint.
const ONE_COMPLAINT: Duration = Duration::from_millis(500);

/// The rate of one carrier in this process.
#[derive(Debug, Clone, Default)]
pub struct Rate {
    /// Messages a second; `None`: no limit of ours.
    limit: Option<(f64, Instant)>,
    /// When the next may go.
    next: Option<Instant>,
    /// Until when nothing may go: the carrier's queue is full.
    held: Option<Instant>,
    /// How many went in the second that began here.
    second: Option<(Instant, u32)>,
    /// How many went in the second before.
    before: u32,
}

impl Rate {
    /// How long until another may go.
    pub fn wait(&self, now: Instant) -> Duration {
        let until = [self.held, self.next.filter(|_| self.limit.is_some())].into_iter().flatten().max();
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Counts one that goes now.
    pub fn count(&mut self, now: Instant) {
        match self.second {
            Some((began, sent)) if now.saturating_duration_since(began) < Duration::from_secs(1) => {
                self.second = Some((began, sent.saturating_add(1)));
            }
            Some((_, sent)) => (self.before, self.second) = (sent, Some((now, 1))),
            None => self.second = Some((now, 1)),
        }
        if let Some(rate) = self.per_second(now) {
            let from = self.next.map_or(now, |next| next.max(now));
            self.next = Some(from + Duration::from_secs_f64(1.0 / rate));
        }
    }

    /// The carrier said 0x58.
    pub fn throttled(&mut self, now: Instant) {
        let rate = match self.limit {
            Some((_, since)) if now.saturating_duration_since(since) < ONE_COMPLAINT => return,
            Some(_) => self.per_second(now).unwrap_or(FREE),
            None => f64::from(self.second.map_or(0, |(_, sent)| sent).max(self.before)),
        };
        self.limit = Some(((rate / 2.0).max(SLOWEST), now));
        self.next = Some(now + Duration::from_secs(1));
    }

    /// The carrier said 0x14: nothing goes for `wait`.
    pub fn full(&mut self, now: Instant, wait: Duration) {
        self.held = Some(now + wait);
    }

    /// Messages a second that may go now; `None` for as many as one likes.
    pub fn per_second(&mut self, now: Instant) -> Option<f64> {
        let (rate, since) = self.limit?;
        let risen = rate * RECOVERY.powf(now.saturating_duration_since(since).as_secs_f64());
        if risen >= FREE {
            self.limit = None;
        }
        self.limit.map(|_| risen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn nothing_waits_until_the_carrier_complains_and_then_half_of_what_went_goes() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        for ms in 0..40 {
            assert_eq!(rate.wait(after(start, ms)), Duration::ZERO);
            rate.count(after(start, ms));
        }
        rate.throttled(after(start, 40));
        assert_eq!(rate.per_second(after(start, 40)), Some(20.0));
        assert_eq!(rate.wait(after(start, 40)), Duration::from_secs(1));
        rate.count(after(start, 1_040));
        let wait = rate.wait(after(start, 1_040)).as_secs_f64();
        assert!((0.040..=0.050).contains(&wait), "{wait}");
    }

    #[test]
    fn a_burst_of_complaints_halves_once_and_the_next_burst_again() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        (0..16).for_each(|_| rate.count(start));
        for ms in [0, 100, 499] {
            rate.throttled(after(start, ms));
        }
        assert_eq!(rate.per_second(start), Some(8.0));
        rate.throttled(after(start, 500));
        let now = rate.per_second(after(start, 500)).unwrap();
        assert!((4.0..4.5).contains(&now), "{now}");
        for second in 1..100 {
            rate.throttled(after(start, 500 + second * 1_000));
        }
        assert_eq!(rate.per_second(after(start, 99_500)), Some(SLOWEST));
    }

    #[test]
    fn it_recovers_slowly_and_wholly() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        (0..20).for_each(|_| rate.count(start));
        rate.throttled(start);
        let later = rate.per_second(after(start, 8_000)).unwrap();
        assert!((20.0..25.0).contains(&later), "{later}");
        assert_eq!(rate.per_second(after(start, 600_000)), None);
        assert_eq!(rate.wait(after(start, 600_000)), Duration::ZERO);
    }

    #[test]
    fn a_full_queue_holds_everything_for_a_while() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        rate.full(start, Duration::from_secs(5));
        assert_eq!(rate.wait(after(start, 2_000)), Duration::from_secs(3));
        assert_eq!(rate.wait(after(start, 5_000)), Duration::ZERO);
        assert_eq!(rate.per_second(start), None);
    }
}
