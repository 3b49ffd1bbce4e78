//! How long one request has waited for the database, over all its reads and writes.

use std::cell::Cell;
use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::db::fault;
use crate::error::{Error, Result};

tokio::task_local! {
    static WAITED: Cell<Duration>;
}

/// Runs a request: what it waits for the database, however often it asks, counts together.
pub async fn as_one_request<F: Future>(request: F) -> F::Output {
    WAITED.scope(Cell::new(Duration::ZERO), request).await
}

/// Waits for an answer from the database's threads, no longer than is left of `at_most` to this request: 503 then.
pub(super) async fn wait<T>(answer: oneshot::Receiver<Result<T>>, at_most: Duration) -> Result<T> {
    let before = WAITED.try_with(Cell::get).unwrap_or_default();
    let from = Instant::now();
    let outcome = tokio::time::timeout(at_most.saturating_sub(before), answer).await;
    // Outside a request each wait counts alone.
    let _ = WAITED.try_with(|waited| waited.set(before.saturating_add(from.elapsed())));
    match outcome {
        Ok(answer) => answer.map_err(|_| Error::internal("a database thread dropped its work"))?,
        Err(_) => Err(fault::unreachable("no answer in time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    /// An hour is far more than any test takes: only what was waited before can end it.
    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn what_a_request_has_waited_is_gone_from_what_it_may_still_wait() {
        let refused = as_one_request(async {
            WAITED.with(|waited| waited.set(HOUR));
            let (_kept, answer) = oneshot::channel::<Result<()>>();
            wait(answer, HOUR).await.unwrap_err().code()
        });
        assert_eq!(refused.await, Code::Overloaded);
    }

    #[tokio::test]
    async fn a_wait_is_counted_in_its_own_request_only() {
        let waited = |at_first: Duration| async move {
            WAITED.with(|waited| waited.set(at_first));
            let (_kept, answer) = oneshot::channel::<Result<()>>();
            assert!(wait(answer, at_first).await.is_err());
            WAITED.with(Cell::get)
        };
        assert!(as_one_request(waited(HOUR)).await >= HOUR);
        assert!(as_one_request(waited(Duration::ZERO)).await < HOUR);
    }

    #[tokio::test]
    async fn an_answer_that_is_there_is_given_even_where_nothing_is_left_to_wait() {
        let (reply, answer) = oneshot::channel();
        reply.send(Ok(7)).unwrap();
        assert_eq!(wait(answer, Duration::ZERO).await.unwrap(), 7);
    }
}
