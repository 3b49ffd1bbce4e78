//! Waiting for a state, never for a time: the wait ends as soon as it can, and a state that never comes fails loudly.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long a state may take on a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(10);

/// Asks until the answer is `Some`; `what` names the state in the failure.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
        match ask() {
            Some(found) => return found,
            None => std::thread::sleep(STEP),
        }
    }
    panic!("{what} did not come within {PATIENCE:?}");
}

/// The same where other tasks of this thread must go on meanwhile.
#[track_caller]
pub fn meanwhile<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        let from = Instant::now();
        while from.elapsed() < PATIENCE {
            match ask().await {
                Some(found) => return found,
                None => tokio::time::sleep(STEP).await,
            }
        }
        panic!("{what} did not come within {PATIENCE:?} at {place}");
    }
}

/// Lets real time pass, for processes that have no other.
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

#[test]
fn a_state_that_comes_later_is_met() {
    let mut asked = 0;
    let found = until("the third question", || {
        asked += 1;
        (asked == 3).then_some(asked)
    });
    assert_eq!(found, 3);
}
