//! One HTTP call to a carrier: time-outs on every stage, no redirects, no proxies, a bounded reply; and what it means
//! for the message when the call fails before there is an answer.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Request, Response};

use super::carrier::{Outcome, Refusal, RefusalKind};
use super::probe::{ADDRESS, Probe};
use super::wording;
use crate::config::Outbound;
use crate::error::Result;
use crate::http::outbound::{Bounds, ReadFault, carrier_client, read_capped};

/// The wait of a carrier that asks to slow down without saying how long.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(5);
/// The longest wait a carrier can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The client that all HTTP carriers share.
#[derive(Debug, Clone)]
pub struct Caller {
    client: Client,
    max_reply: usize,
}

/// What a carrier answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// How long it asked to be left alone, where it did.
    pub retry_after: Option<Duration>,
    /// The body, or our word for why it could not be read.
    pub body: Result<Vec<u8>, &'static str>,
}

impl Caller {
    /// Builds the client. Errors: TLS cannot be set up.
    pub fn new(bounds: &Outbound) -> Result<Caller> {
        let times = Bounds { connect: bounds.connect_timeout, total: bounds.total_timeout };
        Ok(Caller { client: carrier_client(times)?, max_reply: bounds.max_reply.0 })
    }

    /// The client, to build requests with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Makes the call. An error is already the message's outcome: refused where certainly nothing was sent, unknown
    /// where something may have been.
    pub async fn call(&self, request: reqwest::Result<Request>) -> Result<Answer, Outcome> {
        let request = request.map_err(|fault| refused("provider.rejected", &root(&fault)))?;
        let response = self.client.execute(request).await.map_err(|fault| failed(&fault))?;
        if response.status().is_redirection() {
            return Err(refused(
                "provider.redirect",
                "the carrier redirects; the address in its configuration is wrong",
            ));
        }
        let status = response.status().as_u16();
        let retry_after = wait_asked(response.headers());
        Ok(Answer { status, retry_after, body: self.read(response).await })
    }

    /// Whether anybody answers at the origin of `url`: a HEAD request without credentials. `why`: why nothing more is asked.
    pub async fn reach(&self, url: &str, why: &str) -> Probe {
        let Ok(address) = reqwest::Url::parse(url) else {
            return Probe::Failed(String::from("its address is no URL"), ADDRESS);
        };
        let origin = address.origin().ascii_serialization();
        match self.client.head(&origin).send().await {
            Ok(answer) => Probe::Reached(format!("answers at {origin} (HTTP {}); {why}", answer.status().as_u16())),
            Err(fault) => Probe::Failed(format!("does not answer at {origin}: {}", root(&fault)), ADDRESS),
        }
    }

    /// Makes a call that needs credentials and changes nothing; `read` says what its answer means.
    pub async fn look(&self, request: reqwest::Result<Request>, read: impl Fn(&Answer) -> Probe) -> Probe {
        match self.call(request).await {
            Ok(answer) => read(&answer),
            Err(Outcome::Refused(refusal)) => Probe::Failed(format!("does not answer: {}", refusal.detail), ADDRESS),
            Err(Outcome::Unknown { detail, .. }) => Probe::Failed(format!("does not answer: {detail}"), ADDRESS),
            Err(Outcome::Accepted { .. }) => Probe::Odd(String::from("answers nothing")),
        }
    }

    async fn read(&self, response: Response) -> Result<Vec<u8>, &'static str> {
        read_capped(response, self.max_reply).await.map_err(|fault| match fault {
            ReadFault::TooLarge(_) => "provider.bad_response",
            ReadFault::Broken(cause) if cause.is_timeout() => "provider.timeout",
            ReadFault::Broken(_) => "provider.reset",
        })
    }
}

impl Answer {
    /// The refusal of a carrier that asks to slow down.
    pub fn wait(&self) -> RefusalKind {
        RefusalKind::Throttled(self.retry_after.unwrap_or(DEFAULT_WAIT).min(LONGEST_WAIT))
    }
}

/// Why the body of an accepted call could not be read, as an outcome: the message may be on its way.
pub fn unreadable(code: &'static str, status: u16) -> Outcome {
    let detail = match code {
        "provider.timeout" => "the reply did not end in time",
        "provider.reset" => "the connection ended within the reply",
        _ => "the reply is too large or not what was agreed",
    };
    Outcome::Unknown { code, detail: format!("HTTP {status}: {detail}") }
}

fn failed(fault: &reqwest::Error) -> Outcome {
    let detail = root(fault);
    if fault.is_connect() || fault.is_builder() {
        return refused("provider.unreachable", &detail);
    }
    let code = match () {
        () if fault.is_timeout() => "provider.timeout",
        () if answered_nonsense(fault) => "provider.bad_response",
        () => "provider.reset",
    };
    Outcome::Unknown { code, detail: wording::without(&detail, &[]) }
}

/// An answer that is not HTTP: hyper tells it by its text only, its error type is not reqwest's to show.
fn answered_nonsense(fault: &reqwest::Error) -> bool {
    let detail = root(fault);
    ["invalid HTTP", "invalid content-length", "invalid header", "message head is too large"]
        .iter()
        .any(|word| detail.contains(word))
}

fn refused(code: &'static str, detail: &str) -> Outcome {
    Outcome::Refused(Refusal { kind: RefusalKind::Route, code, detail: wording::without(detail, &[]) })
}

/// The innermost cause: the outer texts name the address, which may hold a secret.
fn root(fault: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = fault;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if fault.source().is_none() { String::from("the request could not be made") } else { cause.to_string() }
}

/// `Retry-After` in either form (RFC 9110, section 10.2.3); a date is taken against the reply's own `Date`, so that no
/// clock but the carrier's matters.
fn wait_asked(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let sent = jiff::fmt::rfc2822::parse(headers.get(DATE)?.to_str().ok()?).ok()?.timestamp();
    let seconds = until.as_second().checked_sub(sent.as_second())?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(retry_after: &'static str, date: &'static str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
        headers.insert(DATE, HeaderValue::from_static(date));
        wait_asked(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_is_read_in_seconds_or_as_a_date() {
        assert_eq!(asked("7", ""), Some(7));
        assert_eq!(asked("Sun, 22 Nov 2026 08:00:30 GMT", "Sun, 22 Nov 2026 08:00:00 GMT"), Some(30));
        assert_eq!(asked("Sun, 22 Nov 2026 08:00:00 GMT", "Sun, 22 Nov 2026 08:00:30 GMT"), Some(0));
        assert_eq!(asked("soon", "Sun, 22 Nov 2026 08:00:00 GMT"), None);
        assert_eq!(asked("-1", ""), None);
    }
}
