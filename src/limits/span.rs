//! The arithmetic of exact sliding windows over sorted entries `(position, weight)`.
//!
//! A window is half open: entries at `p` and `p + window` do not share one. Entries may lie after the moment asked about
//! (reservations), so every window that holds the moment counts, not only the one that ends there.

/// The first position at or after `from` where one more entry keeps every window at `limit` or less. `limit` is at least 1.
pub(super) fn earliest(entries: impl Iterator<Item = (i64, u32)> + Clone, limit: u32, window: i64, from: i64) -> i64 {
    let limit = u64::from(limit);
    let mut ahead = entries.clone();
    let (mut held, mut last, mut free) = (0u64, i64::MIN, from);
    for (first, weight) in entries {
        while held < limit {
            let Some((position, more)) = ahead.next() else { return free };
            held = held.saturating_add(u64::from(more));
            last = position;
        }
        // `first..=last` is the shortest full run from here; it blocks whatever would share a window with all of it.
        if last.saturating_sub(window) >= free {
            return free;
        }
        if last.saturating_sub(first) < window {
            free = free.max(first.saturating_add(window));
        }
        held = held.saturating_sub(u64::from(weight));
    }
    free
}

/// How much the fullest window that holds `at` holds now.
pub(super) fn fullest(entries: impl Iterator<Item = (i64, u32)> + Clone, window: i64, at: i64) -> u64 {
    let mut ahead = entries.clone().peekable();
    let (mut reached, mut left_behind, mut most) = (0u64, 0u64, 0u64);
    let mut measure = |start: i64, left_behind: u64| {
        while let Some((_, weight)) = ahead.next_if(|(position, _)| *position < start.saturating_add(window)) {
            reached = reached.saturating_add(u64::from(weight));
        }
        most = most.max(reached.saturating_sub(left_behind));
    };
    for (start, weight) in entries {
        if start > at {
            break;
        }
        if start > at.saturating_sub(window) {
            measure(start, left_behind);
        }
        if start < at {
            left_behind = left_behind.saturating_add(u64::from(weight));
        }
    }
    measure(at, left_behind);
    most
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by trying everything.
    fn fullest_by_hand(entries: &[(i64, u32)], window: i64, at: i64) -> u64 {
        (at - window + 1..=at)
            .map(|start| {
                let inside = entries.iter().filter(|(p, _)| (start..start + window).contains(p));
                inside.map(|(_, weight)| u64::from(*weight)).sum()
            })
            .max()
            .unwrap_or(0)
    }

    proptest! {
        #[test]
        fn both_agree_with_trying_every_window(
            mut entries in prop::collection::vec((0i64..60, 1u32..4), 0..24),
            limit in 1u32..12,
            window in 1i64..25,
            from in -5i64..70,
        ) {
            entries.sort_unstable();
            let by_hand = |at| fullest_by_hand(&entries, window, at);
            prop_assert_eq!(fullest(entries.iter().copied(), window, from), by_hand(from));
            let first = (from..).find(|at| by_hand(*at) < u64::from(limit));
            prop_assert_eq!(Some(earliest(entries.iter().copied(), limit, window, from)), first);
        }
    }
}
