//! Chance that can be repeated: SplitMix64, the same on every machine and in every version.

/// One step of SplitMix64 (Steele, Lea, Flood 2014): a number's well mixed image.
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stream of numbers from a seed.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Rng {
        Rng(mix(seed))
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Even between 0 and 1, never 0.
    pub fn share(&mut self) -> f64 {
        ((self.draw() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Even below `end`; 0 where that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { ((u128::from(self.draw()) * u128::from(end)) >> 64) as u64 }
    }

    /// True in this share of cases.
    pub fn chance(&mut self, share: f64) -> bool {
        self.share() < share
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }

    /// Lognormal with this median and spread.
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// Exponential with this mean.
    pub fn wait(&mut self, mean: f64) -> f64 {
        -mean * self.share().ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_stream_and_shares_are_even() {
        let draw = |seed| {
            let mut rng = Rng::new(seed);
            (0..2_000).map(|_| rng.share()).sum::<f64>() / 2_000.0
        };
        assert_eq!(draw(7).to_bits(), draw(7).to_bits());
        assert!((draw(7) - 0.5).abs() < 0.03);
        assert!((0..100).all(|seed| Rng::new(seed).below(6) < 6));
    }
}
