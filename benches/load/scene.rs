//! A run: servers, a tenant, a carrier, and the time that is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::args::Args;
use crate::carrier::{self, Books};
use crate::drive::{Course, Drive, Tally, finish};
use crate::nodes::{Node, Role, Stage};
use crate::row::{Meter, Row};
use crate::setup::{self, Tenant};
use crate::syncs::Watch;

/// Everything that a scenario drives.
pub struct Scene {
    /// The servers.
    pub nodes: Vec<Node>,
    /// What they share.
    pub stage: Stage,
    /// Who sends.
    pub tenant: Tenant,
    /// The carrier's books.
    pub books: Arc<Books>,
    /// The next number that nobody was sent to yet.
    pub numbers: Arc<AtomicU64>,
    pids: Vec<u32>,
}

impl Scene {
    /// Starts fresh servers; the books have room for so many numbers.
    pub async fn open(args: &Args, role: Role, numbers: usize) -> anyhow::Result<Scene> {
        Scene::open_with(args, role, Books::new(numbers)).await
    }

    /// The same with books that something else writes as well.
    pub async fn open_with(args: &Args, role: Role, books: Arc<Books>) -> anyhow::Result<Scene> {
        let carrier = carrier::start(books.clone(), Duration::from_millis(args.carrier_ms))?;
        let stage = Stage::set(args, carrier)?;
        let mut nodes = Vec::new();
        for _ in 0..args.nodes.max(1) {
            nodes.push(stage.start(role).await?);
        }
        ensure!(!nodes.is_empty(), "there must be a node");
        let tenant = match nodes.first() {
            Some(first) => setup::tenant(&stage, first).await?,
            None => anyhow::bail!("there must be a node"),
        };
        // What was raised is in force within a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let pids = stage.pids(&nodes)?;
        Ok(Scene { nodes, stage, tenant, books, numbers: Arc::default(), pids })
    }

    /// A course for the measured time that begins after the warm-up.
    pub fn course(&self, connections: usize) -> Course {
        let from = Instant::now() + self.stage.args.warm_up();
        Course {
            nodes: self.nodes.iter().map(|node| node.address).collect(),
            connections,
            from,
            to: from + self.stage.args.measured(),
            stop: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Measures `drives` on `course`; what each came to, in their order, and a meter that has ended.
    pub async fn measure<T>(&self, course: &Course, drives: Vec<Drive<T>>) -> anyhow::Result<(Vec<T>, Costs)> {
        tokio::time::sleep_until(course.from.into()).await;
        let watch = self.stage.args.syncs.then(|| Watch::begin(&self.pids, self.stage.dir())).transpose()?;
        let mut meter = Meter::begin(&self.pids);
        meter.until(course.to).await;
        let cost = meter.end();
        let syncs = watch.map(Watch::end).transpose()?;
        let tallies = drives.into_iter().map(finish).collect::<anyhow::Result<Vec<_>>>()?;
        Ok((tallies, Costs { cost, syncs }))
    }

    /// Stops the servers in peace; where the first one listened.
    pub fn close(&mut self) -> anyhow::Result<u16> {
        let port = self.nodes.first().map_or(0, |node| node.address.port());
        self.nodes.drain(..).try_for_each(Node::stop)?;
        Ok(port)
    }

    /// Starts the servers again, in another role perhaps; the first at `port`.
    pub async fn reopen(&mut self, role: Role, port: u16) -> anyhow::Result<()> {
        self.nodes.push(self.stage.start_at(role, port).await?);
        for _ in 1..self.stage.args.nodes {
            self.nodes.push(self.stage.start(role).await?);
        }
        self.pids = self.stage.pids(&self.nodes)?;
        Ok(())
    }

    /// Whether there are as many messages as were accepted.
    pub fn check_rows(&self, row: &mut Row, accepted: u64) -> anyhow::Result<()> {
        let stored = self.stage.database.count("messages", "1 = 1")?;
        row.must(stored == accepted, format!("{stored} messages are stored, {accepted} were accepted"));
        let log = self.stage.log();
        row.must(log.is_empty(), format!("the server complained: {}", log.lines().next().unwrap_or_default()));
        Ok(())
    }
}

/// What a measured time cost.
pub struct Costs {
    cost: crate::row::Cost,
    syncs: Option<u64>,
}

impl Costs {
    /// The row of `units` done meanwhile.
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    pub fn row(&self, units: u64) -> Row {
        let mut row = self.cost.row(units);
        if let Some(syncs) = self.syncs {
            let each = syncs as f64 / (units as f64).max(1.0);
            row.note(format!("{syncs} syncs for {units}: {each:.4} each (rates are strace's, not the server's)"));
        }
        row
    }
}

/// What every answer must be like for a run to count.
pub fn must_be_clean(row: &mut Row, tally: &Tally, allowed: &[u16]) {
    row.must(tally.broken == 0, format!("{} connections broke", tally.broken));
    let odd: Vec<_> = tally.statuses.iter().filter(|(status, _)| !allowed.contains(status)).collect();
    row.must(odd.is_empty(), format!("unexpected answers {odd:?}"));
}
