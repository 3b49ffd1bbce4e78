//! `Door`: the request limits as a request meets them, wherever they are counted.

use std::sync::Arc;

use crate::clock::{Clock, Millis};
use crate::config::{Config, SeveralNodes};
use crate::error::Result;
use crate::limits::shared::Shared;
use crate::limits::{Limits, Rule, SavedScope, View};
use crate::nodes::Nodes;

/// The limits at the door: counted by this node alone, by all nodes together in Redis, or by each for its share.
#[derive(Debug)]
pub struct Door {
    here: Arc<Limits>,
    shared: Option<Shared>,
    nodes: Arc<Nodes>,
    divides: bool,
}

impl Door {
    /// The door that `config` asks for. SQLite has one node, which needs no Redis.
    ///
    /// # Errors
    /// `internal` where the link to Redis cannot be set up; a Redis that is down is none.
    pub fn new(config: &Config, clock: &Clock, nodes: Arc<Nodes>) -> Result<Door> {
        let here = Arc::new(Limits::new());
        let several = !config.database_url().is_sqlite();
        let url = config.node.redis_url.as_ref().filter(|_| several);
        let start = |url| Shared::start(url, config.limits.redis_timeout, clock.clone(), Arc::clone(&here));
        let shared = url.map(start).transpose()?;
        let divides = several && shared.is_none() && config.limits.several_nodes == SeveralNodes::Divide;
        Ok(Door { here, shared, nodes, divides })
    }

    /// Connects to what the limits are counted in, if that can be done at once; else it is tried again and again.
    pub async fn connect(&self) {
        if let Some(shared) = &self.shared {
            shared.connect().await;
        }
    }

    /// Asks all `rules` of `shard` and counts the request in all of them or in none but the meters: see [`Limits::take`].
    pub async fn take(&self, shard: &str, rules: &[Rule], now: Millis) -> View {
        let Some(shared) = &self.shared else {
            return match self.sharers() {
                1 => self.here.take(shard, rules, now),
                nodes => self.here.take(shard, &shares(rules, nodes), now),
            };
        };
        if let Some(view) = shared.ask(shard, rules, true, now).await {
            return view;
        }
        let shares = shared.shares(shard, rules, self.nodes.serving(), now);
        let view = self.here.take(shard, &shares, now);
        shared.owe(shard, rules, &view, now);
        view
    }

    /// What `take` would say; takes nothing.
    pub async fn peek(&self, shard: &str, rules: &[Rule], now: Millis) -> View {
        let Some(shared) = &self.shared else {
            return match self.sharers() {
                1 => self.here.peek(shard, rules, now),
                nodes => self.here.peek(shard, &shares(rules, nodes), now),
            };
        };
        match shared.ask(shard, rules, false, now).await {
            Some(view) => view,
            None => self.here.peek(shard, &shared.shares(shard, rules, self.nodes.serving(), now), now),
        }
    }

    /// Whether limits that should be shared are decided by this node alone for the time being.
    pub fn is_degraded(&self) -> bool {
        self.shared.as_ref().is_some_and(Shared::is_degraded)
    }

    /// The limits that every node counts for itself: of client addresses.
    pub fn here(&self) -> &Limits {
        &self.here
    }

    /// What outlives a restart: see [`Limits::snapshot`].
    pub fn snapshot(&self) -> Vec<SavedScope> {
        self.here.snapshot()
    }

    /// Puts back what `snapshot` gave, of this node or of several.
    pub fn restore(&self, saved: Vec<SavedScope>) {
        self.here.restore(saved);
    }

    /// Drops what counts nothing any more. To be called every minute or so.
    pub fn evict_idle(&self, now: Millis) {
        self.here.evict_idle(now);
        if let Some(shared) = &self.shared {
            shared.evict_idle(now);
        }
    }

    /// How many nodes a limit is divided by.
    fn sharers(&self) -> u32 {
        if self.divides { self.nodes.serving() } else { 1 }
    }
}

/// One node's share of each limit: never more than the whole in sum, but at least 1 each.
fn shares(rules: &[Rule], nodes: u32) -> Vec<Rule> {
    rules.iter().map(|rule| rule.share(nodes)).collect()
}
