//! The one HTTP client for carriers that the operator configured. Addresses that customers choose have a client of their
//! own (`guarded`), which checks where a name leads; this one does not and must not be given them.

use std::time::Duration;

use crate::config::Outbound;
use crate::error::{Error, Result};

/// Longest time to connect.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest time for a whole call, reply included.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Most of a carrier's reply that is read, bytes.
pub const REPLY_MAX: usize = 64 * 1024;

/// How long an idle connection is kept: less than carriers' front doors keep theirs (5 s is the shortest in use),
/// because a request that meets a closing connection leaves its message unknown.
const IDLE: Duration = Duration::from_secs(4);

/// Bounds of an outbound call.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Longest time to connect.
    pub connect: Duration,
    /// Longest time for a whole call.
    pub total: Duration,
}

impl Bounds {
    /// What the operator configured.
    pub fn from_config(config: &Outbound) -> Self {
        Bounds { connect: config.connect_timeout, total: config.total_timeout }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { connect: CONNECT_TIMEOUT, total: TOTAL_TIMEOUT }
    }
}

/// A client for carriers: bounded in time, follows no redirect (a credential would follow it), obeys no proxy variable.
///
/// # Errors
/// `internal` where TLS cannot be set up.
pub fn carrier_client(bounds: Bounds) -> Result<reqwest::Client> {
    build(bounds, |builder| builder)
}

/// A client with the bounds of all of them, and with what `more` adds.
pub(super) fn build(
    bounds: Bounds,
    more: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client> {
    // Another part of the process may have installed it; then it stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        let plain = reqwest::Client::builder()
            .connect_timeout(bounds.connect)
            .timeout(bounds.total)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("postern/", env!("CARGO_PKG_VERSION")));
        more(plain)
    };
    builder().build().or_else(|error| {
        // A bare machine has no certificates. Plain HTTP to a carrier next door still works there.
        tracing::warn!("no certificates found ({error}); calls by https will fail until ca-certificates is installed");
        builder().tls_certs_only([]).build().map_err(Error::internal)
    })
}

/// Why a reply could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// It is longer than was allowed.
    #[error("the reply is longer than {0} bytes")]
    TooLarge(usize),
    /// The connection broke, or time ran out.
    #[error("the reply broke off")]
    Broken(#[source] reqwest::Error),
}

/// The body of `response`, at most `max` bytes of it: an endless reply costs no more than that.
///
/// # Errors
/// See `ReadFault`.
pub async fn read_capped(mut response: reqwest::Response, max: usize) -> std::result::Result<Vec<u8>, ReadFault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ReadFault::Broken)? {
        if body.len() + chunk.len() > max {
            return Err(ReadFault::TooLarge(max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A carrier that gives one answer and counts nothing.
    async fn answering(reply: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let _ = socket.read(&mut [0; 1024]).await;
                let _ = socket.write_all(&reply).await;
            }
        });
        format!("http://{address}/")
    }

    #[tokio::test]
    async fn a_long_reply_is_cut_and_a_redirect_is_not_followed() {
        let client = carrier_client(Bounds::default()).unwrap();
        let endless = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 100_000]].concat();
        let response = client.get(answering(endless).await).send().await.unwrap();
        assert!(matches!(read_capped(response, REPLY_MAX).await, Err(ReadFault::TooLarge(REPLY_MAX))));
        let moved = b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 2\r\n\r\nno".to_vec();
        let response = client.get(answering(moved).await).send().await.unwrap();
        assert_eq!(response.status(), 302);
        assert_eq!(read_capped(response, 2).await.unwrap(), b"no");
    }

    #[tokio::test]
    async fn a_silent_carrier_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bounds = Bounds { total: Duration::from_millis(50), ..Bounds::default() };
        let call = carrier_client(bounds).unwrap().get(format!("http://{}/", silent.local_addr().unwrap()));
        assert!(call.send().await.unwrap_err().is_timeout());
    }
}
