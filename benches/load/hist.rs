//! Latencies in buckets: 64 to every doubling, so that a quantile is within 1.6 % of the truth.

use std::time::Duration;

const PARTS: u64 = 64;
const BUCKETS: usize = 64 * 59;

/// A histogram of durations.
#[derive(Clone)]
pub struct Hist {
    counts: Vec<u64>,
    total: u64,
    most: Duration,
}

impl Default for Hist {
    fn default() -> Self {
        Hist { counts: vec![0; BUCKETS], total: 0, most: Duration::ZERO }
    }
}

impl Hist {
    /// Counts one.
    pub fn add(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(nanos)) {
            *count += 1;
        }
        self.total += 1;
        self.most = self.most.max(took);
    }

    /// Takes in what another one counted.
    pub fn merge(&mut self, other: &Hist) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
        self.total += other.total;
        self.most = self.most.max(other.most);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.most
    }

    /// The duration that `share` of all stay below; zero where nothing was counted.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "a rank")]
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(middle(index)).min(self.most);
            }
        }
        self.most
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < PARTS {
        return usize::try_from(nanos).unwrap_or(0);
    }
    let power = u64::from(nanos.ilog2()) - 6;
    let part = (nanos >> power) - PARTS;
    usize::try_from((power + 1) * PARTS + part).unwrap_or(usize::MAX)
}

fn middle(index: usize) -> u64 {
    let index = index as u64;
    if index < PARTS {
        return index;
    }
    let (power, part) = (index / PARTS - 1, index % PARTS);
    ((PARTS + part) << power) + ((1 << power) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_part_of_the_truth() {
        let mut hist = Hist::default();
        (1..=100_000u64).for_each(|micros| hist.add(Duration::from_micros(micros)));
        for (share, truth) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.001, 100.0)] {
            let found = hist.quantile(share).as_secs_f64() * 1e6;
            assert!((found / truth - 1.0).abs() < 0.016, "{share}: {found}");
        }
        assert_eq!(hist.max(), Duration::from_millis(100));
    }

    #[test]
    fn every_bucket_holds_its_own_middle() {
        for index in 0..BUCKETS {
            assert_eq!(bucket(middle(index)), index);
        }
    }
}
