//! The database as commands use it: brought up to date, every change told to the audit log as made at the machine.

use crate::audit::{self, Actor, By};
use crate::clock::{Clock, Millis};
use crate::config::{Config, DatabaseUrl};
use crate::db::{Conn, Db};
use crate::error::Result;
use crate::start;

/// A database that is ready for a command.
pub struct Desk {
    db: Db,
    clock: Clock,
}

impl Desk {
    /// Makes what is missing (directory, schema, plans, the configured first owner) and opens the database.
    pub async fn ready(config: &Config) -> Result<Desk> {
        let clock = Clock::System;
        Ok(Desk { db: start::database(config, &clock).await?, clock })
    }

    /// The same for a command that only reads: it makes no database to find nothing in. Error: where there is none.
    pub async fn existing(config: &Config) -> anyhow::Result<Desk> {
        if let DatabaseUrl::Sqlite(file) = config.database_url() {
            let hint = "run this where the server runs, or name its folder with POSTERN_DATA_DIR";
            anyhow::ensure!(file.exists(), "there is no database at {}; {hint}", file.display());
        }
        Ok(Desk::ready(config).await?)
    }

    /// The desk of a process that has its database open.
    pub fn at(db: Db, clock: Clock) -> Desk {
        Desk { db, clock }
    }

    /// Changes something, for `reason`. Error: `validation_failed` where that names somebody.
    pub async fn change<T, F>(&self, reason: Option<String>, work: F) -> Result<T>
    where
        F: FnOnce(&mut Conn, &By) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let by = By { reason: audit::reason(reason)?, ..By::local(Actor::Cli, self.clock.now()) };
        self.db.write(move |conn| work(conn, &by)).await
    }

    /// Looks something up.
    pub async fn look<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.db.read(work).await
    }

    /// The database itself.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The present moment.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }
}
