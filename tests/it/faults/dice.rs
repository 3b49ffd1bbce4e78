//! Chance that can be repeated.

/// Numbers in a row, the same for the same seed (SplitMix64).
pub struct Dice(u64);

impl Dice {
    /// From `POSTERN_TEST_SEED`, or anew; the test's output says which.
    #[expect(clippy::disallowed_methods, reason = "the run's own switch, not configuration of the product")]
    pub fn seeded() -> Dice {
        let given = std::env::var("POSTERN_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(postern::secret::random_u64);
        println!("again with POSTERN_TEST_SEED={seed}");
        Dice(seed)
    }

    /// A number below `below`.
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}
