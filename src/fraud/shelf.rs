//! What the guard goes by, in memory: lists and rules, each read anew only where it has changed.

use std::sync::Arc;
use std::time::Instant;

use super::book::Book;
use super::engine::Rules;
use super::lists::Lists;
use super::store;
use super::watch::Watch;
use crate::app::{App, FromApp};
use crate::db::{Conn, Fresh};
use crate::error::Result;

/// What an attempt is judged by.
#[derive(Clone)]
pub struct Guards {
    /// What is listed by hand.
    pub lists: Arc<Lists>,
    /// The engine's rules.
    pub book: Arc<Book>,
    /// The engine.
    pub watch: Arc<Watch>,
    /// Which state of the lists it is.
    lists_version: i64,
}

/// Its place in memory.
#[derive(Default)]
struct Shelf(Fresh<Guards>);

impl FromApp for Shelf {
    fn from_app(_app: &App) -> Self {
        Shelf::default()
    }
}

/// The guards as they stand.
pub async fn guards(app: &App) -> Result<Guards> {
    let shelf = app.room::<Shelf>();
    let kept = match shelf.0.get() {
        Ok(guards) => return Ok(guards),
        Err(kept) => kept,
    };
    let (at, now, watch) = (Instant::now(), app.clock.now(), app.room::<Watch>());
    let guards = app
        .db
        .read(move |conn| {
            let (lists_version, rules_version) = store::versions(conn)?;
            let lists = match &kept {
                Some(kept) if kept.lists_version == lists_version => Arc::clone(&kept.lists),
                _ => Arc::new(Lists::of(store::all_entries(conn, now)?)),
            };
            let book = match &kept {
                Some(kept) if kept.book.version == rules_version => Arc::clone(&kept.book),
                _ => Arc::new(read_book(conn)?),
            };
            Ok(Guards { lists, book, watch, lists_version })
        })
        .await?;
    shelf.0.put(at, guards.clone());
    Ok(guards)
}

fn read_book(conn: &mut Conn) -> Result<Book> {
    Ok(match store::latest_rules(conn)? {
        Some(kept) => Book::new(kept.version, kept.rules()?),
        None => Book::new(0, Rules::built_in()),
    })
}

/// Makes the guards old: somebody changed a list or a rule.
pub fn forget_guards(app: &App) {
    app.room::<Shelf>().0.forget();
}
