//! The one HTTP client for addresses that customers choose.
//!
//! What a name leads to is decided by the resolver inside the client, and the very addresses it returns are connected
//! to: between check and use there is nothing that could change. A host written as an address never meets a resolver,
//! so the URL is checked at every call as well. No redirect, no proxy; bounds of time and size.

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use super::outbound::{Bounds, build, read_capped};
use super::reach::{Forbidden, Reach};
use crate::error::Result;

/// Most of a reply that is read, bytes; it is never shown.
const REPLY_MAX: usize = 4 * 1024;
/// Longest wait for a reply's body: the status has come, and is what counts.
const BODY_WITHIN: Duration = Duration::from_millis(500);
/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 16;

/// A client that reaches what [`Reach`] permits.
pub struct GuardedClient {
    reach: Reach,
    client: reqwest::Client,
}

/// What came back; the body is nobody's affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// How long the other side asks to wait, where it says so in seconds.
    pub retry_after: Option<Duration>,
}

crate::text_enum! {
    /// Why nothing came back.
    pub enum CallFault as "WebhookCallFault" {
        /// The address is not one that may be called.
        UrlForbidden = "url_forbidden",
        /// No connection: no such name, nobody there, or no TLS.
        ConnectFailed = "connect_failed",
        /// No answer in time.
        TimedOut = "timed_out",
        /// The connection broke before an answer.
        Broken = "broken",
    }
}

impl GuardedClient {
    /// A client with the system's resolver.
    ///
    /// # Errors
    /// `internal` where TLS cannot be set up.
    pub fn new(allow: &[IpNet], bounds: Bounds) -> Result<GuardedClient> {
        GuardedClient::over(allow, bounds, Arc::new(SystemResolver))
    }

    /// The same over another resolver, whose answers are filtered alike.
    ///
    /// # Errors
    /// `internal` where TLS cannot be set up.
    pub fn over(allow: &[IpNet], bounds: Bounds, inner: Arc<dyn Resolve>) -> Result<GuardedClient> {
        let reach = Reach::new(allow);
        let resolver = Arc::new(Filtered { reach: reach.clone(), inner });
        let client = build(bounds, |builder| builder.dns_resolver(Arc::clone(&resolver)).pool_max_idle_per_host(2))?;
        Ok(GuardedClient { reach, client })
    }

    /// What may be reached.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Posts JSON to `url`.
    pub async fn post_json(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: String,
    ) -> std::result::Result<Answered, CallFault> {
        let url = self.reach.check(url).map_err(|_| CallFault::UrlForbidden)?;
        let mut all = HeaderMap::new();
        all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| CallFault::Broken)?;
            all.insert(HeaderName::from_static(name), value);
        }
        let sent = self.client.post(url).headers(all).body(body).send().await;
        let response = sent.map_err(|error| fault_of(&error))?;
        let status = response.status().as_u16();
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        // Read only so that the connection can be used again.
        drop(tokio::time::timeout(BODY_WITHIN, read_capped(response, REPLY_MAX)).await);
        Ok(Answered { status, retry_after: seconds.map(Duration::from_secs) })
    }
}

fn fault_of(error: &reqwest::Error) -> CallFault {
    let mut cause = error.source();
    while let Some(fault) = cause {
        if fault.is::<Forbidden>() {
            return CallFault::UrlForbidden;
        }
        cause = fault.source();
    }
    match () {
        () if error.is_connect() => CallFault::ConnectFailed,
        () if error.is_timeout() => CallFault::TimedOut,
        () => CallFault::Broken,
    }
}

/// The system's resolver.
struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// Keeps of an answer what may be reached, and of that not more than a few.
struct Filtered {
    reach: Reach,
    inner: Arc<dyn Resolve>,
}

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, asked) = (self.reach.clone(), self.inner.resolve(name));
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                asked.await?.filter(|address| reach.permits(address.ip())).take(ADDRESSES_MAX).collect();
            if found.is_empty() {
                return Err(Box::new(Forbidden::Host) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A name server that answers the same for every name, and counts.
    struct Fake(Vec<&'static str>, AtomicUsize);

    impl Resolve for Fake {
        fn resolve(&self, _: Name) -> Resolving {
            self.1.fetch_add(1, Ordering::SeqCst);
            let found: Vec<SocketAddr> = self.0.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect();
            Box::pin(async move {
                if found.is_empty() { Err("no such name".into()) } else { Ok(Box::new(found.into_iter()) as Addrs) }
            })
        }
    }

    fn fake(addresses: &[&'static str]) -> Arc<Fake> {
        Arc::new(Fake(addresses.to_vec(), AtomicUsize::new(0)))
    }

    async fn kept(addresses: &[&'static str], allow: &[&str]) -> Option<Vec<String>> {
        let allow: Vec<IpNet> = allow.iter().map(|net| net.parse().unwrap()).collect();
        let filtered = Filtered { reach: Reach::new(&allow), inner: fake(addresses) };
        let found = filtered.resolve("a.example".parse().unwrap()).await.ok()?;
        Some(found.map(|address| address.ip().to_string()).collect())
    }

    #[tokio::test]
    async fn of_a_mixed_answer_only_the_public_addresses_are_used() {
        let mixed = ["127.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "10.0.0.1"];
        assert_eq!(kept(&mixed, &[]).await.unwrap(), ["8.8.8.8", "2606:4700::1111"]);
        assert_eq!(kept(&mixed, &["10.0.0.0/8"]).await.unwrap(), ["8.8.8.8", "2606:4700::1111", "10.0.0.1"]);
        assert_eq!(kept(&["127.0.0.1", "fd00::1"], &[]).await, None);
        assert_eq!(kept(&[], &["0.0.0.0/0"]).await, None, "a name server that fails opens nothing");
        let many: Vec<&str> = vec!["8.8.8.8"; 1_000];
        assert_eq!(kept(&many, &[]).await.unwrap().len(), ADDRESSES_MAX);
    }

    /// A listener that nobody may reach, its port, and how many did.
    async fn canary(reply: &'static str) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = socket.read(&mut [0; 4096]).await;
                let _ = socket.write_all(reply.as_bytes()).await;
            }
        });
        (port, seen)
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_looked_up_once_and_never_connected_to() {
        let (port, seen) = canary("HTTP/1.1 200 OK\r\n\r\n").await;
        let names = fake(&["127.0.0.1"]);
        let client = GuardedClient::over(&[], Bounds::default(), Arc::clone(&names) as Arc<dyn Resolve>).unwrap();
        let url = format!("http://rebind.example.com:{port}/");
        assert_eq!(client.post_json(&url, &[], "{}".into()).await, Err(CallFault::UrlForbidden));
        assert_eq!((names.1.load(Ordering::SeqCst), seen.load(Ordering::SeqCst)), (1, 0));
        let opened = ["127.0.0.0/8".parse().unwrap()];
        let client = GuardedClient::over(&opened, Bounds::default(), names).unwrap();
        assert_eq!(client.post_json(&url, &[], "{}".into()).await.unwrap().status, 200);
        assert_eq!(seen.load(Ordering::SeqCst), 1, "the canary sings when it is reached");
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_a_dead_name_is_no_connection() {
        let (port, _) = canary("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nretry-after: 7\r\n\r\n").await;
        let opened = ["127.0.0.0/8".parse().unwrap()];
        let client = GuardedClient::over(&opened, Bounds::default(), fake(&[])).unwrap();
        let answered = client.post_json(&format!("http://127.0.0.1:{port}/"), &[], "{}".into()).await.unwrap();
        assert_eq!(answered, Answered { status: 302, retry_after: Some(Duration::from_secs(7)) });
        assert_eq!(client.post_json("http://dead.example/", &[], "{}".into()).await, Err(CallFault::ConnectFailed));
    }

    /// A name server that answers otherwise at every question: these, then the last for ever. An empty answer never comes.
    struct Rebinding(Vec<Vec<&'static str>>, AtomicUsize);

    impl Resolve for Rebinding {
        fn resolve(&self, _: Name) -> Resolving {
            let asked = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
            let found: Vec<SocketAddr> =
                self.0[asked].iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect();
            Box::pin(async move {
                if found.is_empty() {
                    std::future::pending::<()>().await;
                }
                Ok(Box::new(found.into_iter()) as Addrs)
            })
        }
    }

    /// Listens at an address of the loopback on `port`, closes after each answer, and counts.
    async fn counted(ip: &str, port: u16) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind((ip, port)).await.unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = socket.read(&mut [0; 4096]).await;
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        (port, seen)
    }

    /// T17. 127.0.0.2 stands for the public address, which is open; 127.0.0.1 is inside, on the same port.
    #[tokio::test]
    async fn a_name_that_changes_its_mind_is_asked_once_a_call_and_never_leads_inside() {
        let (port, outside) = counted("127.0.0.2", 0).await;
        let (_, inside) = counted("127.0.0.1", port).await;
        let many = |last: &'static str| [vec!["127.0.0.1"; 1_000], vec![last]].concat();
        let sequence: [(Vec<&'static str>, Result<u16, CallFault>); 10] = [
            (vec!["127.0.0.2"], Ok(200)),
            (vec!["127.0.0.1"], Err(CallFault::UrlForbidden)),
            (vec!["127.0.0.2"], Ok(200)),
            // A mixed answer, in either order: the public one is used.
            (vec!["127.0.0.1", "127.0.0.2"], Ok(200)),
            (vec!["127.0.0.2", "127.0.0.1", "::1"], Ok(200)),
            // AAAA only, and an alias to something internal.
            (vec!["::1", "::ffff:127.0.0.1"], Err(CallFault::UrlForbidden)),
            (vec!["10.0.0.1", "169.254.169.254"], Err(CallFault::UrlForbidden)),
            (many("127.0.0.1"), Err(CallFault::UrlForbidden)),
            (many("127.0.0.2"), Ok(200)),
            // No answer opens nothing.
            (vec![], Err(CallFault::ConnectFailed)),
        ];
        let names =
            Arc::new(Rebinding(sequence.iter().map(|(answer, _)| answer.clone()).collect(), AtomicUsize::new(0)));
        let open = ["127.0.0.2/32".parse().unwrap()];
        let bounds = Bounds { connect: Duration::from_millis(300), total: Duration::from_secs(5) };
        let client = GuardedClient::over(&open, bounds, Arc::clone(&names) as Arc<dyn Resolve>).unwrap();
        let url = format!("http://rebind.example.com:{port}/");
        let mut reached = 0;
        for (place, (answer, expected)) in sequence.iter().enumerate() {
            let told = client.post_json(&url, &[], "{}".into()).await.map(|answered| answered.status);
            assert_eq!(told, *expected, "{place}: {:?}", answer.first());
            reached += usize::from(expected.is_ok());
            assert_eq!(names.1.load(Ordering::SeqCst), place + 1, "one question a call");
            assert_eq!((outside.load(Ordering::SeqCst), inside.load(Ordering::SeqCst)), (reached, 0), "{place}");
        }
    }
}
