//! Limits that several nodes count together, in Redis: one script call for all that waits of a shard.
//!
//! While a call of a shard is under way, further requests of it wait and go with the next one, so that a busy
//! organization costs one call per round trip; shards do not wait for each other. Calls run on a thread of their own: a
//! client that goes away, or a busy worker, holds up nobody.

mod call;
mod desk;
mod group;
mod link;
#[cfg(test)]
mod oracle;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use call::{Answer, Ask, Report};
use desk::{Batch, Desk, Teller};
use group::{Counted, Decided, Group};
use link::{Link, PROBE_EVERY};

use crate::clock::{Clock, Millis};
use crate::config::RedisUrl;
use crate::error::{Error, Result};
use crate::limits::scope::Known;
use crate::limits::{Allowance, Limits, Rule, Shape, View};

/// The limits in Redis as this node uses them.
#[derive(Debug)]
pub(super) struct Shared {
    inner: Arc<Inner>,
    runtime: Option<Runtime>,
}

#[derive(Debug)]
struct Inner {
    link: Link,
    clock: Clock,
    /// What this node knows: what all have counted as it last heard, but of lists of moments its own alone.
    here: Arc<Limits>,
    desks: RwLock<HashMap<Box<str>, Arc<Desk>>>,
}

impl Shared {
    /// Starts the thread, which connects by itself and again whenever it must.
    ///
    /// # Errors
    /// `internal` where the thread cannot be started or the address cannot be used.
    pub fn start(url: &RedisUrl, timeout: Duration, clock: Clock, here: Arc<Limits>) -> Result<Shared> {
        // Another part of the process may have installed it; then it stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("limits")
            .enable_all()
            .build()
            .map_err(Error::internal)?;
        let inner = Arc::new(Inner { link: Link::new(url, timeout)?, clock, here, desks: RwLock::default() });
        runtime.spawn(keep(Arc::downgrade(&inner)));
        Ok(Shared { inner, runtime: Some(runtime) })
    }

    /// Whether the server is left alone, so that this node decides by its share.
    pub fn is_degraded(&self) -> bool {
        self.inner.link.is_down()
    }

    /// Connects now if it is not connected: so that a process that has just started need not begin degraded.
    pub async fn connect(&self) {
        if let (true, Some(runtime)) = (self.is_degraded(), &self.runtime) {
            let inner = Arc::clone(&self.inner);
            // It ends by itself within its time-outs.
            let _ = runtime.spawn(async move { inner.link.probe().await }).await;
            if self.is_degraded() {
                tracing::warn!("limiter degraded: Redis cannot be reached; this node decides alone, by its share");
            }
        }
    }

    /// What all nodes together say to a request, which counts if it `takes`; `None` where the server does not answer.
    pub async fn ask(&self, shard: &str, rules: &[Rule], takes: bool, now: Millis) -> Option<View> {
        if self.inner.link.is_down() {
            return None;
        }
        let desk = self.inner.desk(shard);
        if takes && let Some(known) = desk.denial(rules, now) {
            return Some(known);
        }
        let (answer, first) = desk.join(Group { rules: rules.to_vec(), takes });
        if first {
            self.runtime.as_ref()?.spawn(fly(Arc::clone(&self.inner), desk));
        }
        answer.await.ok().flatten()
    }

    /// The rules of a request while the server does not answer, for one of `nodes`: its share of what is left in a window
    /// whose count is known, its share of the whole where it is not.
    pub fn shares(&self, shard: &str, rules: &[Rule], nodes: u32, now: Millis) -> Vec<Rule> {
        let owed = self.inner.desk(shard).owed(&Counted::of(rules));
        let known = self.inner.here.known(shard, rules, now);
        let mut owed = owed.into_iter();
        let share = |(rule, known): (&Rule, Known)| {
            let Some(counted) = Counted::of(std::slice::from_ref(rule)).pop() else { return *rule };
            let own = owed.next().unwrap_or(0);
            match counted.slot.shape {
                Shape::Ring => rule.share(nodes),
                _ => share_of_rest(rule, known.used.saturating_sub(own), nodes),
            }
        };
        rules.iter().zip(known).map(share).collect()
    }

    /// Notes what was decided here, so that the server is told once it answers.
    pub fn owe(&self, shard: &str, rules: &[Rule], view: &View, now: Millis) {
        self.inner.desk(shard).owe(rules, view, now);
    }

    /// Forgets shards that nobody asks about.
    pub fn evict_idle(&self, now: Millis) {
        // A desk that somebody holds may be joined the next moment.
        let unused = |desk: &Arc<Desk>| Arc::strong_count(desk) == 1 && desk.is_idle(now);
        let mut desks = self.inner.desks.write().unwrap_or_else(PoisonError::into_inner);
        desks.retain(|_, desk| !unused(desk));
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Waiting for it here might block the thread that it waits for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// `rule` with room for one node's share of what is left after `used`, at least 1 where anything is.
fn share_of_rest(rule: &Rule, used: u64, nodes: u32) -> Rule {
    let Allowance::Rate(mut rate) = rule.allowance else { return *rule };
    let used = u32::try_from(used).unwrap_or(u32::MAX).min(rate.limit);
    let left = rate.limit - used;
    rate.limit = used + (left / nodes.max(1)).max(left.min(1));
    Rule { allowance: Allowance::Rate(rate), ..*rule }
}

impl Inner {
    fn desk(&self, shard: &str) -> Arc<Desk> {
        if let Some(desk) = self.desks.read().unwrap_or_else(PoisonError::into_inner).get(shard) {
            return Arc::clone(desk);
        }
        let mut desks = self.desks.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(desks.entry(Box::from(shard)).or_insert_with(|| Arc::new(Desk::new(shard))))
    }

    /// Asks the server; the answers in the order of the groups.
    async fn decide(&self, desk: &Desk, batch: &mut Batch, now: Millis) -> Option<Vec<Decided>> {
        let asks = self.asks(desk, batch, now);
        match self.call(&desk.shard, batch, &asks).await? {
            Answer::Decided(decided) => Some(decided),
            Answer::Forgotten => {
                self.remember(&desk.shard, batch, &asks, now);
                match self.call(&desk.shard, batch, &asks).await? {
                    Answer::Decided(decided) => Some(decided),
                    Answer::Forgotten => None,
                }
            }
        }
    }

    async fn call(&self, shard: &str, batch: &Batch, asks: &[Ask]) -> Option<Answer> {
        // A clock set by hand is every node's, and the server's too.
        let now = matches!(self.clock, Clock::Manual(_)).then(|| self.clock.now());
        let call = call::invocation(self.link.script(), shard, now, (&batch.reports, asks));
        self.link.call(&call, |said| call::read_answer(said, asks)).await
    }

    /// What each group asks, and the least that is used as far as this node knows: what is reported in the same call, or
    /// owed still, counts by itself.
    fn asks(&self, desk: &Desk, batch: &Batch, now: Millis) -> Vec<Ask> {
        let ask = |(group, tellers): &(Group, Vec<Teller>)| {
            let rules = Counted::of(&group.rules);
            let plain: Vec<Rule> = rules.iter().map(|counted| counted.rule).collect();
            let mut least = self.here.known(&desk.shard, &plain, now);
            for ((least, counted), owed) in least.iter_mut().zip(&rules).zip(desk.owed(&rules)) {
                let reported = batch.reports.iter().find(|report| report.slot == counted.slot);
                let apart = owed.saturating_add(reported.map_or(0, |report| report.count));
                least.used = least.used.saturating_sub(apart);
            }
            let requests = if group.takes { u64::try_from(tellers.len()).unwrap_or(u64::MAX) } else { 0 };
            Ask { requests, rules, least }
        };
        batch.groups.iter().map(ask).collect()
    }

    /// Puts what this node knows of counters that are gone into the reports; what it owed of them is among it.
    fn remember(&self, shard: &str, batch: &mut Batch, asks: &[Ask], now: Millis) {
        let wheels = asks.iter().flat_map(|ask| &ask.rules).filter(|counted| counted.slot.shape == Shape::Bucketed);
        for counted in wheels {
            let past = self.here.ages(shard, &counted.rule, now);
            match batch.reports.iter_mut().find(|report| report.slot == counted.slot) {
                Some(report) if report.past.is_empty() => (report.count, report.past) = (0, past),
                Some(_) => {}
                None => {
                    let (slot, rate) = (counted.slot, counted.rate);
                    batch.reports.push(Report { slot, rate, count: 0, until: now, past });
                }
            }
        }
    }

    /// Notes the answer here and at the desk, and tells everybody.
    fn tell(&self, desk: &Desk, batch: Batch, decided: &[Decided], now: Millis) {
        for ((group, tellers), decided) in batch.groups.into_iter().zip(decided) {
            let asked = u64::try_from(tellers.len()).unwrap_or(u64::MAX);
            let after = group.counts_after(decided, asked, now).into_iter();
            let (rules, known): (Vec<Rule>, Vec<Known>) =
                after.map(|(counted, _, known)| (counted.rule, known)).unzip();
            self.here.follow(&desk.shard, &rules, &known, decided.admitted, now);
            desk.hear(&group, decided, asked, now);
            for (place, tell) in (0u64..).zip(tellers) {
                // Who went away meanwhile has been counted all the same: its request was decided.
                let _ = tell.send(Some(group.view(decided, place, now)));
            }
        }
    }
}

/// Makes calls for a desk until nothing waits there.
async fn fly(inner: Arc<Inner>, desk: Arc<Desk>) {
    while let Some(mut batch) = desk.next_batch(inner.clock.now()) {
        let now = inner.clock.now();
        match inner.decide(&desk, &mut batch, now).await {
            Some(decided) => inner.tell(&desk, batch, &decided, inner.clock.now()),
            None => {
                desk.give_up(batch, now);
                return;
            }
        }
    }
}

/// Each second: looks for a server that is away, and tells one that is there what nobody has told it.
async fn keep(inner: Weak<Inner>) {
    while let Some(inner) = inner.upgrade() {
        if inner.link.is_down() {
            inner.link.probe().await;
        }
        inner.link.gauge();
        if !inner.link.is_down() {
            let desks: Vec<Arc<Desk>> =
                inner.desks.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
            for desk in desks.into_iter().filter(|desk| desk.must_report()) {
                fly(Arc::clone(&inner), desk).await;
            }
        }
        drop(inner);
        tokio::time::sleep(PROBE_EVERY).await;
    }
}
