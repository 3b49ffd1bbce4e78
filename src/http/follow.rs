//! Lists that are followed by time: each answer says from which moment to ask again.

use std::time::Duration;

use crate::clock::Millis;

/// How far `next_since` reaches back: what is committed late, or waits to be written down, has an older id than what was
/// seen already.
const OVERLAP: Duration = Duration::from_secs(3);

/// From when on to ask again, and whether more is there already. `cut`: the last moment of an answer that was full.
pub fn next_since(since: Millis, cut: Option<Millis>, now: Millis) -> (Millis, bool) {
    // More of one moment than an answer holds cannot be paged through by time: the rest of it is left out.
    let after = |cut: Millis| if cut > since { cut } else { cut.plus(Duration::from_millis(1)) };
    (cut.map_or(now.minus(OVERLAP), after), cut.is_some())
}
