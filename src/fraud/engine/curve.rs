//! How long people take to type a code: learned per organization and country from a log-spaced histogram.

use serde::{Deserialize, Serialize};

/// Bins, each 1.5 times as wide as the one before; the first ends at two seconds, the last takes all the rest.
pub const BINS: usize = 14;
const FIRST_S: f64 = 2.0;
const RATIO: f64 = 1.5;

/// The bin of a time in seconds.
pub fn bin_of(seconds: f64) -> usize {
    let place = ((seconds / FIRST_S).max(1e-9).ln() / RATIO.ln()).ceil().max(0.0) as usize;
    place.min(BINS - 1)
}

/// The end of a bin, seconds.
fn end_of(bin: usize) -> f64 {
    FIRST_S * RATIO.powi(bin as i32)
}

/// Counts per bin.
pub type Histogram = [f32; BINS];

/// What is believed before anything was seen: lognormal with a median of 20 s and a spread of 0.9, by its shares per bin.
fn prior() -> Histogram {
    let below = |seconds: f64| normal((seconds / 20.0).ln() / 0.9);
    std::array::from_fn(|bin| {
        let low = if bin == 0 { 0.0 } else { below(end_of(bin - 1)) };
        let high = if bin == BINS - 1 { 1.0 } else { below(end_of(bin)) };
        (high - low) as f32
    })
}

/// The normal distribution, by the logistic approximation of Bowling et al. 2009 (error below 0.00014).
fn normal(z: f64) -> f64 {
    1.0 / (1.0 + (-(0.07056 * z * z * z + 1.5976 * z)).exp())
}

/// A learned curve: shares per bin, and how much they weigh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    counts: Histogram,
    total: f32,
}

/// How many verifications the belief before weighs.
const PRIOR_WEIGHT: f32 = 60.0;
/// More than this many are halved, so that a change of habits is learned in days.
const MOST: f32 = 2_000.0;

impl Default for Curve {
    fn default() -> Self {
        Curve { counts: prior().map(|share| share * PRIOR_WEIGHT), total: PRIOR_WEIGHT }
    }
}

impl Curve {
    /// Learns one verification.
    pub fn learn(&mut self, seconds: f64) {
        if let Some(count) = self.counts.get_mut(bin_of(seconds)) {
            *count += 1.0;
            self.total += 1.0;
        }
        if self.total > MOST {
            self.counts.iter_mut().for_each(|count| *count /= 2.0);
            self.total /= 2.0;
        }
    }

    /// The share of users who verify at all and have done so by `seconds`: between 0 and 1.
    pub fn by(&self, seconds: f64) -> f64 {
        let mut sum = 0.0;
        let mut low = 0.0;
        for (bin, count) in self.counts.iter().enumerate() {
            let high = end_of(bin);
            if seconds < high || bin == BINS - 1 {
                let part = if bin == BINS - 1 { 1.0 } else { ((seconds - low) / (high - low)).clamp(0.0, 1.0) };
                return f64::from((sum + count * part as f32) / self.total).min(1.0);
            }
            sum += count;
            low = high;
        }
        1.0
    }

    /// How much of a group's verifications to believe, 0 to 1: where they crowd into a bin far above the usual share, as a
    /// machine's do, only the usual part counts. Twice the usual share is still nothing remarkable.
    pub fn credit(&self, seen: &Histogram) -> f64 {
        let total: f32 = seen.iter().sum();
        if total < 0.5 {
            return 1.0;
        }
        let believed: f32 = seen.iter().enumerate().map(|(bin, count)| count * self.trust(bin, *count, total)).sum();
        f64::from(believed / total)
    }

    /// The same for one verification in `seconds`, in a group that has seen `seen`.
    pub fn credit_of(&self, seconds: f64, seen: &Histogram) -> f64 {
        let bin = bin_of(seconds);
        let count = seen.get(bin).copied().unwrap_or(0.0);
        f64::from(self.trust(bin, count, seen.iter().sum()))
    }

    fn trust(&self, bin: usize, count: f32, total: f32) -> f32 {
        const SMOOTH: f32 = 6.0;
        let usual = (self.counts.get(bin).copied().unwrap_or(0.0) / self.total).max(0.002);
        let here = (count + SMOOTH * usual) / (total + SMOOTH);
        (2.0 * usual / here).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_users_who_will_have_verified_by_the_median() {
        let curve = Curve::default();
        assert!((curve.by(20.0) - 0.5).abs() < 0.05, "{}", curve.by(20.0));
        assert!(curve.by(0.0) < 0.01);
        assert!(curve.by(300.0) > 0.98);
    }

    #[test]
    fn a_slow_country_is_learned() {
        let mut curve = Curve::default();
        (0..500).for_each(|_| curve.learn(90.0));
        assert!(curve.by(45.0) < 0.15, "{}", curve.by(45.0));
    }

    #[test]
    fn verifications_at_one_moment_are_not_believed_and_spread_ones_are() {
        let curve = Curve::default();
        let mut robot = [0.0; BINS];
        robot[bin_of(4.0)] = 40.0;
        assert!(curve.credit(&robot) < 0.25, "{}", curve.credit(&robot));
        let people = prior().map(|share| share * 40.0);
        assert!(curve.credit(&people) > 0.99);
        let mut one = [0.0; BINS];
        one[bin_of(15.0)] = 1.0;
        assert!(curve.credit(&one) > 0.9);
    }
}
