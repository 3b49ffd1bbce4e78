//! Numbers next to each other: the gap between a new number and the nearest of the last few hundred of its country.
//!
//! Were numbers used at random, `p = 1 - exp(-2 gap n / plan)` would be even between 0 and 1; whoever counts upwards has gaps
//! far too small. The likelihood against the density `0.2 p^-0.8` is negative on average for honest traffic.

use std::collections::{BTreeMap, VecDeque};

/// How many numbers a country remembers.
const REMEMBERED: usize = 512;
/// What one number may add, so that it takes several to say anything.
const MOST: f64 = 2.5;
/// And take away.
const LEAST: f64 = -1.6;
/// How many verified numbers the plan's size by its digits weighs.
const PRIOR_WEIGHT: f64 = 60.0;

/// The last unproven numbers of one country in one organization: about 20 kB when full.
#[derive(Debug, Clone)]
pub struct Neighbours {
    order: VecDeque<u64>,
    sorted: BTreeMap<u64, u16>,
    plan_ln: f64,
}

/// What a number's neighbourhood says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// Log-likelihood for a sequence.
    pub term: f64,
    /// The logarithm of the plan's size by which this gap would be quite usual.
    pub usual_ln: f64,
}

impl Neighbours {
    /// No numbers yet, in a plan of about `plan` numbers.
    pub fn new(plan: f64) -> Self {
        Neighbours { order: VecDeque::new(), sorted: BTreeMap::new(), plan_ln: plan.max(10.0).ln() }
    }

    /// What `digits` says beside the numbers before it; nothing where it is known already or the first.
    pub fn gap(&self, digits: u64) -> Option<Gap> {
        if self.sorted.contains_key(&digits) {
            return None;
        }
        let below = self.sorted.range(..digits).next_back().map(|(other, _)| digits - other);
        let above = self.sorted.range(digits..).next().map(|(other, _)| other - digits);
        let gap = below.into_iter().chain(above).min()? as f64;
        let spread = 2.0 * gap * self.order.len() as f64;
        let p = -(-spread / self.plan_ln.exp()).exp_m1();
        let term = (-1.61 - 0.8 * p.max(1e-12).ln()).clamp(LEAST, MOST);
        Some(Gap { term, usual_ln: (spread / std::f64::consts::LN_2).ln() })
    }

    /// Remembers `digits`.
    pub fn add(&mut self, digits: u64) {
        self.order.push_back(digits);
        *self.sorted.entry(digits).or_insert(0) += 1;
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
            && let Some(count) = self.sorted.get_mut(&oldest)
        {
            *count -= 1;
            if *count == 0 {
                self.sorted.remove(&oldest);
            }
        }
    }

    /// Forgets `digits`, which was the last one remembered.
    pub fn take_back(&mut self, digits: u64) {
        let Some(at) = self.order.iter().rposition(|known| *known == digits) else { return };
        self.order.remove(at);
        if let Some(count) = self.sorted.get_mut(&digits) {
            *count -= 1;
            if *count == 0 {
                self.sorted.remove(&digits);
            }
        }
    }

    /// Learns from a verified number how densely the country's numbers really lie.
    pub fn learn(&mut self, usual_ln: f64) {
        self.plan_ln += (usual_ln - self.plan_ln).clamp(-3.0, 3.0) / PRIOR_WEIGHT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_adds_and_scattered_numbers_take_away() {
        let mut known = Neighbours::new(1.5e6);
        // Scattered by a step that no short run repeats.
        let scattered: Vec<u64> = (0..400).map(|i| 37_120_000_000 + i * 611_953 % 1_500_000).collect();
        let mut sum = 0.0;
        for digits in &scattered {
            sum += known.gap(*digits).map_or(0.0, |gap| gap.term);
            known.add(*digits);
        }
        assert!(sum / 400.0 < 0.3, "{}", sum / 400.0);
        let run: f64 = (1..6)
            .map(|i| {
                let digits = 37_122_000_000 + i;
                let term = known.gap(digits).map_or(0.0, |gap| gap.term);
                known.add(digits);
                term
            })
            .skip(1)
            .sum();
        assert!(run > 8.0, "{run}");
    }
}
