//! How many contacts go now, and when the next ones do. Pure.

use std::time::Duration;

use crate::clock::Millis;
use crate::messages::Share;

/// Contacts of one step at most: one transaction, short enough that no code waits noticeably behind it.
pub const STEP_MAX: u16 = 200;
/// How long to wait where enough messages wait for their carriers already.
pub const BACKLOG_WAIT: Duration = Duration::from_secs(1);
/// The shortest wait for a limit: what frees one by one is taken together.
const LIMIT_WAIT_MIN: Duration = Duration::from_secs(1);

/// What bounds a step.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// A bulk's share of the plan, where a plan counts these messages.
    pub share: Option<Share>,
    /// Messages of this broadcast that were accepted and wait for a carrier.
    pub backlog: u32,
    /// How many of them there may be.
    pub ahead: u32,
    /// Contacts of the step, by how the last one went; see [`width_after`].
    pub width: u16,
}

/// What a step may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// This many contacts, at least one.
    Now(u16),
    /// Nothing before then.
    Later(Millis),
}

/// How far the next step goes.
pub fn pace(budget: Budget, now: Millis) -> Pace {
    let room = budget.ahead.saturating_sub(budget.backlog);
    if room == 0 {
        return Pace::Later(now.plus(BACKLOG_WAIT));
    }
    let free = match budget.share {
        Some(share) if share.free == 0 => return Pace::Later(share.opens.max(now.plus(Duration::from_millis(1)))),
        Some(share) => u16::try_from(share.free).unwrap_or(u16::MAX),
        None => u16::MAX,
    };
    let room = u16::try_from(room).unwrap_or(u16::MAX);
    Pace::Now(budget.width.clamp(1, STEP_MAX).min(free).min(room))
}

/// The width of the step after one of `tried` contacts of which a limit let `passed` through: what it let through where
/// it held some back, so that a window that frees slowly is not asked for hundreds; twice as many where it held none back.
pub fn width_after(width: u16, tried: usize, passed: usize) -> u16 {
    match passed < tried {
        true => u16::try_from(passed).unwrap_or(STEP_MAX).clamp(1, STEP_MAX),
        false => width.saturating_mul(2).clamp(1, STEP_MAX),
    }
}

/// When to ask again after a limit that opens in `wait`.
pub fn ask_again(wait: Duration, now: Millis) -> Millis {
    now.plus(wait.max(LIMIT_WAIT_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000_000);

    fn budget() -> Budget {
        Budget { share: None, backlog: 0, ahead: 1_000, width: STEP_MAX }
    }

    fn share(free: u64, opens: Millis) -> Option<Share> {
        Some(Share { free, opens })
    }

    #[test]
    fn a_step_is_the_least_of_what_bounds_it() {
        assert_eq!(pace(budget(), NOW), Pace::Now(STEP_MAX));
        assert_eq!(pace(Budget { width: 8, ..budget() }, NOW), Pace::Now(8));
        assert_eq!(pace(Budget { share: share(48, NOW), ..budget() }, NOW), Pace::Now(48));
        assert_eq!(pace(Budget { backlog: 990, ..budget() }, NOW), Pace::Now(10));
        assert_eq!(pace(Budget { width: 0, ..budget() }, NOW), Pace::Now(1));
    }

    #[test]
    fn a_full_plan_waits_for_its_window_and_a_full_queue_for_a_second() {
        let opens = Millis(1_060_000);
        assert_eq!(pace(Budget { share: share(0, opens), ..budget() }, NOW), Pace::Later(opens));
        assert_eq!(pace(Budget { backlog: 1_000, ..budget() }, NOW), Pace::Later(NOW.plus(BACKLOG_WAIT)));
        // A clock that was read a moment later never makes a loop that does not wait.
        assert!(matches!(pace(Budget { share: share(0, NOW), ..budget() }, NOW), Pace::Later(at) if at > NOW));
    }

    #[test]
    fn the_width_follows_what_passes() {
        assert_eq!(width_after(200, 200, 0), 1);
        assert_eq!(width_after(200, 200, 37), 37);
        let mut width = 1;
        let widths: Vec<u16> = std::iter::repeat_with(|| {
            width = width_after(width, 1, 1);
            width
        })
        .take(9)
        .collect();
        assert_eq!(widths, [2, 4, 8, 16, 32, 64, 128, 200, 200]);
    }

    #[test]
    fn a_limit_is_asked_again_when_it_opens_and_not_every_moment() {
        assert_eq!(ask_again(Duration::from_millis(12), NOW), NOW.plus(Duration::from_secs(1)));
        assert_eq!(ask_again(Duration::from_secs(60), NOW), NOW.plus(Duration::from_secs(60)));
    }
}
