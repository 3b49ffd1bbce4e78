//! `Door`: the request limits as a request meets them, wherever they are counted.

use std::sync::Arc;

use crate::clock::Millis;
use crate::config::{Config, SeveralNodes};
use crate::limits::{Limits, Rule, SavedScope, View};
use crate::nodes::Nodes;

/// The limits at the door: of this node alone, or a share of what several nodes allow together.
#[derive(Debug)]
pub struct Door {
    here: Limits,
    nodes: Arc<Nodes>,
    divides: bool,
}

impl Door {
    /// The door that `config` asks for.
    pub fn new(config: &Config, nodes: Arc<Nodes>) -> Door {
        let divides = config.limits.several_nodes == SeveralNodes::Divide && !config.database_url().is_sqlite();
        Door { here: Limits::new(), nodes, divides }
    }

    /// Asks all `rules` of `shard` and counts the request in all of them or in none but the meters: see [`Limits::take`].
    pub async fn take(&self, shard: &str, rules: &[Rule], now: Millis) -> View {
        match self.sharers() {
            1 => self.here.take(shard, rules, now),
            nodes => self.here.take(shard, &shares(rules, nodes), now),
        }
    }

    /// What `take` would say; takes nothing.
    pub async fn peek(&self, shard: &str, rules: &[Rule], now: Millis) -> View {
        match self.sharers() {
            1 => self.here.peek(shard, rules, now),
            nodes => self.here.peek(shard, &shares(rules, nodes), now),
        }
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
