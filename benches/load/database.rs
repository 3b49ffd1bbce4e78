//! The database of a run, made and looked at from outside.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use crate::args::{Args, Kind};

/// A database of a run; a PostgreSQL one is dropped with this value.
pub struct Database {
    place: Place,
}

enum Place {
    File(PathBuf),
    Server { admin: String, name: String },
}

/// A connection to either.
pub enum Conn {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Pg(PgConnection),
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Pid {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    text: String,
}

impl Database {
    /// A fresh one for a run whose files lie in `dir`.
    pub fn create(args: &Args, dir: &Path) -> anyhow::Result<Database> {
        let place = match args.database {
            Kind::Sqlite => Place::File(dir.join("data").join("postern.db")),
            Kind::Postgres => {
                let admin = args.database_url.clone().context("--database postgres needs --database-url")?;
                let name = format!("load_{}", postern::secret::random_token::<12>().to_lowercase());
                let mut conn = PgConnection::establish(&admin)?;
                diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut conn)?;
                Place::Server { admin, name }
            }
        };
        Ok(Database { place })
    }

    /// The server's variable for it; none for the file in its data directory.
    pub fn url(&self) -> Option<String> {
        match &self.place {
            Place::File(_) => None,
            Place::Server { admin, name } => Some(sibling(admin, name)),
        }
    }

    /// A connection.
    pub fn connect(&self) -> anyhow::Result<Conn> {
        Ok(match &self.place {
            Place::File(path) => Conn::Sqlite(SqliteConnection::establish(&path.display().to_string())?),
            Place::Server { admin, name } => Conn::Pg(PgConnection::establish(&sibling(admin, name))?),
        })
    }

    /// Rows of `table`, of those that `condition` holds for.
    pub fn count(&self, table: &str, condition: &str) -> anyhow::Result<u64> {
        let number = self.connect()?.number(&format!("SELECT count(*) AS number FROM {table} WHERE {condition}"))?;
        Ok(u64::try_from(number)?)
    }

    /// The processes of the database, besides the servers under test: the first of PostgreSQL's, where it runs here.
    pub fn pids(&self) -> anyhow::Result<Vec<u32>> {
        let Conn::Pg(mut conn) = self.connect_if_server()? else { return Ok(Vec::new()) };
        let backend: Pid = diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result(&mut conn)?;
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", backend.pid)) else { return Ok(Vec::new()) };
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        Ok(parent.into_iter().collect())
    }

    fn connect_if_server(&self) -> anyhow::Result<Conn> {
        match &self.place {
            Place::File(_) => Ok(Conn::Sqlite(SqliteConnection::establish(":memory:")?)),
            Place::Server { .. } => self.connect(),
        }
    }
}

impl Conn {
    /// Runs statements that answer nothing.
    pub fn run(&mut self, sql: &str) -> anyhow::Result<()> {
        use diesel::connection::SimpleConnection;
        match self {
            Conn::Sqlite(conn) => conn.batch_execute(sql)?,
            Conn::Pg(conn) => conn.batch_execute(sql)?,
        }
        Ok(())
    }

    /// Runs a query that answers one whole number, named `number`.
    pub fn number(&mut self, sql: &str) -> anyhow::Result<i64> {
        let row: Number = match self {
            Conn::Sqlite(conn) => diesel::sql_query(sql).get_result(conn)?,
            Conn::Pg(conn) => diesel::sql_query(sql).get_result(conn)?,
        };
        Ok(row.number)
    }
}

/// What filling needs.
impl Conn {
    /// Makes this connection write without waiting for the disk.
    pub fn hasty(&mut self) -> anyhow::Result<()> {
        match self {
            Conn::Sqlite(_) => {
                self.run("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA busy_timeout = 20000")
            }
            Conn::Pg(_) => self.run("SET synchronous_commit = off"),
        }
    }

    /// The columns of a table, in order.
    pub fn columns(&mut self, table: &str) -> anyhow::Result<Vec<String>> {
        let words: Vec<Word> = match self {
            Conn::Sqlite(conn) => {
                diesel::sql_query(format!("SELECT name AS text FROM pragma_table_info('{table}')")).load(conn)?
            }
            Conn::Pg(conn) => diesel::sql_query(format!(
                "SELECT column_name::text AS text FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
            ))
            .load(conn)?,
        };
        Ok(words.into_iter().map(|word| word.text).collect())
    }

    /// Runs a query that answers one text, named `text`.
    pub fn text(&mut self, sql: &str) -> anyhow::Result<Option<String>> {
        let word: Option<Word> = match self {
            Conn::Sqlite(conn) => diesel::sql_query(sql).get_result(conn).optional()?,
            Conn::Pg(conn) => diesel::sql_query(sql).get_result(conn).optional()?,
        };
        Ok(word.map(|word| word.text))
    }

    /// An expression of `count` (16 or 32) bytes that differ for every `n`.
    pub fn bytes(&self, count: u32) -> String {
        match (self, count) {
            (Conn::Sqlite(_), count) => format!("randomblob({count})"),
            (Conn::Pg(_), 16) => String::from("decode(md5(CAST(n AS TEXT)), 'hex')"),
            (Conn::Pg(_), _) => String::from("sha256(convert_to(CAST(n AS TEXT), 'UTF8'))"),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Place::Server { admin, name } = &self.place else { return };
        let dropped = PgConnection::establish(admin).map_err(anyhow::Error::from).and_then(|mut conn| {
            Ok(diesel::sql_query(format!("DROP DATABASE {name} WITH (FORCE)")).execute(&mut conn)?)
        });
        if let Err(fault) = dropped {
            eprintln!("load: the database {name} is left behind: {fault}");
        }
    }
}

/// The same address with another database's name.
fn sibling(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let after_host = address.find("://").map_or(0, |at| at + 3);
    let host = address.get(after_host..).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let base = address.get(..after_host + host.len()).unwrap_or_default();
    match options {
        Some(options) => format!("{base}/{name}?{options}"),
        None => format!("{base}/{name}"),
    }
}

/// The process of the Redis at `url`, where it runs here.
pub fn redis_pid(url: &str) -> anyhow::Result<u32> {
    use std::io::{Read, Write};
    let rest = url.strip_prefix("redis://").context("a Redis address begins with redis://")?;
    let (login, host) = rest.rsplit_once('@').unwrap_or(("", rest));
    let host = host.split('/').next().unwrap_or(host);
    let mut stream = std::net::TcpStream::connect(host)?;
    stream.set_read_timeout(Some(std::time::Duration::from_secs(2)))?;
    if let Some((user, password)) = login.split_once(':') {
        let user = if user.is_empty() { "default" } else { user };
        write!(stream, "AUTH {user} {password}\r\n")?;
    }
    write!(stream, "INFO server\r\nQUIT\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    match text.lines().find_map(|line| line.strip_prefix("process_id:")?.trim().parse().ok()) {
        Some(pid) => Ok(pid),
        None => bail!("Redis at {host} does not say its process id: {}", text.lines().next().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sibling_differs_in_its_name_only() {
        assert_eq!(sibling("postgres://u:p@h:5/postgres", "x"), "postgres://u:p@h:5/x");
        assert_eq!(sibling("postgres://u@h?sslmode=disable", "x"), "postgres://u@h/x?sslmode=disable");
    }
}
