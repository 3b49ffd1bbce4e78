//! The statements that walk the places: texts that only the list of places makes, with every value bound.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};

use super::super::places::{Fate, Form, Place, Walk, exactly, replacing};
use super::super::subject::Subject;
use crate::db::Conn;
use crate::error::Result;

/// A value to be bound.
enum Value {
    Text(String),
    Bytes(Option<Vec<u8>>),
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

/// A statement, `?` for each of its values.
struct Said {
    text: String,
    values: Vec<Value>,
}

impl Said {
    fn new(text: String, values: impl IntoIterator<Item = impl Into<Value>>) -> Said {
        Said { text, values: values.into_iter().map(Into::into).collect() }
    }

    /// The condition that is always true.
    fn all() -> Said {
        Said { text: String::from("1 = 1"), values: Vec::new() }
    }

    fn and(mut self, more: Said) -> Said {
        self.text = format!("{} AND {}", self.text, more.text);
        self.values.extend(more.values);
        self
    }
}

#[derive(QueryableByName)]
struct Bound {
    #[diesel(sql_type = Nullable<Text>)]
    place: Option<String>,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The texts of a row, and whether another column is the address anyhow.
#[derive(QueryableByName)]
struct Texts {
    #[diesel(sql_type = Nullable<Binary>)]
    a: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    b: Option<Vec<u8>>,
    #[diesel(sql_type = Integer)]
    counted: i32,
}

/// Runs a statement in the database's own way of marking places.
macro_rules! bound {
    ($conn:expr, $said:expr, $run:ident) => {{
        let said = $said;
        match $conn {
            Conn::Sqlite(c) => {
                let mut query = diesel::sql_query(said.text).into_boxed::<diesel::sqlite::Sqlite>();
                for value in said.values {
                    query = match value {
                        Value::Text(text) => query.bind::<Text, _>(text),
                        Value::Bytes(bytes) => query.bind::<Nullable<Binary>, _>(bytes),
                    };
                }
                query.$run(c)
            }
            Conn::Pg(c) => {
                let mut query = diesel::sql_query(numbered(&said)).into_boxed::<diesel::pg::Pg>();
                for value in said.values {
                    query = match value {
                        Value::Text(text) => query.bind::<Text, _>(text),
                        Value::Bytes(bytes) => query.bind::<Nullable<Binary>, _>(bytes),
                    };
                }
                query.$run(c)
            }
        }
    }};
}

/// PostgreSQL's marks: `$1::text`, `$2::bytea`, …
fn numbered(said: &Said) -> String {
    let mut parts = said.text.split('?');
    let mut out = String::from(parts.next().unwrap_or_default());
    for (index, (part, value)) in parts.zip(&said.values).enumerate() {
        let kind = match value {
            Value::Text(_) => "text",
            Value::Bytes(_) => "bytea",
        };
        out.push_str(&format!("${}::{kind}{part}", index + 1));
    }
    out
}

/// A stretch of a place: behind `after`, up to and with `to`; all of it where neither is given.
#[derive(Debug, Clone, Default)]
pub(in crate::privacy) struct Stretch {
    pub after: Option<String>,
    pub to: Option<String>,
}

/// Where a stretch of about `rows` rows behind `after` ends; `None` where fewer are left.
pub(in crate::privacy) fn stretch_end(
    conn: &mut Conn,
    place: &Place,
    after: Option<&str>,
    rows: i64,
) -> Result<Option<String>> {
    let (table, key) = match place.walk {
        Walk::Id => (place.table, "id"),
        Walk::Moment(column) => (place.table, column),
        Walk::Parent { table, .. } => (table, "id"),
    };
    let behind = after.map(|after| beyond(place.walk, key, ">", after));
    let Said { text, values } = behind.unwrap_or_else(Said::all);
    let text = format!(
        "SELECT CAST({key} AS TEXT) AS place FROM {table} WHERE {text} ORDER BY {table}.{key} LIMIT 1 OFFSET {rows}"
    );
    let found: QueryResult<Vec<Bound>> = bound!(conn, Said { text, values }, load);
    Ok(found?.pop().and_then(|bound| bound.place))
}

/// A bound of a walk along `key`.
fn beyond(walk: Walk, key: &str, compared: &str, bound: &str) -> Said {
    let mark = if matches!(walk, Walk::Moment(_)) { "CAST(? AS BIGINT)" } else { "?" };
    Said::new(format!("{key} {compared} {mark}"), [String::from(bound)])
}

/// The condition that a row lies in a stretch.
fn within(place: &Place, stretch: &Stretch) -> Said {
    let bounds = |key: &str| {
        let after = stretch.after.as_ref().map(|after| beyond(place.walk, key, ">", after));
        let to = stretch.to.as_ref().map(|to| beyond(place.walk, key, "<=", to));
        after.into_iter().chain(to).fold(Said::all(), Said::and)
    };
    match place.walk {
        Walk::Id => bounds("id"),
        Walk::Moment(column) => bounds(column),
        Walk::Parent { table, column } => {
            let Said { text, values } = bounds("id");
            Said { text: format!("{column} IN (SELECT id FROM {table} WHERE {text})"), values }
        }
    }
}

/// How many rows of a stretch hold the address.
pub(in crate::privacy) fn count(conn: &mut Conn, place: &Place, subject: &Subject, stretch: &Stretch) -> Result<i64> {
    let (text, values) = exactly(place, subject, conn.is_sqlite());
    let Said { text, values } = Said::new(text, values).and(within(place, stretch));
    let said = Said { text: format!("SELECT COUNT(*) AS n FROM {} WHERE {text}", place.table), values };
    let exact: QueryResult<Counted> = bound!(&mut *conn, said, get_result);
    let texts = texts(conn, place, subject, stretch)?;
    let only = texts.iter().filter(|row| row.counted == 0 && changed(row, subject).is_some()).count();
    Ok(exact?.n + i64::try_from(only).unwrap_or(i64::MAX))
}

/// Erases the address from a stretch; how many rows that were.
pub(in crate::privacy) fn erase(conn: &mut Conn, place: &Place, subject: &Subject, stretch: &Stretch) -> Result<i64> {
    // The bytes themselves are to go, pages that become free with them.
    secure_delete(conn, "ON")?;
    let done = erase_texts(conn, place, subject, stretch)
        .and_then(|rows| Ok(rows + erase_exact(conn, place, subject, stretch)?));
    secure_delete(conn, "FAST")?;
    done
}

/// Where a column is the address.
fn erase_exact(conn: &mut Conn, place: &Place, subject: &Subject, stretch: &Stretch) -> Result<i64> {
    let (condition, filters) = exactly(place, subject, conn.is_sqlite());
    if filters.is_empty() {
        return Ok(0);
    }
    let Said { text, values } = Said::new(condition, filters).and(within(place, stretch));
    let twice = erase_twice(conn, place, subject, stretch)?;
    let (text, values) = if place.fate == Fate::Removed {
        (format!("DELETE FROM {} WHERE {text}", place.table), values)
    } else {
        let (set, sets) = replacing(place, subject);
        let sets = sets.into_iter().map(Value::Text).chain(values).collect();
        (format!("UPDATE {} SET {set} WHERE {text}", place.table), sets)
    };
    let done: QueryResult<usize> = bound!(conn, Said { text, values }, execute);
    Ok(twice.saturating_add(i64::try_from(done?).unwrap_or(i64::MAX)))
}

/// Removes the rows whose pseudonym is there already, by an earlier erasure.
fn erase_twice(conn: &mut Conn, place: &Place, subject: &Subject, stretch: &Stretch) -> Result<i64> {
    let (Some((column, _)), [_, ..]) = (place.columns.first(), place.once) else { return Ok(0) };
    let table = place.table;
    let alike: String = place.once.iter().map(|other| format!(" AND erased.{other} = {table}.{other}")).collect();
    let text = format!("{column} = ? AND EXISTS (SELECT 1 FROM {table} AS erased WHERE erased.{column} = ?{alike})");
    let said = Said::new(text, [subject.address.clone(), subject.pseudonym.clone()]).and(within(place, stretch));
    let said = Said { text: format!("DELETE FROM {table} WHERE {}", said.text), ..said };
    let done: QueryResult<usize> = bound!(conn, said, execute);
    Ok(i64::try_from(done?).unwrap_or(i64::MAX))
}

/// Where it stands within a text. Each row is written as it was read: what somebody else has changed meanwhile is left to
/// the next pass.
fn erase_texts(conn: &mut Conn, place: &Place, subject: &Subject, stretch: &Stretch) -> Result<i64> {
    let is_sqlite = conn.is_sqlite();
    let mut rows = 0;
    for row in texts(conn, place, subject, stretch)? {
        let Some([a, b]) = changed(&row, subject) else { continue };
        let columns: Vec<_> = place.texts().zip([(row.a, a), (row.b, b)]).collect();
        let as_read = columns.iter().fold(within(place, stretch), |said, ((column, form), (old, _))| {
            let text = format!("{} IS NOT DISTINCT FROM ?", bytes_of(column, *form, is_sqlite));
            said.and(Said { text, values: vec![Value::Bytes(old.clone())] })
        });
        let (text, values) = if place.fate == Fate::Removed {
            (format!("DELETE FROM {} WHERE {}", place.table, as_read.text), as_read.values)
        } else {
            let sets = columns.iter().map(|((column, form), _)| format!("{column} = {}", from_bytes(*form, is_sqlite)));
            let emptied = place.emptied().iter().map(|column| format!("{column} = NULL"));
            let sets = sets.chain(emptied).collect::<Vec<_>>().join(", ");
            let values = columns.into_iter().map(|(_, (_, new))| Value::Bytes(new)).chain(as_read.values).collect();
            (format!("UPDATE {} SET {sets} WHERE {}", place.table, as_read.text), values)
        };
        let done: QueryResult<usize> = bound!(&mut *conn, Said { text, values }, execute);
        done?;
        rows += i64::from(row.counted == 0);
    }
    Ok(rows)
}

/// The texts of a stretch that may hold the address.
fn texts(conn: &mut Conn, place: &Place, subject: &Subject, stretch: &Stretch) -> Result<Vec<Texts>> {
    let is_sqlite = conn.is_sqlite();
    let columns: Vec<String> = place.texts().map(|(column, form)| bytes_of(column, form, is_sqlite)).collect();
    let [a, rest @ ..] = columns.as_slice() else { return Ok(Vec::new()) };
    let none = if is_sqlite { "NULL" } else { "NULL::bytea" };
    let b = rest.first().map_or(none, String::as_str);
    let holds = |column: &String| match is_sqlite {
        true => format!("instr({column}, ?) > 0"),
        false => format!("position(? in {column}) > 0"),
    };
    let may = columns.iter().map(holds).collect::<Vec<_>>().join(" OR ");
    let needles = columns.iter().map(|_| Value::Bytes(Some(Vec::from(subject.needle()))));
    let (exact, exact_values) = exactly(place, subject, is_sqlite);
    let Said { text, values } = Said::new(format!("({may})"), needles).and(within(place, stretch));
    let text = format!(
        "SELECT {a} AS a, {b} AS b, CASE WHEN {exact} THEN 1 ELSE 0 END AS counted FROM {} WHERE {text}",
        place.table
    );
    let values = exact_values.into_iter().map(Value::Text).chain(values).collect();
    let found: QueryResult<Vec<Texts>> = bound!(conn, Said { text, values }, load);
    Ok(found?)
}

/// The texts of a row without the address; `None` where it was not in them.
fn changed(row: &Texts, subject: &Subject) -> Option<[Option<Vec<u8>>; 2]> {
    let rewritten = |text: &Option<Vec<u8>>| text.as_ref().and_then(|text| subject.rewritten(text));
    match (rewritten(&row.a), rewritten(&row.b)) {
        (None, None) => None,
        (a, b) => Some([a.or_else(|| row.a.clone()), b.or_else(|| row.b.clone())]),
    }
}

fn bytes_of(column: &str, form: Form, is_sqlite: bool) -> String {
    match (form, is_sqlite) {
        (Form::Bytes, _) => String::from(column),
        (_, true) => format!("CAST({column} AS BLOB)"),
        (_, false) => format!("convert_to({column}, 'UTF8')"),
    }
}

fn from_bytes(form: Form, is_sqlite: bool) -> &'static str {
    match (form, is_sqlite) {
        (Form::Bytes, _) => "?",
        (_, true) => "CAST(? AS TEXT)",
        (_, false) => "convert_from(?, 'UTF8')",
    }
}

fn secure_delete(conn: &mut Conn, how: &str) -> Result<()> {
    if let Conn::Sqlite(c) = conn {
        c.batch_execute(&format!("PRAGMA secure_delete = {how}"))?;
    }
    Ok(())
}
