//! The link to Redis: one connection that all calls share, and the breaker that leaves a server alone that does not answer.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Script, ScriptInvocation};

use super::call;
use crate::config::RedisUrl;
use crate::error::{Error, Result};

/// Faults in a row after which the server is left alone.
const FAULTS_MAX: u32 = 3;

/// How often a server that is left alone is tried again.
pub(super) const PROBE_EVERY: Duration = Duration::from_secs(1);

/// How long a new connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The shard that probes write to; no organization has such an id.
const PROBED: &str = "probe";

/// The link. Not the client's own connection manager: a server that takes bytes and never answers, or an address that has
/// moved, needs a new connection too, and the breaker is the one who knows.
pub(super) struct Link {
    client: Client,
    script: Script,
    timeout: Duration,
    connection: RwLock<Option<MultiplexedConnection>>,
    down: AtomicBool,
    faults: AtomicU32,
}

/// Why a call gave nothing. Its text holds no address.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("no answer within the time-out")]
    Late,
    #[error("an answer that cannot be read")]
    Garbled,
    #[error("{0}")]
    Redis(#[from] RedisError),
}

impl Link {
    /// A link that is down until `probe` finds its server.
    pub(super) fn new(url: &RedisUrl, timeout: Duration) -> Result<Link> {
        // Its own text would quote the address.
        let client = Client::open(url.expose()).map_err(|_| Error::internal("the address of Redis cannot be used"))?;
        let link = Link {
            client,
            script: call::script(),
            timeout,
            connection: RwLock::new(None),
            down: AtomicBool::new(true),
            faults: AtomicU32::new(0),
        };
        Ok(link)
    }

    /// The script to call.
    pub(super) fn script(&self) -> &Script {
        &self.script
    }

    /// Whether the server is left alone.
    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// Makes the call and reads its answer; `None` where there was none in time.
    pub(super) async fn call<T>(&self, call: &ScriptInvocation<'_>, read: impl Fn(&[i64]) -> Option<T>) -> Option<T> {
        let connection = self.connection.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let answered = match self.invoke(connection, call).await {
            Ok(said) => read(&said).ok_or(Fault::Garbled),
            Err(fault) => Err(fault),
        };
        match answered {
            Ok(answer) => {
                self.faults.store(0, Ordering::Relaxed);
                Some(answer)
            }
            Err(fault) => {
                self.note(&fault);
                None
            }
        }
    }

    /// Connects anew and asks something harmless of the script, as a request would; where that is answered in time, the
    /// server is used again.
    pub(super) async fn probe(&self) {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            // The time-out of each call is this link's.
            .set_response_timeout(None);
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let found = async {
            let connection = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| Fault::Late)??;
            let call = call::invocation(&self.script, PROBED, None, (&[], &[]));
            // The first call loads the script; the second is as any other.
            let _ = tokio::time::timeout(CONNECT_TIMEOUT, call.invoke_async::<Vec<i64>>(&mut connection.clone())).await;
            self.invoke(connection.clone(), &call).await?;
            Ok::<_, Fault>(connection)
        };
        match found.await {
            Ok(connection) => self.come_up(connection),
            Err(fault) => tracing::debug!(error = %fault, "Redis is still away"),
        }
    }

    /// Shows how it is; again and again, since the recorder may come later than this.
    pub(super) fn gauge(&self) {
        metrics::gauge!("postern_limiter_degraded").set(if self.is_down() { 1.0 } else { 0.0 });
    }

    async fn invoke(
        &self,
        mut connection: MultiplexedConnection,
        call: &ScriptInvocation<'_>,
    ) -> Result<Vec<i64>, Fault> {
        let answer = call.invoke_async::<Vec<i64>>(&mut connection);
        Ok(tokio::time::timeout(self.timeout, answer).await.map_err(|_| Fault::Late)??)
    }

    fn note(&self, fault: &Fault) {
        let faults = self.faults.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if faults >= FAULTS_MAX && !self.down.swap(true, Ordering::Relaxed) {
            *self.connection.write().unwrap_or_else(PoisonError::into_inner) = None;
            tracing::warn!(error = %fault, "limiter degraded: Redis does not answer; this node decides alone, by its share");
            self.gauge();
        }
    }

    fn come_up(&self, connection: MultiplexedConnection) {
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        self.faults.store(0, Ordering::Relaxed);
        if self.down.swap(false, Ordering::Relaxed) {
            tracing::info!("limiter in order: Redis answers; limits are shared by all nodes");
            self.gauge();
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("down", &self.is_down()).finish_non_exhaustive()
    }
}
