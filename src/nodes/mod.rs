//! The processes that share one database, known by their heartbeats: who serves requests, who delivers.
//!
//! A process on SQLite is alone by definition and writes nothing.

mod identity;
mod store;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::{Config, Role};
use crate::db::Db;
use crate::error::Result;
use crate::ids::NodeId;
use identity::Identity;
use store::Crowd;
pub use store::{NodeView, list};

/// How often a process says that it lives.
pub const BEAT_EVERY: Duration = Duration::from_secs(2);

/// Who has not been heard for so long is taken for dead where it matters at once: three beats.
pub const ALIVE: Duration = Duration::from_secs(6);

/// Whoever was seen within this time still counts where a share is at stake: what it let through may still count.
pub const COUNTED: Duration = Duration::from_secs(60);

/// How long the row of a process that went without a word is kept.
const KEPT: Duration = Duration::from_secs(3600);

/// This process among the others.
#[derive(Debug)]
pub struct Nodes {
    identity: Identity,
    role: Role,
    serving: AtomicU32,
    working: AtomicU32,
}

/// What asking for a place gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// This process is among the nodes.
    Taken,
    /// Another process serves requests already.
    TakenBy(NodeId),
}

impl Nodes {
    /// This process, not yet announced. Its data directory keeps its id, so that one that crashed comes back as itself.
    pub fn new(config: &Config, clock: &Clock) -> Nodes {
        let sqlite = config.database_url().is_sqlite();
        let keep_in = (!sqlite).then_some(config.node.data_dir.as_path());
        let identity = Identity::find(keep_in, clock.now());
        Nodes { identity, role: config.node.role, serving: AtomicU32::new(1), working: AtomicU32::new(1) }
    }

    /// A process that only looks and is no node.
    pub fn unknown(role: Role, clock: &Clock) -> Nodes {
        let identity = Identity::find(None, clock.now());
        Nodes { identity, role, serving: AtomicU32::new(1), working: AtomicU32::new(1) }
    }

    /// What this process does.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The id of this process.
    pub fn id(&self) -> NodeId {
        self.identity.id()
    }

    /// How many processes that serve requests were seen in the last minute; at least 1.
    pub fn serving(&self) -> u32 {
        self.serving.load(Ordering::Relaxed).max(1)
    }

    /// How many processes that deliver messages were seen in the last minute; at least 1.
    pub fn working(&self) -> u32 {
        self.working.load(Ordering::Relaxed).max(1)
    }

    /// Announces this process, if `alone` only where no other one serves requests: of several that start at once one gets
    /// the place.
    ///
    /// # Errors
    /// Of the database.
    pub async fn enter(&self, db: &Db, alone: bool) -> Result<Place> {
        if db.is_sqlite() {
            return Ok(Place::Taken);
        }
        let (me, asked) = (self.myself(), db.clone());
        let entered = db
            .write(move |conn| {
                let now = asked.now(conn)?;
                store::take_turns(conn)?;
                match store::other_that_serves(conn, me.0, now.minus(ALIVE))? {
                    Some(other) if alone => Ok(Err(other)),
                    _ => store::beat(conn, me, now).map(Ok),
                }
            })
            .await?;
        match entered {
            Ok(crowd) => {
                self.note(crowd);
                Ok(Place::Taken)
            }
            Err(other) => Ok(Place::TakenBy(other)),
        }
    }

    /// Says that this process lives, and looks who else does.
    ///
    /// # Errors
    /// Of the database.
    pub async fn beat(&self, db: &Db) -> Result<()> {
        if db.is_sqlite() {
            return Ok(());
        }
        let (me, asked) = (self.myself(), db.clone());
        let crowd = db
            .write(move |conn| {
                let now = asked.now(conn)?;
                store::beat(conn, me, now)
            })
            .await?;
        self.note(crowd);
        Ok(())
    }

    /// Takes this process off the list.
    ///
    /// # Errors
    /// Of the database.
    pub async fn leave(&self, db: &Db) -> Result<()> {
        let id = self.id();
        if db.is_sqlite() { Ok(()) } else { db.write(move |conn| store::leave(conn, id)).await }
    }

    fn myself(&self) -> (NodeId, Role) {
        (self.id(), self.role)
    }

    fn note(&self, crowd: Crowd) {
        let (serving, working) = (crowd.serving.max(1), crowd.working.max(1));
        let before = (self.serving.swap(serving, Ordering::Relaxed), self.working.swap(working, Ordering::Relaxed));
        if before != (serving, working) {
            tracing::info!(serving, working, "the nodes seen in the last minute changed");
        }
    }
}

/// Beats until `stop` says true, then leaves.
pub async fn run(nodes: &Nodes, db: &Db, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(fault) = nodes.beat(db).await {
            tracing::warn!(error = fault.cause_text().unwrap_or(fault.sentence()), "the heartbeat failed");
        }
        // A sender that is gone means stop as well.
        if let Ok(Err(_)) = tokio::time::timeout(BEAT_EVERY, stop.changed()).await {
            break;
        }
    }
    if let Err(fault) = nodes.leave(db).await {
        tracing::warn!(error = fault.cause_text().unwrap_or(fault.sentence()), "leaving the list of nodes failed");
    }
}
