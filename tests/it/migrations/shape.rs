//! A schema as a set of sentences that mean the same on both databases.

use std::collections::BTreeSet;

use diesel::{QueryableByName, RunQueryDsl};
use postern::both;
use postern::db::Conn;
use postern::error::Result;

/// `orgs.name text not null`, `orgs primary key (id)`, `index x on orgs (plan)`, `orgs.plan references plans.name`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shape(BTreeSet<String>);

impl Shape {
    /// What the schema in Rust can say: columns and primary keys.
    pub fn columns_only(self) -> Shape {
        let told = |line: &String| {
            !line.starts_with("index ") && !line.contains(" references ") && !line.contains(" unique (")
        };
        Shape(self.0.into_iter().filter(told).collect())
    }
}

/// What one has and the other lacks.
pub fn difference(one: &Shape, other: &Shape) -> Vec<String> {
    let lost = one.0.difference(&other.0).map(|line| format!("- {line}"));
    let won = other.0.difference(&one.0).map(|line| format!("+ {line}"));
    lost.chain(won).collect()
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// Reads the shape of the database.
pub fn read(conn: &mut Conn) -> Result<Shape> {
    let queries = match conn {
        Conn::Sqlite(_) => SQLITE,
        Conn::Pg(_) => POSTGRES,
    };
    let mut lines = BTreeSet::new();
    for query in queries {
        let rows: Vec<Line> = both!(conn, c => diesel::sql_query(*query).load(c))?;
        lines.extend(rows.into_iter().map(|row| row.line));
    }
    Ok(Shape(lines))
}

/// Leaves the mark of a migration that this binary does not know.
pub fn pretend_a_newer_version_ran(conn: &mut Conn) -> Result<()> {
    let sql = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')";
    both!(conn, c => diesel::sql_query(sql).execute(c))?;
    Ok(())
}

const SQLITE: &[&str] = &[
    "SELECT t.name || '.' || c.name || ' ' || lower(c.type) || CASE WHEN c.\"notnull\" THEN ' not null' ELSE '' END AS line
     FROM sqlite_master t JOIN pragma_table_info(t.name) c
     WHERE t.type = 'table' AND t.name <> '__diesel_schema_migrations' AND t.name NOT LIKE 'sqlite_%'",
    "SELECT t.name || ' primary key (' || (SELECT group_concat(name, ', ')
       FROM (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk)) || ')' AS line
     FROM sqlite_master t WHERE t.type = 'table' AND t.name <> '__diesel_schema_migrations' AND t.name NOT LIKE 'sqlite_%'",
    "SELECT CASE i.origin WHEN 'u' THEN t.name || ' unique' ELSE
         CASE WHEN i.\"unique\" THEN 'index unique ' ELSE 'index ' END || i.name || ' on ' || t.name END
       || ' (' || (SELECT group_concat(name, ', ')
         FROM (SELECT name || CASE WHEN \"desc\" THEN ' DESC' ELSE '' END AS name
               FROM pragma_index_xinfo(i.name) WHERE key ORDER BY seqno)) || ')'
       || CASE WHEN i.partial THEN ' partial' ELSE '' END AS line
     FROM sqlite_master t JOIN pragma_index_list(t.name) i
     WHERE t.type = 'table' AND i.origin <> 'pk' AND t.name <> '__diesel_schema_migrations'",
    "SELECT t.name || '.' || f.\"from\" || ' references ' || f.\"table\" || '.' || coalesce(f.\"to\", 'id') AS line
     FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'",
];

const POSTGRES: &[&str] = &[
    "SELECT table_name || '.' || column_name || ' ' || replace(data_type, 'bytea', 'blob')
       || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END AS line
     FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'",
    "SELECT CASE WHEN x.indisprimary THEN t.relname || ' primary key'
         WHEN k.oid IS NOT NULL THEN t.relname || ' unique'
         ELSE CASE WHEN x.indisunique THEN 'index unique ' ELSE 'index ' END || i.relname || ' on ' || t.relname END
       || ' (' || (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true)
             || CASE WHEN x.indoption[n - 1] & 1 = 1 THEN ' DESC' ELSE '' END, ', ' ORDER BY n)
           FROM generate_series(1, x.indnkeyatts) n) || ')'
       || CASE WHEN x.indpred IS NULL THEN '' ELSE ' partial' END AS line
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
     JOIN pg_namespace s ON s.oid = t.relnamespace AND s.nspname = 'public'
     LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.contype = 'u'
     WHERE t.relname <> '__diesel_schema_migrations'",
    "SELECT t.relname || '.' || a.attname || ' references ' || r.relname || '.' || b.attname AS line
     FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid JOIN pg_class r ON r.oid = f.confrelid
     JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
     JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[1] WHERE f.contype = 'f'",
];

/// What `src/db/schema/` declares, read from its text.
pub fn declared() -> Shape {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/db/schema")).unwrap();
    let text: String = folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let mut lines = BTreeSet::new();
    let mut table = String::new();
    for line in text.lines().map(str::trim) {
        if let Some((name, keys)) = line.strip_suffix(") {").and_then(|line| line.split_once(" (")) {
            table = name.to_owned();
            lines.insert(format!("{table} primary key ({keys})"));
        } else if let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            lines.insert(format!("{table}.{column} {}", sql_type(kind)));
        }
    }
    Shape(lines)
}

/// `Nullable<BigInt>` as `bigint`, `Binary` as `blob not null`.
fn sql_type(kind: &str) -> String {
    let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
    let name = match inner.unwrap_or(kind) {
        "Binary" => "blob".to_owned(),
        "Bool" => "boolean".to_owned(),
        other => other.to_ascii_lowercase(),
    };
    if inner.is_some() { name } else { format!("{name} not null") }
}
