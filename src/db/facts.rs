//! What the database says of itself: for the operators' status and the support bundle.

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;

use super::Conn;
use crate::error::Result;

/// A database's kind, version and size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// `sqlite` or `postgresql`.
    pub kind: &'static str,
    /// The version of its program.
    pub version: String,
    /// Bytes on disk, without SQLite's log.
    pub bytes: i64,
}

/// How many rows a table has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TableRows {
    /// The table.
    #[schema(example = "orgs")]
    pub table: String,
    /// Its rows; no more than `100000` are counted.
    pub rows: i64,
    /// Whether there are more.
    pub more: bool,
}

/// Rows that are counted in one table: a look at a large database is no load on it.
const COUNTED: i64 = 100_000;

#[derive(QueryableByName)]
struct Size {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = Text)]
    version: String,
}

/// Asks the database.
pub fn facts(conn: &mut Conn) -> Result<Facts> {
    let (kind, sql) = match conn {
        Conn::Sqlite(_) => (
            "sqlite",
            "SELECT page_count * page_size AS bytes, sqlite_version() AS version FROM pragma_page_count, pragma_page_size",
        ),
        Conn::Pg(_) => (
            "postgresql",
            "SELECT pg_database_size(current_database()) AS bytes, current_setting('server_version') AS version",
        ),
    };
    let found: Size = crate::both!(conn, c => diesel::sql_query(sql).get_result(c))?;
    Ok(Facts { kind, version: found.version, bytes: found.bytes })
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Counts the rows of every table.
pub fn tables(conn: &mut Conn) -> Result<Vec<TableRows>> {
    let sql = match conn {
        Conn::Sqlite(_) => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        }
        Conn::Pg(_) => "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1",
    };
    let names: Vec<Name> = crate::both!(conn, c => diesel::sql_query(sql).load(c))?;
    names.into_iter().map(|Name { name }| count(conn, name)).collect()
}

/// The name comes from the catalogue.
fn count(conn: &mut Conn, table: String) -> Result<TableRows> {
    let most = COUNTED + 1;
    let sql = format!("SELECT COUNT(*) AS count FROM (SELECT 1 AS one FROM \"{table}\" LIMIT {most}) AS few");
    let found: Count = crate::both!(conn, c => diesel::sql_query(&sql).get_result(c))?;
    Ok(TableRows { table, rows: found.count.min(COUNTED), more: found.count > COUNTED })
}
