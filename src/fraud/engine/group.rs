//! What is counted of one group.

use super::curve::{BINS, Histogram, bin_of};
use super::rings::{Change, Rings};
use crate::clock::Millis;

/// A group's counters: about 500 bytes, of fixed size.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Units.
    pub rings: Rings,
    // How fast they verified, halved each hour.
    times: Histogram,
    times_hour: i64,
    // Evidence for a sequence, fading.
    chain: f64,
    chain_at: Millis,
    // Countries by hash: one bit each.
    countries: u64,
}

const HOUR_MS: i64 = 3_600_000;
/// The chain's bounds: it must neither take long to forget an attack nor to believe the next.
const CHAIN: (f64, f64) = (-3.0, 7.0);

impl Group {
    /// An empty group.
    pub fn at(now: Millis) -> Group {
        Group {
            rings: Rings::at(now),
            times: [0.0; BINS],
            times_hour: now.0.div_euclid(HOUR_MS),
            chain: 0.0,
            chain_at: now,
            countries: 0,
        }
    }

    /// Turns the counters to `now`.
    pub fn turn(&mut self, now: Millis) {
        self.rings.turn(now);
        let hour = now.0.div_euclid(HOUR_MS);
        let passed = hour.saturating_sub(self.times_hour).clamp(0, 30);
        if passed > 0 {
            let fade = 0.5f32.powi(passed as i32);
            self.times.iter_mut().for_each(|count| *count *= fade);
            self.times_hour = hour;
        }
        self.chain = self.chain(now);
        self.chain_at = self.chain_at.max(now);
    }

    /// The evidence for a sequence at `now`: half of it is left after an hour.
    pub fn chain(&self, now: Millis) -> f64 {
        let hours = (now.0 - self.chain_at.0).max(0) as f64 / HOUR_MS as f64;
        if hours < 1e-4 { self.chain } else { self.chain * 0.5f64.powf(hours) }
    }

    /// Adds to that evidence; below zero it stays at zero, except for what verified numbers earned.
    pub fn chained(&mut self, term: f64) {
        let floor = if term < -2.0 { CHAIN.0 } else { self.chain.min(0.0) };
        self.chain = (self.chain + term).clamp(floor, CHAIN.1);
    }

    /// A unit verified within `seconds`.
    pub fn verified(&mut self, begun: Millis, seconds: f64) {
        self.rings.note(begun, Change::Verified);
        if let Some(count) = self.times.get_mut(bin_of(seconds)) {
            *count += 1.0;
        }
    }

    /// How fast units verified.
    pub fn times(&self) -> &Histogram {
        &self.times
    }

    /// Notes a country.
    pub fn country(&mut self, id: u64) {
        self.countries |= 1 << (super::rng::mix(id) % 64);
    }

    /// How many countries it saw, at least.
    pub fn countries(&self) -> u32 {
        self.countries.count_ones()
    }

    /// Forgets what spoke against it.
    pub fn forgive(&mut self) {
        self.rings.forgive();
        self.chain = self.chain.min(0.0);
        self.countries = 0;
    }
}
