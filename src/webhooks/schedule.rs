//! When a delivery is tried again, pure. The schedule is published; a little chance keeps what failed together from
//! coming back together.

use std::time::Duration;

use crate::http::guarded::{Answered, CallFault};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Waits after the first failure, the second, …: ten tries over three days and four hours.
/// Source: the schedules of Standard Webhooks and Svix, <https://docs.svix.com/retries>.
const WAITS: [Duration; 9] = [s(5), s(300), s(1_800), s(7_200), s(18_000), s(36_000), s(50_400), s(72_000), s(86_400)];

/// Longest that an endpoint may ask to be left alone by Retry-After.
const ASKED_MAX: Duration = s(86_400);

/// Nothing but failure for so long disables an endpoint.
pub const FAILING_MAX: Duration = s(5 * 86_400);

/// What follows a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It was taken.
    Done,
    /// Try again after this wait.
    Again(Duration),
    /// That was the last try.
    GiveUp,
    /// The endpoint says that it is no more.
    Gone,
}

/// What follows the `tries`-th try (from 1), which ended as `result`. `dice` is any random number.
pub fn next(tries: i32, result: &Result<Answered, CallFault>, dice: u64) -> Next {
    let asked = match result {
        Ok(answered) => match answered.status {
            200..=299 => return Next::Done,
            410 => return Next::Gone,
            429 | 502 | 503 | 504 => answered.retry_after,
            _ => None,
        },
        Err(_) => None,
    };
    let index = usize::try_from(tries).unwrap_or(0).saturating_sub(1);
    let Some(wait) = WAITS.get(index) else { return Next::GiveUp };
    let wait = (*wait).max(asked.unwrap_or_default().min(ASKED_MAX));
    Next::Again(wait + jitter(wait, dice))
}

/// Up to a tenth more: never earlier than published.
fn jitter(wait: Duration, dice: u64) -> Duration {
    let most_ms = u64::try_from(wait.as_millis() / 10).unwrap_or(u64::MAX);
    Duration::from_millis(dice % most_ms.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<u64>) -> Result<Answered, CallFault> {
        Ok(Answered { status, retry_after: retry_after.map(s) })
    }

    #[test]
    fn only_2xx_is_a_success_and_410_is_the_end() {
        assert!([200, 202, 204, 299].iter().all(|status| next(1, &answer(*status, None), 0) == Next::Done));
        assert_eq!(next(1, &answer(410, None), 0), Next::Gone);
        for status in [100, 301, 302, 307, 400, 401, 404, 409, 429, 500, 503] {
            assert_eq!(next(1, &answer(status, None), 0), Next::Again(s(5)), "{status}");
        }
        assert_eq!(next(1, &Err(CallFault::TimedOut), 0), Next::Again(s(5)));
    }

    #[test]
    fn ten_tries_as_published_and_never_earlier() {
        let failed = answer(500, None);
        for (tries, seconds) in (1..).zip([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]) {
            for dice in [0, 1, 12_345, u64::MAX] {
                let Next::Again(wait) = next(tries, &failed, dice) else { panic!("{tries}") };
                assert!(wait >= s(seconds) && wait <= s(seconds).mul_f64(1.1), "{tries} {dice}: {wait:?}");
            }
        }
        assert_eq!(next(10, &failed, 0), Next::GiveUp);
    }

    #[test]
    fn retry_after_is_honoured_where_it_has_a_meaning_and_in_bounds() {
        assert_eq!(next(1, &answer(429, Some(60)), 0), Next::Again(s(60)));
        assert_eq!(next(2, &answer(503, Some(1)), 0), Next::Again(s(300)));
        assert_eq!(next(1, &answer(503, Some(9_999_999)), 0), Next::Again(s(86_400)));
        assert_eq!(next(1, &answer(500, Some(60)), 0), Next::Again(s(5)));
    }
}
