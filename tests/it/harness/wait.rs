//! Waiting for a state, never for a time: the wait ends as soon as it can, and a state that never comes fails loudly.

use std::time::Duration;

/// How long a state may take on a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(20);
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

#[test]
fn a_state_that_comes_later_is_met() {
    let mut asked = 0;
    let found = until("the third question", || {
        asked += 1;
        (asked == 3).then_some(asked)
    });
    assert_eq!(found, 3);
}
