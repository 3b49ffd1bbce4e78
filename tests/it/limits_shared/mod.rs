//! Request limits over several nodes: counted together in Redis, or by each for its share.
//!
//! On SQLite there is one node, and nothing to share: these tests are about PostgreSQL.

mod outages;
mod together;

use std::time::Duration;

use futures_util::future::join_all;
use postern::config::{Config, SeveralNodes};
use serde_json::json;

use crate::harness::Backend;
use crate::harness::actor::{Actor, Reply};
use crate::harness::app::{Tenant, TestApp, redis_url};
use crate::harness::redis::RedisServer;

/// Two nodes on one database, and the Redis that they share.
struct Pair {
    redis: RedisServer,
    nodes: [TestApp; 2],
}

impl Pair {
    /// `None` on SQLite.
    async fn start(timeout: Duration) -> Option<Pair> {
        Backend::server()?;
        let redis = RedisServer::start();
        let shared = |config: &mut Config| {
            config.node.redis_url = Some(redis_url(&redis.url()));
            config.limits.redis_timeout = timeout;
        };
        let one = TestApp::start_with(shared).await;
        let other = one.another_with(shared).await;
        let nodes = [one, other];
        see_each_other(&nodes).await;
        Some(Pair { redis, nodes })
    }

    /// A tenant whose requests meet this limit and hardly any other.
    async fn tenant(&self, policy: &str, limit: &str) -> Tenant {
        tenant(&self.nodes[0], policy, limit).await
    }

    /// `caller` at each of the nodes.
    fn callers(&self, caller: &Actor) -> [Actor; 2] {
        [0, 1].map(|node| caller.at(&self.nodes[node].base))
    }
}

/// Both know of both.
async fn see_each_other(nodes: &[TestApp]) {
    for node in nodes.iter().chain(nodes) {
        node.app.nodes.beat(&node.app.db).await.unwrap();
    }
}

async fn tenant(app: &TestApp, policy: &str, limit: &str) -> Tenant {
    let tenant = app.tenant().await;
    let path = format!("/v1/admin/orgs/{}/limits/{policy}", tenant.org);
    app.operator().put(&path, json!({"limit": limit, "reason": "test"})).await.expect(200);
    tenant
}

/// Two nodes without Redis.
async fn apart(several_nodes: SeveralNodes) -> Option<[TestApp; 2]> {
    Backend::server()?;
    let change = |config: &mut Config| {
        config.node.redis_url = None;
        config.limits.several_nodes = several_nodes;
    };
    let one = TestApp::start_with(change).await;
    let other = one.another_with(change).await;
    let nodes = [one, other];
    see_each_other(&nodes).await;
    Some(nodes)
}

async fn ask(caller: &Actor) -> Reply {
    caller.get("/v1/account").await
}

/// `count` requests at once, in turn by these callers: how many pass. Whatever does not is a 429.
async fn admitted(callers: &[Actor], count: usize) -> usize {
    let replies = join_all((0..count).map(|n| ask(&callers[n % callers.len()]))).await;
    assert!(
        replies.iter().all(|reply| matches!(reply.status, 200 | 429)),
        "{:?}",
        replies.iter().map(|r| r.status).max()
    );
    replies.iter().filter(|reply| reply.status == 200).count()
}
