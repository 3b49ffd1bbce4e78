//! What every use case is handed: the ground, wired once, and a shelf for what rooms keep in memory.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::clock::{Clock, Millis};
use crate::config::Config;
use crate::db::Db;
use crate::error::Result;
use crate::limits::Door;
use crate::nodes::Nodes;
use crate::providers::Carriers;
use crate::secret::Keyring;

/// The running application. Cheap to share behind an `Arc`.
pub struct App {
    /// What the operator configured.
    pub config: Config,
    /// Time.
    pub clock: Clock,
    /// The database.
    pub db: Db,
    /// This process among the others on the database.
    pub nodes: Arc<Nodes>,
    /// Request-level limits.
    pub door: Door,
    /// MACs and sealing.
    pub keyring: Keyring,
    /// Ways out.
    pub carriers: Carriers,
    /// When this process was wired.
    pub started_at: Millis,
    shelf: RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// The ground's parts, before they are an `App`.
pub struct Ground {
    /// See [`App::config`].
    pub config: Config,
    /// See [`App::clock`].
    pub clock: Clock,
    /// See [`App::db`].
    pub db: Db,
    /// See [`App::keyring`].
    pub keyring: Keyring,
    /// See [`App::carriers`].
    pub carriers: Carriers,
}

impl App {
    /// Wires the ground.
    ///
    /// # Errors
    /// `internal` where the limits' link to Redis cannot be set up.
    pub fn new(ground: Ground) -> Result<App> {
        let nodes = Arc::new(Nodes::new(&ground.config, &ground.clock));
        Ok(App {
            door: Door::new(&ground.config, &ground.clock, Arc::clone(&nodes))?,
            nodes,
            started_at: ground.clock.now(),
            config: ground.config,
            clock: ground.clock,
            db: ground.db,
            keyring: ground.keyring,
            carriers: ground.carriers,
            shelf: RwLock::default(),
        })
    }

    /// What a room keeps in memory (a cache, a queue): made at first use, one of each type. App names no room; a
    /// room's own type is the key to its own place.
    pub fn room<T: FromApp>(&self) -> Arc<T> {
        let key = TypeId::of::<T>();
        let found = self.shelf.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(kept) = found.and_then(|any| any.downcast::<T>().ok()) {
            return kept;
        }
        let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        let kept = shelf.entry(key).or_insert_with(|| Arc::new(T::from_app(self))).clone();
        kept.downcast::<T>().unwrap_or_else(|_| Arc::new(T::from_app(self)))
    }
}

/// Something a room keeps on the shelf.
pub trait FromApp: Send + Sync + 'static {
    /// Makes it; must not ask the shelf for anything.
    fn from_app(app: &App) -> Self;
}
