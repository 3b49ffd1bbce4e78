//! Whether a carrier can be reached and lets us in, found out without a message: for `postern doctor`.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::Carrier;
use super::outgoing_http::Answer;
use super::wire::real_carriers;
use crate::clock::Clock;
use crate::config::{CarrierConfig, Config};

/// What was found out about a carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It lets us in; how that shows.
    LetIn(String),
    /// It can be reached; why nothing was asked for that needs credentials.
    Reached(String),
    /// It answers, and not as it should.
    Odd(String),
    /// It cannot be used: what happened, and what to do.
    Failed(String, &'static str),
}

/// A probe under way.
pub type Probing<'a> = Pin<Box<dyn Future<Output = Probe> + Send + 'a>>;

/// What to do about credentials that are refused.
pub const CREDENTIALS: &str = "check its credentials in postern.toml";
/// What to do about an address where nobody is.
pub const ADDRESS: &str = "check its address in postern.toml, and that this machine may connect there";

/// Looks at every carrier of `config` but the sandbox, at once, each within the time-outs of outbound calls. No carrier is
/// handed a message.
pub async fn probe_carriers<'c>(config: &'c Config, clock: &Clock) -> Vec<(&'c CarrierConfig, Probe)> {
    let bounds = &config.outbound;
    // Two connections after each other at most, and their ends.
    let patience = (bounds.connect_timeout + bounds.total_timeout) * 3;
    let look = async |carrier: Arc<dyn Carrier>| {
        let late = || Probe::Failed(String::from("no answer in time"), ADDRESS);
        timeout(patience, carrier.probe()).await.unwrap_or_else(|_| late())
    };
    let all = real_carriers(config, clock).into_iter().map(async |(known, built)| match built {
        Ok(carrier) => (known, look(carrier).await),
        Err(fault) => {
            let cause = fault.cause_text().unwrap_or(fault.sentence());
            (known, Probe::Failed(format!("cannot be set up: {cause}"), "see its keys in postern.toml"))
        }
    });
    join_all(all).await
}

/// What the status of an answer to a call that needs credentials, and changes nothing, says.
pub fn by_status(answer: &Answer) -> Probe {
    match answer.status {
        status @ 200..=299 => Probe::LetIn(format!("lets us in (HTTP {status})")),
        status @ (401 | 403) => Probe::Failed(format!("does not let us in (HTTP {status})"), CREDENTIALS),
        status => Probe::Odd(format!("answers HTTP {status}; whether it lets us in is not known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_we_are_let_in() {
        let answer = |status| Answer { status, retry_after: None, body: Ok(Vec::new()) };
        assert!(matches!(by_status(&answer(200)), Probe::LetIn(_)));
        assert!([401, 403].iter().all(|status| matches!(by_status(&answer(*status)), Probe::Failed(..))));
        assert!([404, 429, 500].iter().all(|status| matches!(by_status(&answer(*status)), Probe::Odd(_))));
    }
}
