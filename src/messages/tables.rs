//! Small tables that every send looks at, kept in memory: prices, routes, drains, senders, spend caps, WhatsApp numbers. At most 800 ms
//! old, so that an operator's change acts within a second on every node, and at once on the node that made it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::app::{App, FromApp};
use crate::error::Result;
use crate::ids::OrgId;
use crate::routing::senders::{self, Pool};
use crate::routing::{self, Pauses, Route};
use crate::wallet::{self, Cap, Price};
use crate::whatsapp::{self, Numbers};

const FRESH_FOR: Duration = Duration::from_millis(800);

/// The tables as they stand.
#[derive(Clone)]
pub struct Tables {
    /// The price list.
    pub prices: Arc<Vec<Price>>,
    /// The routes.
    pub routes: Arc<Vec<Route>>,
    /// Carriers that take no new hand-offs.
    pub draining: Arc<BTreeSet<String>>,
    /// What operators have stopped.
    pub pauses: Arc<Pauses>,
    /// Who messages may come from.
    pub senders: Arc<Pool>,
    /// Each organization's spend caps.
    pub caps: Arc<BTreeMap<OrgId, Vec<Cap>>>,
    /// WhatsApp numbers.
    pub numbers: Arc<Numbers>,
}

/// The tables in memory.
#[derive(Default)]
pub struct Shelf(RwLock<Option<(Instant, Tables)>>);

impl FromApp for Shelf {
    fn from_app(_app: &App) -> Self {
        Shelf::default()
    }
}

/// The tables, read anew where they are too old.
pub async fn tables(app: &App) -> Result<Tables> {
    let shelf = app.room::<Shelf>();
    if let Some((at, tables)) = &*shelf.0.read().unwrap_or_else(PoisonError::into_inner)
        && at.elapsed() < FRESH_FOR
    {
        return Ok(tables.clone());
    }
    let read = app
        .db
        .read(|conn| {
            Ok(Tables {
                prices: Arc::new(wallet::load_prices(conn)?),
                routes: Arc::new(routing::load(conn)?),
                draining: Arc::new(routing::draining(conn)?),
                pauses: Arc::new(routing::pauses(conn)?),
                senders: Arc::new(Pool::new(senders::load(conn)?)),
                caps: Arc::new(wallet::load_caps(conn)?),
                numbers: Arc::new(Numbers::new(whatsapp::load_numbers(conn)?)),
            })
        })
        .await?;
    *shelf.0.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), read.clone()));
    Ok(read)
}

/// Forgets the tables: an operator changed one.
pub fn forget_tables(app: &App) {
    *app.room::<Shelf>().0.write().unwrap_or_else(PoisonError::into_inner) = None;
}
