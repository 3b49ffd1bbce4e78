//! Rows for every table, made from what the database says of its columns, and their sums, column by column.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl};
use postern::both;
use postern::db::Conn;
use postern::error::Result;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    tab: String,
    #[diesel(sql_type = Text)]
    col: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = Nullable<Text>)]
    all: Option<String>,
}

/// `table.column` with its number of rows and the hash of its values.
pub type Sums = BTreeMap<String, (i64, [u8; 32])>;

/// Adds a row to every table for each `n` of the range, the same value in every text: what refers to another table
/// finds its row there.
pub fn fill(conn: &mut Conn, from: i64, to: i64) -> Result<()> {
    let series = match conn {
        Conn::Sqlite(_) => {
            format!("WITH RECURSIVE s(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n < {to}) SELECT")
        }
        Conn::Pg(_) => format!("WITH s(n) AS (SELECT generate_series({from}::bigint, {to}::bigint)) SELECT"),
    };
    let tables = columns(conn)?;
    let mut open: BTreeSet<&String> = tables.keys().collect();
    // Those that refer to others come after them: whoever cannot be filled yet is tried again.
    while !open.is_empty() {
        let before = open.len();
        for table in open.clone() {
            let columns = &tables[table];
            let names: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let values: Vec<_> = columns.iter().map(|(_, kind)| value(conn, kind)).collect();
            let sql = format!("INSERT INTO {table} ({}) {series} {} FROM s", names.join(", "), values.join(", "));
            let done = postern::db::savepoint(conn, |conn| Ok(both!(conn, c => diesel::sql_query(&sql).execute(c))?));
            if done.is_ok() {
                open.remove(table);
            }
        }
        assert!(open.len() < before, "these tables take no rows: {open:?}");
    }
    Ok(())
}

fn value(conn: &Conn, kind: &str) -> String {
    let pg = matches!(conn, Conn::Pg(_));
    match kind {
        "text" => "'v' || n".to_owned(),
        "bytea" => "convert_to('v' || n, 'UTF8')".to_owned(),
        "blob" => "CAST('v' || n AS BLOB)".to_owned(),
        "boolean" if pg => "n % 2 = 1".to_owned(),
        "boolean" => "n % 2".to_owned(),
        kind if pg => format!("n::{kind}"),
        _ => "n".to_owned(),
    }
}

/// The sums of every column there is.
pub fn sums(conn: &mut Conn) -> Result<Sums> {
    let mut found = Sums::new();
    for (table, columns) in columns(conn)? {
        for (column, kind) in columns {
            let text = match (&mut *conn, kind.as_str()) {
                (Conn::Pg(_), "bytea") => format!("encode({column}, 'hex')"),
                (Conn::Sqlite(_), "blob") => format!("hex({column})"),
                _ => format!("CAST({column} AS TEXT)"),
            };
            let gather = if matches!(conn, Conn::Pg(_)) { "string_agg" } else { "group_concat" };
            let sql = format!(
                "SELECT count(*) AS rows, {gather}(v, ',') AS \"all\" FROM (SELECT {text} AS v FROM {table} ORDER BY 1) t"
            );
            let sum: Sum = both!(conn, c => diesel::sql_query(&sql).get_result(c))?;
            let hash = postern::secret::sha256(sum.all.unwrap_or_default().as_bytes());
            found.insert(format!("{table}.{column}"), (sum.rows, hash));
        }
    }
    Ok(found)
}

/// Columns that both know and that differ.
pub fn changed(one: &Sums, other: &Sums) -> Vec<String> {
    let both = one.iter().filter_map(|(column, sum)| Some((column, sum, other.get(column)?)));
    both.filter(|(_, one, other)| one != other).map(|(column, ..)| column.clone()).collect()
}

/// Tables with their columns and types.
fn columns(conn: &mut Conn) -> Result<BTreeMap<String, Vec<(String, String)>>> {
    let sql = match conn {
        Conn::Sqlite(_) => {
            "SELECT t.name AS tab, c.name AS col, lower(c.type) AS kind
             FROM sqlite_master t JOIN pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name <> '__diesel_schema_migrations' AND t.name NOT LIKE 'sqlite_%'"
        }
        Conn::Pg(_) => {
            "SELECT table_name::text AS tab, column_name::text AS col, data_type::text AS kind
             FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'"
        }
    };
    let rows: Vec<Column> = both!(conn, c => diesel::sql_query(sql).load(c))?;
    let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in rows {
        tables.entry(row.tab).or_default().push((row.col, row.kind));
    }
    Ok(tables)
}
