//! The schema goes up, down and up again on both databases, and both end in the same tables.

mod processes;
mod rows;
mod shape;

use postern::clock::Clock;
use postern::db::migrate;

use crate::harness::Backend;
use shape::{Shape, declared, difference};

async fn shape_of(backend: &Backend) -> Shape {
    backend.open(Clock::System).read(shape::read).await.unwrap()
}

fn names(tree: &str) -> Vec<String> {
    let folder = format!("{}/migrations/{tree}", env!("CARGO_MANIFEST_DIR"));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        for file in ["up.sql", "down.sql"] {
            assert!(entry.path().join(file).is_file(), "{tree}: {:?} has no {file}", entry.file_name());
        }
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    names
}

#[test]
fn both_trees_have_the_same_names() {
    assert_eq!(names("sqlite"), names("postgres"));
}

#[actix_web::test]
async fn the_schema_goes_up_down_and_up_again() {
    let backend = Backend::empty();
    let settings = backend.settings();
    let applied = migrate::run(&settings).unwrap().applied;
    assert_eq!(applied.len(), names("sqlite").len());
    let first = shape_of(&backend).await;
    for _ in &applied {
        migrate::undo_last(&settings).unwrap();
    }
    assert_eq!(shape_of(&backend).await, Shape::default(), "something is left behind");
    assert_eq!(migrate::run(&settings).unwrap().applied, applied);
    assert_eq!(difference(&first, &shape_of(&backend).await), Vec::<String>::new());
}

/// Rows of one filling.
const ROWS: i64 = 500;

#[actix_web::test]
async fn rows_of_every_table_outlive_every_migration_down_and_up() {
    let backend = Backend::fresh();
    let settings = backend.settings();
    let db = backend.open(Clock::System);
    let sums = async || db.read(rows::sums).await.unwrap();
    let pending = async || db.read(migrate::pending).await.unwrap().len();
    let full = shape_of(&backend).await;
    db.write(|conn| rows::fill(conn, 1_001, 1_000 + ROWS)).await.unwrap();
    let filled = sums().await;
    assert!(filled.values().all(|(count, _)| *count >= ROWS), "a table without rows");
    // Down to the first, which makes the tables; what a migration did not touch is as it was.
    let mut levels = vec![filled];
    while pending().await + 1 < names("sqlite").len() {
        migrate::undo_last(&settings).unwrap();
        let now = sums().await;
        assert_eq!(rows::changed(levels.last().unwrap(), &now), Vec::<String>::new());
        levels.push(now);
    }
    // Rows of the old version's own, then up again.
    db.write(|conn| rows::fill(conn, 11_001, 11_000 + ROWS)).await.unwrap();
    let old = sums().await;
    migrate::run(&settings).unwrap();
    assert_eq!(rows::changed(&old, &sums().await), Vec::<String>::new());
    assert_eq!(difference(&full, &shape_of(&backend).await), Vec::<String>::new());
}

#[actix_web::test]
async fn nothing_is_pending_after_a_run_and_a_second_run_does_nothing() {
    let backend = Backend::fresh();
    assert_eq!(migrate::run(&backend.settings()).unwrap().applied, Vec::<String>::new());
    assert_eq!(backend.open(Clock::System).read(migrate::pending).await.unwrap(), Vec::<String>::new());
}

#[test]
fn of_five_that_start_at_once_one_migrates_and_the_others_wait() {
    let backend = Backend::empty();
    let settings = backend.settings();
    let starts: Vec<_> = (0..5)
        .map(|_| {
            let settings = settings.clone();
            std::thread::spawn(move || migrate::run(&settings).unwrap().applied.len())
        })
        .collect();
    let applied: usize = starts.into_iter().map(|start| start.join().unwrap()).sum();
    assert_eq!(applied, names("sqlite").len());
}

#[actix_web::test]
async fn a_binary_older_than_the_schema_refuses_to_start() {
    let backend = Backend::fresh();
    backend.open(Clock::System).write(shape::pretend_a_newer_version_ran).await.unwrap();
    let fault = migrate::run(&backend.settings()).unwrap_err();
    assert!(fault.cause_text().unwrap().contains("older than the schema"), "{:?}", fault.cause_text());
}

#[actix_web::test]
async fn the_tables_are_those_of_the_schema_in_rust() {
    let shape = shape_of(&Backend::fresh()).await;
    assert_eq!(difference(&shape.columns_only(), &declared()), Vec::<String>::new());
}

#[actix_web::test]
async fn both_databases_end_in_the_same_shape() {
    if Backend::server().is_none() {
        // Nothing to compare with: the run on PostgreSQL compares both.
        return;
    }
    let sqlite = Backend::empty_sqlite();
    migrate::run(&sqlite.settings()).unwrap();
    let difference = difference(&shape_of(&sqlite).await, &shape_of(&Backend::fresh()).await);
    assert_eq!(difference, Vec::<String>::new(), "SQLite has what stands behind -, PostgreSQL what stands behind +");
}
