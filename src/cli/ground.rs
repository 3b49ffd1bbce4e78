//! The database as commands use it: opened, brought up to date, with its plans.

use crate::accounts;
use crate::audit::{Actor, By};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Conn, Db, Settings, migrate};
use crate::error::Result;

/// A database that is ready for a command.
pub struct Ground {
    db: Db,
    clock: Clock,
}

impl Ground {
    /// Makes what is missing (directory, schema, plans, the configured first owner) and opens the database.
    pub async fn ready(config: &Config) -> anyhow::Result<Ground> {
        config.make_data_dir()?;
        let settings = Settings::of(config);
        let to_migrate = settings.clone();
        tokio::task::spawn_blocking(move || migrate::run(&to_migrate)).await??;
        let ground = Ground { db: Db::open(&settings, Clock::System)?, clock: Clock::System };
        let now = ground.clock.now();
        let token = config.node.operator_token.clone();
        ground
            .db
            .write(move |conn| {
                accounts::seed(conn, now)?;
                token.map_or(Ok(()), |token| accounts::ensure_first_owner(conn, now, &token))
            })
            .await?;
        Ok(ground)
    }

    /// Changes something, told to the audit log as done at the machine, for `reason`.
    pub async fn change<T, F>(&self, reason: Option<String>, work: F) -> Result<T>
    where
        F: FnOnce(&mut Conn, &By) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let by = By { reason, ..By::local(Actor::Cli, self.clock.now()) };
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

    /// The present moment.
    pub fn now(&self) -> crate::clock::Millis {
        self.clock.now()
    }
}
