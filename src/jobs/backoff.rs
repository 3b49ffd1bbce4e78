//! How long to wait before trying again: doubling, capped, with jitter so that those who failed together do not come
//! back together.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// The wait after the `failures`-th failure (from 1): between half and all of 1 s, 2 s, 4 s … 5 min. `dice` is any
/// random number.
pub fn after(failures: u32, dice: u64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let half_ms = u64::try_from(full.as_millis() / 2).unwrap_or(u64::MAX);
    Duration::from_millis(half_ms + dice % half_ms.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_cap_and_never_leave_their_half() {
        for (failures, full_ms) in [(1, 1_000), (2, 2_000), (5, 16_000), (10, 300_000), (4_000_000_000, 300_000)] {
            for dice in [0, 1, 499, 1_000_003, u64::MAX] {
                let wait = u64::try_from(after(failures, dice).as_millis()).unwrap();
                assert!((full_ms / 2..=full_ms).contains(&wait), "{failures} {dice}: {wait}");
            }
        }
    }
}
