//! Tells this process's deliverers and listeners that something was emitted. An emit happens inside a transaction, before
//! its commit and without the app in hand: so the bells are the process's, and who hears one keeps looking for a moment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Rung where something was emitted, which will be there once its transaction is committed.
pub(super) struct Bell(AtomicU64);

/// Something is on its way to an endpoint.
pub(super) static ENDPOINTS: Bell = Bell(AtomicU64::new(0));
/// Something is there for a listener.
pub(super) static LISTENERS: Bell = Bell(AtomicU64::new(0));

impl Bell {
    /// Rings.
    pub(super) fn ring(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Hears a bell of this process. An emit rings before its commit, so after a ring it pays to look a few times.
pub(super) struct Ear {
    bell: &'static Bell,
    heard: u64,
    since: Instant,
    looked: Instant,
    poll: Duration,
}

const TICK: Duration = Duration::from_millis(40);
const KEEP_LOOKING: Duration = Duration::from_millis(1_000);

impl Ear {
    /// An ear for `bell` that looks each `poll` in any case: other processes ring bells of their own.
    pub(super) fn new(bell: &'static Bell, poll: Duration) -> Ear {
        Ear { bell, heard: bell.count(), since: Instant::now(), looked: Instant::now(), poll }
    }

    /// Until it is worth looking again, or there is an end to it.
    pub(super) async fn wait(&mut self, is_over: impl Fn() -> bool) {
        loop {
            tokio::time::sleep(TICK).await;
            let rung = self.bell.count();
            if rung != self.heard {
                (self.heard, self.since) = (rung, Instant::now());
            }
            let is_worth = self.since.elapsed() < KEEP_LOOKING || self.looked.elapsed() >= self.poll;
            if is_worth || is_over() {
                self.looked = Instant::now();
                return;
            }
        }
    }
}
