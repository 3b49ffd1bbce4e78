//! A fast keyed hash for the limiter's tables, which are looked up a dozen times a request.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Two secret words, drawn anew by each process, so that nobody can choose addresses that collide.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seeds(u64, u64);

impl Seeds {
    /// Fresh words from the system's randomness.
    pub fn new() -> Self {
        Seeds(word(1), word(2) | 1)
    }
}

fn word(which: u8) -> u64 {
    RandomState::new().hash_one(which)
}

impl BuildHasher for Seeds {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded { state: self.0, multiplier: self.1 }
    }
}

/// Multiplies and folds: each word is mixed with the state by one 64 × 64 bit product.
pub(super) struct Folded {
    state: u64,
    multiplier: u64,
}

/// The fractional part of the golden ratio: spreads words that differ in few bits (Knuth, TAOCP 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        folded(self.state, GOLDEN)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.state = folded(self.state.wrapping_add(GOLDEN) ^ word, self.multiplier);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(i64::try_from(word).unwrap_or(0).cast_unsigned());
    }

    fn write_u128(&mut self, word: u128) {
        let (low, high) = halves(word);
        self.write_u64(low);
        self.write_u64(high);
    }
}

fn folded(left: u64, right: u64) -> u64 {
    let (low, high) = halves(u128::from(left) * u128::from(right));
    low ^ high
}

fn halves(word: u128) -> (u64, u64) {
    let low = u64::try_from(word & u128::from(u64::MAX)).unwrap_or(0);
    let high = u64::try_from(word >> 64).unwrap_or(0);
    (low, high)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn neighbouring_addresses_spread_over_the_table() {
        let seeds = Seeds::new();
        let places: HashSet<u64> = (0..4_096u128).map(|address| seeds.hash_one(address) >> 48).collect();
        // 4,096 balls into 65,536 bins leave about 3,970 bins taken.
        assert!(places.len() > 3_800, "{}", places.len());
    }
}
