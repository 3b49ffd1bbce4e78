//! A running server as commands call it: over HTTP, with a key, and nothing else.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::Value;

use crate::error::Result as OurResult;
use crate::http::outbound::{Bounds, carrier_client, read_capped};
use crate::secret::Secret;

/// Which server, and who calls it.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// The server's address; that of `postern dev` where nothing is said
    #[arg(
        long,
        env = "POSTERN_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        hide_env_values = true
    )]
    server: String,
    /// The API key, pst_test_… or pst_live_…
    #[arg(long, env = "POSTERN_API_KEY", value_name = "KEY", hide_env_values = true)]
    key: Option<String>,
}

/// A server and a key to call it with.
pub struct Remote {
    client: reqwest::Client,
    base: Url,
    key: Secret<String>,
}

/// Why a call did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody answered, or not in time: it may be another matter a moment later.
    #[error("nobody answers at {base} ({why}); is the server running? Name another with --server or POSTERN_URL")]
    Silent {
        /// Where.
        base: String,
        /// What happened instead.
        why: String,
    },
    /// An answer that is an error.
    #[error("{}", said(*status, base, problem))]
    Refused {
        /// Where.
        base: String,
        /// The HTTP status.
        status: u16,
        /// Seconds to wait, where it says so.
        retry_after: Option<u64>,
        /// The problem document, or nothing.
        problem: Value,
    },
    /// An answer that is none of Postern's.
    #[error("what answers at {base} is no Postern: its answer is not what was asked for")]
    Strange {
        /// Where.
        base: String,
    },
}

/// The text at a JSON pointer, where there is one.
pub fn text_at<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn said(status: u16, base: &str, problem: &Value) -> String {
    let detail = text_at(problem, "/detail").unwrap_or("the answer says no more");
    match status {
        401 => format!("{base} does not take the key: {detail} Give another with --key or POSTERN_API_KEY"),
        403 => match text_at(problem, "/field_errors/required_scope/0") {
            Some(scope) => format!("the key lacks the scope {scope}, which this command needs"),
            None => format!("the key may not do that: {detail}"),
        },
        _ => {
            let code = text_at(problem, "/code").unwrap_or("no code");
            let fields = problem.get("field_errors").and_then(Value::as_object).into_iter().flatten();
            let fields: String = fields.map(|(name, why)| format!("\n  {name} {}", words(why))).collect();
            format!("{base} answers {status} ({code}): {detail}{fields}")
        }
    }
}

fn words(list: &Value) -> String {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.collect::<Vec<_>>().join("; ")
}

impl CallError {
    /// Whether the same call may go well later.
    pub fn is_passing(&self) -> bool {
        match self {
            CallError::Silent { .. } => true,
            // A 404 that is none of ours is of something in front, which has lost sight of the server.
            CallError::Refused { status: 404, problem, .. } => text_at(problem, "/code").is_none(),
            CallError::Refused { status, .. } => *status >= 500 || *status == 429 || *status == 408,
            CallError::Strange { .. } => false,
        }
    }

    /// Whether what was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, CallError::Refused { status: 404, problem, .. } if text_at(problem, "/code").is_some())
    }

    /// How long the server asks to wait.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            CallError::Refused { retry_after, .. } => retry_after.map(Duration::from_secs),
            _ => None,
        }
    }
}

/// Longest time for a call: longer than a server waits for an event.
const CALL_WITHIN: Duration = Duration::from_secs(45);
/// Longest time to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Most of an answer that is read, bytes: a hundred events of the largest size, and room.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

impl Args {
    /// The server that was named. Error: a sentence where the address or the key is missing or no such thing.
    pub fn remote(&self) -> anyhow::Result<Remote> {
        let key = self.key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        let Some(key) = key else {
            anyhow::bail!("no key: give one with --key or POSTERN_API_KEY (`postern dev` shows one at its first start)")
        };
        let base = address(&self.server).map_err(|why| anyhow::anyhow!("--server {why}"))?;
        Ok(Remote { client: client(CALL_WITHIN)?, base, key: Secret::new(String::from(key)) })
    }
}

/// A client that follows no redirect and is bounded in time.
pub fn client(total: Duration) -> OurResult<reqwest::Client> {
    carrier_client(Bounds { connect: CONNECT_WITHIN, total })
}

/// An address as people write it: `localhost:3000/hooks` will do. The error completes a sentence.
pub fn address(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let whole = if text.contains("://") { String::from(text) } else { format!("http://{text}") };
    let url =
        Url::parse(&whole).map_err(|_| format!("takes an address like http://localhost:3000/hooks, not {text}"))?;
    match (url.scheme(), url.has_host()) {
        ("http" | "https", true) => Ok(url),
        _ => Err(format!("takes an http or https address, not {text}")),
    }
}

impl Remote {
    /// Where it is.
    pub fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Whether the key is an operator's token.
    pub fn is_operator(&self) -> bool {
        self.key.expose().starts_with("pst_opr_")
    }

    /// The mode of the key, as it shows.
    pub fn mode(&self) -> &'static str {
        if self.key.expose().starts_with("pst_live_") { "live" } else { "test" }
    }

    /// `GET` of `path` with these pairs as its query.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, CallError> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.call(self.client.get(url)).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        let request = self.client.post(self.url(path)).header("content-type", "application/json");
        self.call(request.body(body.to_string())).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Result<Value, CallError> {
        self.call(self.client.request(Method::DELETE, self.url(path))).await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Result<Value, CallError> {
        let base = String::from(self.base());
        let silent = |why: String| CallError::Silent { base: base.clone(), why };
        let response = request.bearer_auth(self.key.expose()).send().await.map_err(|fault| silent(why(&fault)))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").and_then(|text| text.to_str().ok()?.parse().ok());
        let body = read_capped(response, ANSWER_MAX).await.map_err(|fault| silent(fault.to_string()))?;
        let json = serde_json::from_slice(&body);
        match status {
            204 => Ok(Value::Null),
            200..=299 => json.map_err(|_| CallError::Strange { base }),
            _ => Err(CallError::Refused { base, status, retry_after, problem: json.unwrap_or_default() }),
        }
    }
}

/// Why nothing came back, in a word.
pub fn why(fault: &reqwest::Error) -> String {
    let word = match () {
        () if fault.is_timeout() => "no answer in time",
        () if fault.is_connect() => "no connection",
        () => "the connection broke",
    };
    String::from(word)
}

/// How many of a command's sources cannot be reached now: it says so once for all of them.
static LOST: AtomicUsize = AtomicUsize::new(0);

/// Waits between tries: twice as long each time, up to eight seconds, or as long as the server asks.
#[derive(Default)]
pub struct Patience(u32);

impl Patience {
    /// The next wait.
    fn next(&mut self, fault: &CallError) -> Duration {
        let usual = Duration::from_millis(250).saturating_mul(1 << self.0.min(5));
        self.0 = self.0.saturating_add(1);
        fault.wait().map_or(usual, |asked| asked.max(usual).min(Duration::from_secs(60)))
    }

    /// Notes a failure that passes, says so at the first, and waits.
    pub async fn wait_after(&mut self, fault: &CallError) {
        if self.0 == 0 && LOST.fetch_add(1, Ordering::SeqCst) == 0 {
            eprintln!("postern: {fault}; trying again");
        }
        let wait = self.next(fault);
        tokio::time::sleep(wait).await;
    }

    /// Notes a success, and says so where it ends a time of failures.
    pub fn is_well(&mut self, base: &str) {
        if std::mem::take(&mut self.0) > 0 && LOST.fetch_sub(1, Ordering::SeqCst) == 1 {
            eprintln!("postern: {base} answers again");
        }
    }
}

/// Until Ctrl-C, or SIGTERM.
pub async fn interrupted() {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    let Ok(mut terminate) = terminate else {
        return drop(tokio::signal::ctrl_c().await);
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_write_them() {
        for (text, whole) in [
            ("localhost:3000/hooks", "http://localhost:3000/hooks"),
            (" https://example.com/a?b=c ", "https://example.com/a?b=c"),
            ("127.0.0.1:1", "http://127.0.0.1:1/"),
        ] {
            assert_eq!(address(text).unwrap().as_str(), whole);
        }
        for bad in ["", "ftp://example.com", "http://", "a b", "localhost:99999"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_missing_scope_and_a_wrong_key_are_told_apart() {
        let scope = serde_json::json!({"detail": "d", "field_errors": {"required_scope": ["webhooks:write"]}});
        assert_eq!(said(403, "b", &scope), "the key lacks the scope webhooks:write, which this command needs");
        assert!(said(401, "http://x", &Value::Null).contains("POSTERN_API_KEY"));
        let fields =
            serde_json::json!({"code": "validation_failed", "detail": "No.", "field_errors": {"type": ["is odd"]}});
        assert_eq!(said(400, "b", &fields), "b answers 400 (validation_failed): No.\n  type is odd");
    }

    #[test]
    fn patience_grows_to_eight_seconds_and_heeds_what_is_asked() {
        let (mut patience, fault) = (Patience::default(), CallError::Strange { base: String::new() });
        let waits: Vec<u128> = (0..8).map(|_| patience.next(&fault).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
        patience = Patience::default();
        let asked = CallError::Refused { base: String::new(), status: 429, retry_after: Some(7), problem: Value::Null };
        assert_eq!(patience.next(&asked).as_secs(), 7);
    }
}
