//! What the guard goes by, in memory: lists and rules at most 800 ms old, so that a change acts within a second on every
//! process, and at once on the one that made it. Each is read anew only where it has changed.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::book::Book;
use super::engine::Rules;
use super::lists::Lists;
use super::store;
use super::watch::Watch;
use crate::app::{App, FromApp};
use crate::error::Result;

const FRESH_FOR: Duration = Duration::from_millis(800);

/// What an attempt is judged by.
#[derive(Clone)]
pub struct Guards {
    /// What is listed by hand.
    pub lists: Arc<Lists>,
    /// The engine's rules.
    pub book: Arc<Book>,
    /// The engine.
    pub watch: Arc<Watch>,
}

/// What this process knows.
struct Known {
    /// Since when; never where something has been changed here.
    at: Option<Instant>,
    lists_version: i64,
    guards: Guards,
}

/// Its place in memory.
#[derive(Default)]
struct Shelf(RwLock<Option<Known>>);

impl FromApp for Shelf {
    fn from_app(_app: &App) -> Self {
        Shelf::default()
    }
}

/// The guards as they stand.
pub async fn guards(app: &App) -> Result<Guards> {
    let shelf = app.room::<Shelf>();
    let kept = {
        let known = shelf.0.read().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(known) if known.at.is_some_and(|at| at.elapsed() < FRESH_FOR) => return Ok(known.guards.clone()),
            known => known.as_ref().map(|known| (known.lists_version, known.guards.clone())),
        }
    };
    let (at, now, watch) = (Instant::now(), app.clock.now(), app.room::<Watch>());
    let (lists_version, guards) = app
        .db
        .read(move |conn| {
            let (lists_version, rules_version) = store::versions(conn)?;
            let (known_lists, book) = match kept {
                Some((version, guards)) => (Some((version, guards.lists)), Some(guards.book)),
                None => (None, None),
            };
            let lists = match known_lists {
                Some((version, lists)) if version == lists_version => lists,
                _ => Arc::new(Lists::of(store::all_entries(conn, now)?)),
            };
            let book = match book {
                Some(book) if book.version == rules_version => book,
                _ => Arc::new(read_book(conn)?),
            };
            Ok((lists_version, Guards { lists, book, watch }))
        })
        .await?;
    let known = Known { at: Some(at), lists_version, guards: guards.clone() };
    *shelf.0.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
    Ok(guards)
}

fn read_book(conn: &mut crate::db::Conn) -> Result<Book> {
    Ok(match store::latest_rules(conn)? {
        Some(kept) => Book::new(kept.version, kept.rules()?),
        None => Book::new(0, Rules::built_in()),
    })
}

/// Makes the guards old: somebody changed a list or a rule.
pub fn forget_guards(app: &App) {
    if let Some(known) = app.room::<Shelf>().0.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
        known.at = None;
    }
}
