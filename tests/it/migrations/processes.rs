//! Real processes that meet on one database to migrate it, or die while they do.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use postern::clock::Clock;
use postern::db::migrate;

use crate::harness::Backend;
use crate::harness::process::Server;

/// A folder for `serve` on a database that may have no tables yet.
struct Place {
    folder: PathBuf,
    backend: Backend,
}

impl Place {
    fn on(backend: Backend) -> Place {
        let folder = std::env::temp_dir().join(format!("postern-race-{}", postern::secret::random_token::<12>()));
        std::fs::create_dir(&folder).unwrap();
        Place { folder, backend }
    }

    fn start(&self, name: &str, traps: &str) -> Server {
        let data = self.folder.join(name).display().to_string();
        let env = [
            ("POSTERN_BIND", "127.0.0.1:0"),
            ("POSTERN_METRICS_BIND", "off"),
            ("POSTERN_DATA_DIR", &data),
            ("POSTERN_DATABASE_URL", &self.backend.url),
            ("POSTERN_SECRET_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
            ("POSTERN_LIMITS_SEVERAL_NODES", "divide"),
            ("FAILPOINTS", traps),
        ];
        let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Server::spawn(&self.folder, &self.folder.join(format!("{name}.log")), &env)
    }

    async fn pending(&self) -> Vec<String> {
        self.backend.open(Clock::System).read(migrate::pending).await.unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// A database as the release before left it: without the newest migration, or empty where there is only one.
fn old() -> Backend {
    let backend = Backend::fresh();
    migrate::undo_last(&backend.settings()).unwrap();
    backend
}

#[actix_web::test]
async fn five_processes_start_at_once_on_an_empty_and_on_an_old_database() {
    for backend in [Backend::empty(), old()] {
        let place = Place::on(backend);
        let mut servers: Vec<_> = (0..5).map(|n| place.start(&format!("p{n}"), "")).collect();
        for server in &mut servers {
            server.ready().await;
        }
        assert_eq!(place.pending().await, Vec::<String>::new());
    }
}

#[actix_web::test]
async fn after_a_death_in_mid_migration_the_next_start_succeeds() {
    for backend in [Backend::empty(), old()] {
        let place = Place::on(backend);
        let before = place.pending().await;
        assert!(!before.is_empty());
        let mut dying = place.start("dies", "migrate.mid=abort");
        assert_eq!(dying.end().await, -6, "{}", dying.said());
        assert_eq!(place.pending().await, before, "half a migration is none");
        place.start("lives", "").ready().await;
        assert_eq!(place.pending().await, Vec::<String>::new());
    }
}

#[actix_web::test]
async fn an_older_binary_says_that_the_schema_is_newer_and_ends() {
    let place = Place::on(Backend::fresh());
    place.backend.open(Clock::System).write(super::shape::pretend_a_newer_version_ran).await.unwrap();
    let from = Instant::now();
    let mut server = place.start("old", "");
    assert_eq!(server.end().await, 1);
    assert!(from.elapsed() < Duration::from_secs(10));
    let said = server.said();
    assert!(said.contains("older than the schema") && said.contains("29991231000000"), "{said}");
    assert!(!said.contains("INSERT") && !said.contains("SELECT"), "{said}");
}
