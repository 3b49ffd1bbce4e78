//! How the configuration's words become the database's settings.

use crate::config::{Config, DatabaseUrl};
use crate::db::{Address, Patience, Settings};

impl Settings {
    /// The database that `config` names.
    pub fn of(config: &Config) -> Settings {
        let address = match config.database_url() {
            DatabaseUrl::Sqlite(path) => Address::Sqlite(path),
            DatabaseUrl::Postgres(url) => Address::Postgres(url.expose().clone()),
        };
        let keys = &config.database;
        Settings {
            address,
            readers: keys.readers,
            writers: keys.writers,
            queue_depth: usize::try_from(keys.queue).unwrap_or(usize::MAX),
            patience: Patience {
                lock: keys.lock_timeout,
                statement: keys.statement_timeout,
                answer: keys.answer_timeout,
            },
        }
    }
}
