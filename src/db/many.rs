//! Many rows in one statement of constant text on PostgreSQL: an array a column, taken apart by `unnest`.
//!
//! A multi-row `VALUES` has a parameter for each cell: its text is another for each number of rows, and parsing two
//! thousand parameters costs PostgreSQL more than storing the rows.

/// `INSERT INTO table (columns) SELECT * FROM unnest(?::…[], …)`: the text for `columns` of (name, type).
pub fn insert_text(table: &str, columns: &[(&str, &str)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let arrays: Vec<String> = columns.iter().map(|(_, kind)| format!("?::{kind}[]")).collect();
    format!("INSERT INTO {table} ({}) SELECT * FROM unnest({})", names.join(", "), arrays.join(", "))
}

/// Inserts `rows` into a table of PostgreSQL in one statement; every value is given as an `Option`.
///
/// ```ignore
/// insert_many!(conn, "things", &rows, row => { id: Text = Some(row.id.as_str()), size: BigInt = row.size })
/// ```
#[macro_export]
macro_rules! insert_many {
    ($conn:expr, $table:literal, $rows:expr, $row:ident => { $($column:ident: $kind:ident = $value:expr),+ $(,)? }) => {{
        static TEXT: ::std::sync::LazyLock<String> = ::std::sync::LazyLock::new(|| {
            $crate::db::many::insert_text($table, &[$((stringify!($column), $crate::array_of!($kind))),+])
        });
        let query = $crate::db::fixed::fixed(TEXT.as_str())
            $(.bind::<::diesel::sql_types::Array<::diesel::sql_types::Nullable<::diesel::sql_types::$kind>>, _>(
                $rows.iter().map(|$row| $value).collect::<Vec<_>>()
            ))+;
        ::diesel::RunQueryDsl::execute(query, $conn)
    }};
}

/// PostgreSQL's name of a column type.
#[macro_export]
macro_rules! array_of {
    (Text) => {
        "text"
    };
    (Binary) => {
        "bytea"
    };
    (BigInt) => {
        "bigint"
    };
    (Integer) => {
        "integer"
    };
    (SmallInt) => {
        "smallint"
    };
    (Bool) => {
        "boolean"
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_each_column_once_in_order() {
        let text = insert_text("things", &[("id", "text"), ("size", "bigint")]);
        assert_eq!(text, "INSERT INTO things (id, size) SELECT * FROM unnest(?::text[], ?::bigint[])");
    }
}
