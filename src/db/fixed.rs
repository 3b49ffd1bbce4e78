//! A statement whose text never changes, prepared once a connection.
//!
//! diesel prepares every UPDATE, every upsert and every `sql_query` anew at each run (their `walk_ast` says that they are
//! not safe to cache): parsing one costs SQLite more than running it, and PostgreSQL a plan. What the hot path runs in
//! these forms is written as its text with `?` where a value goes.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::{QueryResult, RunQueryDsl};

/// A statement and its values.
pub struct Fixed<V> {
    text: &'static str,
    values: V,
}

/// A value of the SQL type `ST` behind those before it.
pub struct Bound<V, ST, U> {
    before: V,
    value: U,
    kind: std::marker::PhantomData<ST>,
}

/// The statement `text`: every `?` in it stands for a value and takes one `bind`; it must have no other question mark.
pub fn fixed(text: &'static str) -> Fixed<()> {
    Fixed { text, values: () }
}

impl<V> Fixed<V> {
    /// The value of the next `?`.
    pub fn bind<ST, U>(self, value: U) -> Fixed<Bound<V, ST, U>> {
        Fixed { text: self.text, values: Bound { before: self.values, value, kind: std::marker::PhantomData } }
    }
}

/// Values that write themselves between the parts of a text.
pub trait Values<DB: Backend> {
    /// Writes the parts and values up to the last of these; what is left of the text follows.
    fn walk<'b>(&'b self, parts: &mut std::str::Split<'static, char>, pass: AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

impl<DB: Backend> Values<DB> for () {
    fn walk<'b>(
        &'b self,
        parts: &mut std::str::Split<'static, char>,
        mut pass: AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        pass.push_sql(parts.next().unwrap_or_default());
        Ok(())
    }
}

impl<DB, V, ST, U> Values<DB> for Bound<V, ST, U>
where
    DB: Backend + HasSqlType<ST>,
    V: Values<DB>,
    U: ToSql<ST, DB>,
{
    fn walk<'b>(
        &'b self,
        parts: &mut std::str::Split<'static, char>,
        mut pass: AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        self.before.walk(parts, pass.reborrow())?;
        pass.push_bind_param(&self.value)?;
        pass.push_sql(parts.next().unwrap_or_default());
        Ok(())
    }
}

impl<DB: Backend, V: Values<DB>> QueryFragment<DB> for Fixed<V> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.values.walk(&mut self.text.split('?'), pass)
    }
}

impl<V> QueryId for Fixed<V> {
    type QueryId = ();
    // The text is the key of the cache.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<V> Query for Fixed<V> {
    type SqlType = Untyped;
}

impl<V, Conn> RunQueryDsl<Conn> for Fixed<V> {}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use diesel::sql_types::{Integer, Text};

    use super::*;

    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Integer)]
        size: i32,
    }

    #[test]
    fn values_go_where_the_marks_are() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        for (name, size) in [("a", 1), ("b", 2)] {
            let found: Found = fixed("SELECT ? AS name, ? + 1 AS size")
                .bind::<Text, _>(name)
                .bind::<Integer, _>(size)
                .get_result(&mut conn)
                .unwrap();
            assert_eq!((found.name.as_str(), found.size), (name, size + 1));
        }
    }
}
