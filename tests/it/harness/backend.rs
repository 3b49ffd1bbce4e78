//! A database of its own for every test: a file on SQLite, a copy of a migrated template on PostgreSQL.

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use postern::clock::Clock;
use postern::db::{Address, Db, Patience, Settings, migrate};

/// The database of one test; gone when dropped.
pub struct Backend {
    /// `sqlite://…` or `postgres://…`, as configuration takes it.
    pub url: String,
    place: Place,
}

enum Place {
    Folder(PathBuf),
    Kept,
    Server { admin: String, name: String },
}

impl Backend {
    /// A migrated, empty database: on PostgreSQL if the run asks for it, else on SQLite.
    pub fn fresh() -> Backend {
        match Self::server() {
            None => Self::migrated(Self::empty_sqlite()),
            Some(admin) => Self::created(&admin, Some(&template(&admin))),
        }
    }

    /// A database without tables, of the kind this run is about.
    pub fn empty() -> Backend {
        match Self::server() {
            None => Self::empty_sqlite(),
            Some(admin) => Self::created(&admin, None),
        }
    }

    /// A migrated, empty database on this PostgreSQL server.
    pub fn on(admin: &str) -> Backend {
        Self::migrated(Self::created(admin, None))
    }

    /// A file that is not there yet, whatever this run is about.
    pub fn empty_sqlite() -> Backend {
        let folder = std::env::temp_dir().join(unique("postern-it"));
        std::fs::create_dir_all(&folder).unwrap();
        Backend { url: format!("sqlite://{}", folder.join("postern.db").display()), place: Place::Folder(folder) }
    }

    /// A migrated file in this folder, which stays when the test is over.
    pub fn sqlite_in(folder: &std::path::Path) -> Backend {
        let url = format!("sqlite://{}", folder.join("postern.db").display());
        Self::migrated(Backend { url, place: Place::Kept })
    }

    /// The PostgreSQL server of this run, if it is about one.
    #[expect(clippy::disallowed_methods, reason = "the run's own switch, not configuration of the product")]
    pub fn server() -> Option<String> {
        std::env::var("POSTERN_TEST_DATABASE").ok().filter(|url| !url.is_empty())
    }

    /// What `Db::open` and the migrations take; small pools, since many tests share a server.
    pub fn settings(&self) -> Settings {
        settings(&self.url)
    }

    /// An open database on it, without the rest of the application.
    pub fn open(&self, clock: Clock) -> Db {
        Db::open(&self.settings(), clock).unwrap()
    }

    fn migrated(self) -> Backend {
        migrate::run(&self.settings()).unwrap();
        self
    }

    fn created(admin: &str, template: Option<&str>) -> Backend {
        let name = unique("it");
        let from = template.unwrap_or("template0");
        connect(admin).batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {from}")).unwrap();
        Backend { url: with_database(admin, &name), place: Place::Server { admin: admin.to_owned(), name } }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        // A failed clean-up must not hide why the test failed; the run removes the whole server at its end.
        match &self.place {
            Place::Folder(folder) => drop(std::fs::remove_dir_all(folder)),
            Place::Kept => {}
            Place::Server { admin, name } => {
                if let Ok(mut conn) = PgConnection::establish(admin) {
                    drop(conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
                }
            }
        }
    }
}

fn settings(url: &str) -> Settings {
    Settings {
        address: Address::parse(url).unwrap(),
        readers: 2,
        writers: 2,
        queue_depth: 1024,
        patience: Patience {
            lock: Duration::from_secs(5),
            statement: Duration::from_secs(10),
            answer: Duration::from_secs(60),
        },
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    found: bool,
}

/// The migrated database that tests are copied from; made by whichever test comes first, named by what it was made of.
fn template(admin: &str) -> String {
    let name = format!("postern_template_{:016x}", fingerprint());
    let mut conn = connect(admin);
    conn.batch_execute("SELECT pg_advisory_lock(7061)").unwrap();
    let sql = format!("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{name}') AS found");
    let found: Found = diesel::sql_query(sql).get_result(&mut conn).unwrap();
    if !found.found {
        let raw = unique("raw");
        conn.batch_execute(&format!("CREATE DATABASE {raw}")).unwrap();
        migrate::run(&settings(&with_database(admin, &raw))).unwrap();
        conn.batch_execute(&format!("ALTER DATABASE {raw} RENAME TO {name}")).unwrap();
    }
    name
}

/// Changes with every edit of a migration, so that a kept server never hands out an old template.
fn fingerprint() -> u64 {
    use std::hash::{Hash, Hasher};
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut folders: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut hasher = std::hash::DefaultHasher::new();
    for folder in folders {
        folder.file_name().hash(&mut hasher);
        std::fs::read(folder.join("up.sql")).unwrap().hash(&mut hasher);
    }
    hasher.finish()
}

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

fn unique(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::new_v4().simple())
}
