//! The lists in memory: at most 800 ms old, so that a change acts within a second on every process, and at once on the one
//! that made it. Read anew only where they have changed.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::lists::Lists;
use super::store;
use crate::app::{App, FromApp};
use crate::error::Result;

const FRESH_FOR: Duration = Duration::from_millis(800);

/// What this process knows.
struct Known {
    /// Since when; never where they have been changed here.
    at: Option<Instant>,
    version: i64,
    lists: Arc<Lists>,
}

/// The lists' place in memory.
#[derive(Default)]
struct Shelf(RwLock<Option<Known>>);

impl FromApp for Shelf {
    fn from_app(_app: &App) -> Self {
        Shelf::default()
    }
}

/// The lists as they stand.
pub async fn lists(app: &App) -> Result<Arc<Lists>> {
    let shelf = app.room::<Shelf>();
    let kept = {
        let known = shelf.0.read().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(known) if known.at.is_some_and(|at| at.elapsed() < FRESH_FOR) => return Ok(known.lists.clone()),
            known => known.as_ref().map(|known| (known.version, known.lists.clone())),
        }
    };
    let (at, now) = (Instant::now(), app.clock.now());
    let (version, lists) = app
        .db
        .read(move |conn| {
            let version = store::lists_version(conn)?;
            Ok(match kept {
                Some((known, lists)) if known == version => (version, lists),
                _ => (version, Arc::new(Lists::of(store::all_entries(conn, now)?))),
            })
        })
        .await?;
    let known = Known { at: Some(at), version, lists: lists.clone() };
    *shelf.0.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
    Ok(lists)
}

/// Makes the lists old: somebody changed one.
pub fn forget_lists(app: &App) {
    if let Some(known) = app.room::<Shelf>().0.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
        known.at = None;
    }
}
